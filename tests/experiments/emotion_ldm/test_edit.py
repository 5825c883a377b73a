"""Photographs edited by networks that are known by heart: what is found, where the edit lands, and what is said."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.portraits import plain_shot, somebody
from helpers.raw_pictures import picture, save
from PIL import Image, ImageCms
from torch import Tensor

from experiments.cli import main
from experiments.emotion_ldm import edit as module
from experiments.emotion_ldm.edit import Wish, edit_all, edit_faces, tell_emotions
from experiments.photographs import find_jobs, read_photograph
from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import Preprocessing
from facegen_core.encoders.detector import find_in_photograph
from facegen_core.errors import ConfigError, FacegenError, NoFaceError
from facegen_core.geometry.face_crop import ALIGNED_224
from facegen_core.images import to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.population.portrait.portrait import photograph

SIDE = 192
HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


class Unchanged:
    """Gives every crop back."""

    pixels = 64

    def reconstruct(self, crops: Tensor) -> Tensor:
        return crops

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        self.asked = [(shown, wanted) for wanted in targets for shown in source.tolist()]
        return crops.expand(len(targets), *crops.shape)


class Lips(Unchanged):
    """Brightens where an average face has its mouth: for happy by a fifth, else by less."""

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        x, y = (ALIGNED_224[3:].mean(0) + 0.5) * self.pixels / 224 - 0.5
        down, across = torch.meshgrid(torch.arange(self.pixels), torch.arange(self.pixels), indexing="ij")
        mouth = torch.exp(-((across - x) ** 2 + (2 * (down - y)) ** 2) / (2 * 5**2)).float()
        return torch.stack([crops + (0.2 if target == HAPPY else 0.1) * mouth for target in targets])


class Brighter(Unchanged):
    """All by a tenth."""

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        return crops.expand(len(targets), *crops.shape) + 0.1


@pytest.fixture(scope="module")
def portraits() -> list[tuple[np.ndarray, np.ndarray]]:
    """Two people (SIDE, SIDE, 3), each with the middle (2,) of the mouth."""
    taken = [photograph(somebody(number), plain_shot(), anatomy(), SIDE) for number in (0, 1)]
    return [(to_uint8(one.image), np.asarray(one.landmarks)[48:60].mean(axis=0)) for one in taken]


@pytest.fixture
def alone(tmp_path, portraits) -> Path:
    return save(tmp_path / "in.png", portraits[0][0])


def said_neutral(_, faces: Sequence) -> Tensor:
    return torch.zeros(len(faces), dtype=torch.int64)


def run(editor, out: Path, *inputs: Path | str, emotion: str = "happy", tell=said_neutral, **options) -> None:
    wish = Wish(tuple(map(str, inputs)), out, emotion, **options)
    wish.check()
    edit_all(wish, find_jobs(wish.inputs, out, wish.targets, wish.overwrite), editor, tell)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def middle_of_light(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(x, y) of what became brighter."""
    light = (after.astype(float) - before).sum(-1).clip(0)
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] + 0.5
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


# Where the edit lands


def test_edit_that_changes_nothing_leaves_every_bit(alone, tmp_path):
    run(Unchanged(), tmp_path / "out.png", alone)
    assert np.array_equal(pixels(tmp_path / "out.png"), pixels(alone))


@pytest.mark.parametrize("angle", [0, 25, -20])
def test_known_change_lands_on_the_mouth_of_a_turned_face(angle, portraits, tmp_path):
    shown, mouth = portraits[0]
    image = Image.fromarray(shown).rotate(angle, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    path = save(tmp_path / "in.png", np.asarray(image))
    run(Lips(), tmp_path / "out.png", path)
    radians = np.radians(angle)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    wanted = (mouth - SIDE / 2) @ turn + SIDE / 2
    found = middle_of_light(pixels(path), pixels(tmp_path / "out.png"))
    assert np.abs(found - wanted).max() < 0.05 * SIDE
    changed = (pixels(path) != pixels(tmp_path / "out.png")).any(-1)
    assert 0.005 < changed.mean() < 0.2


def two_people(portraits) -> tuple[np.ndarray, list[np.ndarray]]:
    """The second person twice as large, on the right; both mouths."""
    (small, small_mouth), (large, large_mouth) = portraits
    both = Image.new("RGB", (3 * SIDE, 2 * SIDE), (128, 128, 128))
    both.paste(Image.fromarray(small), (0, SIDE // 2))
    both.paste(Image.fromarray(large).resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC), (SIDE, 0))
    return np.asarray(both), [small_mouth + np.array([0, SIDE // 2]), 2 * large_mouth + np.array([SIDE, 0])]


@pytest.mark.parametrize(("face", "edited"), [("all", [True, True]), ("0", [False, True]), ("1", [True, False])])
def test_all_faces_or_one_counted_from_the_largest(face, edited, portraits, tmp_path):
    shown, mouths = two_people(portraits)
    path = save(tmp_path / "in.png", shown)
    run(Lips(), tmp_path / "out.png", path, face=face)
    after = pixels(tmp_path / "out.png")
    for part, mouth, is_edited in zip((slice(0, SIDE), slice(SIDE, None)), mouths, edited, strict=True):
        before, now = shown[:, part], after[:, part]
        assert (before != now).any() == is_edited
        if is_edited:
            assert np.abs(middle_of_light(before, now) + np.array([part.start, 0]) - mouth).max() < 0.1 * SIDE


def test_face_at_the_border_is_edited_as_far_as_it_is_there(portraits, tmp_path):
    shown, mouth = portraits[0]
    cut = SIDE // 6
    path = save(tmp_path / "in.png", shown[:, cut:])
    run(Lips(), tmp_path / "out.png", path)
    found = middle_of_light(pixels(path), pixels(tmp_path / "out.png"))
    assert np.abs(found - mouth + np.array([cut, 0])).max() < 0.06 * SIDE


def test_large_photograph_keeps_its_resolution_and_detail(portraits, tmp_path):
    """A face of 800 pixels, with noise that no crop of 64 has."""
    face = Image.fromarray(portraits[0][0]).resize((1600, 1600), Image.Resampling.BICUBIC)
    shown = np.full((1800, 2400, 3), 128, np.int64)
    shown[100:1700, 500:2100] = 20 + 0.7 * np.asarray(face)  # none so bright or dark that it is cut off
    shown = (shown + np.random.default_rng(0).integers(-9, 10, shown.shape)).clip(0, 255).astype(np.uint8)
    path = save(tmp_path / "in.png", shown)
    run(Brighter(), tmp_path / "out.png", path)
    after = pixels(tmp_path / "out.png")
    assert after.shape == shown.shape and (after != shown).any(-1).mean() < 0.2
    (x, y), half = (portraits[0][1] * 1600 / SIDE + np.array([500, 100])).astype(int), 100
    around = slice(y - 2 * half, y - half // 2), slice(x - half, x + half)  # nose and lip, far from the outline
    added = after[around].astype(int) - shown[around]
    assert added.min() >= 25 and added.max() <= 26, "the noise is the photograph's own"


# Kinds of pictures


def test_photograph_is_turned_as_exif_says(portraits, tmp_path):
    shown, mouth = portraits[0]
    stored = Image.fromarray(shown).transpose(Image.Transpose.ROTATE_90)
    exif = stored.getexif()
    exif[0x0112] = 6
    stored.save(tmp_path / "in.jpg", quality=97, exif=exif)
    run(Lips(), tmp_path / "out.png", tmp_path / "in.jpg")
    upright = read_photograph(tmp_path / "in.jpg").pixels
    assert np.abs(upright.astype(int) - shown).mean() < 4
    assert np.abs(middle_of_light(upright, pixels(tmp_path / "out.png")) - mouth).max() < 0.05 * SIDE
    assert Image.open(tmp_path / "out.png").getexif().get(0x0112, 1) == 1, "and not once more"


def test_alpha_is_kept_and_jpeg_gets_it_on_white(portraits, tmp_path):
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    alpha[:20] = 0
    path = save(tmp_path / "in.png", np.dstack([portraits[0][0], alpha]))
    run(Lips(), tmp_path / "out.png", path)
    after = pixels(tmp_path / "out.png")
    assert np.array_equal(after[..., 3], alpha) and np.array_equal(after[:20], pixels(path)[:20])
    assert (after[..., :3] != pixels(path)[..., :3]).any()
    run(Lips(), tmp_path / "out.jpg", path)
    assert pixels(tmp_path / "out.jpg").shape == (SIDE, SIDE, 3) and pixels(tmp_path / "out.jpg")[:12].min() > 250


def test_grey_photograph_stays_grey(portraits, tmp_path):
    Image.fromarray(portraits[0][0]).convert("L").save(tmp_path / "in.png")
    run(Unchanged(), tmp_path / "same.png", tmp_path / "in.png")
    assert np.array_equal(pixels(tmp_path / "same.png"), pixels(tmp_path / "in.png"))
    run(Lips(), tmp_path / "out.png", tmp_path / "in.png")
    assert Image.open(tmp_path / "out.png").mode == "L"


def test_colour_profile_goes_along(portraits, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / "in.jpg", portraits[0][0], icc_profile=profile)
    for name in ("out.png", "out.jpg", "out.webp", "out.tif"):
        run(Lips(), tmp_path / name, path)
        assert Image.open(tmp_path / name).info["icc_profile"] == profile


# What is asked for


def test_several_emotions_give_a_picture_each_and_a_sheet(portraits, tmp_path):
    shown, _ = two_people(portraits)
    path, editor = save(tmp_path / "in.png", shown), Lips()
    run(editor, tmp_path / "out.png", path, emotion="happy, sad")
    light = [pixels(tmp_path / f"out-{name}.png").astype(int).sum() - shown.sum() for name in ("happy", "sad")]
    assert light[0] > 1.8 * light[1] > 0
    sheet = pixels(tmp_path / "out.png")
    assert sheet.shape[0] > 2 * 256 and sheet.shape[1] > 3 * 256, "two faces, each in three pictures"


def test_networks_are_told_what_is_shown_and_what_is_wanted(portraits, tmp_path):
    shown, _ = two_people(portraits)
    found = find_in_photograph(Image.fromarray(shown))
    source = save(tmp_path / "in.png", shown)

    class Watching(Unchanged):
        def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
            assert crops.shape == (2, 3, 64, 64)
            return super().edit_crops(crops, source, targets)

    editor = Watching()
    edit_faces(read_photograph(source), found, editor, torch.tensor([3, 4]), [HAPPY, SAD])
    assert editor.asked == [(3, HAPPY), (4, HAPPY), (3, SAD), (4, SAD)]


def test_judge_tells_the_emotion_of_each_face(portraits, tmp_path):
    """A judge that says how bright a face is, of one face that is darkened."""
    shown, _ = two_people(portraits)
    shown = shown.copy()
    shown[:, SIDE:] //= 2
    path = save(tmp_path / "in.png", shown)

    class Bright:
        name, dim, differentiable, preprocessing = "bright", 8, False, Preprocessing(32)

        def __call__(self, pictures: Tensor) -> Tensor:
            assert pictures.shape == (1, 3, 32, 32)
            return torch.nn.functional.one_hot((pictures.mean((1, 2, 3)) > 0.3).long() + HAPPY, 8).float()

    read = read_photograph(path)
    faces = find_in_photograph(read.seen)
    assert len(faces) == 2
    assert tell_emotions(read, faces, Bright()).tolist() == [HAPPY, SAD]


# Files


@pytest.fixture
def folder(tmp_path, portraits) -> Path:
    """Two portraits, one of them in a folder of its own, a wall, and a text that calls itself a picture."""
    save(tmp_path / "photos" / "a.png", portraits[0][0])
    save(tmp_path / "photos" / "more" / "a.jpg", portraits[1][0])
    save(tmp_path / "photos" / "wall.png", picture(1))
    (tmp_path / "photos" / "text.jpg").write_text("no picture")
    return tmp_path / "photos"


def test_folder_goes_on_past_pictures_that_fail_names_them_and_fails(folder, tmp_path, capsys):
    with pytest.raises(FacegenError, match="2 of 4 photographs could not be edited"):
        run(Lips(), tmp_path / "out", folder)
    said = capsys.readouterr().err
    assert (
        "wall.png: no face was found in its 64 x 48 pixels" in said and "text.jpg: the picture cannot be read" in said
    )
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert written == ["a.png", "more/a.png"]
    assert json.loads((tmp_path / "out" / "edit.json").read_text())["emotion"] == "happy"


def test_results_that_are_there_are_kept_unless_they_are_to_be_replaced(folder, tmp_path, capsys):
    (folder / "wall.png").unlink()
    (folder / "text.jpg").unlink()
    run(Lips(), tmp_path / "out", folder)
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    (tmp_path / "out" / "more" / "a.png").unlink()
    capsys.readouterr()
    run(Lips(), tmp_path / "out", folder)
    assert (tmp_path / "out" / "a.png").read_bytes() == b"mine" and (tmp_path / "out" / "more" / "a.png").exists()
    assert "edited: 1, there already: 1" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="has results made with strength 500"):
        run(Lips(), tmp_path / "out", folder, strength=400)
    run(Lips(), tmp_path / "out", folder, strength=400, overwrite=True)
    assert pixels(tmp_path / "out" / "a.png").shape == (SIDE, SIDE, 3)


def names(jobs, below: Path) -> list[str]:
    return [path.relative_to(below).as_posix() for job in jobs for path in job.files]


def test_patterns_files_and_folders_name_each_photograph_once(folder, tmp_path):
    out = tmp_path / "out"
    everything = find_jobs([str(folder / "**" / "*.*")], out, ["sad"], False)
    assert names(everything, out) == ["a.png", "more/a.png", "text.png", "wall.png"]
    twice = find_jobs([str(folder / "a.png"), str(folder / "*.png")], out, ["sad"], False)
    assert names(twice, out) == ["a.png", "wall.png"]
    same_stem = find_jobs([str(folder / "a.png"), str(folder / "more" / "a.jpg")], out, ["sad"], False)
    assert names(same_stem, out) == ["a.png.png", "a.jpg.png"]
    (only,) = find_jobs([str(folder / "a*.png")], tmp_path / "b.jpg", ["sad", "fear"], False)
    assert names([only], tmp_path) == ["b-sad.jpg", "b-fear.jpg", "b.jpg"]
    save(folder / "out" / "a.png", picture(0))
    assert names(find_jobs([str(folder)], folder / "out", ["sad"], False), folder / "out") == names(everything, out)


@pytest.mark.parametrize(
    ("inputs", "out", "says"),
    [
        (["photos/nobody.jpg"], "out.png", r"nobody\.jpg: no such photograph"),
        (["photos/*.gif"], "out", "no such photograph, or none in it"),
        (["photos"], "out.png", r"out\.png: is one picture's name, and 4 photographs"),
        (["photos/a.png"], "out.xyz", r"not written as \.xyz"),
        (["photos/a.png"], "photos/a.png", r"would replace the photograph"),
        (["photos/a.png"], "link.png", r"would replace the photograph"),
        (["photos/more"], "photos/more", r"is the folder of the photographs themselves"),
        (["photos/a.png"], "photos", r"would replace the photograph"),
        (["photos/a.png"], "photos/wall.png", r"wall\.png: is there already"),
    ],
)
def test_results_never_replace_a_photograph_nor_go_astray(inputs, out, says, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("link.png").symlink_to("photos/a.png")
    overwrite = "there already" not in says
    with pytest.raises(ConfigError, match=says):
        find_jobs(inputs, Path(out), ["happy"], overwrite)


# The command


@pytest.fixture
def facegen(monkeypatch, capsys):
    """The command with networks that do nothing: its exit code and what it says."""
    monkeypatch.setattr(module, "open_editor", lambda wish: Unchanged())

    def call(*words: str | Path) -> tuple[int, str]:
        code = main(["edit", "emotion_ldm", "--model", "shipped", "--source", "neutral", *map(str, words)])
        return code, capsys.readouterr().err

    return call


def test_command_edits_a_photograph(facegen, alone, tmp_path):
    code, said = facegen("--emotion", "happy", "--strength", "500", "--guidance", "5", alone, tmp_path / "out.png")
    assert code == 0 and "edited: 1" in said and (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--emotion", "hapy"], "--emotion hapy: no such emotion. Did you mean happy?"),
        (["--emotion", "happy", "--source", "glad"], "--source glad: no such emotion"),
        (["--emotion", "happy", "--face", "left"], "--face left: 'all', or a number counted from 0"),
        (["--emotion", "happy", "--face", "3"], "face 3 was asked for, and 1 found, counted from 0 for the largest"),
        (["--emotion", "happy", "--strength", "20", "--steps", "40"], "--strength"),
        (["--emotion", "happy", "--eta", "2"], "--eta = 2.0: must be from 0 to 1"),
        (["--emotion", "happy", "--guidance", "nan"], "--guidance = nan: must be a finite number"),
    ],
)
def test_mistake_is_one_line_and_code_2(words, says, facegen, alone, tmp_path):
    code, said = facegen(*words, alone, tmp_path / "out.png")
    assert code == 2 and said.count("\n") == 1 and says in said
    assert not (tmp_path / "out.png").exists()


def test_photograph_without_a_face_or_that_cannot_be_read_is_one_line_and_code_2(facegen, tmp_path):
    wall = save(tmp_path / "wall.png", picture(2))
    code, said = facegen("--emotion", "happy", wall, tmp_path / "out.png")
    assert code == 2 and said.count("\n") == 1 and "wall.png: no face was found in its 64 x 48 pixels. Give" in said
    (tmp_path / "text.jpg").write_text("no picture")
    code, said = facegen("--emotion", "happy", tmp_path / "text.jpg", tmp_path / "out.png")
    assert code == 2 and said.count("\n") == 1 and "text.jpg: the picture cannot be read: it is no picture" in said


def test_missing_judge_says_what_may_be_given_instead(monkeypatch, alone, tmp_path, capsys):
    monkeypatch.setattr(module, "open_editor", lambda wish: Unchanged())
    words = ["--judge", str(tmp_path / "none.onnx"), "--model", "shipped", "--emotion", "sad", str(alone), "out.png"]
    assert main(["edit", "emotion_ldm", *words]) == 2
    assert "--source EMOTION" in capsys.readouterr().err


def test_face_is_named_missing_by_its_own_error(alone, tmp_path):
    with pytest.raises(NoFaceError, match="face 1 was asked for"):
        run(Unchanged(), tmp_path / "out.png", alone, face="1")
