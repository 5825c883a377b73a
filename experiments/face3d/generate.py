"""``facegen generate face3d``: new people with the expressions asked for, as files other programs open."""

import itertools
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from experiments.face3d.textured_model import Faces, Person, TexturedModel, draw_faces, load_textured_model
from facegen_core.errors import ConfigError, FacegenError
from facegen_core.files import atomic_path
from facegen_core.geometry.export import write_glb, write_obj
from facegen_core.geometry.mesh import Mesh
from facegen_core.images import save_png
from facegen_core.methods.face3d.expression_codes import parse_expression, parse_levels
from facegen_core.progress import say, track
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.reporting.turntable import save_gif, turntable

USUAL = ("neutral", "smile", "mouth_stretch", "anger", "sadness", "brow_raiser")
"""What is shown of FaceScape's expressions if none are asked for."""
SHEET_PIXELS, TURNTABLE_PIXELS = 160, 256
TURN_DEGREES = 110.0
"""A face turns to and fro: scans are open at the back."""
FRAMES, FRAMES_A_STOP = 48, 8
"""Pictures of a turntable: at least, and for each face on its way."""
LEAST_PIXELS, MOST_PIXELS = 16, 4096


@dataclass(frozen=True)
class Wish:
    """What is asked for; the command line's options.

    Attributes:
        out: folder the files go to.
        people: how many new people.
        seed: which people.
        expression: names, mixtures or action units, see :func:`parse_expression`, with commas between; "all"; None:
            a few.
        intensity: levels, see :func:`parse_levels`.
        style: number of the person in whose way all make their expressions: whose z_id G_exp alone is given [P figure
            12]; None: everybody's own.
        shape: ShapeCGAN's run: "last", its name, its folder or one of its checkpoints.
        texture: TextureProGAN's run likewise, or "none".
        pixels: side of the rendered pictures.
        texture_pixels: side of the texture maps; None: so that no pixel of the GAN is lost, see :func:`whole_maps`.
        outputs: folder of all runs.
    """

    out: Path
    people: int = 4
    seed: int = 0
    expression: str | None = None
    intensity: str = "1"
    style: int | None = None
    shape: str = "last"
    texture: str = "last"
    pixels: int = 512
    texture_pixels: int | None = None
    outputs: str = "outputs"

    def check(self) -> None:
        """Refuses numbers out of range.

        Raises:
            ConfigError: with the option's name.
        """
        if self.people < 1 or self.seed < 0 or (self.style is not None and self.style < 1):
            raise ConfigError("--people and --style are 1 or more, --seed is 0 or more.")
        for option, pixels in (("--pixels", self.pixels), ("--texture-pixels", self.texture_pixels)):
            if pixels is not None and not LEAST_PIXELS <= pixels <= MOST_PIXELS:
                raise ConfigError(f"{option} {pixels}: must be from {LEAST_PIXELS} to {MOST_PIXELS}.")


def generate(wish: Wish) -> None:
    """Writes every person's faces, a turntable of each person, and ``sheet.png`` of all.

    A face is ``person-01/smile-0.75.obj`` with its ``.mtl`` and texture ``.png``, the same as ``.glb``, and a picture
    of it, ``smile-0.75-render.png``. ``person-01/turntable.gif`` turns the person to and fro and goes through the
    expressions. ``generate.json`` says which runs made them.

    Raises:
        ConfigError: an expression, a level or a number is not one.
        FacegenError: the folder cannot be written to, there is no such run, or two runs do not belong together.
    """
    wish.check()
    levels = parse_levels(wish.intensity)
    model = load_textured_model(wish.outputs, wish.shape, wish.texture)
    expressions = parse_expressions(wish.expression, model.expression_names)
    _warn(torch.cat([levels[:, None] * code for code in expressions.values()]))
    _make_folder(wish.out)
    people = [model.draw_person(wish.seed, 1 + i) for i in range(wish.people)]
    style = None if wish.style is None else model.draw_person(wish.seed, wish.style)
    rows = []
    for person, name in track(list(itertools.product(people, expressions)), "faces", "expression"):
        faces = model.make(person, levels[:, None] * expressions[name], style, wish.texture_pixels)
        pictures = draw_faces(model, faces, wish.pixels)
        for level, *parts in zip(levels.tolist(), *faces, pictures, strict=True):
            _write_face(wish.out / folder_name(person) / face_name(name, level), model, *parts)
        rows.append(list(F.interpolate(pictures, size=SHEET_PIXELS, mode="area")))
    for person in track(people, "turntables", "person"):
        stops = torch.stack([level * code for code in expressions.values() for level in (levels.min(), levels.max())])
        faces = model.make(person, _journey(stops), style, TURNTABLE_PIXELS)
        save_gif(_turn(model, faces), wish.out / folder_name(person) / "turntable.gif")
    _write_sheet(wish.out / "sheet.png", rows, list(expressions), levels)
    _write_origin(wish, model, list(expressions), levels)
    made = " and ".join(str(run) for run in model.runs)
    say(f"{wish.out}: {len(people)} people, {len(rows) * len(levels)} faces, by {made}; sheet.png shows all")


def parse_expressions(text: str | None, names: list[str]) -> dict[str, Tensor]:
    """Codes (E,) by what was typed: expressions with commas between, "all", or None for a few.

    Raises:
        ConfigError: one is none; the message has the nearest names.
    """
    if text is None:
        some = [name for name in USUAL if name in names] or names[: len(USUAL)]
    else:
        some = names if text == "all" else [part.strip() for part in text.split(",")]
    return {name: parse_expression(name, names) for name in some}


def folder_name(person: Person) -> str:
    """The folder of a person, such as person-01."""
    return f"person-{person.number:02d}"


def face_name(expression: str, level: float) -> str:
    """What a face's files are called, such as smile-0.75; signs that some systems forbid in names become "x"."""
    return f"{re.sub(r'[^A-Za-z0-9_.+-]', 'x', expression.replace(' ', ''))}-{level:g}"


def _turn(model: TexturedModel, faces: Faces) -> list[Image.Image]:
    """Pictures of faces while they turn to and fro."""
    codes = model.shape.codes
    return turntable(
        faces.vertices, codes.faces, len(faces.vertices), TURNTABLE_PIXELS, TURN_DEGREES, texture=faces.maps,
        uv=codes.uv, faces_uv=codes.faces_uv,
    )  # fmt: skip


def _journey(stops: Tensor) -> Tensor:
    """Codes (frames, E) that rest at each of the stops (S, E) and go on to the next, and from the last to the first."""
    frames = max(FRAMES, FRAMES_A_STOP * len(stops))
    place = torch.arange(frames) * len(stops) / frames
    here, share = place.long(), place.frac()[:, None]
    return torch.lerp(stops[here], stops[(here + 1) % len(stops)], share**2 * (3 - 2 * share))


def _write_face(path: Path, model: TexturedModel, vertices: Tensor, texture: Tensor, picture: Tensor) -> None:
    """Writes ``<path>.obj`` with its ``.mtl`` and ``.png``, ``<path>.glb`` and ``<path>-render.png``."""
    codes = model.shape.codes
    mesh = Mesh(vertices.numpy(), codes.faces.numpy(), codes.uv.numpy(), codes.faces_uv.numpy())
    write_obj(path.with_name(f"{path.name}.obj"), mesh, texture)
    write_glb(path.with_name(f"{path.name}.glb"), mesh, texture)
    save_png(picture, path.with_name(f"{path.name}-render.png"))


def _write_sheet(path: Path, rows: list[list[Tensor]], expressions: list[str], levels: Tensor) -> None:
    """Draws rows of levels, or, if there is but one, rows of expressions."""
    people = [f"person {1 + i}" for i in range(len(rows) // len(expressions))]
    if len(levels) == 1:
        pictures = [picture for (picture,) in rows]
        rows = [pictures[i : i + len(expressions)] for i in range(0, len(pictures), len(expressions))]
        sheet = titled_sheet(rows, people, expressions)
    else:
        titles = [f"{person}, {name}" for person in people for name in expressions]
        sheet = titled_sheet(rows, titles, [f"{level:g}" for level in levels])
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG")


def _write_origin(wish: Wish, model: TexturedModel, expressions: list[str], levels: Tensor) -> None:
    """Writes ``generate.json``: what made the faces of the last call into this folder."""
    asked = {name: value for name, value in vars(wish).items() if name not in ("out", "shape", "texture")}
    origin = asked | {"expression": expressions, "intensity": levels.tolist(), "runs": [str(run) for run in model.runs]}
    with atomic_path(wish.out / "generate.json") as temporary:
        temporary.write_text(json.dumps(origin, indent=1) + "\n")


def _make_folder(out: Path) -> None:
    """Finds out at once, not after minutes, that nothing can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise FacegenError(f"{out}: cannot be written to: {error.strerror}. Give another folder with --out.") from None


def _warn(codes: Tensor) -> None:
    if codes.min() < 0 or codes.max() > 1:
        say("intensity: networks were trained on 0 to 1; what is made beyond that is extrapolated")
