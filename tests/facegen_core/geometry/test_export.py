"""Written faces read back: by our reader, by a few lines of Python, and by the Khronos validator."""

import io
import json
import struct

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.geometry.export import write_glb, write_obj
from facegen_core.geometry.mesh import Mesh, read_obj
from facegen_core.images import to_uint8
from facegen_core.population.anatomy import anatomy
from tests.helpers.khronos import khronos_report, serious

DTYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


@pytest.fixture(scope="module")
def head() -> Mesh:
    shared = anatomy()
    return Mesh(shared.template.numpy().astype(np.float32), shared.faces, shared.uv, shared.faces_uv)


@pytest.fixture(scope="module")
def texture() -> torch.Tensor:
    return torch.rand(3, 32, 64, generator=torch.Generator().manual_seed(0))


class Glb:
    """A binary glTF file, read as the specification's chapter 4 lays it out."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert kind == b"JSON"
        self.tree = json.loads(content[20 : 20 + size])
        _, kind = struct.unpack_from("<I4s", content, 20 + size)
        assert kind == b"BIN\0"
        self.binary = content[28 + size :]
        (self.primitive,) = self.tree["meshes"][0]["primitives"]

    def view(self, number: int) -> bytes:
        view = self.tree["bufferViews"][number]
        start = view.get("byteOffset", 0)
        return self.binary[start : start + view["byteLength"]]

    def array(self, number: int) -> np.ndarray:
        accessor = self.tree["accessors"][number]
        width = WIDTHS[accessor["type"]]
        values = np.frombuffer(
            self.view(accessor["bufferView"])[accessor.get("byteOffset", 0) :], DTYPES[accessor["componentType"]]
        )
        return values[: accessor["count"] * width].reshape(-1, width)

    def corners(self, name: str) -> np.ndarray:
        """An attribute at the corners of all triangles, (F, 3, width)."""
        indices = self.array(self.primitive["indices"]).astype(int)
        return self.array(self.primitive["attributes"][name])[indices.reshape(-1, 3)]


@pytest.fixture(scope="module")
def glb(head, texture, tmp_path_factory) -> Glb:
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    write_glb(path, head, texture)
    return Glb(path.read_bytes())


def test_obj_reads_back_as_it_was(head, texture, tmp_path):
    write_obj(tmp_path / "face.obj", head, texture)
    read = read_obj(tmp_path / "face.obj")
    np.testing.assert_allclose(read.vertices, head.vertices, atol=0.6e-4)
    np.testing.assert_allclose(read.uv, head.uv, atol=0.6e-6)
    np.testing.assert_array_equal(read.faces, head.faces)
    np.testing.assert_array_equal(read.faces_uv, head.faces_uv)


@pytest.mark.parametrize("name", ["face", "level 0.5"])
def test_obj_leads_to_its_material_and_picture(head, texture, tmp_path, name):
    write_obj(tmp_path / f"{name}.obj", head, texture)
    words = [line.split() for line in (tmp_path / f"{name}.obj").read_text().splitlines()]
    (library,) = [w[1:] for w in words if w[0] == "mtllib"]
    material = dict(line.split(" ", 1) for line in (tmp_path / library[0]).read_text().splitlines())
    assert [w[1:] for w in words if w[0] == "usemtl"] == [[material["newmtl"]]]
    with Image.open(tmp_path / material["map_Kd"]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), to_uint8(texture))
    assert material["Kd"] == "1 1 1"
    assert len(library) == 1


def test_obj_is_what_another_reader_reads(head, texture, tmp_path):
    """trimesh doubles vertices at seams; corner by corner it must find the same places, coordinates and picture."""
    write_obj(tmp_path / "face.obj", head, texture)
    other = trimesh.load(tmp_path / "face.obj", process=False)
    np.testing.assert_allclose(other.vertices[other.faces], head.vertices[head.faces], atol=1e-4)
    np.testing.assert_allclose(other.visual.uv[other.faces], head.uv[head.faces_uv], atol=1e-5)
    np.testing.assert_array_equal(np.asarray(other.visual.material.image.convert("RGB")), to_uint8(texture))


def test_glb_holds_the_triangles_in_metres(glb, head):
    np.testing.assert_allclose(glb.corners("POSITION"), head.vertices[head.faces] / 1000, atol=1e-7)


def test_glb_counts_v_from_the_top(glb, head):
    expected = head.uv[head.faces_uv] * [1, -1] + [0, 1]
    np.testing.assert_allclose(glb.corners("TEXCOORD_0"), expected, atol=1e-6)


def test_glb_doubles_vertices_at_seams_alone(glb, head):
    pairs = {tuple(pair) for pair in np.stack([head.faces, head.faces_uv], -1).reshape(-1, 2)}
    count = len(glb.array(glb.primitive["attributes"]["POSITION"]))
    assert count == len(pairs) > len(np.unique(head.faces))


def test_glb_normals_are_smooth_across_seams(glb, head):
    normals = glb.corners("NORMAL").reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    first = {}
    for vertex, normal in zip(head.faces.ravel(), normals, strict=True):
        np.testing.assert_array_equal(first.setdefault(vertex, normal), normal)


def test_glb_holds_the_picture_and_a_skin_that_is_not_metal(glb, texture):
    (image,) = glb.tree["images"]
    assert image["mimeType"] == "image/png"
    picture = np.asarray(Image.open(io.BytesIO(glb.view(image["bufferView"]))))
    np.testing.assert_array_equal(picture, to_uint8(texture))
    (material,) = glb.tree["materials"]
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    assert glb.tree["textures"][material["pbrMetallicRoughness"]["baseColorTexture"]["index"]]["source"] == 0


def test_glb_of_a_triangle_without_area_has_normals_of_length_one(texture, tmp_path):
    line = Mesh(
        np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32), np.array([[0, 1, 2]]), np.zeros((3, 2), np.float32),
        np.array([[0, 1, 2]]),
    )  # fmt: skip
    write_glb(tmp_path / "line.glb", line, texture)
    normals = Glb((tmp_path / "line.glb").read_bytes()).corners("NORMAL")
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1)


def test_glb_passes_the_khronos_validator(head, texture, tmp_path):
    write_glb(tmp_path / "head.glb", head, texture)
    report = khronos_report(tmp_path / "head.glb")
    assert serious(report) == []
    assert report["info"]["totalTriangleCount"] == len(head.faces)


@pytest.mark.parametrize("write", [write_obj, write_glb])
def test_mesh_that_cannot_be_written_is_named(head, texture, tmp_path, write):
    broken = head.vertices.copy()
    broken[7, 1] = np.nan
    bare = Mesh(head.vertices, head.faces, head.uv[:0], head.faces_uv[:0])
    for mesh, why in ((Mesh(broken, head.faces, head.uv, head.faces_uv), "not finite"), (bare, "no texture coord")):
        with pytest.raises(FacegenError, match=f"face.out.*{why}"):
            write(tmp_path / "face.out", mesh, texture)
    assert list(tmp_path.iterdir()) == []
