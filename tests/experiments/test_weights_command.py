"""``facegen weights``: what it prints, and its exit codes."""

import pytest
import torch
from helpers.onnx_networks import save_linear

from experiments.cli import main
from facegen_core.encoders.iresnet import BLOCKS, IResNet
from facegen_core.weights import WEIGHTS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["weights", *words])
    ended = capsys.readouterr()
    return code, ended.out, ended.err


def test_list_has_a_line_for_every_network(folder, capsys):
    (folder / "model_ir_se50.pth").touch()
    (folder / "enet_b2_8.pt").touch()
    (folder / "stable-diffusion-v1-5").mkdir()
    code, out, _ = run(capsys, "list")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0 and lines.keys() >= WEIGHTS.keys()
    assert all(WEIGHTS[name].licence in lines[name] and WEIGHTS[name].file in lines[name] for name in WEIGHTS)
    assert lines["facenet_casia"].endswith("missing")
    assert lines["ir_se50"].endswith(str(folder / "model_ir_se50.pth"))
    assert lines["hsemotion_b2_8"].endswith("(not the published file)")
    assert lines["stable_diffusion_1_5"].endswith("stable-diffusion-v1-5")
    assert str(folder) in out.splitlines()[-1]


def test_check_tells_what_a_file_is(folder, capsys):
    path = folder / "glint360k_cosface_r18_fp16_0.1" / "backbone.pth"
    path.parent.mkdir()
    torch.save(IResNet(BLOCKS[18]).state_dict(), path)
    code, out, _ = run(capsys, "check", "glint360k_r18")
    assert code == 0 and "iResNet-18 (24,025,600 parameters)" in out and "licence: non-commercial" in out
    assert "as many parameters as the published one; its owners publish no digest" in out
    other = folder / "mine.pth"
    path.rename(other)
    code, out, _ = run(capsys, "check", str(other))
    assert code == 0 and "iResNet-18" in out and "in no table" in out


def test_check_of_a_program_and_of_an_onnx_network(folder, capsys):
    torch.jit.script(torch.nn.Linear(2, 1)).save(str(folder / "2DFAN4_1.6-c827573f02.zip"))
    code, out, _ = run(capsys, "check", "fan_2d")
    assert code == 0 and "a TorchScript archive of " in out and "its owners publish no digest to compare with" in out
    save_linear(folder / "w600k_r50.onnx", 112, 4)
    code, out, _ = run(capsys, "check", "buffalo_l_r50")
    assert code == 0 and "an ONNX network, input ['n', 3, 112, 112] -> output ['n', 4]" in out


def test_check_of_another_network_than_its_name_says(folder, capsys):
    torch.save(IResNet(BLOCKS[18]).state_dict(), folder / "model_ir_se50.pth")
    code, out, err = run(capsys, "check", "ir_se50")
    assert code == 2 and out == ""
    assert "expected ir_se50 with 43,797,696 parameters, and it is iResNet-18 (24,025,600 parameters)" in err


def test_check_compares_digests(folder, capsys):
    torch.save({"weight": torch.ones(1)}, folder / "enet_b2_8.pt")
    code, _, err = run(capsys, "check", "hsemotion_b2_8")
    assert code == 2 and "is not the published file: its git digest is" in err
    torch.save({"conv_stem.weight": torch.ones(1)}, folder / "alexnet-owt-7be5be79.pth")
    code, _, err = run(capsys, "check", str(folder / "alexnet-owt-7be5be79.pth"))
    assert code == 2 and "expected alexnet with 61,100,840 parameters" in err


@pytest.mark.parametrize("words", [("check", "nothing"), ("get", "nothing"), ("get", "ir_se50"), ("check", "ir_se50")])
def test_mistakes_end_with_one_message(folder, capsys, words):
    code, out, err = run(capsys, *words)
    assert code == 2 and out == "" and err.startswith("facegen: ") and err.count("\n") == 1


def test_get_puts_a_file_into_the_folder(folder, tmp_path, capsys):
    (tmp_path / "mine.pth").write_bytes(b"weights")
    code, out, _ = run(capsys, "get", "ir_se50", "--url", (tmp_path / "mine.pth").as_uri())
    assert code == 0 and out.strip() == f"ir_se50: {folder / 'model_ir_se50.pth'}"
    assert (folder / "model_ir_se50.pth").read_bytes() == b"weights"
