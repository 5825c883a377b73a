"""Portugal, Spain, Italy, Croatia and Greece."""

from facegen_core.population.portrait.scenery.bridges import arched_bridge
from facegen_core.population.portrait.scenery.buildings import (
    DOME,
    ONION,
    SHAFT,
    arcade,
    columns,
    dome,
    facade,
    patch,
    temple_front,
    tower,
)
from facegen_core.population.portrait.scenery.halls import striped_arches
from facegen_core.population.portrait.scenery.land import boulders, ground, hills, mountain, paving, water
from facegen_core.population.portrait.scenery.people import crowd
from facegen_core.population.portrait.scenery.plants import foliage, trees
from facegen_core.population.portrait.scenery.rooms import lamp, room
from facegen_core.population.portrait.scenery.scene import LEFT, RIGHT, Scene, golden, lamplit, sunny
from facegen_core.population.portrait.scenery.sky import glow, plume, sky
from facegen_core.population.portrait.scenery.towns import battlements, blocks, houses, keep

TERRACOTTA = "#c46a3f"
TUSCAN = ("#e3b368", "#d99a5b", "#e8cf9a", "#cf8352", "#d9b98a", "#c9925f")
WHITEWASH, BLUESHADE = "#fbfaf6", "#b9c9de"
SANTORINI_BLUE = "#2561b8"

PLACES = (
    Scene(
        "Dubrovnik City Walls",
        "on the Dubrovnik City Walls",
        (
            sky("deep", 0.05, 0.25),
            water("#3f8fc0", 0.06, 0.2, 0.7, "#17619c"),
            hills(0.1, "#5d7f5a", -0.2, 0.3, 0.05),
            mountain("0.2,-0.2 0.5,0.25 0.9,0.55 1.4,0.7", "#b5ad96", "#7d8a72", foot=-0.4, haze=0.35),
            houses((-0.2, -0.6, 1.3, 0.02), ("#e3d4b5", "#d9c8a4", "#e9dec6"), TERRACOTTA, 9, 2, gabled=True),
            houses((-0.3, -0.8, 1.4, -0.22), ("#e3d4b5", "#d9c8a4", "#e9dec6"), TERRACOTTA, 7, 2, gabled=False),
            battlements((-1.4, -1.2, -0.42, -0.42, -0.75, -0.1), "#d6c5a0", 12, openings=5),
            keep(-0.82, -0.8, 0.22, 0.86, "#dccba8"),
            battlements((0.5, -0.3, 0.62, 1.4, -0.5, 0.36), "#d6c5a0", 9, openings=3),
            keep(0.72, -0.2, 0.22, 0.86, "#dccba8"),
            houses((0.3, -1.1, 1.5, -0.45), ("#e3d4b5", "#e9dec6"), TERRACOTTA, 4, 2, gabled=False),
            foliage(-1.05, -0.75, 0.25, 0.2, "#4a6b36"),
        ),
        sunny(LEFT),
    ),
    Scene(
        "Madrid Palace",
        "in front of Madrid Palace",
        (
            sky("deep", -0.4, 0.35),
            facade((-1.4, -0.45, 1.4, 0.36), "#ddd8cc", (20, 4), high=0.62, trim="#f1eee6"),
            columns((-1.4, -0.2, 1.4, 0.34), "#ebe7dd", 21, 0.25),
            facade((-1.4, 0.36, 1.4, 0.44), "#e6e2d7", (40, 1), "#b9c0c4", wide=0.5),
            facade((-0.5, -0.45, 0.5, 0.52), "#e3ded2", (7, 4), arched=True, high=0.66),
            columns((-0.48, -0.15, 0.48, 0.45), "#f0ece3", 8, 0.28),
            dome(0.62, 0.44, 0.2, 0.24, "#5b6672", "#e0dbcf", drum=0.1, lantern=0.14),
            patch("-0.2,0.52 0.2,0.52 0.16,0.72 -0.16,0.72", "#e9e5da", "#d2cdc0"),
            arcade((-1.4, -0.45, 1.4, -0.2), "#cfc9bc", 20, "#5b5854"),
            tower(SHAFT, -0.82, -0.62, 0.014, 0.55, "#3a3f3f"),
            tower(ONION, -0.82, -0.08, 0.05, 0.12, "#e9d9a5"),
            tower(SHAFT, 0.88, -0.62, 0.014, 0.55, "#3a3f3f"),
            tower(ONION, 0.88, -0.08, 0.05, 0.12, "#e9d9a5"),
            paving("#cbc3b2", "#b5ad9c", -0.46, 6, 0.3),
            crowd(-0.52, 0.12, 10),
        ),
        sunny(LEFT),
    ),
    Scene(
        "Mezquita of Cordoba",
        "inside the Mezquita of Cordoba",
        (
            room("#5a4030", "#6d5240", -0.5),
            glow(0.0, 0.1, 0.9, "#ffcf8a", 0.4),
            *(
                striped_arches(x, 0.22, 0.15, 0.025, -0.5, "#a8432f", "#d9b98c", 0.35)
                for x in (-1.05, -0.75, -0.45, -0.15, 0.15, 0.45, 0.75, 1.05)
            ),
            *(
                striped_arches(x, 0.26, 0.24, 0.04, -0.62, "#b54a33", "#e0c096", 0.18)
                for x in (-0.96, -0.48, 0.0, 0.48, 0.96)
            ),
            *(striped_arches(x, 0.3, 0.4, 0.07, -0.95, "#bf4d33", "#ecd0a2") for x in (-1.2, -0.4, 0.4, 1.2)),
            lamp(-0.6, 0.5, 0.06, hangs_from=1.3),
            lamp(0.62, 0.46, 0.06, hangs_from=1.3),
        ),
        lamplit(LEFT),
    ),
    Scene(
        "Mount Etna",
        "on Mount Etna",
        (
            sky("clear", -0.2, 0.3),
            plume(0.42, 0.62, 1.15, 0.34, 0.3, "#d8d6d6"),
            mountain(
                "-1.4,-0.1 -0.7,0.12 -0.1,0.42 0.25,0.64 0.36,0.6 0.46,0.61 0.56,0.66 0.9,0.4 1.4,0.08",
                "#77706c",
                "#39383c",
                foot=-0.5,
                snow=0.5,
                haze=0.18,
                rugged=0.05,
            ),
            hills(-0.14, "#4a4442", -0.6, 0.2, 0.08, 0.2),
            hills(-0.3, "#3a3534", -0.7, 0.05, 0.08, 0.25),
            ground("#2e2a2a", "#4b4341", -0.42, 0.3),
            boulders([(-1.0, -0.5), (-0.78, -0.58), (0.72, -0.5), (0.95, -0.6), (-0.55, -0.47)], 0.09, "#463c39"),
            trees(-0.4, 0.1, "#7d8a45", ((-1.3, -0.6), (0.6, 1.3)), pitch=1.6),
        ),
        sunny(LEFT),
    ),
    Scene(
        "Pompeii",
        "in the ruins of Pompeii",
        (
            sky("clear", -0.2, 0.3),
            mountain(
                "-1.4,0.0 -0.9,0.22 -0.6,0.5 -0.42,0.42 -0.3,0.46 0.1,0.2 0.8,0.02 1.4,-0.05",
                "#7f8fa0",
                "#5c7088",
                foot=-0.4,
                haze=0.35,
                rugged=0.05,
            ),
            trees(-0.24, 0.2, "#56703f", haze=0.25),
            battlements((-1.4, -0.5, 1.4, -0.2), "#b08a66", 3, openings=12),
            facade(
                (0.5, -0.5, 1.4, 0.02), "#b38f6c", (3, 1), "#5a4434", arched=True, wide=0.4, high=0.7, trim="#c49a74"
            ),
            ground("#b5a184", "#c9b799", -0.46, 0.18),
            columns((-1.2, -0.55, -0.34, 0.34), "#d9cdb6", 4, 0.3),
            patch("-1.24,0.34 -0.56,0.34 -0.58,0.46 -1.24,0.46", "#e0d5bf", "#b8ab92"),
            columns((0.5, -0.6, 0.86, 0.5), "#dcd0b9", 2, 0.4),
            columns((0.9, -0.62, 1.26, 0.12), "#d2c4aa", 2, 0.4),
            patch("0.46,0.5 0.9,0.5 0.88,0.6 0.5,0.62", "#e0d5bf", "#b8ab92"),
            boulders([(-0.3, -0.6), (0.42, -0.64), (-0.95, -0.68), (1.1, -0.66)], 0.07, "#b9a88d"),
        ),
        sunny(RIGHT),
    ),
    Scene(
        "Ponte Vecchio",
        "in front of the Ponte Vecchio",
        (
            sky("golden", -0.2, 0.35),
            hills(0.0, "#6f7f58", -0.4, 0.45, 0.08),
            houses((-1.4, -0.4, -0.6, 0.34), TUSCAN, "#a35f3c", 5, 4, gabled=False),
            houses((0.6, -0.4, 1.4, 0.38), TUSCAN, "#a35f3c", 5, 4, gabled=False),
            arched_bridge((-1.4, -0.62, 1.4, 0.0), "#c9a878", 3, "#6b5a48", 0.78),
            houses((-0.98, -0.06, -0.22, 0.3), TUSCAN, "#a35f3c", 7, 2, gabled=False),
            houses((0.22, -0.06, 0.98, 0.3), TUSCAN, "#a35f3c", 7, 2, gabled=False),
            facade((-1.4, 0.26, 1.4, 0.4), "#e0b878", (30, 1), wide=0.3, high=0.5, roof="#a35f3c", rise=0.4),
            arcade((-0.22, -0.06, 0.22, 0.3), "#dcb67c", 3, "#8fa9bd"),
            water("#a99a72", -0.56, 0.6, 0.55, "#5f6b4c"),
        ),
        golden(LEFT),
    ),
    Scene(
        "Santorini",
        "on Santorini",
        (
            sky("deep", 0.1, 0.2),
            water("#4a93cf", 0.12, 0.15, 0.5, "#1f6bb0"),
            mountain("-1.4,0.2 -1.0,0.26 -0.5,0.17 0.0,0.13", "#8a7a78", "#64666f", foot=0.1, haze=0.5, rugged=0.05),
            blocks(
                (
                    (-1.3, -0.4, -0.85, 0.0),
                    (-0.5, -0.4, -0.1, -0.1),
                    (0.1, -0.5, 0.5, 0.0),
                    (0.9, -0.4, 1.3, 0.2),
                    (0.45, -0.4, 0.9, 0.22),
                ),
                WHITEWASH,
                BLUESHADE,
            ),
            tower(DOME, 0.68, 0.22, 0.26, 0.32, SANTORINI_BLUE, ribs=0, turn=0.5),
            patch("0.67,0.52 0.69,0.52 0.69,0.66 0.67,0.66", WHITEWASH),
            patch("0.635,0.6 0.725,0.6 0.725,0.62 0.635,0.62", WHITEWASH),
            blocks(((-0.98, -0.6, -0.42, 0.06),), WHITEWASH, BLUESHADE),
            tower(DOME, -0.7, 0.06, 0.25, 0.29, SANTORINI_BLUE, turn=0.5),
            patch("-0.71,0.33 -0.69,0.33 -0.69,0.46 -0.71,0.46", WHITEWASH),
            patch("-0.745,0.4 -0.655,0.4 -0.655,0.42 -0.745,0.42", WHITEWASH),
            blocks(
                (
                    (-1.4, -1.3, -0.75, -0.35),
                    (-0.8, -1.3, -0.1, -0.5),
                    (0.2, -1.3, 0.72, -0.45),
                    (0.66, -1.3, 1.4, -0.28),
                ),
                WHITEWASH,
                BLUESHADE,
            ),
            foliage(1.02, -0.42, 0.2, 0.16, "#c43a86", 0.04),
        ),
        sunny(LEFT),
    ),
    Scene(
        "St. Mark's Square Venice",
        "in St. Mark's Square in Venice",
        (
            sky("clear", -0.35, 0.4),
            facade((-0.5, -0.45, 0.5, 0.1), "#d9cdb8", (5, 2), "#5a4a3c", arched=True, wide=0.7, high=0.8),
            *(dome(x, 0.1, 0.13, 0.17, "#9aa5a8", "#d9cdb8", drum=0.05, lantern=0.14) for x in (-0.42, 0.42, 0.0)),
            arcade((-1.5, -0.9, 0.55, -0.42, -0.48, 0.02), "#dccfb6", 12, "#4a423c", top=0.36),
            arcade((-1.5, 0.0, 0.55, -0.42, -0.24, 0.02), "#dccfb6", 12, "#574c44", top=0.85),
            arcade((1.5, -0.9, 0.3, 0.45, -0.48, -0.02), "#d6c9b0", 10, "#4a423c", top=0.8),
            facade((0.54, -0.5, 0.84, 0.52), "#b5654a", (4, 1), "#8f4c38", wide=0.2, high=0.94, trim="#b5654a"),
            arcade((0.52, 0.52, 0.86, 0.7), "#e6dfd0", 4, "#4b4440"),
            facade((0.55, 0.7, 0.83, 0.8), "#b5654a", (0, 0)),
            patch("0.54,0.8 0.84,0.8 0.69,1.12", "#7fa896", "#5f8a7a", 0.5),
            paving("#b9b2a6", "#6f6a66", -0.47, 4, 0.5),
            crowd(-0.52, 0.13, 16),
        ),
        sunny(LEFT),
    ),
    Scene(
        "St. Peter's Basilica",
        "in front of St. Peter's Basilica",
        (
            sky("golden", -0.4, 0.4),
            dome(0.0, 0.16, 0.44, 0.38, "#8fa0ab", "#ddd0b5", drum=0.22, lantern=0.2, ribs=16, columns=13),
            dome(-0.58, 0.18, 0.15, 0.18, "#93a3ad", "#ddd0b5", drum=0.1, lantern=0.1),
            dome(0.58, 0.18, 0.15, 0.18, "#93a3ad", "#ddd0b5", drum=0.1, lantern=0.1),
            facade((-0.9, -0.45, 0.9, 0.2), "#decfb0", (9, 3), high=0.6),
            columns((-0.86, -0.38, 0.86, 0.1), "#e9dcc0", 10, 0.34),
            temple_front((-0.34, -0.38, 0.34, 0.1), "#ecdfc4", 4, gable=0.35),
            columns((-1.5, -0.75, 0.1, -0.86, -0.5, 0.0), "#e0d3b8", 10, 0.5),
            columns((1.5, -0.75, 0.1, 0.86, -0.5, 0.0), "#e0d3b8", 10, 0.5),
            patch("-1.5,0.08 -0.86,-0.02 -0.86,0.04 -1.5,0.22", "#ece0c6", "#cbbd9f"),
            patch("1.5,0.08 0.86,-0.02 0.86,0.04 1.5,0.22", "#ece0c6", "#cbbd9f"),
            patch("-0.665,-0.55 -0.595,-0.55 -0.61,0.5 -0.63,0.56 -0.65,0.5", "#d9b99a", "#b08f74", 0.4),
            paving("#b3a894", "#9b917f", -0.52, 5, 0.3),
            crowd(-0.58, 0.13, 16),
        ),
        golden(LEFT),
    ),
    Scene(
        "Torre De Belém",
        "in front of the Torre De Belém",
        (
            sky("deep", -0.35, 0.3),
            hills(-0.3, "#7d8f7a", -0.5, 0.5, 0.04),
            battlements((-0.2, -0.5, 1.1, -0.12), "#e3d8bf", 16, openings=7),
            facade((0.46, -0.2, 0.92, 0.62), "#e9dec6", (3, 3), arched=True, wide=0.3, high=0.42, trim="#f5eedd"),
            battlements((0.43, 0.56, 0.95, 0.68), "#e6dbc2", 9),
            facade((0.53, 0.66, 0.85, 0.84), "#e3d8bf", (2, 1), arched=True, wide=0.3, high=0.4),
            battlements((0.51, 0.8, 0.87, 0.88), "#e6dbc2", 6),
            arcade((0.5, 0.12, 0.88, 0.26), "#f0e7d2", 5, "#5c5348"),
            *(
                tower(
                    ((0.8, 0), (1, 0.2), (1, 0.6), (0.9, 0.66), (0.75, 0.84), (0.2, 0.96), (0, 1)),
                    x,
                    y,
                    0.062,
                    0.24,
                    "#efe6d2",
                )
                for x, y in (
                    (0.46, 0.46),
                    (0.92, 0.46),
                    (-0.18, -0.24),
                    (0.24, -0.24),
                    (1.08, -0.24),
                    (0.53, 0.76),
                    (0.85, 0.76),
                )
            ),
            water("#5f9ab8", -0.46, 0.5, 0.7, "#2c6a8f"),
            boulders([(-0.3, -0.5), (0.2, -0.52), (0.6, -0.5), (1.0, -0.52)], 0.06, "#b8a988"),
        ),
        sunny(RIGHT),
    ),
)
