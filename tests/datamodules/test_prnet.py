"""Position maps against what geometry says of them."""

from pathlib import Path

import numpy as np
import pytest
from helpers.bp4d import (
    MISSING_CORNER,
    SIDE,
    canonical,
    face,
    fitted,
    position_map,
    texels,
    write_topology,
)
from PIL import Image

from datamodules.prepare.prnet import (
    PositionMapReader,
    TextureFile,
    frontalise,
    grid_triangles,
    read_topology,
    remap,
)
from facegen_core.errors import BadSampleError, DatasetNotFoundError


@pytest.fixture
def reader(tmp_path) -> PositionMapReader:
    write_topology(tmp_path / "uv-data")
    return PositionMapReader(tmp_path / "uv-data")


def saved(folder: Path, positions: np.ndarray) -> Path:
    np.save(folder / "000.npy", positions)
    return folder / "000.npy"


def test_face_seen_from_anywhere_is_the_same_frontal_mesh(reader, tmp_path):
    """An affine view is undone exactly; what is left is the face's best fit to canonical, by the normal equations."""
    points = face("F001", "T1", 3)
    for view in range(3):
        vertices = reader.vertices(saved(tmp_path, position_map(points, view)))
        np.testing.assert_allclose(vertices, fitted(points), atol=2e-3)  # maps are float32 of hundreds of pixels
    assert vertices.dtype == np.float32


def test_canonical_face_comes_back_upright(reader, tmp_path):
    """Row 0 of a map is the forehead: it must come out on top, and the face looking along +z."""
    vertices = reader.vertices(saved(tmp_path, position_map(canonical())))
    top, bottom = texels() // SIDE == 40, texels() // SIDE == 49
    assert vertices[top, 1].min() > vertices[bottom, 1].max()
    np.testing.assert_allclose(vertices[:, [0, 2]], canonical()[:, [0, 2]], atol=2e-3)
    np.testing.assert_allclose(vertices[:, 1], 255 - canonical()[:, 1], atol=2e-3)


def test_triangles_fill_the_grid_but_the_square_that_lacks_a_corner():
    triangles = grid_triangles(texels())
    assert len(triangles) == 2 * (9 * 11 - 2)  # the missing texel is a corner of two squares
    row, column = np.divmod(texels()[triangles], SIDE)
    assert (np.ptp(row, axis=1) == 1).all()
    assert (np.ptp(column, axis=1) == 1).all()
    assert len(np.unique(np.sort(triangles, axis=1), axis=0)) == len(triangles)
    assert MISSING_CORNER not in texels()[triangles]


def test_triangles_face_the_viewer(reader, tmp_path):
    mesh = reader.mesh(saved(tmp_path, position_map(canonical())))
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_order_of_the_vertices_is_that_of_the_file():
    """Faces follow the vertices when PRNet's list of texels is shuffled."""
    shuffle = np.random.default_rng(0).permutation(len(texels()))
    triangles = grid_triangles(texels()[shuffle])
    expected = {tuple(triangle) for triangle in texels()[grid_triangles(texels())].tolist()}
    assert {tuple(triangle) for triangle in texels()[shuffle][triangles].tolist()} == expected


def test_texture_coordinates_name_each_vertex_texel(reader):
    uv = read_topology(reader.folder).uv
    row, column = np.divmod(texels(), SIDE)
    np.testing.assert_allclose(uv, np.stack([column / 256, 1 - row / 256], 1), atol=1e-6)


def test_plane_has_no_frontal_mesh():
    flat = canonical() * [1, 1, 0]
    with pytest.raises(ValueError, match="plane"):
        frontalise(flat, canonical())


def _spoilt(**changes) -> np.ndarray:
    positions = position_map(canonical())
    positions.reshape(-1, 3)[texels()[5]] = changes["value"]
    return positions


BAD = {
    "shape": (np.zeros((128, 128, 3), np.float32), r"found float32 \(128, 128, 3\)"),
    "integers": (np.zeros((256, 256, 3), np.uint8), r"found uint8"),
    "not finite": (_spoilt(value=np.nan), "not finite"),
    "blank": (np.zeros((256, 256, 3), np.float32), "plane"),
}


@pytest.mark.parametrize("name", BAD)
def test_map_that_cannot_be_used_is_named(reader, tmp_path, name):
    positions, says = BAD[name]
    with pytest.raises(BadSampleError, match=rf"000\.npy.*{says}"):
        reader.vertices(saved(tmp_path, positions))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"hello"])
def test_file_that_is_no_array_is_named(reader, tmp_path, content):
    (tmp_path / "000.npy").write_bytes(content)
    with pytest.raises(BadSampleError, match=r"000\.npy: not a position map"):
        reader.vertices(tmp_path / "000.npy")


def test_map_cut_short_is_named(reader, tmp_path):
    path = saved(tmp_path, position_map(canonical()))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadSampleError, match=r"000\.npy: not a position map"):
        reader.vertices(path)


def test_junk_off_the_face_does_no_harm(reader, tmp_path):
    positions = position_map(canonical())
    clean = reader.vertices(saved(tmp_path, positions))
    off = np.setdiff1d(np.arange(SIDE * SIDE), texels())
    positions.reshape(-1, 3)[off] = np.nan
    np.testing.assert_array_equal(reader.vertices(saved(tmp_path, positions)), clean)


@pytest.mark.parametrize("missing", ["face_ind.txt", "canonical_vertices.npy"])
def test_missing_topology_says_what_to_copy_from_where(reader, missing):
    (reader.folder / missing).unlink()
    with pytest.raises(DatasetNotFoundError, match=r"face_ind\.txt and canonical_vertices\.npy.*YadiraF/PRNet"):
        read_topology(reader.folder)


@pytest.mark.parametrize("texel", [SIDE * SIDE, -1, int(texels()[0])])
def test_texels_that_do_not_fit_the_map_are_refused(tmp_path, texel):
    write_topology(tmp_path / "uv-data")
    changed = texels()
    changed[-1] = texel
    np.savetxt(tmp_path / "uv-data" / "face_ind.txt", changed)
    with pytest.raises(DatasetNotFoundError, match="different texels"):
        read_topology(tmp_path / "uv-data")


# Textures


def test_bilinear_lookup_of_a_linear_picture_is_exact():
    """Between four pixels of a plane of colour, the colour is the plane's."""
    y, x = np.meshgrid(np.arange(40), np.arange(50), indexing="ij")
    picture = np.stack([2 * x + 3 * y, 5 * x, 4 * y], -1).astype(np.uint8)
    random = np.random.default_rng(0)
    positions = random.uniform(0, 39, (SIDE, SIDE, 3))
    x, y = positions[..., 0], positions[..., 1]
    expected = np.stack([2 * x + 3 * y, 5 * x, 4 * y], -1)
    assert np.abs(remap(picture, positions).astype(float) - expected).max() <= 0.5 + 1e-9


def test_outside_the_picture_is_black():
    picture = np.full((10, 10, 3), 200, np.uint8)
    positions = np.full((SIDE, SIDE, 3), -50.0)
    positions[0] = 5
    positions[1] = np.nan
    texture = remap(picture, positions)
    assert (texture[0] == 200).all()
    assert not texture[1:].any()


def test_texture_of_a_picture_goes_through_its_position_map(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "000.png")
    y, x = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    positions = np.stack([y, x, 0 * x], -1).astype(np.float32)  # texel (row, column) is seen at x = row, y = column
    texture = TextureFile(tmp_path / "000.png", saved(tmp_path, positions)).read()
    np.testing.assert_array_equal(texture, picture[:SIDE, :SIDE].transpose(1, 0, 2))


def test_texture_file_is_taken_as_it_is(tmp_path):
    texture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(texture).save(tmp_path / "000.png")
    np.testing.assert_array_equal(TextureFile(tmp_path / "000.png").read(), texture)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 no picture"])
def test_unreadable_texture_is_named(tmp_path, content):
    (tmp_path / "000.jpg").write_bytes(content)
    with pytest.raises(BadSampleError, match=r"000\.jpg: the picture cannot be read"):
        TextureFile(tmp_path / "000.jpg").read()
