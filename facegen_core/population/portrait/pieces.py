"""Pieces of geometry that a portrait is put together from."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats, Indices

Material = Literal["hair", "cloth", "wool", "metal", "jewel", "petal", "skin", "tooth", "eye"]
"""What a piece is made of: decides how it shines."""


class Piece(NamedTuple):
    """Triangles with colours, in mm, in the frame of the head: y up, the face looks along +z, the person's left at +x.

    Attributes:
        vertices: (V, 3).
        faces: (F, 3) int64, anticlockwise as seen from outside.
        colours: (V, 3) sRGB in [0, 1], what a white light would show.
        material: how it shines.
        follows: moves with the head, or stays with the body when the head turns.
        normals: (V, 3) of length 1, or None to find them from the triangles; hair has those of the scalp it lies on.
        tangents: (V, 3) of length 1 along the strands of hair, or None.
        thin: seen from both sides.
    """

    vertices: Floats
    faces: Indices
    colours: Floats
    material: Material
    follows: Literal["head", "body"] = "head"
    normals: Floats | None = None
    tangents: npt.NDArray[np.float32] | None = None
    thin: bool = False
