"""The Nordic countries and Britain."""

from facegen_core.population.portrait.scenery.bridges import cable_stayed, masts
from facegen_core.population.portrait.scenery.buildings import (
    BAROQUE,
    CONE,
    SHAFT,
    columns,
    dome,
    facade,
    patch,
    temple_front,
    tower,
)
from facegen_core.population.portrait.scenery.land import boulders, ground, hills, mountain, paving, water
from facegen_core.population.portrait.scenery.people import crowd, horseman
from facegen_core.population.portrait.scenery.plants import trees
from facegen_core.population.portrait.scenery.scene import LEFT, RIGHT, Scene, northern, overcast
from facegen_core.population.portrait.scenery.sky import haze, plume, sky
from facegen_core.population.portrait.scenery.towns import battlements, houses, keep, skyline

COPPER = "#6fa893"
PAINTED = ("#c8452f", "#e0a435", "#3f6f9e", "#d8c79a", "#b5533a", "#efe3c8", "#5d8a6f", "#d9822f")
OCHRES = ("#d9973f", "#c9663a", "#e2b866", "#b5472f", "#dba24e", "#c77a45")

PLACES = (
    Scene(
        "Amalienborg Palace",
        "in front of Amalienborg Palace",
        (
            sky("northern", -0.45, 0.4),
            dome(-0.64, 0.0, 0.27, 0.42, COPPER, "#c9c4b8", drum=0.28, lantern=0.2, ribs=12),
            facade((-1.3, -0.5, -0.36, 0.08), "#cbbb9f", (9, 2), arched=True, high=0.7),
            facade((0.36, -0.5, 1.3, 0.22), "#d2c3a8", (8, 3), high=0.64),
            columns((0.42, -0.18, 0.72, 0.2), "#ded2ba", 4),
            facade((-0.4, -0.5, 0.4, -0.1), "#c4b69c", (9, 2), haze=0.25),
            paving("#a39f98", "#86827c", -0.5, 5, 0.35),
            horseman(0.74, -0.62, 0.62),
            crowd(-0.55, 0.14, 8),
        ),
        northern(LEFT),
    ),
    Scene(
        "Bodiam Castle",
        "in front of Bodiam Castle",
        (
            sky("northern", -0.3, 0.5),
            trees(-0.32, 0.34, "#4f6a3c", haze=0.4),
            battlements((-0.8, -0.34, 0.8, 0.2), "#b0a288", 22, openings=8),
            keep(-0.28, -0.34, 0.13, 0.74, "#aa9c82"),
            keep(0.28, -0.34, 0.13, 0.74, "#aa9c82"),
            keep(-0.74, -0.34, 0.22, 0.86, "#b5a78c"),
            keep(0.76, -0.34, 0.22, 0.9, "#b5a78c"),
            water("#8fa3a3", -0.34, 0.75, 0.35, "#4b5f52"),
            boulders([(x, -0.36) for x in (-1.15, -0.98, 1.05, 1.2)], 0.07, "#56703a"),
        ),
        northern(LEFT),
    ),
    Scene(
        "Gamla Stan",
        "in Gamla Stan",
        (
            sky("northern", -0.3, 0.35),
            tower(SHAFT, 0.12, -0.3, 0.1, 0.95, "#c98a5a", slits=5),
            tower(BAROQUE, 0.12, 0.65, 0.11, 0.5, "#4f5a58"),
            houses((-1.45, -1.25, 1.75, -0.14, -0.35, 0.42), OCHRES, "#6b3b2c", 5, 5, gabled=False),
            houses((1.45, -1.25, 1.6, 0.2, -0.35, 0.46), OCHRES, "#6b3b2c", 5, 5, gabled=False),
            paving("#a3968a", "#75695f", -0.36, 12, 0.4),
            crowd(-0.5, 0.22, 8),
        ),
        northern(RIGHT),
    ),
    Scene(
        "Great Geysir",
        "at the Great Geysir",
        (
            sky("northern", -0.25, 0.2),
            hills(-0.05, "#6f7a6d", -0.5, 0.45, 0.12, 0.2),
            hills(-0.2, "#8a6f52", -0.5, 0.2, 0.05, 0.1),
            ground("#8d7a66", "#a79173", -0.28, 0.2),
            plume(0.62, -0.42, 1.5, 0.42, 0.12),
            plume(0.62, -0.42, 0.9, 0.14, 0.03, "#ffffff"),
            boulders([(0.3, -0.5), (0.42, -0.46), (0.85, -0.47), (0.98, -0.52)], 0.06, "#7d6a58"),
            haze(-0.42, 0.1, 0.4, "#f2f4f4"),
            crowd(-0.42, 0.15, 9),
        ),
        overcast(LEFT),
    ),
    Scene(
        "Kronborg Castle",
        "in front of Kronborg Castle",
        (
            sky("northern", -0.35, 0.5),
            facade((-1.3, -0.3, 1.3, 0.06), "#c2a684", (22, 3), roof=COPPER, rise=0.38),
            facade((-0.98, -0.3, -0.6, 0.38), "#c9ae8c", (4, 5), storeys=False),
            tower(BAROQUE, -0.79, 0.38, 0.2, 0.6, COPPER),
            facade((0.62, -0.3, 0.9, 0.3), "#c9ae8c", (3, 4), storeys=False),
            tower(CONE, 0.76, 0.3, 0.16, 0.18, COPPER),
            tower(BAROQUE, 0.76, 0.36, 0.12, 0.56, COPPER),
            tower(BAROQUE, 0.3, 0.13, 0.07, 0.42, COPPER),
            tower(BAROQUE, -0.3, 0.13, 0.07, 0.42, COPPER),
            hills(-0.28, "#6f8a4f", -0.6, 0.0, 0.02, 0.03),
            battlements((-1.3, -0.5, 1.3, -0.34), "#97805f", 1),
            water("#7d98ab", -0.48, 0.35, 0.8, "#3a566b"),
        ),
        northern(LEFT),
    ),
    Scene(
        "Nyhavn",
        "at Nyhavn",
        (
            sky("northern", -0.35, 0.4),
            houses((-1.35, -0.42, 0.3, 0.42), PAINTED, "#8f4a35", 7, 5, gabled=False),
            houses((0.3, -0.42, 1.3, 0.5), PAINTED, "#8f4a35", 4, 5, gabled=True),
            crowd(-0.42, 0.13, 14),
            masts(-0.5, ((-0.88, 1.1), (-0.55, 1.35), (0.58, 1.3), (0.92, 1.05))),
            water("#7f97a0", -0.45, 0.6, 0.7, "#38525d"),
        ),
        northern(LEFT),
    ),
    Scene(
        "Oresund Bridge",
        "in front of the Oresund Bridge",
        (
            sky("northern", -0.42, 0.45),
            haze(-0.42, 0.12, 0.5),
            cable_stayed((-0.62, 0.68), (-1.4, -0.02, 1.4, -0.12), 0.92, "#b3b7b8"),
            water("#8ba6b5", -0.42, 0.35, 0.8, "#3c5d73"),
        ),
        northern(LEFT),
    ),
    Scene(
        "Oslo Opera House",
        "in front of the Oslo Opera House",
        (
            sky("northern", -0.35, 0.4),
            hills(-0.16, "#5f7a70", -0.5, 0.5, 0.05),
            skyline(-0.35, 0.4, "#a3a9ad", 0.35, 0.09, spans=((-1.3, -0.85),)),
            patch("0.5,0.1 1.02,0.14 1.02,0.5 0.5,0.46", "#d9dde0", "#b3bac0"),
            facade(
                (0.36, -0.34, 0.2, 1.3, -0.36, 0.3), "#8fb0c0", (14, 2), "#5f8294", wide=0.86, high=0.9, trim="#dfe9ee"
            ),
            patch("0.2,0.16 1.3,0.26 1.3,0.34 0.12,0.26", "#f6f7f7", "#dfe2e4"),
            patch("-1.4,-0.52 0.5,-0.52 0.62,-0.2 0.3,0.28 0.06,0.26", "#fbfbfa", "#cfd6da"),
            patch("-1.4,-0.52 -1.4,-0.46 0.1,0.27 0.06,0.26", "#9aa5ad", "#b9c2c8"),
            patch("0.34,-0.52 1.4,-0.52 1.4,-0.4 0.4,-0.3", "#f2f3f2", "#cdd4d8"),
            crowd(-0.47, 0.09, 10),
            water("#86a3b4", -0.5, 0.55, 0.6, "#33536a"),
        ),
        northern(LEFT),
    ),
    Scene(
        "St. Paul's Cathedral",
        "in front of St. Paul's Cathedral",
        (
            sky("northern", -0.4, 0.5),
            dome(0.0, 0.12, 0.5, 0.36, "#8f9aa3", "#d8d4ca", drum=0.3, lantern=0.2, ribs=16, columns=13),
            facade((-1.3, -0.6, 1.3, 0.2), "#cdc8bc", (16, 2), arched=True, high=0.55),
            facade((-0.95, -0.6, -0.58, 0.42), "#d6d1c6", (2, 3), arched=True, high=0.5),
            tower(BAROQUE, -0.765, 0.42, 0.17, 0.55, "#c5c0b4"),
            facade((0.58, -0.6, 0.95, 0.42), "#d6d1c6", (2, 3), arched=True, high=0.5),
            tower(BAROQUE, 0.765, 0.42, 0.17, 0.55, "#c5c0b4"),
            temple_front((-0.45, -0.05, 0.45, 0.2), "#e0dbd0", 6, gable=0.5),
            temple_front((-0.5, -0.6, 0.5, -0.1), "#e0dbd0", 6, gable=0.0),
            paving("#a5a29c", "#8b8883", -0.6, 6, 0.3),
            crowd(-0.66, 0.15, 12),
        ),
        northern(LEFT),
    ),
    Scene(
        "Tate Modern",
        "in front of the Tate Modern",
        (
            sky("overcast", -0.4, 0.6),
            skyline(-0.4, 0.35, "#9aa0a6", 0.5),
            facade((-1.3, -0.45, 1.3, 0.08), "#8a5f48", (26, 1), "#3a2e2a", wide=0.3, high=0.86, trim="#9b6e55"),
            facade((-1.3, 0.08, 1.3, 0.17), "#a9bcc4", (30, 1), "#8fa8b3", wide=0.8, trim="#c9d5da"),
            facade((0.52, -0.45, 0.8, 0.98), "#8a5f48", (3, 1), "#4a3830", wide=0.22, high=0.9, trim="#a0745b"),
            trees(-0.46, 0.16, "#66754f", ((-1.2, -0.5), (0.85, 1.3)), 0.15),
            water("#8b8f88", -0.5, 0.4, 0.7, "#5b5f58"),
            patch("-1.4,-0.3 0.2,-0.5 0.2,-0.53 -1.4,-0.36", "#d5dadd", "#7f878d"),
            patch(
                "-1.4,-0.22 -0.9,-0.12 -0.2,-0.44 -0.2,-0.45 -0.9,-0.15 -1.4,-0.25",
                "#c5cbcf",
                "#98a0a6",
            ),
            patch("-0.93,-0.62 -0.87,-0.62 -0.84,-0.12 -0.96,-0.12", "#aeb4b8", "#6d7378"),
        ),
        overcast(LEFT),
    ),
    Scene(
        "Trolltunga",
        "on Trolltunga",
        (
            sky("northern", 0.0, 0.5),
            mountain(
                "-1.4,0.42 -0.8,0.5 -0.2,0.3 0.3,0.36 0.9,0.52 1.4,0.45",
                "#8597a0",
                "#5a6d7d",
                foot=-0.5,
                snow=0.42,
                haze=0.5,
            ),
            mountain(
                "-1.4,0.25 -0.9,0.22 -0.35,-0.12 0.0,-0.42", "#7b8579", "#4d5b57", foot=-0.9, haze=0.25, fluted=True
            ),
            mountain("0.0,-0.45 0.45,-0.15 0.8,0.12 1.4,0.3", "#7f887a", "#525f5c", foot=-0.9, haze=0.3, fluted=True),
            water("#7fa5b8", -0.5, 0.4, 0.3, "#41718c"),
            mountain("0.7,-0.9 0.76,-0.2 0.72,0.3 1.0,0.42 1.4,0.46", "#a9a69e", "#44484c", foot=-1.3, fluted=True),
            patch(
                "1.4,0.62 0.7,0.7 -0.26,0.83 -0.34,0.79 0.25,0.64 0.72,0.44 1.4,0.2",
                "#c4c0b6",
                "#4b4d50",
                0.15,
                0.18,
            ),
            patch(
                "1.4,0.62 0.7,0.7 -0.26,0.83 -0.34,0.79 0.4,0.67 1.4,0.52",
                "#d6d2c8",
                "#b3afa6",
                0.15,
                0.14,
            ),
            patch("-0.2,0.81 -0.165,0.81 -0.165,0.9 -0.2,0.9", "#c43a2e"),
            patch("-0.196,0.9 -0.169,0.9 -0.169,0.935 -0.196,0.935", "#d9a988"),
        ),
        northern(RIGHT),
    ),
)
