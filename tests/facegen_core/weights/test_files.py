"""Weights as data: found by name or path, checked, and what is missing said with where to get it."""

import hashlib
import shutil
import subprocess

import pytest

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, WeightSpec, find_weights, resolve_weights, weights_folder
from facegen_core.weights.files import digest, spec_of

CONTENT = b"weights\0\n" * 1000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def add(monkeypatch, check: str, digest: str) -> None:
    monkeypatch.setitem(WEIGHTS, "toy", WeightSpec("toy", "toy.pt", "tests", "a shop", "MIT", check, digest))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(name for name, spec in WEIGHTS.items() if "own package" not in spec.source))
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


def test_word_that_is_neither_name_nor_file_gets_the_nearest_names(folder):
    with pytest.raises(WeightsNotFoundError, match=r"face_net: neither a file nor a known network .*near: .*facenet_"):
        resolve_weights("face_net")
    with pytest.raises(WeightsNotFoundError, match=r"xyz: neither .*network \(`facegen weights list` names all\)"):
        resolve_weights("xyz")


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
    right = digest(path, check)
    add(monkeypatch, check, right)
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(WeightsNotFoundError) as caught:
        resolve_weights("toy")
    assert f"{path} is not the published file" in str(caught.value)
    assert right in str(caught.value) and digest(path, check) in str(caught.value)


@pytest.mark.parametrize("place", ["torch/hub/checkpoints", "torch/checkpoints", ".cache/clip"])
def test_files_that_libraries_downloaded_are_found(folder, place):
    spec = WEIGHTS["ir_se50"]
    cached = folder.parent / place / spec.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    assert find_weights(spec) == cached
    (folder / spec.file).write_bytes(CONTENT)
    assert find_weights(spec) == folder / spec.file, "the folder of weights comes first"


def test_digest_may_be_known_by_its_beginning(folder, monkeypatch):
    (folder / "toy.pt").write_bytes(CONTENT)
    add(monkeypatch, "sha256", hashlib.sha256(CONTENT).hexdigest()[:8])
    assert resolve_weights("toy") == folder / "toy.pt"


def test_row_of_a_file_is_found_by_digest_and_else_by_name(folder, monkeypatch):
    renamed = folder / "renamed.pt"
    renamed.write_bytes(CONTENT)
    assert spec_of(renamed) is None
    add(monkeypatch, "git", digest(renamed, "git"))
    assert spec_of(renamed) is WEIGHTS["toy"]
    backbone = folder / "glint360k_cosface_r34_fp16_0.1" / "backbone.pth"
    backbone.parent.mkdir()
    backbone.write_bytes(b"1")
    assert spec_of(backbone) is WEIGHTS["glint360k_r34"]
    assert spec_of(folder / "elsewhere" / "backbone.pth") is None


def test_table_is_whole():
    for name, spec in WEIGHTS.items():
        assert spec.name == name and spec.file and spec.purpose and spec.source and spec.licence
        assert (spec.check == "none") == (not spec.digest)
        assert set(spec.digest) <= set("0123456789abcdef")
        assert len(spec.digest) == {"git": 40, "none": 0}.get(spec.check, len(spec.digest))
        assert set(spec.classes) <= {*EMOTIONS, "valence", "arousal"}
        assert len(set(spec.classes)) == len(spec.classes)
        if spec.purpose in ("identity", "emotion", "CLIP") and not name.endswith("_judge"):
            assert spec.preprocessing is not None
        if spec.purpose == "emotion" and not name.endswith("_judge"):
            assert spec.classes
    assert len({spec.file for spec in WEIGHTS.values()}) == len(WEIGHTS)
