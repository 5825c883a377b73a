"""Textured faces as files that other programs open: Wavefront OBJ and binary glTF."""

from pathlib import Path

import numpy as np
import torch
import trimesh
from PIL import Image
from torch import Tensor

from facegen_core.errors import FacegenError
from facegen_core.files import atomic_path
from facegen_core.geometry.mesh import Mesh, format_topology, format_vertices
from facegen_core.geometry.normals import vertex_normals
from facegen_core.images import save_png, to_uint8

METRES = 1e-3
"""Meshes are in mm, glTF in metres."""
ROUGHNESS = 0.7


def write_obj(path: Path, mesh: Mesh, texture: Tensor) -> None:
    """Writes ``<name>.obj`` with ``<name>.mtl`` and ``<name>.png`` beside it.

    Vertices keep their number, order and unit, to four decimals: :func:`~facegen_core.geometry.mesh.read_obj` reads the
    same mesh back.

    Args:
        path: the OBJ file. Blanks in its name become ``_`` in the other two names: many readers stop at a blank.
        mesh: with texture coordinates.
        texture: (3, H, W) in [0, 1], row 0 on top.

    Raises:
        FacegenError: the mesh has no texture coordinates, or vertices that are not finite.
    """
    _check(path, mesh)
    name = "_".join(path.stem.split())
    save_png(texture, path.with_name(f"{name}.png"))
    # Kd white: the texture alone decides the colour; Ks black: nothing shines.
    material = f"newmtl {name}\nKa 0.2 0.2 0.2\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {name}.png\n"
    with atomic_path(path.with_name(f"{name}.mtl")) as temporary:
        temporary.write_text(material)
    with atomic_path(path) as temporary:
        topology = format_topology(mesh.faces, mesh.uv, mesh.faces_uv)
        header = f"mtllib {name}.mtl\nusemtl {name}\n"
        temporary.write_text(header + format_vertices(mesh.vertices) + topology)


def write_glb(path: Path, mesh: Mesh, texture: Tensor) -> None:
    """Writes one binary glTF 2.0 file, in metres, with smooth normals and the texture as PNG inside.

    glTF has one texture coordinate a vertex, so vertices on a seam are doubled, and ones no triangle uses are left out.

    Args:
        path: the ``.glb`` file.
        mesh: mm, y up, looking along +z as glTF has it, with texture coordinates.
        texture: (3, H, W) in [0, 1], row 0 on top.

    Raises:
        FacegenError: as :func:`write_obj`.
    """
    _check(path, mesh)
    vertex, texel, faces = split_seams(mesh)
    normals = vertex_normals(torch.from_numpy(mesh.vertices)[None], torch.from_numpy(mesh.faces))[0].numpy()[vertex]
    normals[np.abs(normals).sum(1) == 0] = (0, 0, 1)  # of triangles without area; glTF wants length 1
    skin = trimesh.visual.material.PBRMaterial(
        name=path.stem,
        baseColorTexture=Image.fromarray(to_uint8(texture)),
        metallicFactor=0.0,
        roughnessFactor=ROUGHNESS,
        doubleSided=True,  # faces of scans are open at the back
    )
    solid = trimesh.Trimesh(
        mesh.vertices[vertex] * METRES,
        faces,
        vertex_normals=normals,
        visual=trimesh.visual.TextureVisuals(uv=mesh.uv[texel], material=skin),  # its writer turns v upside down
        process=False,
    )
    scene = trimesh.Scene()
    scene.add_geometry(solid, node_name=path.stem, geom_name=path.stem)
    with atomic_path(path) as temporary:
        temporary.write_bytes(trimesh.exchange.gltf.export_glb(scene, include_normals=True))


def split_seams(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One vertex for each pair of vertex and texture coordinate that a triangle has.

    Returns:
        (N,) row of ``mesh.vertices`` of each new vertex, (N,) row of ``mesh.uv``, and triangles (F, 3) of new vertices.
    """
    pairs = np.stack([mesh.faces, mesh.faces_uv], axis=-1).reshape(-1, 2)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return unique[:, 0], unique[:, 1], inverse.reshape(-1, 3)


def _check(path: Path, mesh: Mesh) -> None:
    if len(mesh.faces_uv) != len(mesh.faces):
        raise FacegenError(f"{path}: not written: the mesh has no texture coordinates for its triangles.")
    if not np.isfinite(mesh.vertices).all():
        raise FacegenError(f"{path}: not written: the mesh has vertices that are not finite.")
