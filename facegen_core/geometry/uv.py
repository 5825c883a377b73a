"""The face's part of a square texture map, as 3DFaceCAM takes it out of FaceScape's maps and puts it back."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

FEATHER = 0.04
"""Usual width of the soft edge of a pasted face, as a share of its side."""


def face_rectangle(pixels: int) -> tuple[int, int, int]:
    """Where the face lies in a map of some side: about rows .05 to .65, row 0 on top, and columns .20 to .80.

    The whole parts are taken so that both known cases come out: 616 pixels from row 51 and column 204 of a map of 1024,
    and 2458 of one of 4096 [C add_tex.py].

    Returns:
        The first row, the first column, and the side of the square.
    """
    left, shift, right = pixels * 20 // 100, pixels * 15 // 100, pixels * 80 // 100
    return left - shift, left, right + 1 - left


def crop_face(maps: Tensor, side: int | None = None) -> Tensor:
    """Takes the faces out of maps.

    Args:
        maps: (..., R, R) floating point.
        side: of the face, to which it is resized with antialiasing; None leaves it as it is in the map.

    Returns:
        (..., side, side).

    Raises:
        ValueError: the maps are not square.
    """
    top, left, length = face_rectangle(_side(maps))
    return resize_square(maps[..., top : top + length, left : left + length], side or length)


def paste_face(maps: Tensor, faces: Tensor, feather: float = FEATHER) -> Tensor:
    """Puts faces into maps; what lies around them is left as it is.

    Args:
        maps: (..., R, R) floating point.
        faces: (..., S, S) of any side, resized with antialiasing to the one they have in the maps.
        feather: width of the edge within which a face fades into the map, as a share of the face's side, 0 to 0.5; the
            released code has none.

    Returns:
        (..., R, R), new maps.

    Raises:
        ValueError: maps or faces are not square, or feather is out of range.
    """
    if not 0 <= feather <= 0.5:
        raise ValueError(f"feather is a share of the face's side from 0 to 0.5, not {feather}")
    _side(faces)
    top, left, length = face_rectangle(_side(maps))
    place = (..., slice(top, top + length), slice(left, left + length))
    inside = torch.arange(length, dtype=maps.dtype, device=maps.device)
    from_edge = (torch.minimum(inside, length - 1 - inside) + 0.5) / length
    ramp = (from_edge / feather).clamp(max=1) if feather else torch.ones_like(from_edge)
    cover = torch.minimum(ramp[:, None], ramp[None])
    pasted = maps.clone()
    pasted[place] = torch.lerp(maps[place], resize_square(faces, length).to(maps.dtype), cover)
    return pasted


def resize_square(faces: Tensor, side: int) -> Tensor:
    """Square pictures (..., S, S) as (..., side, side), bilinear with antialiasing."""
    if faces.shape[-1] == side:
        return faces
    flat = faces.reshape(-1, 1, *faces.shape[-2:])
    resized = interpolate(flat, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    return resized.reshape(*faces.shape[:-2], side, side)


def surround_face(faces: Tensor, pixels: int, template: Tensor | None = None) -> Tensor:
    """Whole maps with faces in their places, around which everything takes on the faces' colours without a seam.

    The released code overwrites the face in a template map of one person [C add_tex.py], which leaves a seam. Here the
    difference to the template is carried on from the face's border outwards, ever more smoothly: pull-push (Gortler et
    al. 1996, section 5.3), and made equal left and right towards the map's edge, where a head's halves meet.

    Args:
        faces: (B, C, S, S) floating point.
        pixels: side of the maps.
        template: (C, R, R) what a map usually looks like; None, and the faces' own colours go on outwards.

    Returns:
        (B, C, pixels, pixels).

    Raises:
        ValueError: faces are not square.
    """
    around = faces.new_zeros(1, 1, pixels, pixels)
    if template is not None:
        around = resize_square(template.to(faces), pixels)[None]
    maps = paste_face(around.expand(*faces.shape[:2], -1, -1), faces, feather=0) - around
    known = paste_face(torch.zeros_like(around[:, :1]), faces.new_ones(1, 1, 1, 1), feather=0)
    spread = _spread(maps, known)
    return around + torch.lerp(spread, (spread + spread.flip(-1)) / 2, _towards_edge(pixels).to(maps))


def _towards_edge(pixels: int) -> Tensor:
    """(R, R), 0 in the face and at its border, growing to 1 at the edge of a map.

    There both halves of a head meet, so what is carried on outwards must be the same left and right.
    """
    top, left, length = face_rectangle(pixels)
    place = torch.arange(pixels) + 0.5
    rows, columns = (
        torch.maximum((start - place) / max(start, 1), (place - start - length) / max(pixels - start - length, 1))
        for start in (top, left)
    )
    return torch.maximum(rows[:, None], columns[None]).clamp(0, 1)


def _spread(values: Tensor, known: Tensor) -> Tensor:
    """Values (B, C, R, R) where ``known`` (1, 1, R, R) is 1, and where it is less, what is known around there."""
    side = values.shape[-1]
    if side == 1:
        return values
    weight = avg_pool2d(known, 2, ceil_mode=True)
    mean = avg_pool2d(values * known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = _spread(mean, (4 * weight).clamp(max=1))
    return torch.lerp(interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False), values, known)


def _side(maps: Tensor) -> int:
    if maps.ndim < 2 or maps.shape[-1] != maps.shape[-2]:
        raise ValueError(f"expected square maps (..., R, R), got {tuple(maps.shape)}")
    return maps.shape[-1]
