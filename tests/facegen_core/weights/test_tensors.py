"""Tensors of every usual format, what a wrong file is called, and pickles that would do harm."""

import os
import pickle
import sys
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights.kinds import parameter_count
from facegen_core.weights.pickled_module import read_pickled_module
from facegen_core.weights.tensors import load_into, read_tensors


class Foreign(nn.Module):
    """Stands for a network of a library that the reader does not have: classes, functions and plain attributes."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
        self.shared = self.stem[0]
        self.register_buffer("kept", torch.arange(3.0))
        self.register_buffer("left_out", torch.zeros(2), persistent=False)
        self.register_parameter("absent", None)
        self.head = nn.Linear(4, 2).half()
        self.function, self.kind, self.settings = torch.relu, Foreign, (torch.float32, torch.Size([1]))


class Harm:
    """A pickle of it makes a folder when it is loaded the usual way."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def same(found, expected) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name


@pytest.fixture(scope="module")
def state() -> dict:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "model", "parallel", "legacy", "safetensors"])
def test_formats(tmp_path, state, wrapped):
    path = tmp_path / ("file.safetensors" if wrapped == "safetensors" else "file.pth")
    if wrapped == "safetensors":
        save_file(state, path)
    elif wrapped == "parallel":
        torch.save({f"module.{name}": value for name, value in state.items()}, path)
    else:
        content = {wrapped: dict(state), "epoch": 3} if wrapped in ("state_dict", "model") else state
        torch.save(content, path, _use_new_zipfile_serialization=wrapped != "legacy")
    same(read_tensors(path), state)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [lambda network: network, nn.DataParallel, lambda network: {"model": network}])
def test_network_pickled_whole_is_read_like_its_state_dict(tmp_path, zipped, wrap):
    network = Foreign()
    torch.save(wrap(network), tmp_path / "whole.pt", _use_new_zipfile_serialization=zipped)
    same(read_tensors(tmp_path / "whole.pt"), network.state_dict())


def test_pickled_network_whose_library_is_gone_is_still_read(tmp_path, monkeypatch):
    network = Foreign()
    torch.save(network, tmp_path / "whole.pt")
    expected = network.state_dict()
    monkeypatch.setattr(f"{__name__}.Foreign", None)
    monkeypatch.setattr(nn, "Linear", None)
    same(read_tensors(tmp_path / "whole.pt"), expected)


@pytest.mark.parametrize("hidden", ["alone", "beside tensors", "as an attribute", "in place of a tensor"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_harmful_pickle_is_not_run(tmp_path, hidden, zipped):
    made = tmp_path / "made by the pickle"
    content = {
        "alone": Harm(made),
        "beside tensors": {"harm": Harm(made), "weight": torch.ones(2)},
        "as an attribute": Foreign(),
        "in place of a tensor": Foreign(),
    }[hidden]
    if hidden == "as an attribute":
        content.harm = Harm(made)
    if hidden == "in place of a tensor":
        content._buffers["kept"] = Harm(made)
    path = tmp_path / "harm.pt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    if hidden == "alone":
        with pytest.raises(WeightsNotFoundError, match="not a file of tensors"):
            read_tensors(path)
    else:
        tensors = read_tensors(path)
        assert tensors and all(isinstance(value, torch.Tensor) for value in tensors.values())
    assert not made.exists()
    torch.load(path, weights_only=False)  # the usual way runs it: the file is as harmful as it is meant to be
    assert made.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cposix\nsystem\n(S'mkdir harmed'\ntR.",
        b"cbuiltins\nexec\n(S'import os; os.mkdir(\"harmed\")'\ntR.",
        b"(cos\nmkdir\nS'harmed'\no.",
        b"(S'harmed'\nios\nmkdir\n.",
    ],
)
def test_no_opcode_of_a_bare_pickle_runs_anything(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare.pkl").write_bytes(program)
    with pytest.raises((pickle.UnpicklingError, RuntimeError, WeightsNotFoundError)):
        read_pickled_module(tmp_path / "bare.pkl")
    with pytest.raises(WeightsNotFoundError):
        read_tensors(tmp_path / "bare.pkl")
    assert not (tmp_path / "harmed").exists()
    pickle.loads(program)
    assert (tmp_path / "harmed").exists()


@pytest.mark.parametrize("name", ["torch._utils\n_rebuild_tensor_v2", "torch.storage\nUntypedStorage", "torch\nSize"])
def test_pickle_cannot_change_what_it_is_read_with(tmp_path, name):
    """One opcode sets attributes of whatever lies on the stack: here, of a function of torch."""
    program = b"\x80\x02c" + name.encode() + b"\n(N}(X\x08\x00\x00\x00__name__X\x06\x00\x00\x00harmedutb."
    torch.save({"weight": torch.ones(2)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(tmp_path / "harm.pt", "w") as harm:
        for member in plain.namelist():
            harm.writestr(member, program if member.endswith("data.pkl") else plain.read(member))
    with pytest.raises(WeightsNotFoundError, match="not a file of tensors"):
        read_tensors(tmp_path / "harm.pt")
    module, _, attribute = name.partition("\n")
    assert getattr(sys.modules[module], attribute).__name__ == attribute


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a pointer of git LFS"),
        (b"\x80\x02 not a pickle", "damaged, or not a file of tensors"),
    ],
)
def test_files_that_are_no_weights_are_called_what_they_are(tmp_path, content, words):
    (tmp_path / "it.pt").write_bytes(content)
    with pytest.raises(WeightsNotFoundError, match=rf"it\.pt: {words}.*Get it again"):
        read_tensors(tmp_path / "it.pt")


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_truncated_files(tmp_path, state, suffix):
    path = tmp_path / f"it.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(WeightsNotFoundError, match="damaged"):
        read_tensors(path)


def test_torchscript_and_missing_files(tmp_path):
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "script.pt"))
    with pytest.raises(WeightsNotFoundError, match="TorchScript archive, which is a program"):
        read_tensors(tmp_path / "script.pt")
    with pytest.raises(WeightsNotFoundError, match="no such file"):
        read_tensors(tmp_path / "none.pt")
    with pytest.raises(WeightsNotFoundError, match="a folder, not a file"):
        read_tensors(tmp_path)
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(WeightsNotFoundError, match="without named tensors"):
        read_tensors(tmp_path / "empty.pt")


def test_loading_into_another_network_says_what_the_file_is(tmp_path, state):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    load_into(network, state, tmp_path / "it.pt", "a toy")
    same(network.state_dict(), state)
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    load_into(network, old, tmp_path / "it.pt", "a toy")
    for change, words in (
        ({"extra": torch.ones(1)}, "'extra' is of no use"),
        ({"0.weight": torch.ones(2, 4)}, r"'0.weight' has shape \(2, 4\)"),
    ):
        with pytest.raises(WeightsNotFoundError, match=rf"expected a toy, and it is unknown network .*{words}"):
            load_into(network, {**state, **change}, tmp_path / "it.pt", "a toy")
    with pytest.raises(WeightsNotFoundError, match=r"'1\.weight' is missing"):
        load_into(network, {k: v for k, v in state.items() if k != "1.weight"}, tmp_path / "it.pt", "a toy")


def test_parameters_are_counted_without_running_statistics(state):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert parameter_count(network.state_dict()) == sum(p.numel() for p in network.parameters())
