import contextlib
from pathlib import Path

import numpy as np
import pytest
import trimesh

from facegen_core.errors import BadSampleError
from facegen_core.geometry.mesh import format_topology, format_vertices, read_obj, read_obj_vertices

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "mesh.obj"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_vertices_keep_number_and_order_across_texture_seams(tmp_path):
    sphere = trimesh.creation.icosphere(subdivisions=3)
    uv = np.random.default_rng(0).random((4 * len(sphere.vertices), 2)).astype(np.float32)
    faces_uv = np.random.default_rng(1).integers(0, len(uv), sphere.faces.shape)
    path = _file(tmp_path, format_vertices(sphere.vertices, 6) + format_topology(sphere.faces, uv, faces_uv))
    mesh = read_obj(path)
    np.testing.assert_allclose(mesh.vertices, sphere.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, sphere.faces)
    np.testing.assert_array_equal(mesh.faces_uv, faces_uv)
    np.testing.assert_allclose(mesh.uv, uv, atol=1e-6)
    np.testing.assert_array_equal(read_obj_vertices(path), mesh.vertices)


def test_vertices_equal_trimesh_where_it_keeps_them(tmp_path):
    box = trimesh.creation.box(extents=(3, 4, 5))
    path = _file(tmp_path, trimesh.exchange.obj.export_obj(box, include_normals=False))
    other = trimesh.load(path, process=False, maintain_order=True)
    np.testing.assert_allclose(read_obj_vertices(path), other.vertices, atol=1e-6)
    np.testing.assert_array_equal(read_obj(path).faces, other.faces)


def test_colours_behind_coordinates_are_left_out(tmp_path):
    path = _file(tmp_path, "v 1 2 3 .1 .2 .3\nv 4 5 6 .1 .2 .3\n")
    np.testing.assert_array_equal(read_obj_vertices(path), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    "text",
    [
        "v 1 2 3\nvt 0 0\nv 4 5 6\nvn 0 0 1\n",
        "# a comment\nmtllib a.mtl\nv 1 2 3\nv 4 5 6\n",
        "v 1 2 3\r\nv 4 5 6\r\nvt 0 0\r\n",
        "v  1.0  2.0\t3\nv 4e0 5 +6\nf 1 2 1\n",
    ],
    ids=["interleaved", "comments", "windows-lines", "spacing"],
)
def test_vertex_lines_are_found_however_the_file_is_laid_out(tmp_path, text):
    np.testing.assert_array_equal(read_obj_vertices(_file(tmp_path, text)), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("decimals", [1, 4, 6, 8, 12])
def test_fixed_decimals_are_read_to_the_last_bit(tmp_path, decimals):
    random = np.random.default_rng(decimals)
    values = random.normal(size=(500, 3)) * 10.0 ** random.integers(-4, 4, (500, 3))
    lines = [[f"{value:.{decimals}f}" for value in row] for row in values]
    path = _file(tmp_path, "".join(f"v {' '.join(line)}\n" for line in lines) + "f 1 2 3\n")
    wanted = np.array([[float(text) for text in line] for line in lines]).astype(np.float32)
    np.testing.assert_array_equal(read_obj_vertices(path), wanted)


def test_exponents_and_signs_are_read_as_python_reads_them(tmp_path):
    numbers = ["-1.5e-3", "+2E2", ".25", "1.", "-0.000001", "12345.678"]
    path = _file(tmp_path, f"v {' '.join(numbers[:3])}\nv {' '.join(numbers[3:])}\n")
    wanted = np.array([float(number) for number in numbers], dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(read_obj_vertices(path), wanted)


@pytest.mark.parametrize("face", ["f 1 2 3 4", "f 1/1 2/1 3/1 4/1", "f 1//1 2//1 3//1 4//1", "f -4 -3 -2 -1"])
def test_quads_become_a_fan(tmp_path, face):
    path = _file(tmp_path, "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n" + face + "\n")
    np.testing.assert_array_equal(read_obj(path).faces, [[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no vertices"),
        ("f 1 2 3\n", "no vertices"),
        (b"\x00" * 4096, "no vertices"),
        ("v 0 0 0\nv 1 nan 0\n", "finite"),
        ("v 0 0 0\nv 1 inf 0\n", "finite"),
        ("v 0 0 0\nv 1 1e999 0\nf 1 1 1\n", "finite"),
        ("v 0 0 0\nv 1 x 0\n", "number"),
        ("v 0 0 0\nv 1 1-2 0\n", "number"),
        ("v 0 0 0\nv 1 2\nv 1 2 3\n", "numbers"),
        ("v 0 0 0\nv 1 2\n", "numbers"),
        ("v 0 0\nv 1 2 3 4\n", "numbers"),
        ("v 0.0 0.0\nv 1.0 2.0 3.0 4.0\n", "numbers"),
        ("v 0 0 0\nv 1v2 3 4\n", "number"),
        ("v 0.0 0.0 0.0\nv 1.0 2-3.0 4.0\n", "number"),
        ("v 0.0 0.0 0.0\nv 1.0 . 4.0\n", "number"),
        ("v 0.0 0.0 0.0\nv 1.0 2.. 4\n", "number"),
        ("v 0 0 0\nv 1 2 3.", "cut short"),
        (b"v 0 0 0\nv 1 2 3\nv 1 \x00\x00\x00\x00\n", "number"),
    ],
)
def test_bad_file_is_refused_with_its_name(tmp_path, text, reason):
    path = _file(tmp_path, text)
    with pytest.raises(BadSampleError, match=reason) as refused:
        read_obj_vertices(path)
    assert str(path) in str(refused.value)


def test_every_cut_inside_the_vertices_is_noticed(tmp_path):
    """Cut anywhere, the file is refused or has fewer vertices, which the reader of a data set compares."""
    vertices = TRIANGLE[: TRIANGLE.index("f")]
    for length in range(len(vertices)):
        path = _file(tmp_path, vertices[:length])
        with contextlib.suppress(BadSampleError):
            assert len(read_obj_vertices(path)) < 3


def test_missing_file_is_a_bad_sample(tmp_path):
    with pytest.raises(BadSampleError, match=r"absent\.obj"):
        read_obj_vertices(tmp_path / "absent.obj")


def test_face_of_a_missing_vertex_is_refused(tmp_path):
    with pytest.raises(BadSampleError, match="vertex 4 of 3"):
        read_obj(_file(tmp_path, TRIANGLE + "f 1 2 4\n"))
