"""The FaceScape reader on small folders laid out as the data set's owners hand it out, with what is wrong in them."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.config import FaceScapeConfig
from datamodules.facescape import FaceScapeDataModule
from datamodules.prepare import row_cache
from datamodules.prepare.facescape import check_facescape, find_meshes
from datamodules.prepare.mesh_cache import build_mesh_cache, open_mesh_cache
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError, FacegenError

NAMES = ("neutral", "smile", "mouth_stretch")
VERTICES = 12


def vertices_of(person: int, k: int, vertices: int = VERTICES) -> np.ndarray:
    return np.random.default_rng((person, k)).normal(0, 50, (vertices, 3)).round(4).astype(np.float32)


def write_mesh(path: Path, vertices: np.ndarray, colours: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tail = " 0.5 0.5 0.5" if colours else ""
    lines = [f"v {x:.4f} {y:.4f} {z:.4f}{tail}\n" for x, y, z in vertices]
    path.write_text("mtllib a.mtl\n" + "".join(lines) + "vt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")


def write_folder(root: Path, people=range(1, 11), vertices: int = VERTICES) -> Path:
    for person in people:
        for k, name in enumerate(NAMES, start=1):
            write_mesh(root / str(person) / "models_reg" / f"{k}_{name}.obj", vertices_of(person, k, vertices))
    return root


def opened(root: Path, **settings) -> FaceScapeDataModule:
    datamodule = FaceScapeDataModule(FaceScapeConfig(root=str(root), **settings), batch_size=4, seed=0)
    datamodule.prepare_data()
    datamodule.setup("fit")
    return datamodule


def all_vertices(datamodule: FaceScapeDataModule) -> dict[tuple[int, int], np.ndarray]:
    """(identity label, expression label) -> vertices, of all splits."""
    found = {}
    for split in ("train", "val", "test"):
        for batch in datamodule.in_order(split):
            meshes = (batch["displacement"] + datamodule.template).numpy()
            labels = zip(batch["identity"].tolist(), batch["expression"].tolist(), strict=True)
            found |= dict(zip(labels, meshes, strict=True))
    return found


def people_of(datamodule: FaceScapeDataModule, split: str) -> set[int]:
    return {identity for batch in datamodule.in_order(split) for identity in batch["identity"].tolist()}


# What it reads


def test_meshes_come_back_in_millimetres_with_their_labels(tmp_path):
    write_folder(tmp_path)
    datamodule = opened(tmp_path, val_identities=[2], test_identities=[9])
    found = all_vertices(datamodule)
    order = [1, 3, 4, 5, 6, 7, 8, 10, 2, 9]  # people trained on first, then held out
    assert set(found) == {(label, k) for label in range(10) for k in range(3)}
    for (label, k), mesh in found.items():
        np.testing.assert_allclose(mesh, vertices_of(order[label], k + 1), atol=2e-5)
    assert (datamodule.num_vertices, datamodule.num_identities, datamodule.num_expressions) == (VERTICES, 8, 3)


def test_zip_folder_level_reads_as_the_flat_layout(tmp_path):
    flat = write_folder(tmp_path / "flat")
    zipped = tmp_path / "zipped"
    write_folder(zipped / "facescape_trainset_001_100", range(1, 6))
    write_folder(zipped / "facescape_trainset_101_200", range(6, 11))
    expected, got = all_vertices(opened(flat)), all_vertices(opened(zipped))
    assert expected.keys() == got.keys()
    for key in expected:
        np.testing.assert_array_equal(expected[key], got[key])


def test_mixed_flat_and_zip_levels_read_together(tmp_path):
    write_folder(tmp_path, [1, 2])
    write_folder(tmp_path / "facescape_trainset_001_100", [3, 4])
    assert {mesh.identity for mesh in find_meshes(tmp_path)} == {1, 2, 3, 4}


def test_a_mesh_found_twice_is_read_once(tmp_path):
    write_folder(tmp_path, [1, 2])
    write_folder(tmp_path / "facescape_trainset_001_100", [1, 2])
    found = [(mesh.identity, mesh.expression) for mesh in find_meshes(tmp_path)]
    assert len(found) == len(set(found)) == 6


def test_gaps_in_people_and_expressions_are_tolerated(tmp_path):
    write_folder(tmp_path, [3, 17, 200, 847])
    (tmp_path / "17" / "models_reg" / "2_smile.obj").unlink()
    datamodule = opened(tmp_path, val_identities=[200], test_identities=[847])
    assert len(all_vertices(datamodule)) == 11
    assert people_of(datamodule, "train") == {0, 1}


def test_other_files_are_not_meshes(tmp_path):
    write_folder(tmp_path, [1, 2, 3])
    folder = tmp_path / "1" / "models_reg"
    for name in ("1_neutral.obj.mtl", "1_neutral.jpg", "._1_neutral.obj", "notes.obj", "1_neutral.obj.bak"):
        (folder / name).write_text("x")
    (tmp_path / "1" / "dpmap").mkdir()
    (tmp_path / "1" / "dpmap" / "1_neutral.png").write_text("x")
    write_mesh(tmp_path / "readme" / "models_reg" / "1_neutral.obj", vertices_of(1, 1))
    assert len(find_meshes(tmp_path)) == 9


def test_vertex_colours_are_left_out(tmp_path):
    write_folder(tmp_path)
    write_mesh(tmp_path / "1" / "models_reg" / "1_neutral.obj", vertices_of(1, 1), colours=True)
    datamodule = opened(tmp_path, val_identities=[2], test_identities=[3])
    np.testing.assert_allclose(all_vertices(datamodule)[0, 0], vertices_of(1, 1), atol=2e-5)
    assert datamodule.skipped == []


@pytest.mark.parametrize("vertices", [3, 500])
def test_nothing_is_tied_to_one_topology(tmp_path, vertices):
    write_folder(tmp_path, vertices=vertices)
    assert opened(tmp_path).num_vertices == vertices


@pytest.mark.parametrize(
    "make", [lambda root: None, lambda root: root.mkdir(), lambda root: (root / "1").mkdir(parents=True)]
)
def test_missing_data_says_what_is_expected_and_how_to_get_it(tmp_path, make):
    make(tmp_path / "absent")
    with pytest.raises(DatasetNotFoundError) as missing:
        opened(tmp_path / "absent")
    for part in ("models_reg", "https://facescape.nju.edu.cn", "facegen data population --layout facescape", "absent"):
        assert part in str(missing.value)


# The template


def test_template_is_the_mean_of_the_people_trained_on(tmp_path):
    write_folder(tmp_path)
    datamodule = opened(tmp_path, val_identities=[1], test_identities=[10])
    mean = np.mean([vertices_of(person, k) for person in range(2, 10) for k in (1, 2, 3)], axis=0)
    np.testing.assert_allclose(datamodule.template.numpy(), mean, atol=1e-4)


def test_given_template_is_what_displacements_are_measured_from(tmp_path):
    write_folder(tmp_path / "data")
    template = vertices_of(99, 1)
    write_mesh(tmp_path / "template.obj", template)
    datamodule = opened(
        tmp_path / "data", template=str(tmp_path / "template.obj"), val_identities=[2], test_identities=[3]
    )
    np.testing.assert_array_equal(datamodule.template.numpy(), template)
    first = next(iter(datamodule.in_order("train")))
    np.testing.assert_allclose(first["displacement"][0].numpy(), vertices_of(1, 1) - template, atol=1e-5)


def test_template_of_another_size_is_refused_not_blamed_on_the_meshes(tmp_path):
    write_folder(tmp_path / "data")
    write_mesh(tmp_path / "template.obj", vertices_of(99, 1, 5))
    with pytest.raises(FacegenError, match="template"):
        opened(tmp_path / "data", template=str(tmp_path / "template.obj"))


# Bad meshes


def _cut(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[: text.index("vt") - 20])


def _not_a_number(path: Path) -> None:
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["v 1 nan 3" if i == 4 else line for i, line in enumerate(lines)]) + "\n")


BAD = {
    "one-more": lambda path: write_mesh(path, vertices_of(1, 1, VERTICES + 1)),
    "one-fewer": lambda path: write_mesh(path, vertices_of(1, 1, VERTICES - 1)),
    "nan": _not_a_number,
    "cut-short": _cut,
    "empty": lambda path: path.write_text(""),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD.keys())
def test_bad_mesh_is_named_counted_and_left_out(tmp_path, spoil):
    write_folder(tmp_path)
    bad = tmp_path / "4" / "models_reg" / "2_smile.obj"
    spoil(bad)
    datamodule = opened(tmp_path, on_bad_sample="skip", val_identities=[9], test_identities=[10])
    assert [path for path, _ in datamodule.skipped] == ["4/models_reg/2_smile.obj"]
    assert "2_smile.obj" in datamodule.skipped[0][1]
    found = all_vertices(datamodule)
    assert len(found) == 29
    for (label, k), mesh in found.items():  # no row took another's place
        np.testing.assert_allclose(mesh, vertices_of(label + 1, k + 1), atol=2e-5)


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD.keys())
def test_bad_mesh_stops_a_strict_reader_with_its_name(tmp_path, spoil):
    write_folder(tmp_path)
    spoil(tmp_path / "4" / "models_reg" / "2_smile.obj")
    with pytest.raises(BadSampleError, match=r"4/models_reg/2_smile\.obj"):
        opened(tmp_path, on_bad_sample="raise")


def test_strict_reader_is_strict_with_a_cache_made_by_a_lenient_one(tmp_path):
    write_folder(tmp_path)
    _cut(tmp_path / "4" / "models_reg" / "2_smile.obj")
    opened(tmp_path, on_bad_sample="skip")
    with pytest.raises(BadSampleError, match=r"2_smile\.obj"):
        opened(tmp_path, on_bad_sample="raise")


def test_bad_first_mesh_is_not_taken_for_the_template(tmp_path):
    write_folder(tmp_path)
    write_mesh(tmp_path / "1" / "models_reg" / "1_neutral.obj", vertices_of(1, 1, VERTICES + 3))
    datamodule = opened(tmp_path)
    assert datamodule.num_vertices == VERTICES
    assert len(datamodule.skipped) == 1


# The cache


def test_cache_is_built_once(tmp_path, monkeypatch):
    write_folder(tmp_path)
    opened(tmp_path)
    monkeypatch.setattr(row_cache, "_fill", lambda *_: pytest.fail("built again"))
    opened(tmp_path)


def test_half_built_cache_is_never_opened(tmp_path, monkeypatch):
    write_folder(tmp_path / "data")
    cache = tmp_path / "cache"
    with monkeypatch.context() as broken:
        broken.setattr(row_cache, "_finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path / "data", cache=str(cache))
    assert not list(cache.glob("*/index.json"))
    assert len(all_vertices(opened(tmp_path / "data", cache=str(cache)))) == 30


def test_build_stopped_while_it_closes_gaps_is_repeated_rightly(tmp_path, monkeypatch):
    """Rows behind a skipped file move up at the end; stopped in between, they must not move twice."""
    write_folder(tmp_path)
    _cut(tmp_path / "1" / "models_reg" / "2_smile.obj")
    with monkeypatch.context() as broken:
        broken.setattr(row_cache, "_content_digest", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)
    with monkeypatch.context() as broken:  # and again, before anything is cut off
        broken.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with contextlib.suppress(KeyboardInterrupt):
            opened(tmp_path)
    for (label, k), mesh in all_vertices(opened(tmp_path, val_identities=[9], test_identities=[10])).items():
        np.testing.assert_allclose(mesh, vertices_of(label + 1, k + 1), atol=2e-5)


BUILD = """
import sys
from pathlib import Path
from datamodules.prepare.facescape import find_meshes
from datamodules.prepare.mesh_cache import build_mesh_cache
if __name__ == "__main__":
    root, cache = Path(sys.argv[1]), Path(sys.argv[2])
    build_mesh_cache(root, find_meshes(root), None, cache, "skip")
"""


def _finished_rows(cache: Path) -> list[int]:
    rows = []
    for path in cache.glob("*/done.jsonl"):
        for line in path.read_text().splitlines():
            try:
                rows.append(json.loads(line)[0])
            except json.JSONDecodeError:
                continue
    return rows


def test_killed_build_goes_on_where_it_stopped(tmp_path):
    """A real process is killed with SIGKILL. What it had read is then spoilt, unnoticeably by name, size and time."""
    root, cache = write_folder(tmp_path / "data", range(1, 101), vertices=3000), tmp_path / "cache"
    (tmp_path / "build.py").write_text(BUILD)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "build.py"), str(root), str(cache)], start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not _finished_rows(cache):
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    meshes, finished = find_meshes(root), set(_finished_rows(cache))
    assert 0 < len(finished) < len(meshes)
    for row in finished:
        path = root / meshes[row].path
        status = path.stat()
        path.write_bytes(b"x" * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    built = open_mesh_cache(build_mesh_cache(root, meshes, None, cache, "skip"))
    assert built.skipped == []
    for row, mesh in enumerate(built.meshes):
        expected = vertices_of(mesh.identity, mesh.expression + 1, 3000)
        np.testing.assert_allclose(built.displacements[row] + built.template, expected, atol=2e-5)


def test_changed_file_is_read_again(tmp_path):
    write_folder(tmp_path)
    opened(tmp_path)
    write_mesh(tmp_path / "1" / "models_reg" / "1_neutral.obj", vertices_of(50, 1))
    datamodule = opened(tmp_path, val_identities=[9], test_identities=[10])
    np.testing.assert_allclose(all_vertices(datamodule)[0, 0], vertices_of(50, 1), atol=2e-5)


def test_digest_names_the_data_wherever_it_lies(tmp_path):
    write_folder(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")  # copies keep neither the folder nor, here, the times
    for path in (tmp_path / "b").rglob("*.obj"):
        os.utime(path, (1, 1))
    assert opened(tmp_path / "a").digest() == opened(tmp_path / "b").digest()


def test_digest_changes_with_one_vertex(tmp_path):
    write_folder(tmp_path)
    before = opened(tmp_path).digest()
    path = tmp_path / "5" / "models_reg" / "3_mouth_stretch.obj"
    moved = vertices_of(5, 3)
    moved[7, 1] += 0.001
    write_mesh(path, moved)
    assert opened(tmp_path).digest() != before


def test_digest_changes_with_the_split(tmp_path):
    write_folder(tmp_path)
    assert opened(tmp_path, test_identities=[1]).digest() != opened(tmp_path, test_identities=[2]).digest()


def test_cache_can_lie_elsewhere(tmp_path):
    write_folder(tmp_path / "data")
    opened(tmp_path / "data", cache=str(tmp_path / "elsewhere"))
    assert list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "data" / ".facegen_cache").exists()


# Splits


def test_splits_are_disjoint_in_people_and_complete(tmp_path):
    datamodule = opened(write_folder(tmp_path, range(1, 31)), val_fraction=0.1, test_fraction=0.2)
    people = [people_of(datamodule, split) for split in ("train", "val", "test")]
    assert [len(part) for part in people] == [21, 3, 6]
    assert set.union(*people) == set(range(30))
    assert people[0] == set(range(21))  # labels of people trained on are contiguous


def test_a_person_without_a_readable_mesh_changes_nobody_elses_split(tmp_path):
    """Textures, which may be readable, are split in the same way."""
    whole, cut = (write_folder(tmp_path / name, range(1, 31)) for name in ("whole", "cut"))
    for mesh in (cut / "7" / "models_reg").glob("*.obj"):
        mesh.write_text("nothing")
    before, after = (
        {split: {data.everybody[label] for label in people_of(data, split)} for split in ("train", "val", "test")}
        for data in (opened(whole), opened(cut))
    )
    assert after == {split: people - {7} for split, people in before.items()}


def test_split_does_not_depend_on_the_seed_of_the_run(tmp_path):
    write_folder(tmp_path)
    config = FaceScapeConfig(root=str(tmp_path))
    digests = set()
    for seed in (0, 1):
        datamodule = FaceScapeDataModule(config, 4, seed)
        datamodule.prepare_data()
        datamodule.setup("fit")
        digests.add(datamodule.digest())
    assert len(digests) == 1


def test_named_people_are_held_out(tmp_path):
    datamodule = opened(write_folder(tmp_path), val_identities=[7], test_identities=[1, 2])
    shown = datamodule.in_order("val")
    np.testing.assert_allclose(
        (next(iter(shown))["displacement"][0] + datamodule.template).numpy(), vertices_of(7, 1), atol=2e-5
    )
    assert datamodule.num_identities == 7


def test_nobody_left_to_train_on_is_said(tmp_path):
    root = write_folder(tmp_path, people=range(1, 4))
    for path in root.glob("3/**/*.obj"):
        _cut(path)
    with pytest.raises(DatasetNotFoundError, match="nobody who is trained on has a mesh"):
        opened(root, val_identities=[1], test_identities=[2])


@pytest.mark.parametrize("settings", [{"val_identities": [99]}, {"val_identities": [1], "test_identities": [1]}])
def test_impossible_split_is_refused(tmp_path, settings):
    write_folder(tmp_path)
    with pytest.raises(ConfigError):
        opened(tmp_path, **settings)


# Loading


def test_workers_do_not_change_what_is_read(tmp_path):
    write_folder(tmp_path)
    config = FaceScapeConfig(root=str(tmp_path))
    batches = []
    for workers in (0, 2):
        datamodule = FaceScapeDataModule(replace(config, num_workers=workers), 4, seed=3)
        datamodule.prepare_data()
        datamodule.setup("fit")
        stream = iter(datamodule.train_dataloader())
        batches.append([next(stream) for _ in range(5)])
        del stream
    for one, two in zip(*batches, strict=True):
        for key in one:
            torch.testing.assert_close(one[key], two[key], rtol=0, atol=0)


def test_workers_are_handed_the_file_not_its_content(tmp_path):
    datamodule = opened(write_folder(tmp_path, vertices=2000))
    assert len(pickle.dumps(datamodule.datasets["train"])) < 100_000


def test_batches_have_the_promised_types(tmp_path):
    batch = next(iter(opened(write_folder(tmp_path)).train_dataloader()))
    assert batch["displacement"].shape == (4, VERTICES, 3)
    assert (batch["displacement"].dtype, batch["identity"].dtype, batch["expression"].dtype) == (
        torch.float32,
        torch.int64,
        torch.int64,
    )


# The check


def test_check_says_what_is_there_and_what_is_missing(tmp_path):
    write_folder(tmp_path, [1, 2, 4])
    (tmp_path / "2" / "models_reg" / "3_mouth_stretch.obj").unlink()
    report = str(check_facescape(tmp_path))
    assert "8 meshes of 3 people" in report
    assert "2/3_mouth_stretch" in report


def test_deep_check_finds_the_meshes_that_will_be_skipped(tmp_path):
    write_folder(tmp_path)
    _not_a_number(tmp_path / "3" / "models_reg" / "1_neutral.obj")
    write_mesh(tmp_path / "4" / "models_reg" / "1_neutral.obj", vertices_of(4, 1, 7))
    report = str(check_facescape(tmp_path, deep=True))
    assert "3/models_reg/1_neutral.obj" in report
    assert "4/models_reg/1_neutral.obj" in report
    assert "7 vertices" in report
