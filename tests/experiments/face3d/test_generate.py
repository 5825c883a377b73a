"""``facegen generate face3d`` on networks trained for a few steps: its files, read back by others, and its refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from experiments.cli import main
from experiments.face3d import textured_model
from experiments.face3d.generate import Wish, face_name, generate, parse_expressions
from experiments.face3d.textured_model import TexturedModel, load_textured_model, whole_maps
from facegen_core.errors import CheckpointError, ConfigError, FacegenError
from facegen_core.geometry.mesh import read_obj
from facegen_core.geometry.uv import crop_face
from facegen_core.images import read_image, to_uint8
from facegen_core.methods.face3d.expression_codes import parse_levels
from facegen_core.reporting.mesh_figure import SKIN
from tests.helpers.khronos import khronos_report, serious

PEOPLE, PIXELS, SEED = 2, 48, 7
EXPRESSIONS, LEVELS = ("smile", "0.5*smile+anger"), "0,0.75"
NAMES = ("smile-0", "smile-0.75", "0.5xsmile+anger-0", "0.5xsmile+anger-0.75")
SMALL = ["profile=smoke", "tracking.uri=null", "trainer.max_steps=4"]
THREE_PEOPLE = ["population.people=3", "data.val_fraction=0.34", "data.test_fraction=0.34"]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Runs of all three stages; a second shape GAN, with another table of z_id, was begun first."""
    folder = tmp_path_factory.mktemp("outputs")
    words = [*SMALL, f"outputs={folder}"]
    assert main(["train", "sae", *words, *THREE_PEOPLE]) == 0
    assert main(["train", "shape_cgan", *words, "seed=1", "name=stranger"]) == 0
    assert main(["train", "shape_cgan", *words]) == 0
    assert main(["train", "texture_progan", *words, *THREE_PEOPLE]) == 0
    return folder


def small(outputs: Path, out: Path, **changes) -> Wish:
    usual = {"people": 1, "seed": SEED, "expression": "smile", "pixels": PIXELS, "outputs": str(outputs)}
    return Wish(out, **usual | changes)


@pytest.fixture(scope="module")
def made(outputs, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    generate(small(outputs, folder, people=PEOPLE, expression=",".join(EXPRESSIONS), intensity=LEVELS))
    return folder


@pytest.fixture(scope="module")
def model(outputs) -> TexturedModel:
    return load_textured_model(str(outputs), "last", "last")


@pytest.fixture(scope="module")
def smiling(model):
    """Vertices and texture of the first person's smile at 0.75, made with the other level as the command does it."""
    code = parse_expressions("smile", model.expression_names)["smile"]
    faces = model.make(model.draw_person(SEED, 1), parse_levels(LEVELS)[:, None] * code)
    return faces.vertices[1].numpy(), faces.maps[1]


def test_files_are_there_and_no_others(made):
    ends = (".obj", ".mtl", ".png", ".glb", "-render.png")
    expected = {f"person-0{i + 1}/{name}{end}" for i in range(PEOPLE) for name in NAMES for end in ends}
    expected |= {f"person-0{i + 1}/turntable.gif" for i in range(PEOPLE)} | {"generate.json", "sheet.png"}
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert found == expected


def test_obj_holds_the_mesh_and_leads_to_the_texture(made, model, smiling):
    vertices, texture = smiling
    path = made / "person-01" / "smile-0.75.obj"
    mesh = read_obj(path)
    np.testing.assert_allclose(mesh.vertices, vertices, atol=0.6e-4)
    np.testing.assert_array_equal(mesh.faces, model.shape.codes.faces.numpy())
    np.testing.assert_array_equal(mesh.faces_uv, model.shape.codes.faces_uv.numpy())
    picture = trimesh.load(path, process=False).visual.material.image
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), to_uint8(texture))


def test_glb_is_the_same_textured_mesh_in_metres(made, model, smiling):
    vertices, texture = smiling
    codes = model.shape.codes
    (solid,) = trimesh.load(made / "person-01" / "smile-0.75.glb", process=False).geometry.values()
    np.testing.assert_allclose(solid.vertices[solid.faces], vertices[codes.faces.numpy()] / 1000, atol=1e-6)
    np.testing.assert_allclose(solid.visual.uv[solid.faces], codes.uv.numpy()[codes.faces_uv.numpy()], atol=1e-6)
    picture = solid.visual.material.baseColorTexture
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), to_uint8(texture))


def test_glb_passes_the_khronos_validator(made):
    for path in made.rglob("*.glb"):
        assert serious(khronos_report(path)) == []


def test_face_of_the_network_lies_in_its_place_of_the_map(model):
    person, code = model.draw_person(SEED, 1), parse_expressions("anger", model.expression_names)["anger"]
    noise, identity = person.texture_noise[None], person.identity[None]
    drawn = model.texture.pictures(noise, identity, code[None])
    face = crop_face(model.make(person, code[None], pixels=256).maps, model.texture.resolution)
    assert (face - drawn).abs().mean() < 0.02, "but for what enlarging and reducing blur"


def test_faces_that_are_whole_maps_are_not_put_into_another(model, monkeypatch):
    """As PRNet's are, which the texture GAN learns from BP4D's pictures."""
    crops = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(model.texture.gan.sizes, "whole_maps", True)
    assert torch.equal(whole_maps(model.texture, crops), crops)
    assert whole_maps(model.texture, crops, 64).shape == (1, 3, 64, 64)


def test_turntable_moves_and_the_sheet_has_all(made):
    with Image.open(made / "person-02" / "turntable.gif") as gif:
        assert gif.n_frames >= 36
        first = np.asarray(gif.convert("RGB")).astype(int)
        gif.seek(gif.n_frames // 4)
        assert np.abs(np.asarray(gif.convert("RGB")) - first).max() > 50
    width, height = Image.open(made / "sheet.png").size
    assert width > 2 * 160
    assert height > PEOPLE * len(EXPRESSIONS) * 160


def test_picture_shows_a_face_on_white(made):
    picture = read_image(made / "person-01" / "smile-0-render.png")
    assert picture.shape == (3, PIXELS, PIXELS)
    assert (picture[:, 0, 0] == 1).all()
    assert 0.2 < (picture < 1).any(0).float().mean() < 0.8


def test_without_a_texture_the_same_person_is_plain(outputs, made, tmp_path):
    generate(small(outputs, tmp_path, texture="none", intensity=LEVELS))
    plain, painted = (folder / "person-01" / "smile-0.75.obj" for folder in (tmp_path, made))
    assert plain.read_bytes() == painted.read_bytes()
    skin = read_image(plain.with_suffix(".png"))
    torch.testing.assert_close(skin, SKIN[:, None, None].expand_as(skin), atol=0.5 / 255, rtol=0)


def test_person_depends_on_seed_and_number_alone(outputs, made, tmp_path):
    for seed in (SEED, SEED + 1):
        generate(small(outputs, tmp_path / str(seed), seed=seed, intensity=LEVELS))
    for end in (".obj", ".png"):
        same, other, one, two = (
            (folder / f"smile-0.75{end}").read_bytes()
            for folder in (tmp_path / f"{SEED}/person-01", tmp_path / f"{SEED + 1}/person-01", made / "person-01",
                           made / "person-02")
        )  # fmt: skip
        assert same == one
        assert len({one, two, other}) == 3


def test_style_changes_the_way_of_the_expression_alone(model):
    one, two = (model.draw_person(SEED, number) for number in (1, 2))
    code = parse_expressions("smile", model.expression_names)["smile"][None]
    own, as_self, as_other = (model.make(one, code, style) for style in (None, one, two))
    assert torch.equal(own.vertices, as_self.vertices)
    assert not torch.equal(own.vertices, as_other.vertices)
    assert torch.equal(own.maps, as_other.maps)


def test_style_of_the_command_is_another_persons(outputs, made, model, tmp_path):
    generate(small(outputs, tmp_path, style=2, intensity="0.75"))
    code = 0.75 * parse_expressions("smile", model.expression_names)["smile"][None]
    one, two = (model.draw_person(SEED, number) for number in (1, 2))
    expected = model.make(one, code, two).vertices[0].numpy()
    np.testing.assert_allclose(read_obj(tmp_path / "person-01/smile-0.75.obj").vertices, expected, atol=0.6e-4)


@pytest.mark.parametrize(
    ("expression", "intensity", "times"),
    [("smile,anger", "0,1.5", 1), ("smile", "-0.5", 1), ("1.2*smile", "1", 1), ("smile+anger", "0,1", 0)],
)
def test_what_was_not_trained_is_told_once(outputs, tmp_path, capsys, expression, intensity, times):
    changes = {"expression": expression, "intensity": intensity, "texture": "none"}
    generate(small(outputs, tmp_path, **changes))
    assert capsys.readouterr().err.count("extrapolated") == times


def test_tables_of_z_id_that_differ_are_refused(outputs, tmp_path):
    with pytest.raises(CheckpointError) as caught:
        generate(small(outputs, tmp_path / "out", shape="stranger"))
    for part in ("texture_progan/smoke-001", "shape_cgan/stranger", "another table of identity codes (z_id)",
                 "--shape and --texture", "train texture_progan identity_codes=", "seed1.safetensors"):  # fmt: skip
        assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda names: [names[1], names[0], *names[2:]], "'smile' for 'neutral'"), (lambda names: names[:7], "7 express")],
)
def test_expressions_that_differ_are_refused(outputs, monkeypatch, change, says):
    whole = textured_model.load_texture_model

    def other(run, checkpoint=None):
        model = whole(run, checkpoint)
        model.gan.expression_names = change(model.gan.expression_names)
        return model

    monkeypatch.setattr(textured_model, "load_texture_model", other)
    with pytest.raises(CheckpointError, match=f"trained on other expressions than .*{says}"):
        load_textured_model(str(outputs), "last", "last")


def test_run_may_be_named_by_its_checkpoint(outputs, model):
    (newest, *_) = sorted((outputs / "face3d/shape_cgan/smoke-001/checkpoints").glob("*.ckpt"), reverse=True)
    named = load_textured_model(str(outputs), str(newest), "smoke-001")
    code = torch.eye(len(model.expression_names))[:1]
    assert torch.equal(
        named.make(named.draw_person(0, 1), code).vertices, model.make(model.draw_person(0, 1), code).vertices
    )


def test_command_tells_mistakes_in_one_line_and_writes_nothing(outputs, tmp_path, capsys):
    out, runs = tmp_path / "out", f"--outputs={outputs}"
    shape = f"--shape={outputs / 'face3d/shape_cgan/smoke-001'}"
    mistakes = {
        ("--expression=smlie", runs): "'smlie': no such expression. Nearest: smile",
        ("--intensity=much", runs): "intensity 'much': expected a number",
        ("--people=0", runs): "--people and --style are 1 or more",
        ("--pixels=8", runs): "--pixels 8: must be from 16 to 4096",
        ("--texture-pixels=9999", runs): "--texture-pixels 9999: must be",
        (f"--outputs={tmp_path}",): f"{tmp_path}/face3d/shape_cgan: no run here yet. Begin one with facegen train "
                                    "shape_cgan.",
        (shape, f"--outputs={tmp_path}"): "no run here yet. Begin one with facegen train texture_progan. For shapes "
                                          "alone: --texture none.",
    }  # fmt: skip
    for words, says in mistakes.items():
        assert main(["generate", "face3d", f"--out={out}", *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("facegen: ")
        assert says in line
        assert not out.exists()


def test_folder_that_cannot_be_written_is_told_at_once(outputs, tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FacegenError, match=r"file.*: cannot be written to: .*--out"):
            generate(small(outputs, out))


def test_expressions_are_names_mixtures_all_or_a_few():
    names = ["neutral", "smile", "anger", "dimpler"]
    assert list(parse_expressions(None, names)) == ["neutral", "smile", "anger"]
    assert list(parse_expressions("all", names)) == names
    mixed = parse_expressions("smile, 0.5*smile+anger", names)
    assert {name: code.tolist() for name, code in mixed.items()} == {
        "smile": [0, 1, 0, 0],
        "0.5*smile+anger": [0, 0.5, 1, 0],
    }
    units = [f"AU{i:02d}" for i in range(1, 35)]
    assert list(parse_expressions(None, units)) == units[:6]
    with pytest.raises(ConfigError, match="''"):
        parse_expressions("smile,,anger", names)


@pytest.mark.parametrize(
    ("expression", "level", "name"),
    [
        ("smile", 1.0, "smile-1"),
        ("0.6*smile + anger", 0.25, "0.6xsmile+anger-0.25"),
        ("AU06+AU12", 1.5, "AU06+AU12-1.5"),
    ],
)
def test_names_of_files(expression, level, name):
    assert face_name(expression, level) == name
