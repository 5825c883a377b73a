"""Run folders: how they are named and found."""

import os

import pytest

from experiments.runs import find_run, new_run, stage_folder
from facegen_core.errors import ConfigError, FacegenError


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("FACEGEN_RUN_DIR", "WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path):
    return stage_folder(str(tmp_path), "face3d", "sae")


def begin(run, at: float):
    """Marks a run as begun at a time."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.yaml").touch()
    os.utime(run / "config.yaml", (at, at))
    return run


def test_folder_of_a_stage_is_outputs_paper_stage(tmp_path, folder):
    assert folder == tmp_path / "face3d" / "sae"


def test_runs_are_numbered_by_profile(folder):
    names = [new_run(folder, None, profile).name for profile in ("demo", "demo", "smoke", "demo")]
    assert names == ["demo-001", "demo-002", "smoke-001", "demo-003"]
    assert all((folder / name).is_dir() for name in names)


def test_numbering_goes_on_after_the_highest_and_ignores_other_names(folder):
    for name in ("demo-007", "demo-002", "demo-last", "demo"):
        (folder / name).mkdir(parents=True)
    assert new_run(folder, None, "demo").name == "demo-008"


def test_numbers_go_past_three_digits(folder):
    (folder / "demo-999").mkdir(parents=True)
    assert new_run(folder, None, "demo").name == "demo-1000"


def test_named_run_is_made(folder):
    assert new_run(folder, "mine", "demo") == folder / "mine"
    assert (folder / "mine").is_dir()


def test_named_run_that_exists_is_refused_with_the_way_to_continue_it(folder):
    begin(new_run(folder, "mine", "demo"), 1)
    with pytest.raises(FacegenError, match=rf"{folder / 'mine'}: a run of this name exists.*resume={folder / 'mine'}"):
        new_run(folder, "mine", "demo")


def test_folder_of_a_run_that_never_began_is_taken(folder):
    (folder / "mine").mkdir(parents=True)
    assert new_run(folder, "mine", "demo") == folder / "mine"


def test_processes_started_from_outside_need_a_name(folder, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(FacegenError, match="name="):
        new_run(folder, None, "demo")


def test_processes_that_ddp_starts_take_the_folder_of_the_first(folder, monkeypatch):
    monkeypatch.setenv("FACEGEN_RUN_DIR", str(folder / "first"))
    assert new_run(folder, None, "demo") == find_run(folder, "last") == folder / "first"
    assert not folder.exists()


def test_processes_that_ddp_starts_find_the_run_of_another_stage(folder, monkeypatch):
    """A shape GAN's settings name the SAE's last run."""
    begin(folder / "demo-001", 10)
    monkeypatch.setenv("FACEGEN_RUN_DIR", str(folder.parent / "other_stage" / "first"))
    assert find_run(folder, "last") == folder / "demo-001"


def test_last_is_the_run_begun_last(folder):
    begin(folder / "demo-002", 10)
    begin(folder / "demo-001", 30)
    begin(folder / "smoke-001", 20)
    (folder / "demo-003").mkdir()  # made, never begun
    assert find_run(folder, "last").name == "demo-001"


def test_last_of_a_profile_leaves_other_profiles_out(folder):
    begin(folder / "demo-001", 10)
    begin(folder / "smoke-001", 20)
    begin(folder / "demo-extra", 30)
    begin(folder / "demo-big-001", 40)
    assert find_run(folder, "last", "demo").name == "demo-001"


def test_run_is_found_by_name_by_path_and_by_checkpoint(folder):
    run = begin(folder / "demo-001", 1)
    checkpoint = run / "checkpoints" / "0000004.ckpt"
    assert [find_run(folder, which) for which in ("demo-001", str(run), str(checkpoint))] == [run] * 3


@pytest.mark.parametrize("inside", [".", "checkpoints/0000004.ckpt"])
def test_run_of_another_stage_is_refused(tmp_path, folder, inside):
    begin(folder / "demo-002", 1)
    other = begin(stage_folder(str(tmp_path), "face3d", "shape_cgan") / "demo-001", 2)
    with pytest.raises(
        ConfigError, match=r"a run of stage shape_cgan; one of sae is wanted here\. There are: demo-002\."
    ):
        find_run(folder, str(other / inside))


def test_run_that_was_moved_out_of_its_stage_is_found(tmp_path, folder):
    moved = begin(tmp_path / "kept" / "best", 1)
    assert find_run(folder, str(moved)) == moved


def test_run_that_is_missing_lists_those_there_are(folder):
    begin(folder / "demo-001", 1)
    begin(folder / "mine", 2)
    with pytest.raises(FacegenError, match=rf"demo-9: no such run in {folder}\. There are: mine, demo-001\."):
        find_run(folder, "demo-9")


@pytest.mark.parametrize(
    ("profile", "says"), [(None, "no run here yet"), ("paper", "no run of profile paper here yet")]
)
def test_last_where_there_is_none_says_how_to_begin(folder, profile, says):
    with pytest.raises(FacegenError, match=rf"{folder}: {says}\. Begin one with facegen train sae\."):
        find_run(folder, "last", profile)
