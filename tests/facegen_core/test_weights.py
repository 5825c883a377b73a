"""Weights as data: found by name or path, checked, and what is missing said with where to get it."""

import hashlib
import shutil
import subprocess

import pytest

from facegen_core import weights
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, WeightSpec, resolve_weights, weights_folder

CONTENT = b"weights\0\n" * 1000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    return tmp_path


def add(monkeypatch, check: str, digest: str) -> None:
    monkeypatch.setitem(WEIGHTS, "toy", WeightSpec("toy", "toy.pt", "tests", "a shop", "MIT", check, digest))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_missing_weights_say_what_to_put_where(folder, name):
    spec = WEIGHTS[name]
    with pytest.raises(WeightsNotFoundError) as caught:
        resolve_weights(name)
    for part in (name, str(folder / spec.file), spec.source, f"licence: {spec.licence}", "FACEGEN_WEIGHTS"):
        assert part in str(caught.value)


def test_folder_is_weights_here_unless_the_variable_names_another(folder, monkeypatch):
    assert weights_folder() == folder
    monkeypatch.delenv("FACEGEN_WEIGHTS")
    assert str(weights_folder()) == "weights"


def test_path_of_a_file_is_taken_as_it_is(tmp_path):
    path = tmp_path / "mine.pt"
    path.write_bytes(CONTENT)
    assert resolve_weights(str(path)) == path


def test_word_that_is_neither_name_nor_file_lists_the_names(folder):
    with pytest.raises(WeightsNotFoundError, match=r"face_net: neither a file nor a known network .*facenet_vggface2"):
        resolve_weights("face_net")


@pytest.mark.skipif(shutil.which("git") is None, reason="git makes the digest to compare with")
def test_git_digest_is_what_git_calls_the_blob(folder, monkeypatch):
    (folder / "toy.pt").write_bytes(CONTENT)
    command = ["git", "hash-object", "--no-filters", str(folder / "toy.pt")]
    blob = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    add(monkeypatch, "git", blob)
    assert resolve_weights("toy") == folder / "toy.pt"


def test_sha256_digest_is_checked(folder, monkeypatch):
    (folder / "toy.pt").write_bytes(CONTENT)
    add(monkeypatch, "sha256", hashlib.sha256(CONTENT).hexdigest())
    assert resolve_weights("toy") == folder / "toy.pt"


@pytest.mark.parametrize("check", ["git", "sha256"])
def test_altered_file_is_named_with_both_digests(folder, monkeypatch, check):
    path = folder / "toy.pt"
    path.write_bytes(CONTENT)
    right = weights._digest(path, check)
    add(monkeypatch, check, right)
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(WeightsNotFoundError) as caught:
        resolve_weights("toy")
    assert f"{path} is not the published file" in str(caught.value)
    assert right in str(caught.value) and weights._digest(path, check) in str(caught.value)
