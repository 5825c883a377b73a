"""Our rasteriser against VTK's software renderer: one textured face of 26,719 vertices at 512 x 512.

The face changes shape in every frame, as samples of a generator do, so normals are computed anew. Real faces
(FACEGEN_REAL) where they are there, else the population's head with every triangle split in four.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
import trimesh

from facegen_core.geometry.camera import head_camera
from facegen_core.geometry.render import render
from facegen_core.population.anatomy import anatomy
from facegen_core.seeding import numpy_generator
from tests.conftest import real_folder
from tests.helpers.ict_facescape import ict_file, ict_person, ict_topology
from tests.helpers.vtk_render import draw_by_vtk

SIZE, FRAMES, DISTANCE, FIELD = 512, 20, 900.0, 20.0


def main() -> None:
    """Prints seconds a frame of both, and their ratio."""
    frames, faces, uv, faces_uv = _face()
    texture = numpy_generator(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        view = {"size": SIZE, "field_of_view": FIELD, "eye": (0, 0, DISTANCE), "clip": (DISTANCE / 4, DISTANCE * 4)}
        theirs = draw_by_vtk(Path(folder), frames, faces, uv, faces_uv, texture, **view, lit=True)
        plain = draw_by_vtk(Path(folder), frames, faces, uv, faces_uv, texture, **view)
    seconds = median(_seconds(frames, faces, uv, faces_uv, texture, "cpu"))
    print(f"rendering {len(faces)} triangles, {frames.shape[1]} vertices, {SIZE} x {SIZE}, one sample a pixel")
    print(f"  facegen      {1e3 * seconds:7.1f} ms a frame on {torch.get_num_threads()} threads")
    if theirs is None:
        print("  VTK cannot draw here: it needs the extra facegen[vtk] and a software OpenGL (libegl1)")
    else:
        other = median(theirs["seconds"][1:])
        print(f"  VTK          {1e3 * other:7.1f} ms a frame, the same work; ratio {other / seconds:.2f}")
        bare = median(plain["seconds"][1:])
        print(f"  VTK          {1e3 * bare:7.1f} ms a frame without normals and light; ratio {bare / seconds:.2f}")
    if torch.cuda.is_available():
        gpu = median(_seconds(frames, faces, uv, faces_uv, texture, "cuda", batch=FRAMES))
        print(
            f"  facegen, GPU {1e3 * gpu:7.1f} ms a frame in batches of {FRAMES}; ratio to our CPU {seconds / gpu:.0f}"
        )


def _seconds(frames, faces, uv, faces_uv, texture, device: str, batch: int = 1) -> list[float]:
    triangles, uv_triangles = (torch.from_numpy(x).to(device) for x in (faces, faces_uv))
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=DISTANCE, field_of_view=FIELD)
    paint = torch.from_numpy(texture).permute(2, 0, 1)[None].float().to(device) / 255
    times = []
    for part in torch.from_numpy(frames).split(batch):
        start = time.perf_counter()
        picture = render(part.to(device), triangles, camera, SIZE, texture=paint, uv=torch.from_numpy(uv).to(device),
                         faces_uv=uv_triangles, antialias=1).cpu()  # fmt: skip
        times.append((time.perf_counter() - start) / len(part))
        assert picture[:, 3].mean() > 0.1
    return times[1:] or times


def _face() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frames (FRAMES, V, 3) of people, triangles, texture coordinates."""
    real = real_folder()
    if real is not None:
        model = ict_file(real)
        return np.concatenate([ict_person(model, 0, i, 1) for i in range(FRAMES)]), *ict_topology(model)
    shared = anatomy()
    vertices, faces = trimesh.remesh.subdivide(shared.template.numpy(), shared.faces)
    uv, faces_uv = trimesh.remesh.subdivide(np.pad(shared.uv, ((0, 0), (0, 1))), shared.faces_uv)
    scales = np.linspace(0.95, 1.05, FRAMES, dtype=np.float32)[:, None, None]
    return vertices.astype(np.float32) * scales, faces, uv[:, :2].astype(np.float32), faces_uv


if __name__ == "__main__":
    main()
