"""The cache of meshes itself: what it holds, and that stopping and going on leaves no trace in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from datamodules.prepare import mesh_cache, row_cache
from datamodules.prepare.facescape import find_meshes
from datamodules.prepare.mesh_cache import MeshCache, build_mesh_cache, open_mesh_cache
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.geometry.mesh import format_topology, format_vertices

NAMES = ("neutral", "smile", "mouth_stretch", "anger")
FACES = np.array([[0, 1, 2], [2, 1, 3]])
UV = np.array([[0, 0], [0.5, 0], [1, 0.25], [0, 1], [1, 1]], dtype=np.float32)
FACES_UV = np.array([[0, 1, 2], [4, 1, 3]])  # a seam: vertex 2 has two places on the texture


def _vertices(person: int, k: int, count: int = 43) -> np.ndarray:
    return np.random.default_rng((person, k)).normal(0, 60, (count, 3)).round(4)


def _write(root: Path, people: int, vertices: int = 43) -> Path:
    for person in range(1, people + 1):
        folder = root / str(person) / "models_reg"
        folder.mkdir(parents=True)
        for k, name in enumerate(NAMES, start=1):
            text = format_vertices(_vertices(person, k, vertices)) + format_topology(FACES, UV, FACES_UV)
            (folder / f"{k}_{name}.obj").write_text(text)
    return root


def _build(root: Path, folder: Path, template: Path | None = None, on_bad_sample="skip") -> MeshCache:
    return open_mesh_cache(build_mesh_cache(root, find_meshes(root), template, folder, on_bad_sample))


def _same(one: MeshCache, two: MeshCache) -> None:
    """Fails unless two caches hold the same, bit by bit."""
    for name in ("displacements", "template", "faces", "uv", "faces_uv"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    assert (one.meshes, one.digest) == (two.meshes, two.digest)


@pytest.mark.parametrize("vertices", [43, 867])
def test_rows_are_vertices_minus_template_whatever_the_number_of_vertices(tmp_path, vertices):
    cache = _build(_write(tmp_path / "data", 3, vertices), tmp_path / "cache")
    assert cache.displacements.shape == (12, vertices, 3)
    assert cache.displacements.dtype == np.float32
    for row, mesh in zip(cache.displacements, cache.meshes, strict=True):
        expected = _vertices(mesh.identity, mesh.expression + 1, vertices)
        np.testing.assert_allclose(row + cache.template.astype(np.float64), expected, atol=2e-5)


def test_rows_are_sorted_by_person_number_and_expression(tmp_path):
    meshes = _build(_write(tmp_path / "data", 11), tmp_path / "cache").meshes
    assert [(mesh.identity, mesh.expression) for mesh in meshes] == [(p, k) for p in range(1, 12) for k in range(4)]


def test_topology_is_kept_with_its_seams(tmp_path):
    cache = _build(_write(tmp_path / "data", 2), tmp_path / "cache")
    for kept, written in ((cache.faces, FACES), (cache.uv, UV), (cache.faces_uv, FACES_UV)):
        np.testing.assert_array_equal(kept, written)


def test_given_template_is_taken_off_as_it_is(tmp_path):
    root = _write(tmp_path / "data", 2)
    (tmp_path / "template.obj").write_text(format_vertices(_vertices(99, 1)) + format_topology(FACES, UV, FACES_UV))
    cache = _build(root, tmp_path / "cache", tmp_path / "template.obj")
    np.testing.assert_array_equal(cache.template, _vertices(99, 1).astype(np.float32))
    np.testing.assert_allclose(cache.displacements[0], _vertices(1, 1) - _vertices(99, 1), atol=2e-5)


def test_another_template_makes_another_cache(tmp_path):
    root = _write(tmp_path / "data", 2)
    (tmp_path / "template.obj").write_text(format_vertices(_vertices(99, 1)) + format_topology(FACES, UV, FACES_UV))
    first = build_mesh_cache(root, find_meshes(root), None, tmp_path / "cache", "skip")
    second = build_mesh_cache(root, find_meshes(root), tmp_path / "template.obj", tmp_path / "cache", "skip")
    assert first != second


def test_processes_and_their_order_do_not_change_the_cache(tmp_path, monkeypatch):
    root = _write(tmp_path / "data", 15)
    alone = _build(root, tmp_path / "alone")
    monkeypatch.setattr(row_cache, "FILES_WORTH_PROCESSES", 0)
    monkeypatch.setattr(row_cache, "FILES_AT_A_TIME", 7)
    _same(_build(root, tmp_path / "shared"), alone)


BUILD = """
import sys
from pathlib import Path
from datamodules.prepare import mesh_cache, row_cache
from datamodules.prepare.facescape import find_meshes
if __name__ == "__main__":
    row_cache.FILES_AT_A_TIME = 2
    root, folder = Path(sys.argv[1]), Path(sys.argv[2])
    mesh_cache.build_mesh_cache(root, find_meshes(root), None, folder, "skip")
"""


def _rows_done(folder: Path) -> set[int]:
    rows = set()
    for note in folder.glob("*/done.jsonl"):
        for line in note.read_text().splitlines():
            try:
                rows.add(json.loads(line)[0])
            except json.JSONDecodeError:  # blank, or being written
                continue
    return rows


def test_build_killed_and_continued_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    """A real process, killed with SIGKILL; afterwards only the rows it had not noted are read."""
    root = _write(tmp_path / "data", 24, 4000)
    (root / "3" / "models_reg" / "2_smile.obj").write_text("v 1 2 3\n")  # one that is skipped, so rows move up
    (tmp_path / "build.py").write_text(BUILD)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "build.py"), str(root), str(tmp_path / "killed")], start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(_rows_done(tmp_path / "killed")) < 4:
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline, "the build did not begin"
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = _rows_done(tmp_path / "killed")
    assert 4 <= len(done) < 96
    meshes, read, read_now = find_meshes(root), [], mesh_cache.read_obj_vertices
    monkeypatch.setattr(mesh_cache, "read_obj_vertices", lambda path: read.append(path) or read_now(path))
    continued = _build(root, tmp_path / "killed")
    assert read == [root / meshes[row].path for row in range(96) if row not in done]
    monkeypatch.setattr(mesh_cache, "read_obj_vertices", read_now)
    _same(continued, _build(root, tmp_path / "whole"))
    assert [path for path, _ in continued.skipped] == ["3/models_reg/2_smile.obj"]


def test_note_cut_short_by_a_kill_is_done_again(tmp_path, monkeypatch):
    root = _write(tmp_path / "data", 5)
    with monkeypatch.context() as broken:
        broken.setattr(row_cache, "_finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _build(root, tmp_path / "cache")
    (note,) = (tmp_path / "cache").glob("*/done.jsonl")
    note.write_text(note.read_text()[:-40])
    _same(_build(root, tmp_path / "cache"), _build(root, tmp_path / "whole"))


def test_finished_cache_holds_nothing_of_the_build(tmp_path):
    root = _write(tmp_path / "data", 5)
    (root / "3" / "models_reg" / "2_smile.obj").write_text("v 1 2 3\n")
    folder = build_mesh_cache(root, find_meshes(root), None, tmp_path / "cache", "skip")
    assert not (folder / "done.jsonl").exists()
    (memory_map,) = folder.glob("*.raw")
    assert memory_map.stat().st_size == 19 * 43 * 12
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [folder]


def test_copy_elsewhere_has_the_same_digest_and_one_vertex_edited_another(tmp_path):
    root, copy = _write(tmp_path / "data", 3), tmp_path / "copy"
    shutil.copytree(root, copy)
    digest = _build(root, tmp_path / "cache").digest
    for path in copy.rglob("*.obj"):
        os.utime(path, (0, 0))
    assert _build(copy, tmp_path / "cache2").digest == digest
    path = copy / "2" / "models_reg" / "1_neutral.obj"
    vertices = _vertices(2, 1)
    vertices[42, 2] += 0.001
    path.write_text(format_vertices(vertices) + format_topology(FACES, UV, FACES_UV))
    assert _build(copy, tmp_path / "cache2").digest != digest


def test_digest_is_of_the_vertices_not_of_how_they_are_written(tmp_path):
    root = _write(tmp_path / "data", 3)
    digest = _build(root, tmp_path / "cache").digest
    path = root / "1" / "models_reg" / "3_mouth_stretch.obj"
    path.write_text("# from another program\n" + path.read_text().replace("\n", "\r\n"))
    assert _build(root, tmp_path / "cache").digest == digest


def test_other_people_and_labels_have_another_digest(tmp_path):
    """The same meshes under another person's number are other data."""
    root = _write(tmp_path / "data", 3)
    digest = _build(root, tmp_path / "cache").digest
    (root / "3").rename(root / "4")
    assert _build(root, tmp_path / "cache").digest != digest


def test_only_bad_meshes_is_an_error_that_names_one(tmp_path):
    root = _write(tmp_path / "data", 2)
    for path in root.rglob("*.obj"):
        path.write_text("v 1 nan 2\n")
    with pytest.raises(BadSampleError, match=r"\.obj.*line 1"):
        _build(root, tmp_path / "cache")


def test_strict_build_can_go_on_leniently(tmp_path):
    root = _write(tmp_path / "data", 3)
    (root / "2" / "models_reg" / "2_smile.obj").write_text("v 1 nan 2\n")
    with pytest.raises(BadSampleError, match=r"2_smile\.obj.*on_bad_sample=skip"):
        _build(root, tmp_path / "cache", on_bad_sample="raise")
    cache = _build(root, tmp_path / "cache")
    assert len(cache.meshes) == 11
    assert [path for path, _ in cache.skipped] == ["2/models_reg/2_smile.obj"]


def test_missing_template_is_named(tmp_path):
    root = _write(tmp_path / "data", 1)
    with pytest.raises(DatasetNotFoundError, match=r"data\.template=.*absent\.obj"):
        _build(root, tmp_path / "cache", tmp_path / "absent.obj")


def test_folder_that_cannot_be_written_says_how_to_choose_another(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetNotFoundError, match=r"data\.cache=DIR"):
        _build(_write(tmp_path / "data", 1), tmp_path / "file" / "cache")
