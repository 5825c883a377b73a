import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render
from facegen_core.geometry.shading import lights
from facegen_core.images import to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.reporting.turntable import save_gif, turntable

EVEN = lights(torch.ones(3), torch.tensor([[0.0, 0, 1]]), torch.zeros(1, 3))


@pytest.fixture(scope="module")
def head() -> dict[str, torch.Tensor]:
    shared = anatomy()
    vertices = shared.template.float()
    return {
        "vertices": vertices,
        "faces": torch.from_numpy(shared.faces),
        "colours": (vertices - vertices.amin(0)) / (vertices.amax(0) - vertices.amin(0)),
        "light": EVEN,
    }


@pytest.fixture(scope="module")
def turning(head) -> list[Image.Image]:
    return turntable(**head, frames=12, size=(80, 64))


def test_turning_the_mesh_is_walking_round_it(head, turning):
    """Under an even light, frame k is what a camera sees that went the other way round."""
    target, distance = framing(head["vertices"][None])
    for k in (0, 1, 5):
        camera = head_camera(torch.tensor([-30.0 * k]), torch.zeros(1), 64 / 80, distance * 80 / 64, target=target)
        look = {name: value for name, value in head.items() if name != "vertices"}
        seen = render(head["vertices"][None], camera=camera, size=(80, 64), background=torch.ones(3), **look)[0]
        difference = np.abs(to_uint8(seen).astype(int) - np.asarray(turning[k]))
        assert (difference <= 2).mean() > 0.995  # a rounding moves a silhouette by one sample now and then


def test_half_a_turn_shows_the_back(turning):
    face, back = (np.asarray(turning[k]).astype(int) for k in (0, 6))
    assert (face[..., 0] < 255).any()
    assert np.abs(face - back).max() > 100


def test_to_and_fro_begins_and_passes_at_the_front(head):
    frames = turntable(**head, frames=8, size=48, degrees=90)
    front = np.asarray(frames[0]).astype(int)
    assert np.abs(np.asarray(frames[4]).astype(int) - front).max() <= 2
    left, right = (np.asarray(frames[k]).astype(int) for k in (2, 6))
    assert np.abs(left - right).max() > 50


def test_mesh_may_change_as_it_turns(head):
    growing = head["vertices"] * torch.tensor([0.5, 1.0])[:, None, None]
    small, large = (np.asarray(f) for f in turntable(**head | {"vertices": growing}, frames=2, size=48))
    assert (small < 255).any(-1).sum() < 0.5 * (large < 255).any(-1).sum()


def test_texture_may_change_as_it_turns(head):
    """Pictures of two plain textures are those of the two colours at the vertices."""
    colours = torch.tensor([[0.9, 0.5, 0.2], [0.2, 0.6, 0.8]])
    plain = {name: value for name, value in head.items() if name != "colours"}
    mapped = {"uv": torch.rand(len(head["vertices"]), 2), "faces_uv": head["faces"]}
    painted = turntable(**plain, **mapped, texture=colours[:, :, None, None].expand(-1, -1, 4, 4), frames=2, size=48)
    for k, colour in enumerate(colours):
        expected = turntable(**plain, colours=colour.expand_as(head["vertices"]), frames=2, size=48)[k]
        assert np.abs(np.asarray(painted[k]).astype(int) - np.asarray(expected)).max() <= 1


def test_gif_begins_again_for_ever_and_shows_each_picture(turning, tmp_path):
    save_gif(turning, tmp_path / "head.gif", seconds=0.05)
    with Image.open(tmp_path / "head.gif") as gif:
        assert (gif.n_frames, gif.info["loop"], gif.info["duration"]) == (12, 0, 50)
        shown = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(gif)]
    for picture, frame in zip(turning, shown, strict=True):
        assert np.abs(frame - np.asarray(picture)).mean() < 4


def test_gif_has_one_palette_and_what_stays_does_not_flicker(turning, tmp_path):
    save_gif(turning, tmp_path / "head.gif")
    with Image.open(tmp_path / "head.gif") as gif:
        shown = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)])
    given = np.stack([np.asarray(picture) for picture in turning])
    colours: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for before, after in zip(given.reshape(-1, 3)[::7], shown.reshape(-1, 3)[::7], strict=True):
        colours.setdefault(tuple(before.tolist()), set()).add(tuple(after.tolist()))
    assert max(len(found) for found in colours.values()) == 1
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 256
