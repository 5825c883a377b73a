"""Pictures by VTK, in a process of their own: where there is no OpenGL VTK does not raise, it crashes.

``python vtk_render.py scene.npz out.npz`` draws what :func:`draw_by_vtk` put there.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def draw_by_vtk(
    folder: Path,
    frames: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray,
    faces_uv: np.ndarray,
    texture: np.ndarray,
    size: int,
    field_of_view: float,
    eye: tuple[float, ...],
    clip: tuple[float, float],
    lit: bool = False,
    samples: int = 1,
) -> dict | None:
    """Textured pictures of a mesh, one for each of its shapes.

    Args:
        folder: for the files between the two processes.
        frames: (T, V, 3) shapes, drawn one after another.
        faces: (F, 3).
        uv: (N, 2).
        faces_uv: (F, 3).
        texture: (H, W, 3) uint8.
        size: of the pictures.
        field_of_view: vertical, degrees.
        eye: where the camera is; it looks at the origin.
        clip: near and far distance.
        lit: with smooth normals, computed for every shape, and lights; else the texture's plain colours.
        samples: a pixel; 1, in its middle, or as many as the driver has (4 here), which share one colour.

    Returns:
        ``picture`` (size, size, 3) uint8, ``depth`` (size, size) distance along the camera's axis, NaN where there is
        nothing, both of the last frame; ``seconds`` (T,) of each frame. None where VTK cannot draw.
    """
    corners, rows = np.unique(np.stack([faces, faces_uv], -1).reshape(-1, 2), axis=0, return_inverse=True)
    mesh = {
        "frames": frames[:, corners[:, 0]],
        "faces": rows.reshape(-1, 3),
        "uv": uv[corners[:, 1]],
    }
    np.savez(
        folder / "scene.npz",
        size=size,
        field_of_view=field_of_view,
        eye=eye,
        clip=clip,
        texture=texture,
        lit=lit,
        samples=samples,
        **mesh,
    )
    command = [sys.executable, __file__, str(folder / "scene.npz"), str(folder / "out.npz")]
    environment = os.environ | {"VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    result = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    return dict(np.load(folder / "out.npz")) if result.returncode == 0 else None


def _draw(scene: dict) -> dict:
    import pyvista

    size, lit = int(scene["size"]), bool(scene["lit"])
    mesh = pyvista.PolyData.from_regular_faces(scene["frames"][0].astype(np.float32), scene["faces"])
    mesh.active_texture_coordinates = scene["uv"].astype(np.float32)
    plotter = pyvista.Plotter(off_screen=True, window_size=(size, size), lighting="light kit" if lit else "none")
    plotter.set_background("black")
    plotter.render_window.SetMultiSamples(int(scene["samples"]) if scene["samples"] > 1 else 0)
    texture = pyvista.Texture(scene["texture"])
    texture.interpolate, texture.mipmap = True, False
    plotter.add_mesh(mesh, texture=texture, lighting=lit, smooth_shading=lit, culling="back")
    plotter.camera.position, plotter.camera.focal_point, plotter.camera.up = tuple(scene["eye"]), (0, 0, 0), (0, 1, 0)
    plotter.camera.view_angle = float(scene["field_of_view"])
    plotter.camera.clipping_range = tuple(scene["clip"])
    plotter.show(auto_close=False, interactive=False)
    seconds = []
    for frame in scene["frames"]:
        start = time.perf_counter()
        mesh.points = frame.astype(np.float32)
        if lit:
            mesh.compute_normals(inplace=True, consistent_normals=False, split_vertices=False, cell_normals=False)
        plotter.camera.clipping_range = tuple(scene["clip"])
        plotter.render()
        picture = plotter.screenshot(return_img=True)
        seconds.append(time.perf_counter() - start)
    depth = -np.asarray(plotter.get_image_depth(fill_value=np.nan))
    return {"picture": picture, "depth": depth, "seconds": seconds}


if __name__ == "__main__":
    np.savez(sys.argv[2], **_draw(dict(np.load(sys.argv[1]))))
