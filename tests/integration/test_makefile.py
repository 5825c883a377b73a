"""What a user calls by ``make``, and the versions it installs."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from experiments import papers, stages

REPOSITORY = Path(__file__).parents[2]
HELPED = ("setup", "demo", "test", "lint", "train-<stage>", "resume-<stage>", "evaluate-<stage>", "reproduce-<slug>",
          "generate-<slug>", "export-<stage>",
          "data-population", "data-check", "data-prepare", "dashboard", "compare", "bench", "clean")  # fmt: skip
CALLED = {
    **{target: target for target in HELPED if "<" not in target},
    **{f"{verb}-{stage}": f"facegen {verb if verb != 'resume' else 'train'} {stage}"
       for verb in ("train", "resume", "evaluate") for stage in stages()},
    **{f"reproduce-{slug}": f"facegen reproduce {slug}" for slug in papers()},
    "generate-face3d": "facegen generate face3d",
    "setup": "", "test": "-m pytest", "lint": "ruff check", "demo": "facegen reproduce", "bench": "tests.bench",
    "data-population": "facegen data population", "data-check": "facegen data check",
    "data-prepare": "facegen data prepare", "compare": "facegen compare",
    "dashboard": "facegen dashboard", "edit-emotion_ldm": "facegen edit emotion_ldm", "clean": "rm -rf",
    **{f"export-{stage}": f"facegen export {stage}" for stage in ("face_judge", "emotion_ldm")},
}  # fmt: skip


def make(*words: str) -> str:
    done = subprocess.run(["make", *words], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_lists_every_target_with_a_line():
    lines = dict(re.findall(r"^  (\S+) {2,}(\S.*)$", make("help"), re.MULTILINE))
    assert [target for target in HELPED if target not in lines] == []
    assert make() == make("help"), "and is what make alone does"


@pytest.mark.parametrize("target", sorted(CALLED))
def test_target_is_known_and_calls_what_it_says(target):
    assert CALLED[target] in make("-n", target)


def test_words_of_the_user_reach_the_command():
    printed = make("-n", "train-sae", "PROFILE=paper", "DATA=/some/where", "SET=trainer.devices=8 seed=1")
    assert "facegen train sae profile=paper data.root=/some/where trainer.devices=8 seed=1" in printed


def test_one_table_is_asked_for():
    assert "facegen reproduce emotion_ldm --table 1,5 profile=demo" in make("-n", "reproduce-emotion_ldm", "TABLE=1,5")
    assert "--table" not in make("-n", "reproduce-emotion_ldm")


def test_every_stage_and_paper_has_its_targets():
    """Stages in the order in which they need each other, which is the order CI runs them in."""
    assert make("-s", "stages").split() == list(stages())
    assert sorted(make("-s", "papers").split()) == sorted(papers())


def lock() -> list[Requirement]:
    """The lines of requirements.lock."""
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked() -> dict[str, str]:
    """Package -> version, of requirements.lock."""
    return {canonicalize_name(line.name): next(iter(line.specifier)).version for line in lock()}


def test_lock_holds_exact_versions_and_no_addresses():
    text = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in text and "@ " not in text and len(lock()) > 50
    assert [str(line) for line in lock() if not re.fullmatch(r"==\d[\w.]*(\+\w+)?", str(line.specifier))] == []
    assert len(locked()) == len(lock()) and "facegen" not in locked(), "each package once"


def test_lock_satisfies_every_bound_of_pyproject():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = [text for texts in project.get("optional-dependencies", {}).values() for text in texts]
    versions, wrong = locked(), []
    for requirement in map(Requirement, [*project["dependencies"], *extras]):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            wrong.append(f"{requirement} but locked {version}")
    assert wrong == []


def test_bounds_of_torch_lightning_and_python_are_what_was_measured():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    bounds = {r.name: r.specifier for r in map(Requirement, project["dependencies"])}
    assert bounds["torch"] == SpecifierSet(">=2.11") and project["requires-python"] == ">=3.11"
    assert "2.6.3" not in bounds["lightning"], "2.6.2 and 2.6.3 were malicious uploads"


def test_lock_pairs_torch_with_its_torchvision():
    """torchvision 0.x goes with torch 2.(x - 15): from 0.15 with 2.0 on, up to 0.29 with 2.14."""
    versions = locked()
    torch, vision = versions["torch"].split("."), versions["torchvision"].split(".")
    assert torch[0] == "2" and int(vision[1]) == int(torch[1]) + 15


def test_set_up_that_fails_says_why_in_one_line(tmp_path):
    done = subprocess.run(
        [str(REPOSITORY / ".ci" / "setup"), str(tmp_path / "venv")], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": str(tools(tmp_path)), "PYTHON": "no-python"},
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: needs Python 3.11 or newer and found none")
    assert not (tmp_path / "venv").exists()


def tools(folder: Path) -> Path:
    """A PATH without any Python."""
    import shutil

    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for tool in ("bash", "env", "mktemp", "rm", "df", "awk", "grep", "tail", "head"):
        (bin_folder / tool).symlink_to(str(shutil.which(tool)))
    return bin_folder
