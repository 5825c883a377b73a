"""How fast a face is drawn, against VTK's software renderer: ``python -m tests.bench.bench_render``.

One textured face of 26,719 vertices at 512 x 512, another shape in every frame as samples of a generator are, so that
normals and light are computed anew. Both renderers take turns in one run, VTK in a process of its own. The face is made
from real scans (FACEGEN_REAL) where they are there, else it is the population's head with every triangle split in four.
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

SIZE, FRAMES, TURNS, WARM_UP, DISTANCE, FIELD = 512, 24, 3, 4, 900.0, 20.0
Face = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Prints milliseconds a frame of both, and their ratio, without and with antialiasing."""
    face = _face()
    texture = numpy_generator(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    print(f"\nrendering {len(face[1])} triangles, {face[0].shape[1]} vertices, {SIZE} x {SIZE}")
    for antialias in (1, 2):
        ours, theirs = [], []
        for _ in range(TURNS):
            theirs += _vtk(face, texture, antialias**2)[WARM_UP:]
            ours += _facegen(face, texture, antialias)[WARM_UP:]
        seconds = median(ours)
        print(f"  {antialias**2} samples a pixel")
        print(f"    facegen {1e3 * seconds:9.1f} ms a frame, {torch.get_num_threads()} threads")
        if theirs:
            other = median(theirs)
            shared = "" if antialias == 1 else ", whose samples share one colour"
            print(f"    VTK     {1e3 * other:9.1f} ms a frame{shared}\n    ratio   {other / seconds:9.2f}")
        else:
            print("    VTK cannot draw here: it needs the extra facegen[vtk] and a software OpenGL (libegl1)")
    if torch.cuda.is_available():
        gpu = median(_facegen(face, texture, 1, "cuda", FRAMES)[1:])
        print(f"  GPU, {FRAMES} frames at a time, 1 sample a pixel: {1e3 * gpu:.2f} ms a frame")


def _vtk(face: Face, texture: np.ndarray, samples: int) -> list[float]:
    """Seconds of each frame; none where VTK cannot draw."""
    view = {"size": SIZE, "field_of_view": FIELD, "eye": (0, 0, DISTANCE), "clip": (DISTANCE / 4, DISTANCE * 4)}
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        drawn = draw_by_vtk(Path(folder), *face, texture, **view, lit=True, samples=samples)
    return [] if drawn is None else drawn["seconds"].tolist()


def _facegen(face: Face, texture: np.ndarray, antialias: int, device: str = "cpu", batch: int = 1) -> list[float]:
    """Seconds of each frame, ``batch`` of them drawn at a time, the last batch twice."""
    frames, faces, uv, faces_uv = (torch.from_numpy(array) for array in face)
    faces, uv, faces_uv = faces.to(device), uv.to(device), faces_uv.to(device)
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=DISTANCE, field_of_view=FIELD)
    paint = torch.from_numpy(texture).permute(2, 0, 1)[None].float().to(device) / 255
    seconds = []
    for part in (*frames.split(batch), frames[-batch:]):
        start = time.perf_counter()
        picture = render(part.to(device), faces, camera, SIZE, texture=paint, uv=uv, faces_uv=faces_uv,
                         antialias=antialias).cpu()  # fmt: skip
        seconds.append((time.perf_counter() - start) / len(part))
        assert picture[:, 3].mean() > 0.1
    return seconds


def _face() -> Face:
    """Frames (FRAMES, V, 3) of people, triangles, texture coordinates and their triangles."""
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
