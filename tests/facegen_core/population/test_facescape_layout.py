"""The population written as a FaceScape folder."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.geometry.mesh import read_obj
from facegen_core.population.anatomy import anatomy
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.facescape_layout import write_facescape
from facegen_core.population.identity import draw_identity, neutral_heads
from facegen_core.population.skin import paint


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("population") / "people"
    write_facescape(out, people=2, seed=7, texture_pixels=64)
    return out


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_tree_is_facescapes(written):
    files = {str(path.relative_to(written)) for path in written.glob("*/*/*")}
    stems = [f"{k}_{name}" for k, name in enumerate(FACESCAPE, start=1)]
    assert files == {f"{i}/models_reg/{s}{end}" for i in (1, 2) for s in stems for end in (".obj", ".obj.mtl", ".jpg")}
    assert json.loads((written / "population.json").read_text())["seed"] == 7


def test_files_hold_the_heads_their_factors_make(written):
    shared = anatomy()
    neutral = neutral_heads([draw_identity(7, 1, shared)], shared)
    strengths = torch.from_numpy(personal_strengths(7, 1, "smile", shared.action_names))[None]
    mesh = read_obj(written / "2" / "models_reg" / "2_smile.obj")
    np.testing.assert_allclose(mesh.vertices, shared.express(neutral, strengths)[0].numpy(), atol=1e-4)
    np.testing.assert_array_equal(mesh.faces, shared.faces)
    np.testing.assert_array_equal(mesh.faces_uv, shared.faces_uv)


def test_material_and_picture_belong_together(written):
    folder = written / "1" / "models_reg"
    assert "mtllib 1_neutral.obj.mtl\n" in (folder / "1_neutral.obj").read_text()
    material = (folder / "1_neutral.obj.mtl").read_text()
    assert "newmtl 1_neutral\n" in material
    assert "map_Kd 1_neutral.jpg" in material
    with Image.open(folder / "1_neutral.jpg") as picture:
        assert picture.size == (64, 64)
        written = np.asarray(picture, dtype=np.float64)
    shared = anatomy()
    strengths = personal_strengths(7, 0, "neutral", shared.action_names)
    painted = paint(draw_identity(7, 0, shared), strengths, shared, 64)
    assert np.abs(written - painted).mean() < 4  # what JPEG takes


def test_interrupted_folder_is_completed_to_the_same_bytes(written, tmp_path):
    out = tmp_path / "people"
    shutil.copytree(written, out)
    shutil.rmtree(out / "2")
    kept = (out / "1" / "models_reg" / "1_neutral.obj").stat().st_mtime_ns
    write_facescape(out, people=2, seed=7, texture_pixels=64)
    assert contents(out) == contents(written)
    assert (out / "1" / "models_reg" / "1_neutral.obj").stat().st_mtime_ns == kept


def test_more_people_are_added_to_the_ones_there(written, tmp_path):
    out = tmp_path / "people"
    write_facescape(out, people=1, seed=7, texture_pixels=64)
    write_facescape(out, people=2, seed=7, texture_pixels=64)
    assert contents(out) == contents(written)


def test_another_population_is_not_mixed_in(written):
    before = contents(written)
    with pytest.raises(FacegenError, match="seed 7"):
        write_facescape(written, people=2, seed=8, texture_pixels=64)
    with pytest.raises(FacegenError, match="pixels 64"):
        write_facescape(written, people=2, seed=7, texture_pixels=128)
    assert contents(written) == before


def test_other_peoples_folder_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FacegenError, match="not empty"):
        write_facescape(tmp_path, people=1, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("pixels", [0, 15, 1025])
def test_textures_of_absurd_sizes_are_refused(tmp_path, pixels):
    with pytest.raises(FacegenError, match="16 to 1024"):
        write_facescape(tmp_path / "people", people=1, seed=0, texture_pixels=pixels)
    assert not (tmp_path / "people").exists()


def test_nobody_is_no_population(tmp_path):
    with pytest.raises(FacegenError, match="at least one"):
        write_facescape(tmp_path / "people", people=0, seed=0)
