"""Santa Claus: a red hat with white fur and a pompon, and a red coat with a fur collar."""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals
from facegen_core.population.portrait.cloth import front_line, under_jaw
from facegen_core.population.portrait.costumes.fur import along_neckline, boa, coat, pompon
from facegen_core.population.portrait.costumes.headwear import around_head
from facegen_core.population.portrait.garments import Line
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import Part, join, sheet

LINE = Line(84, 62, 14, 2.0)
RED, FUR = np.array([0.76, 0.08, 0.10]), np.array([0.95, 0.94, 0.92])
TRIM = (88.0, 44.0)
"""Height of the hat's trim at the forehead and at the back of the head, mm."""
HAT = np.array([
    # share, mm to the side, up and forward, width
    [0.00, 0, 0, 0, 1.00], [0.18, 0, 34, 0, 0.99], [0.36, 4, 66, -2, 0.84], [0.50, 14, 92, -4, 0.62],
    [0.62, 36, 108, -2, 0.45], [0.74, 70, 106, 2, 0.33], [0.85, 102, 82, 8, 0.25], [0.93, 121, 48, 14, 0.19],
    [1.00, 129, 12, 18, 0.14],
])  # fmt: skip
"""The middle of the hat from its trim to its tip, and how wide it is there."""
ROWS, COLUMNS, POMPON_MM = 30, 48, 24.0


def santa(random: np.random.Generator, head: Reals, body: Body, anatomy: Anatomy) -> list[Piece]:
    """The costume's pieces for a head (H, 3) in its own frame and a body in the world's."""
    red, side = RED * random.uniform(0.93, 1.07), float(random.choice([-1.0, 1.0]))
    angles = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    ring, outward = around_head(head, anatomy, *TRIM, angles, margin=13.0)
    hat, tip = _hat(ring - 2 * outward, red, side)
    trim, _ = around_head(head, anatomy, *TRIM, np.linspace(0, 2 * np.pi, 64, endpoint=False), margin=16.0)
    ball = pompon(tip, POMPON_MM * 0.86, FUR, 44, 3)
    around = np.linspace(0, 2 * np.pi, 56, endpoint=False)
    collar = under_jaw(along_neckline(anatomy, body, LINE, 12.0, around), body.head, anatomy, 30.0)
    down = front_line(anatomy, -200.0, -368.0, 14)
    band = down @ body.vertices + 10 * (down @ body.normals)
    white = [boa(collar, 22.0, FUR), boa(band, 16.0, FUR, closed=False)]
    return [
        join([hat], "cloth", "head", thin=True),
        join([boa(trim, 16.0, FUR), ball], "wool", "head"),
        join(coat(anatomy, body, LINE, 9.0, red, int(random.integers(2**31)), 3.0), "cloth", thin=True),
        join(white, "wool"),
    ]


def _hat(ring: Reals, red: Reals, side: float) -> tuple[Part, Reals]:
    """A cone of cloth that falls to one side, from its edge (K, 3), and the place of its tip."""
    share = np.linspace(0, 1, ROWS)
    way = CubicSpline(HAT[:, 0], HAT[:, 1:] * [side, 1, 1, 1])
    middle, width = way(share)[:, :3], way(share)[:, 3]
    ahead = way(share, 1)[:, :3]
    ahead[0] = [0, 1, 0]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    centre = ring.mean(0)
    up = np.array([0.0, 1, 0])
    points = np.empty((ROWS, len(ring), 3))
    angle = np.arctan2((ring - centre)[:, 0], (ring - centre)[:, 2])
    for row in range(ROWS):
        spoke = (ring - centre) * width[row]
        spoke[:, 1] *= 1 - share[row]
        axis = np.cross(up, ahead[row])
        lean = np.arctan2(np.linalg.norm(axis), ahead[row] @ up)
        spoke = Rotation.from_rotvec(lean * axis / max(float(np.linalg.norm(axis)), 1e-9)).apply(spoke)
        crease = 1 + 0.035 * np.sin(3 * angle + 14 * share[row]) * np.sin(np.pi * share[row])
        points[row] = centre + middle[row] + spoke * crease[:, None]
    shade = 1 + 0.10 * np.sin(3 * angle + 14 * share[:, None]) * np.sin(np.pi * share[:, None])
    return sheet(points, red * shade[..., None], closed=True), points[-1].mean(0) + 0.7 * POMPON_MM * ahead[-1]
