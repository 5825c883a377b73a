"""The population written as a BP4D folder."""

import csv
import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.geometry.mesh import read_obj
from facegen_core.population import writing
from facegen_core.population.action_units import ACTION_UNITS
from facegen_core.population.anatomy import anatomy
from facegen_core.population.bp4d_layout import CODED, write_bp4d
from facegen_core.population.identity import draw_identity, neutral_heads
from facegen_core.population.sequences import FRAMES, play
from facegen_core.population.skin import paint

SEED, PIXELS = 7, 64
CODING_SHA256 = "d65b348f639ae48ef34bb056cd241ca797f2ea853ca2003e3b6248ed6a61dcc7"


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> tuple[Path, dict[str, str], dict[str, str]]:
    """Three people, of whom one was there before the others; all files then and now."""
    out = tmp_path_factory.mktemp("population") / "people"
    write_bp4d(out, 1, SEED, PIXELS)
    before = contents(out)
    write_bp4d(out, 3, SEED, PIXELS)
    return out, before, contents(out)


@pytest.fixture(scope="module")
def written(grown) -> Path:
    return grown[0]


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def genders(people: int) -> list[str]:
    shared = anatomy()
    column = shared.model.phenotype_labels.index("gender")
    return ["M" if draw_identity(SEED, p, shared).phenotypes[column] < 0.5 else "F" for p in range(people)]


def table(path: Path) -> list[list[int]]:
    with path.open(newline="") as file:
        return [[int(field) for field in row] for row in csv.reader(file)]


def names(people: int) -> list[str]:
    letters = genders(people)
    return [f"{letter}{letters[: i + 1].count(letter):03d}" for i, letter in enumerate(letters)]


def test_people_are_named_by_gender_and_numbered_within_it(written):
    assert sorted(path.name for path in (written / "Sequences(2D+3D)").iterdir()) == sorted(names(3))
    assert {"F001", "M001"} <= set(names(3))


def test_tree_is_bp4ds(written):
    files = set(contents(written))
    for name in names(3):
        for task in range(1, 9):
            sequence = f"{name}/T{task}"
            expected = {f"Sequences(2D+3D)/{sequence}/{frame:03d}.jpg" for frame in range(FRAMES)}
            expected |= {f"Registered/{sequence}/{frame:03d}.{kind}" for frame in CODED for kind in ("obj", "jpg")}
            expected |= {f"AUCoding/AU_OCC/{name}_T{task}.csv"}
            expected |= {f"AUCoding/AU_INT/AU{u:02d}/{name}_T{task}_AU{u:02d}.csv" for u in (6, 10, 12, 14, 17)}
            assert expected <= files
            files -= expected
    assert files == {"population.json", ".lock"}


def test_meshes_are_the_heads_that_the_units_make(written):
    shared = anatomy()
    played = play(SEED, 1, 4, shared)
    neutral = neutral_heads([draw_identity(SEED, 1, shared)], shared)
    for frame in (CODED[0], CODED[-1]):
        mesh = read_obj(written / "Registered" / names(3)[1] / "T5" / f"{frame:03d}.obj")
        head = shared.express(neutral, torch.from_numpy(played.actions[[frame]]))[0]
        np.testing.assert_allclose(mesh.vertices, head.numpy(), atol=1e-4)
        np.testing.assert_array_equal(mesh.faces, shared.faces)


def test_textures_are_painted_as_the_units_move(written):
    """Each frame has its own wrinkles and blush."""
    identity, shared = draw_identity(SEED, 1, anatomy()), anatomy()
    actions = play(SEED, 1, 4, shared).actions
    strongest = int(actions[list(CODED)].sum(1).argmax()) + CODED[0]
    bytes_written = (written / "Registered" / names(3)[1] / "T5" / f"{strongest:03d}.jpg").read_bytes()
    assert bytes_written == _jpeg(paint(identity, actions[strongest], shared, PIXELS))
    assert bytes_written != _jpeg(paint(identity, 0 * actions[0], shared, PIXELS))


def _jpeg(pixels: np.ndarray) -> bytes:
    Image.fromarray(pixels).save(file := io.BytesIO(), "JPEG", quality=writing.JPEG_QUALITY)
    return file.getvalue()


def test_codes_say_what_is_played_or_that_it_is_unknown(written):
    """Intensity 1 is code 5; a unit is present from code 1 on."""
    unknown = known = 0
    for person, name in enumerate(names(3)):
        for task in range(8):
            level = np.rint(play(SEED, person, task, anatomy()).intensity * 5).clip(0, 5)[list(CODED)]
            header, *rows = table(written / f"AUCoding/AU_OCC/{name}_T{task + 1}.csv")
            assert header == [0, *ACTION_UNITS]
            assert [row[0] for row in rows] == list(CODED)
            codes = np.array(rows)[:, 1:]
            np.testing.assert_array_equal(codes[codes != 9], (level > 0)[codes != 9])
            unknown, known = unknown + (codes == 9).sum(), known + (codes != 9).sum()
            column = list(ACTION_UNITS).index(12)
            intensity = np.array(table(written / f"AUCoding/AU_INT/AU12/{name}_T{task + 1}_AU12.csv"))[:, 1]
            np.testing.assert_array_equal(intensity == 9, codes[:, column] == 9)
            np.testing.assert_array_equal(intensity[intensity != 9], level[:, column][intensity != 9])
    assert 0.02 < unknown / (unknown + known) < 0.07


def test_tables_have_not_changed(written):
    """The same seed, the same sequences and codes."""
    tables = {path: digest for path, digest in contents(written).items() if path.endswith(".csv")}
    assert hashlib.sha256(str(sorted(tables.items())).encode()).hexdigest() == CODING_SHA256


def test_person_interrupted_between_two_trees_is_written_anew_to_the_same_bytes(written, tmp_path):
    """A person whose pictures are not there is not whole, whatever else lies about."""
    out = tmp_path / "people"
    shutil.copytree(written, out)
    cut, kept = names(3)[0], names(3)[1]
    shutil.rmtree(out / "Sequences(2D+3D)" / cut)
    (out / "Registered" / cut / "T1" / "003.obj").write_text("v 1 2")
    (out / f"AUCoding/AU_OCC/{cut}_T4.csv").unlink()
    (out / f".{cut}.123.tmp").mkdir()
    time = (out / "Registered" / kept / "T1" / "003.obj").stat().st_mtime_ns
    write_bp4d(out, 3, SEED, PIXELS)
    assert contents(out) == contents(written)
    assert (out / "Registered" / kept / "T1" / "003.obj").stat().st_mtime_ns == time


def test_person_is_whole_or_not_counted(tmp_path, monkeypatch):
    """Stopped while its files are put in place, a person has no folder of pictures yet."""
    monkeypatch.setattr(writing, "_move_files", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    layout = _captured_layout(tmp_path, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        writing._write_people(tmp_path, layout, SEED, PIXELS, [(0, names(1)[0])])
    assert not (tmp_path / "Sequences(2D+3D)" / names(1)[0]).exists()


def _captured_layout(out: Path, monkeypatch) -> writing.Layout:
    """The layout that write_bp4d hands on."""
    found = []
    with monkeypatch.context() as patched:
        patched.setattr(
            "facegen_core.population.bp4d_layout.write_population", lambda _, layout, *__: found.append(layout)
        )
        write_bp4d(out, 1, SEED)
    return found[0]


def test_more_people_are_added_to_the_ones_there(grown):
    _, before, now = grown
    del before["population.json"]
    assert len(before) < len(now) / 2 and before.items() <= now.items()


def test_facescape_population_is_not_mixed_in(written):
    from facegen_core.population.facescape_layout import write_facescape

    with pytest.raises(FacegenError, match=r"holds another population .*bp4d"):
        write_facescape(written, 3, SEED, PIXELS)
