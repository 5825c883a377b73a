"""Cameras as 4 x 4 matrices: right-handed, y up, looking along -z, as OpenGL has it."""

import math

import torch
from torch import Tensor


def look_at(eye: Tensor, target: Tensor, up: Tensor | None = None) -> Tensor:
    """World to camera.

    Args:
        eye: (..., 3), where the camera is.
        target: (..., 3), what it looks at.
        up: (3,), what is up in the picture; +y if None.

    Returns:
        (..., 4, 4).
    """
    up = eye.new_tensor([0.0, 1.0, 0.0]) if up is None else up
    backward = torch.nn.functional.normalize(eye - target, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(up.expand_as(backward), backward), dim=-1)
    rotation = torch.stack([right, torch.linalg.cross(backward, right), backward], dim=-2)
    view = torch.zeros(*eye.shape[:-1], 4, 4, dtype=eye.dtype, device=eye.device)
    view[..., :3, :3] = rotation
    view[..., :3, 3] = -(rotation @ eye[..., None])[..., 0]
    view[..., 3, 3] = 1
    return view


def perspective(field_of_view: float, aspect: float, near: float, far: float) -> Tensor:
    """Camera to clip space, (4, 4) float64; depth runs from -1 at ``near`` to 1 at ``far``.

    Args:
        field_of_view: vertical, degrees.
        aspect: width over height of the picture.
        near: distance of the nearest visible plane.
        far: distance of the furthest.
    """
    scale = 1 / math.tan(math.radians(field_of_view) / 2)
    matrix = torch.zeros(4, 4, dtype=torch.float64)
    matrix[0, 0], matrix[1, 1] = scale / aspect, scale
    matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    matrix[3, 2] = -1
    return matrix


def orthographic(towards: Tensor, centre: Tensor, radius: float) -> Tensor:
    """World to clip space, (4, 4) float64, of a camera at infinity, as a light is: a ball fills the picture.

    Depth is 0 at the ball's centre and grows by 1 in 4 radii.

    Args:
        towards: (3,) from the ball to the camera, of length 1.
        centre: (3,) of the ball.
        radius: of the ball, in the mesh's unit.
    """
    upright = [0.0, 1.0, 0.0] if abs(float(towards[1])) < 0.95 else [0.0, 0.0, 1.0]
    eye = (centre + towards * 4 * radius).double()
    view = look_at(eye, centre.double(), torch.tensor(upright, dtype=torch.float64, device=eye.device))
    matrix = (
        torch.tensor([1 / radius, 1 / radius, -1 / (4 * radius), 1.0], dtype=torch.float64).to(view)[:, None] * view
    )
    matrix[2, 3] -= 1
    return matrix


def head_camera(
    yaw: Tensor, pitch: Tensor, aspect: float = 1.0, distance: float = 900.0, field_of_view: float = 20.0,
    target: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Tensor:  # fmt: skip
    """World to clip space of cameras on a sphere around a head that looks along +z, (B, 4, 4) float64.

    Args:
        yaw: (B,) degrees; positive sees the person's left side.
        pitch: (B,) degrees; positive looks down on it.
        aspect: width over height of the picture.
        distance: from camera to target, in the mesh's unit.
        field_of_view: vertical, degrees.
        target: what the cameras look at.
    """
    yaw, pitch = torch.deg2rad(yaw.double()), torch.deg2rad(pitch.double())
    centre = torch.tensor(target, dtype=torch.float64, device=yaw.device)
    direction = torch.stack([yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()], dim=-1)
    view = look_at(centre + distance * direction, centre.expand_as(direction))
    return perspective(field_of_view, aspect, distance / 4, distance * 4).to(view) @ view


def framing(vertices: Tensor, field_of_view: float = 20.0) -> tuple[tuple[float, float, float], float]:
    """Where :func:`head_camera` has to look, and from how far, to have all meshes in the picture from every side.

    Args:
        vertices: (B, V, 3).
        field_of_view: degrees, the smaller of the vertical and the horizontal.

    Returns:
        The target and the distance of one camera for all meshes, so that their sizes can be compared.
    """
    points = vertices.detach().double().reshape(-1, 3)
    centre = (points.amin(0) + points.amax(0)) / 2
    radius = float((points - centre).norm(dim=1).max())
    x, y, z = centre.tolist()
    return (x, y, z), radius / math.sin(math.radians(field_of_view) / 2)


def to_clip(vertices: Tensor, camera: Tensor) -> Tensor:
    """Vertices (B, V, 3) in clip space, (B, V, 4) float64; ``camera`` is (4, 4) or (B, 4, 4)."""
    camera = camera.to(vertices.device, torch.float64)
    return vertices.double() @ camera[..., :3].mT + camera[..., None, :, 3]
