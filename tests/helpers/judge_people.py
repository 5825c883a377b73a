"""A folder laid out as the population's, whose pictures are plain but for five dots where eyes, nose and mouth are."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = 80
FACE = np.array([[-15.0, -12.0], [15.0, -12.0], [0.0, 5.0], [-12.0, 22.0], [12.0, 22.0]])
"""Of the five points, from the middle of the face."""
DOT = 2


def write_people(root: Path, people: int = 12, pictures: int = 4) -> Path:
    """People who differ in their colour; each emotion darkens it a little."""
    random = np.random.default_rng(0)
    for person in range(people):
        colour, records = random.integers(60, 200, 3), []
        for k in range(pictures):
            emotion = (person + k) % 8
            points = (
                _turned(random.uniform(-0.3, 0.3), random.uniform(0.8, 1.2)) + PIXELS / 2 + random.uniform(-4, 4, 2)
            )
            pixels = np.broadcast_to((colour - 4 * emotion).astype(np.uint8), (PIXELS, PIXELS, 3)).copy()
            for x, y in points:
                row, column = np.mgrid[:PIXELS, :PIXELS] + 0.5
                pixels[np.hypot(column - x, row - y) < DOT] = 255
            file = f"pictures/{person}/{k}.png"
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / file)
            records.append(
                {
                    "file": file,
                    "emotion": emotion,
                    "action_units": {"AU12": 0.5 + 0.1 * k},
                    "landmarks": _sixty_eight(points).tolist(),
                }
            )
        records.append({**records[0], "file": f"pictures/{person}/again.png", "counterfactual_of": records[0]["file"]})
        path = root / "truth" / f"{person:05d}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"person": 100 + person, "pictures": records}))
    return root


def _turned(angle: float, scale: float) -> np.ndarray:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return scale * FACE @ turn


def _sixty_eight(points: np.ndarray) -> np.ndarray:
    """68 points whose eyes, nose tip and corners of the mouth are these five."""
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = points[0], points[1]
    landmarks[[30, 48, 54]] = points[2:]
    return landmarks
