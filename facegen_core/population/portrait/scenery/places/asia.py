"""Asia and Africa."""

from facegen_core.population.portrait.scenery.buildings import (
    BELL,
    DOME,
    MINARET,
    ONION,
    SHAFT,
    dome,
    facade,
    patch,
    tower,
)
from facegen_core.population.portrait.scenery.halls import ceiling_trusses, lanterns, stalls, vault
from facegen_core.population.portrait.scenery.land import boulders, cracks, ground, hills, mountain, paving, water
from facegen_core.population.portrait.scenery.people import crowd, soldiers
from facegen_core.population.portrait.scenery.plants import trees
from facegen_core.population.portrait.scenery.rooms import room
from facegen_core.population.portrait.scenery.scene import (
    LEFT,
    RIGHT,
    Scene,
    alpine,
    desert,
    golden,
    lamplit,
    overcast,
    sunny,
)
from facegen_core.population.portrait.scenery.sky import glow, haze, plume, sky
from facegen_core.population.portrait.scenery.structures import hewn_cross, prayer_flags, stupa_lattice
from facegen_core.population.portrait.scenery.towns import battlements, skyline

GOLD, GOLDSHADE = "#dd9a2b", "#8f5a14"
WARES = ("#b3322e", "#d98a2b", "#2f6f7d", "#7a2f5a", "#d9b23f", "#3d6a3a", "#274a7d", "#c25a3c")

PLACES = (
    Scene(
        "Blue Mosque",
        "in front of the Blue Mosque",
        (
            sky("clear", -0.4, 0.4),
            tower(MINARET, -0.5, -0.3, 0.05, 1.2, "#d5d6d6", haze=0.15),
            tower(MINARET, 0.5, -0.3, 0.05, 1.2, "#d5d6d6", haze=0.15),
            tower(DOME, 0.0, 0.34, 0.46, 0.4, "#8b9cab", ribs=18),
            facade((-0.44, 0.24, 0.44, 0.36), "#c5c8ca", (13, 1), arched=True, high=0.7),
            tower(ONION, 0.0, 0.73, 0.02, 0.14, "#d9b24a"),
            *(tower(DOME, x, 0.06, 0.32, 0.24, "#91a1af", ribs=12) for x in (-0.46, 0.46)),
            *(tower(DOME, x, -0.08, 0.2, 0.2, "#94a4b1", ribs=9) for x in (-0.78, 0.78)),
            tower(DOME, 0.0, 0.1, 0.4, 0.2, "#8fa0ae", ribs=12),
            facade((-1.0, -0.45, 1.0, -0.04), "#c9cbcb", (17, 2), arched=True, high=0.65),
            *(tower(DOME, -0.95 + 0.19 * k, -0.06, 0.085, 0.085, "#94a4b1") for k in range(11)),
            tower(MINARET, -0.76, -0.45, 0.062, 1.42, "#dcdcda"),
            tower(MINARET, 0.76, -0.45, 0.062, 1.42, "#dcdcda"),
            tower(MINARET, -1.0, -0.45, 0.06, 1.25, "#dcdcda"),
            tower(MINARET, 1.0, -0.45, 0.06, 1.25, "#dcdcda"),
            trees(-0.5, 0.22, "#55713f"),
            paving("#b3ab9e", "#9d958a", -0.52, 6, 0.25),
            crowd(-0.58, 0.14, 14),
        ),
        sunny(LEFT),
    ),
    Scene(
        "Borobudur Temple",
        "at Borobudur Temple",
        (
            sky("dawn", -0.1, 0.35),
            mountain(
                "-1.4,0.0 -0.5,0.1 0.0,0.42 0.12,0.43 0.6,0.15 1.4,0.05",
                "#8593a0",
                "#6a7a8f",
                foot=-0.4,
                haze=0.45,
                rugged=0.03,
            ),
            hills(-0.05, "#5a6f58", -0.5, 0.4, 0.06),
            trees(-0.22, 0.16, "#4d6647", haze=0.35),
            haze(-0.18, 0.12, 0.6),
            *(tower(BELL, x, -0.32, 0.12, 0.42, "#7b7771", haze=0.15) for x in (-0.98, -0.38, 0.36, 1.04)),
            battlements((-1.4, -0.6, 1.4, -0.3), "#77726b", 16),
            tower(BELL, -0.72, -0.55, 0.3, 1.12, "#8a857d", ribs=0),
            stupa_lattice(-0.72, -0.55, 0.3, 1.12, "#2d2a2a"),
            tower(BELL, 0.74, -0.62, 0.33, 1.28, "#8f8a81", ribs=0),
            stupa_lattice(0.74, -0.62, 0.33, 1.28, "#2d2a2a"),
            paving("#86817a", "#6b6660", -0.6, 4, 0.4),
        ),
        golden(LEFT),
    ),
    Scene(
        "Dead Sea",
        "at the Dead Sea",
        (
            sky("dust", 0.1, 0.2),
            mountain(
                "-1.4,0.3 -0.9,0.36 -0.3,0.28 0.3,0.34 0.9,0.4 1.4,0.32",
                "#cfa793",
                "#a68391",
                foot=0.0,
                haze=0.4,
                rugged=0.08,
                strata=0.3,
            ),
            water("#6fb7bf", 0.1, 0.3, 0.3, "#2f97a0"),
            patch(
                "-1.4,-0.16 -0.7,-0.1 -0.36,-0.2 -0.55,-0.3 -1.4,-0.32",
                "#f6f6f2",
                "#cfe3e2",
                0.0,
                0.12,
            ),
            patch("0.4,-0.12 0.8,-0.06 1.4,-0.12 1.4,-0.28 0.65,-0.24", "#f8f8f4", "#cfe3e2", 0.0, 0.12),
            patch(
                "-1.4,-0.5 -0.6,-0.46 0.0,-0.58 0.6,-0.48 1.4,-0.52 1.4,-1.3 -1.4,-1.3",
                "#fbfaf6",
                "#dfdcd2",
                0.0,
                0.1,
            ),
            boulders(
                [
                    (-1.0, -0.22),
                    (-0.8, -0.2),
                    (-0.6, -0.24),
                    (0.6, -0.16),
                    (0.85, -0.18),
                    (1.05, -0.2),
                    (-1.0, -0.5),
                    (-0.8, -0.46),
                    (0.72, -0.46),
                    (0.95, -0.52),
                ],
                0.085,
                "#fbfbf8",
                "#8fb4ba",
            ),
        ),
        desert(RIGHT),
    ),
    Scene(
        "Golden Temple",
        "in front of the Golden Temple",
        (
            sky("golden", -0.25, 0.25),
            facade((-1.4, -0.3, 1.4, -0.02), "#ece6da", (24, 2), arched=True, high=0.66, haze=0.2),
            *(
                dome(x, -0.04, 0.06, 0.1, "#f1ecdf", "#ece6da", drum=0.04, profile=ONION, haze=0.15)
                for x in (-1.1, -0.85, -0.3, 0.2, 1.1)
            ),
            facade((0.3, -0.36, 1.02, 0.24), GOLD, (5, 2), GOLDSHADE, arched=True, high=0.6, trim="#ffd27a"),
            facade((0.28, -0.42, 1.04, -0.24), "#efe9dc", (7, 1), "#8d7f6c", arched=True),
            facade((0.42, 0.24, 0.9, 0.36), GOLD, (5, 1), GOLDSHADE, arched=True, trim="#ffd27a"),
            dome(0.66, 0.36, 0.21, 0.3, "#eeae3a", GOLD, drum=0.05, profile=ONION, lantern=0.16, ribs=12),
            *(
                dome(x, 0.24, 0.075, 0.14, "#eeae3a", GOLD, drum=0.1, profile=ONION, lantern=0.08, columns=3)
                for x in (0.32, 1.0)
            ),
            patch("-1.4,-0.46 0.32,-0.4 0.32,-0.34 -1.4,-0.38", "#efe9dd", "#cdc4b2"),
            facade((-1.02, -0.42, -0.66, 0.12), "#f0eade", (3, 2), arched=True, high=0.66),
            dome(-0.84, 0.12, 0.14, 0.2, "#eeae3a", "#f0eade", drum=0.05, profile=ONION, lantern=0.1),
            water("#c9b58a", -0.4, 0.8, 0.45, "#3f6672"),
            crowd(-0.42, 0.09, 8),
        ),
        golden(LEFT),
    ),
    Scene(
        "Grand Bazaar",
        "in the Grand Bazaar",
        (
            vault("#e3c48a", "#b5652f", "#ffe3a8"),
            glow(0.0, 0.0, 1.0, "#ffd890", 0.45),
            stalls(WARES),
            crowd(-0.45, 0.32, 8),
            lanterns(
                (
                    (-0.78, 0.62, 0.1),
                    (-0.52, 0.8, 0.07),
                    (0.6, 0.74, 0.09),
                    (0.86, 0.52, 0.11),
                    (-1.0, 0.3, 0.08),
                    (0.42, 0.88, 0.05),
                    (-0.3, 0.9, 0.05),
                ),
                ("#d9472f", "#2f8fa8", "#e8a832", "#7a3fa0", "#3f9a5a"),
            ),
        ),
        lamplit(LEFT),
    ),
    Scene(
        "Lake Baikal",
        "on Lake Baikal",
        (
            sky("high", 0.02, 0.25),
            mountain(
                "-1.4,0.2 -0.8,0.3 -0.2,0.16 0.4,0.12 1.4,0.14", "#a9bccc", "#7690ad", foot=-0.1, snow=0.16, haze=0.45
            ),
            ground("#2f8fa5", "#b5dbe6", 0.02, 0.14, 2.0),
            cracks("#e9f8fb", 0.02, 44),
            mountain(
                "0.44,-0.16 0.52,0.12 0.62,0.34 0.7,0.36 0.78,0.2 0.86,0.3 0.96,0.5 1.08,0.44 1.2,0.16 1.3,-0.18",
                "#b08a68",
                "#5f4a40",
                foot=-0.2,
                rugged=0.2,
            ),
            boulders(
                [(-0.98, -0.35), (-0.78, -0.3), (-0.6, -0.38), (0.55, -0.3), (-0.9, -0.55)], 0.085, "#c3eef5", "#2f86a8"
            ),
            haze(0.0, 0.06, 0.4, "#eef6fa"),
        ),
        alpine(LEFT),
    ),
    Scene(
        "Mount Everest",
        "in front of Mount Everest",
        (
            sky("high", 0.0, 0.15),
            plume(0.66, 0.8, 1.0, 0.16, 0.7, "#f4f8fc"),
            mountain(
                "-0.2,0.1 0.1,0.34 0.3,0.56 0.5,0.74 0.63,0.88 0.72,0.8 0.86,0.56 1.05,0.4 1.4,0.24",
                "#8d8780",
                "#39424f",
                snow=0.56,
                haze=0.08,
            ),
            mountain(
                "-1.4,0.46 -1.1,0.62 -0.9,0.5 -0.72,0.66 -0.5,0.4 -0.1,0.22 0.3,0.3 0.5,0.16 0.9,0.3 1.4,0.1",
                "#a39c94",
                "#4a5568",
                snow=0.12,
                rugged=0.2,
            ),
            mountain("-1.4,0.0 -0.6,-0.12 0.2,-0.1 0.8,-0.16 1.4,-0.02", "#8d8276", "#544d4a", rugged=0.15),
            ground("#8a8078", "#a39a90", -0.4, 0.25),
            boulders([(-1.0, -0.55), (0.95, -0.5), (0.7, -0.6)], 0.11, "#948a80"),
            prayer_flags((((-1.3, 0.55), (-0.2, -0.3)), ((1.3, 0.5), (0.3, -0.35)), ((-1.3, 0.1), (-0.3, -0.5)))),
        ),
        alpine(LEFT),
    ),
    Scene(
        "Oriental Pearl Tower",
        "in front of the Oriental Pearl Tower",
        (
            sky("dusk", -0.35, 0.35),
            skyline(-0.5, 0.7, "#4a4c70", 0.35, 0.13, lit=0.3, glass="#7d86ad"),
            facade((-0.98, -0.4, -0.8, 0.82), "#566a94", (5, 18), "#87a3cf", lit=0.25, storeys=False),
            tower(((1, 0), (0.95, 0.5), (0.75, 0.85), (0.3, 1)), -0.6, -0.4, 0.13, 1.3, "#6f86ad", ribs=8),
            *(
                patch(
                    (
                        (0.62 + 0.3 * s, -0.46),
                        (0.62 + 0.34 * s, -0.46),
                        (0.62 + 0.1 * s, -0.06),
                        (0.62 + 0.06 * s, -0.06),
                    ),
                    "#b9b3bd",
                    "#86808f",
                )
                for s in (-1, 1)
            ),
            *(tower(SHAFT, 0.62 + 0.055 * s, -0.46, 0.024, 1.04, "#c9c2cb") for s in (-1, 0, 1)),
            tower(SHAFT, 0.62, 0.5, 0.02, 0.36, "#c9c2cb"),
            *(
                tower(
                    ((0, 0), (0.5, 0.07), (0.87, 0.25), (1, 0.5), (0.87, 0.75), (0.5, 0.93), (0, 1)),
                    0.62,
                    y,
                    r,
                    2 * r,
                    "#d0487f",
                    ribs=9,
                )
                for y, r in ((-0.18, 0.19), (0.42, 0.125), (0.74, 0.05))
            ),
            tower(SHAFT, 0.62, 0.84, 0.008, 0.3, "#d9d3db"),
            glow(0.62, 0.1, 0.6, "#ff7ab8", 0.35),
            water("#4d5078", -0.42, 0.75, 0.7, "#23284a"),
        ),
        golden(RIGHT),
    ),
    Scene(
        "Potala Palace",
        "in front of the Potala Palace",
        (
            sky("high", -0.2, 0.4),
            mountain("-1.4,0.1 -0.7,0.36 0.0,0.2 0.7,0.4 1.4,0.2", "#a89a86", "#6f6f7a", foot=-0.4, haze=0.4),
            mountain("-1.4,-0.3 -0.9,-0.08 0.2,0.02 0.9,-0.1 1.4,-0.3", "#9a8a66", "#5f5a42"),
            facade(
                (-1.2, -0.35, -0.2, 0.36),
                "#f4f1ea",
                (13, 5),
                "#3c3436",
                wide=0.42,
                high=0.5,
                trim="#e3ded3",
                storeys=False,
            ),
            facade(
                (0.2, -0.35, 1.2, 0.34),
                "#f4f1ea",
                (13, 5),
                "#3c3436",
                wide=0.42,
                high=0.5,
                trim="#e3ded3",
                storeys=False,
            ),
            facade((-1.02, 0.3, -0.5, 0.5), "#f1eee6", (7, 1), "#3c3436", wide=0.42, high=0.5, storeys=False),
            facade(
                (-0.46, -0.3, 0.46, 0.78),
                "#8a2f2a",
                (9, 6),
                "#2f2022",
                wide=0.42,
                high=0.45,
                trim="#b5664a",
                storeys=False,
            ),
            facade(
                (0.5, 0.3, 0.92, 0.56),
                "#8a2f2a",
                (6, 2),
                "#2f2022",
                wide=0.42,
                high=0.45,
                trim="#b5664a",
                storeys=False,
            ),
            *(
                facade((x - w, y, x + w, y + 0.05), "#6d2a24", (6, 1), "#d9b24a", roof="#d9ac3c", rise=1.5)
                for x, y, w in ((-0.24, 0.78, 0.15), (0.2, 0.78, 0.18), (0.72, 0.56, 0.14), (-0.78, 0.5, 0.14))
            ),
            facade((-1.4, -0.6, 1.4, -0.3), "#efebe2", (26, 2), "#3c3436", wide=0.3, high=0.4, storeys=False),
            *(
                patch(
                    ((x, -0.6), (x + 0.1, -0.6), (x + 0.5 * d, -0.05), (x + 0.5 * d - 0.06, -0.05)),
                    "#fbf9f4",
                    "#d5cfc2",
                )
                for x, d in ((-0.9, 0.6), (0.8, -0.6))
            ),
            trees(-0.64, 0.2, "#5b7640"),
            ground("#a59b88", "#b8ae9b", -0.62, 0.1),
        ),
        alpine(LEFT),
    ),
    Scene(
        "Rock-Hewn Churches",
        "at the Rock-Hewn Churches",
        (
            sky("clear", 0.8, 0.0),
            hills(0.92, "#8a8a5a", 0.0, 0.3, 0.03),
            ground("#b06a48", "#c99a70", 0.9, 0.18),
            patch("-1.06,0.84 1.06,0.84 1.5,-0.1 1.5,-1.3 -1.5,-1.3 -1.5,-0.1", "#7a3f30", "#4a221c", 0.0, 0.2),
            patch("-1.06,0.84 1.06,0.84 1.0,0.52 -1.0,0.52", "#9a5238", "#6a3226", 0.0, 0.2),
            hewn_cross(0.0, 0.42, 0.98, -1.3, "#b4614a"),
            crowd(0.84, 0.11, 8),
        ),
        desert(LEFT),
    ),
    Scene(
        "Terracotta Warriors",
        "among the Terracotta Warriors",
        (
            room("#a39d95", "#5f4a38", 0.42, "#5f625f", 0.8),
            ceiling_trusses(),
            soldiers(0.5, "#b8916d"),
            haze(0.45, 0.16, 0.3, "#d9d2c2"),
        ),
        overcast(LEFT)._replace(outdoors=False),
    ),
)
