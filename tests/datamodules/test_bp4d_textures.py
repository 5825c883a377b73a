"""Textures of BP4D's frames: sampled from pictures through position maps, labelled with action units."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.bp4d import SIDE, units_of, write_bp4d_folder
from PIL import Image

from datamodules.bp4d import BP4DDataModule, BP4DTextureDataModule
from datamodules.config import BP4DConfig
from datamodules.prepare.prnet import remap
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.geometry.camera import framing, head_camera, to_clip
from facegen_core.geometry.normals import vertex_normals
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.geometry.render import render
from facegen_core.geometry.shading import interpolate, lights
from facegen_core.geometry.uv import face_rectangle
from facegen_core.images import from_uint8, to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.population.identity import draw_identity, neutral_heads
from facegen_core.population.skin import paint

HELD = {"val_identities": ["F002"], "test_identities": ["M002"]}
CODED = range(4, 10)


def opened(root: Path, resolutions: tuple[int, ...] = (8, 256), **settings) -> BP4DTextureDataModule:
    config = BP4DConfig(**({"root": str(root)} | HELD | settings))
    datamodule = BP4DTextureDataModule(config, resolutions, lambda images: (8, 1.0, 4), batch_size=4, seed=0)
    datamodule.prepare_data()
    datamodule.setup("fit")
    return datamodule


def pictures(datamodule: BP4DTextureDataModule, split: str = "test") -> np.ndarray:
    """All of a split in order, (N, 256, 256, 3) bytes."""
    images = torch.cat([batch["image"] for batch in datamodule.in_order(split)])
    return ((images + 1) * 127.5).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)


@pytest.fixture
def root(tmp_path) -> Path:
    return write_bp4d_folder(tmp_path / "data")


def identity_map() -> np.ndarray:
    """Texel (row, column) is seen at x = column, y = row."""
    y, x = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    return np.stack([x, y, 0 * x], -1).astype(np.float32)


def photograph(root: Path, frame: int, positions: np.ndarray, pixels: np.ndarray) -> None:
    """Gives a frame of M002's first sequence another picture, without loss, and another position map."""
    np.save(root / "Registered/M002/T1" / f"{frame:03d}.npy", positions)
    Image.fromarray(pixels).save(root / "Sequences(2D+3D)/M002/T1" / f"{frame:03d}.jpg", format="PNG")


# What they hold


def test_map_that_is_the_identity_gives_back_the_picture(root):
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    photograph(root, 5, identity_map(), pixels)
    np.testing.assert_array_equal(pictures(opened(root))[1], pixels)


def test_mirrored_map_gives_the_mirrored_picture_of_a_larger_photograph(root):
    pixels = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    positions = identity_map() + np.array([30, 20, 0])
    photograph(root, 4, positions[:, ::-1].astype(np.float32), pixels)
    np.testing.assert_array_equal(pictures(opened(root))[0], pixels[20:276, 30:286][:, ::-1])


def test_texture_of_a_head_seen_from_the_front_is_recovered():
    """The population's own, from a finer picture: within 1.5 of 255 on average where the skin faces the camera.

    The map is made as PRNet's are, from where each texel's point of the mesh lies in the picture. Flat light, since
    a texture from a photograph keeps the photograph's.
    """
    shared, identity = anatomy(), draw_identity(5, 0, anatomy())
    texture = paint(identity, np.zeros(len(shared.action_names)), shared, SIDE)
    head = neutral_heads([identity], shared).float()
    faces, uv, faces_uv = (torch.from_numpy(part) for part in (shared.faces, shared.uv, shared.faces_uv))
    target, distance = framing(head)
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=distance, target=target)
    flat = lights(torch.ones(3), torch.zeros(0, 3), torch.zeros(0, 3))
    side = 1024
    photo = to_uint8(render(head, faces, camera, side, texture=from_uint8(texture)[None], uv=uv, faces_uv=faces_uv,
                            light=flat, background=torch.zeros(3))[0])  # fmt: skip

    clip = to_clip(head, camera)[0]
    x, y = ((clip[:, 0] / clip[:, 3] + 1) * side / 2 - 0.5), ((1 - clip[:, 1] / clip[:, 3]) * side / 2 - 0.5)
    normals = vertex_normals(head, faces)[0]
    flat_uv = torch.cat([2 * uv - 1, torch.zeros(len(uv), 1), torch.ones(len(uv), 1)], 1).double()[None]
    at = rasterise(flat_uv, faces_uv, SIDE, SIDE, cull=False)
    points = interpolate(torch.stack([x, y, clip[:, 2]], 1).float(), faces, at)
    positions = np.full((SIDE * SIDE, 3), np.nan)
    positions[at.pixel] = points.numpy()
    facing = np.zeros(SIDE * SIDE, bool)
    facing[at.pixel[interpolate(normals.float(), faces, at)[:, 2] > 0.6]] = True
    top, left, length = face_rectangle(SIDE)
    outside = np.ones((SIDE, SIDE), bool)  # tongue, teeth, and whatever else the face hides
    outside[top : top + length, left : left + length] = False
    facing &= ~outside.ravel()

    found = remap(photo, positions.reshape(SIDE, SIDE, 3)).reshape(-1, 3)[facing].astype(float)
    true = texture.reshape(-1, 3)[facing].astype(float)
    assert facing.sum() > 8_000
    assert np.abs(found - true).mean() < 1.5
    assert np.abs(found - true).mean() < np.abs(true - true.mean(0)).mean() / 10


def test_texture_beside_the_mesh_is_taken_as_it_is(root):
    pixels = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(root / "Registered/M002/T1/006.png")
    np.testing.assert_array_equal(pictures(opened(root))[2], pixels)


def test_from_textures_of_obj_files_the_face_is_cut_out(root):
    """As from FaceScape's: the population's maps are laid out so."""
    pixels = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    for path in (root / "Registered").rglob("*.npy"):
        path.unlink()
        if path.parent.parent.parent.name == "Registered":
            path.with_suffix(".obj").write_text("v 0 0 0\n")
            Image.fromarray(pixels).save(path.with_suffix(".png"))
    top, left, length = face_rectangle(SIDE)
    datamodule = opened(root, (length,))
    np.testing.assert_array_equal(pictures(datamodule)[0], pixels[top : top + length, left : left + length])


def test_frames_people_and_units_are_those_of_the_meshes(root):
    textures = opened(root)
    meshes = BP4DDataModule(BP4DConfig(root=str(root), **HELD), batch_size=4, seed=9)
    meshes.setup("fit")
    assert (textures.people, textures.everybody) == (meshes.people, meshes.everybody)
    assert textures.expression_names == meshes.expression_names
    for split in ("train", "val", "test"):
        for key in ("identity", "expression"):
            assert torch.equal(getattr(textures.datasets[split], key), getattr(meshes.datasets[split], key))


def test_batches_have_units_with_unknown_ones(root):
    batch = next(iter(opened(root).test_dataloader()))
    codes = np.array([units_of("M002", "T1", frame) for frame in range(4, 8)])
    np.testing.assert_array_equal(batch["expression"], np.where(codes == 9, -1, codes))
    assert (codes == 9).any(), "or the test shows nothing"


# What is wrong in it


def test_frames_without_picture_and_texture_are_counted(root, capsys):
    for frame in (5, 8):
        (root / "Sequences(2D+3D)/M002/T1" / f"{frame:03d}.jpg").unlink()
    datamodule = opened(root)
    assert "2 of 60 frames have neither a texture nor a picture" in capsys.readouterr().err
    expected = [units_of("M002", "T1", f) for f in (4, 6, 7, 9)] + [units_of("M002", "T2", f) for f in CODED]
    labels = datamodule.datasets["test"].expression
    np.testing.assert_array_equal(labels, np.where(np.array(expected) == 9, -1, expected))


def test_no_texture_at_all_is_said(root):
    shutil.rmtree(root / "Sequences(2D+3D)")
    with pytest.raises(DatasetNotFoundError, match="no textures"):
        opened(root)


@pytest.mark.parametrize("file", ["Registered/M002/T1/005.npy", "Sequences(2D+3D)/M002/T1/005.jpg"])
def test_broken_file_of_either_kind_is_named(root, file):
    (root / file).write_bytes(b"junk")
    assert len(opened(root).datasets["test"]) == 11
    with pytest.raises(BadSampleError, match=r"T1/005.*on_bad_sample=skip"):
        opened(root, on_bad_sample="raise", cache=str(root / "strict"))


def test_another_position_map_is_noticed(root):
    """The cache looks at the map's file too, not at the picture's alone."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    photograph(root, 5, identity_map(), pixels)
    digest = opened(root).digest()
    np.save(root / "Registered/M002/T1/005.npy", identity_map()[::-1])
    datamodule = opened(root)
    np.testing.assert_array_equal(pictures(datamodule)[1], pixels[::-1])
    assert datamodule.digest() != digest


def test_corrected_code_counts_at_once(root):
    datamodule = opened(root)
    path = root / "AUCoding/AU_OCC/M002_T1.csv"
    header, first, *rest = path.read_text().splitlines()
    codes = first.split(",")
    codes[1] = "1" if codes[1] == "0" else "0"
    path.write_text("\n".join([header, ",".join(codes), *rest]) + "\n")
    again = opened(root)
    assert int(again.datasets["test"].expression[0, 0]) == int(codes[1])
    assert again.digest() != datamodule.digest()


def test_more_pixels_than_there_are_is_said(root, capsys):
    opened(root, (8, 512))
    assert "textures have 256 pixels and are enlarged to 512" in capsys.readouterr().err
