"""The ``facegen`` command as a user meets it: real processes, what they print, their exit code, what they load.

An answer comes at once where nothing heavy is loaded for it: torch alone takes seconds.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from helpers.raw_pictures import write_affectnet, write_affectnet_2021, write_ffhq, write_folder

from datamodules.prepare.picture_cache import open_picture_cache
from datamodules.prepare.recognise import KNOWN
from experiments.cli import main

COMMAND = [sys.executable, "-m", "experiments.cli"]


class Ended(NamedTuple):
    """What a command did.

    Attributes:
        code: its exit code.
        out: what it printed.
        error: likewise.
    """

    code: int
    out: str
    error: str


@pytest.fixture
def facegen(tmp_path):
    """Runs the command in an empty folder."""

    def run(*words: str) -> Ended:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


MISTAKES = {
    "unknown key": (["train", "sae", "trainer.max_step=3"], ["trainer.max_step", "Did you mean 'trainer.max_steps'?"]),
    "wrong type": (["train", "sae", "trainer.max_steps=many"], ["trainer.max_steps", "'many'", "Integer"]),
    "missing value": (["train", "sae", "profile=paper"], ["paper.yaml: data.root: no value", "data.root=DIR"]),
    "devices": (["train", "sae", "trainer.devices=3"], ["demo.yaml: trainer.devices = 3", "trainer.devices=2"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_config_mistake_is_one_line_and_code_2(facegen, tmp_path, name):
    words, parts = MISTAKES[name]
    ended = facegen(*words)
    assert ended.code == 2 and ended.out == ""
    (line,) = ended.error.splitlines()
    assert line.startswith("facegen: ") and all(part in line for part in parts)
    assert list(tmp_path.iterdir()) == [], "no run is begun"


def test_help_names_the_commands(facegen):
    ended = facegen("--help")
    assert ended.code == 0
    for command in (
        "train",
        "evaluate",
        "reproduce",
        "generate",
        "edit",
        "data",
        "weights",
        "compare",
        "dashboard",
        "doctor",
    ):
        assert f"\n    {command}" in ended.out


def test_help_on_generating_names_its_options(facegen):
    ended = facegen("generate", "face3d", "--help")
    assert ended.code == 0
    assert "--intensity LEVELS" in ended.out


HEAVY = {"torch", "lightning", "mlflow", "diffusers", "numpy", "scipy", "PIL", "sklearn", "matplotlib"}


@pytest.mark.parametrize(
    "words", [["--help"], ["generate", "face3d", "--help"], *(words for words, _ in MISTAKES.values())], ids=" ".join
)
def test_help_and_mistakes_load_nothing_heavy(words):
    code = (
        "import sys\nfrom experiments.cli import main\n"
        "try: assert main(sys.argv[1:]) == 2\nexcept SystemExit as ended: assert not ended.code\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "experiments.cli" in loaded and not HEAVY & loaded


def printed(capsys, *words: str) -> tuple[int, str, str]:
    """The command in this process, for what argparse answers."""
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_train_help_names_stages_words_and_exit_codes(capsys):
    code, out, _ = printed(capsys, "train", "--help")
    flat = " ".join(out.split())
    assert code == 0
    for part in (
        "{coma,emotion_clip,emotion_ldm,face_judge,sae,shape_cgan,texture_progan,vqgan}",
        "profile=paper|demo|smoke",
        "resume=last",
        "key=value",
        "143",
        "--quiet",
    ):
        assert part in flat


@pytest.mark.parametrize("words", [("--quiet", "data", "check"), ("data", "check", "--quiet")])
def test_quiet_may_stand_anywhere(capsys, monkeypatch, tmp_path, words):
    monkeypatch.setenv("FACEGEN_QUIET", "")
    code, _, error = printed(capsys, *words, str(tmp_path / "nowhere"))
    assert code == 2
    assert "nowhere" in error
    assert os.environ["FACEGEN_QUIET"] == "1"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "sea"], "invalid choice: 'sea' (choose from "),
        (["reproduce", "face4d"], "invalid choice: 'face4d'"),
        (["train"], "the following arguments are required: stage"),
        ([], "the following arguments are required: COMMAND"),
        (["train", "sae", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_words_that_are_no_command_end_with_code_2(capsys, words, says):
    code, out, error = printed(capsys, *words)
    assert code == 2 and out == "" and says in error


def test_unknown_profile_lists_those_there_are(capsys):
    code, _, error = printed(capsys, "train", "sae", "profile=big")
    assert code == 2
    assert error == "facegen: profile=big: no such profile. There are: demo, paper, smoke.\n"


def test_word_after_an_option_is_still_read(capsys):
    code, _, error = printed(capsys, "train", "sae", "--quiet", "profile=big")
    assert code == 2 and "profile=big: no such profile" in error


@pytest.mark.parametrize("command", [["train", "sae", "resume=last"], ["evaluate", "sae"]])
def test_run_that_is_not_there_is_a_mistake(capsys, tmp_path, command):
    code, _, error = printed(capsys, *command, f"outputs={tmp_path}")
    assert code == 2
    assert error == f"facegen: {tmp_path}/face3d/sae: no run here yet. Begin one with facegen train sae.\n"


def test_seed_below_zero_is_a_mistake(capsys):
    code, _, error = printed(capsys, "train", "sae", "seed=-1")
    assert code == 2 and "demo.yaml: seed = -1: must be 0 or more." in error


@pytest.mark.parametrize(("make", "says"), [(True, "no data set found"), (False, "no such folder")])
def test_data_check_of_a_folder_without_data_shows_what_is_known(capsys, tmp_path, make, says):
    folder = tmp_path / "data"
    if make:
        folder.mkdir()
    code, out, error = printed(capsys, "data", "check", str(folder))
    assert code == 2 and out == ""
    assert error == f"facegen: {folder}: {says}.\n{KNOWN}\n"
    assert "models_reg/<k>_<expression>.obj" in error and "https://facescape.nju.edu.cn" in error
    assert "train_set/" in error and "https://github.com/NVlabs/ffhq-dataset" in error


@pytest.mark.parametrize("layout", ["old", "new", "ffhq", "folder"])
def test_data_check_and_prepare_know_the_layouts_of_pictures(capsys, tmp_path, layout):
    write, title, count = {
        "old": (write_affectnet, "AffectNet, old release", 12),
        "new": (write_affectnet_2021, "AffectNet, release of 2021", 10),
        "ffhq": (write_ffhq, "FFHQ, images1024x1024", 7),
        "folder": (write_folder, "pictures in a plain folder", 10),
    }[layout]
    root = write(tmp_path / "data")
    code, out, _ = printed(capsys, "data", "check", str(root), "--deep")
    assert code == 0 and title in out and f"pictures opened: {count}, of which can be used: {count}" in out
    code, out, _ = printed(capsys, "data", "prepare", str(root), "--pixels", "16", "--cache", str(tmp_path / "cache"))
    assert code == 0 and title in out and f"{count} pictures of 16 x 16 pixels" in out
    folder = Path(out.splitlines()[-1].removeprefix("cache: "))
    assert folder.parent == tmp_path / "cache" and len(open_picture_cache(folder).rows) == count


def test_data_prepare_tells_mistakes_apart_from_faults(capsys, tmp_path):
    root = write_folder(tmp_path / "data")
    for words, says in (
        (["--dataset", "ffhq"], "no of FFHQ's folders found"),
        (["--crop", "align"], "no face was found"),
        (["--pixels", "4"], "data.pixels = 4"),
    ):
        code, out, error = printed(capsys, "data", "prepare", str(root), *words)
        assert code == 2 and out == "" and says in error
    (root / "a" / "1.png").write_bytes(b"")
    code, _, error = printed(capsys, "data", "prepare", str(root), "--on-bad-sample", "raise")
    assert code == 2 and "a/1.png" in error and "on_bad_sample=skip" in error
    code, out, _ = printed(capsys, "data", "prepare", str(root))
    assert code == 0 and "zero bytes: 1" in out and "9 pictures" in out


def test_doctor_prints_its_sections(facegen, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model_ir_se50.pth").touch()
    (tmp_path / "outputs" / "data" / "people" / "1" / "models_reg").mkdir(parents=True)
    ended = facegen("doctor")
    assert ended.code == 0 and ended.error == ""
    lines = ended.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["versions", "devices", "room", "weights", "data"]
    import torch

    words = [line.split() for line in lines]
    assert ["torch", torch.__version__.split("+")[0]] in [[w[0], w[-1].split("+")[0]] for w in words]
    assert ["ir_se50", "weights/model_ir_se50.pth"] in [[w[0], w[-1]] for w in words]
    assert ["facenet_vggface2", "missing"] in [[w[0], w[-1]] for w in words]
    assert lines[-1].strip() == "outputs/data/people: 1 people"
    assert any(line.startswith("  memory: ") for line in lines) and any("disk here: " in line for line in lines)
