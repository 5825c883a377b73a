"""Checkpoint files: whole or absent, altered ones refused by name, code in them never run."""

import hashlib
import pickle

import pytest
import torch

from facegen_core.checkpoint import (
    atomic_path,
    digest_path,
    file_digest,
    find_problem,
    last_good,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from facegen_core.errors import CheckpointError


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 2, 4 and 10."""
    for step in (2, 4, 10):
        save_checkpoint({"weight": torch.full((300,), float(step)), "step": step}, tmp_path / f"{step:07d}.ckpt")
    return tmp_path


def refusal(path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    return str(caught.value)


def test_what_was_saved_is_loaded(folder):
    saved = load_checkpoint(folder / "0000004.ckpt")
    assert saved["step"] == 4 and torch.equal(saved["weight"], torch.full((300,), 4.0))


def test_digest_beside_a_checkpoint_is_its_sha256(folder):
    path = folder / "0000002.ckpt"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert file_digest(path) == expected
    assert digest_path(path).read_text() == f"{expected}  {path.name}\n"  # what sha256sum --check reads


def test_no_temporary_file_is_left(folder):
    assert sorted(path.suffix for path in folder.iterdir()) == [".ckpt"] * 3 + [".sha256"] * 3


def test_crash_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        assert path.read_text() == "old"
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(path.parent.iterdir()) == [path]


def test_crash_while_saving_leaves_the_old_checkpoint_whole(folder, monkeypatch):
    def half(value, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint({"step": -1}, folder / "0000010.ckpt")
    assert load_checkpoint(folder / "0000010.ckpt")["step"] == 10


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_digest(path):
    digest_path(path).unlink()


@pytest.mark.parametrize(("damage", "says"), [(truncate, "truncated or altered"), (flip, "truncated or altered"),
                                              (lose_digest, "0000010.ckpt.sha256 is missing")])  # fmt: skip
def test_damaged_checkpoint_is_named_and_the_last_good_one_offered(folder, damage, says):
    path = folder / "0000010.ckpt"
    damage(path)
    found = refusal(path)
    assert found.startswith(f"{path}: ") and says in found
    assert found.endswith(f"use resume={folder / '0000004.ckpt'}")


def test_missing_checkpoint_is_named_and_the_last_good_one_offered(folder):
    found = refusal(folder / "0000006.ckpt")
    assert "no such checkpoint" in found and found.endswith(f"resume={folder / '0000010.ckpt'}")


def test_offer_skips_a_second_damaged_checkpoint(folder):
    flip(folder / "0000010.ckpt")
    truncate(folder / "0000004.ckpt")
    assert refusal(folder / "0000010.ckpt").endswith(f"resume={folder / '0000002.ckpt'}")


def test_nothing_is_offered_where_all_are_damaged(folder):
    for path in list_checkpoints(folder):
        flip(path)
    assert refusal(folder / "0000010.ckpt").endswith("There is no other good one here.")
    assert last_good(folder) is None


class Payload:
    """Pickled, it creates a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (str(self.target), "w")


def test_code_in_a_checkpoint_is_refused_without_running_it(folder, tmp_path):
    target, path = tmp_path / "ran", folder / "0000012.ckpt"
    pickle.loads(pickle.dumps(Payload(target))).close()
    assert target.exists(), "the payload works: plain unpickling runs it"
    target.unlink()
    save_checkpoint({"state_dict": {}, "evil": Payload(target)}, path)
    assert find_problem(path) is None, "its digest is right, so that alone does not protect"
    found = refusal(path)
    assert found.startswith(f"{path}: not a checkpoint of plain tensors") and "\n" not in found
    assert found.endswith(f"resume={folder / '0000010.ckpt'}")
    assert not target.exists()


def test_checkpoints_are_listed_by_step_newest_first(tmp_path):
    for name in ("9.ckpt", "0000010.ckpt", "2.ckpt", "best.ckpt", ".3.ckpt.77.tmp", "11.ckpt.sha256", "12.pt"):
        (tmp_path / name).touch()
    assert [path.name for path in list_checkpoints(tmp_path)] == ["0000010.ckpt", "9.ckpt", "2.ckpt"]


def test_folder_that_is_missing_lists_nothing(tmp_path):
    assert list_checkpoints(tmp_path / "none") == []
