import hashlib
import math

import pytest
import torch
import torch.nn.functional as F

from facegen_core.encoders.judge import emotion_judge, identity_judge
from facegen_core.errors import WeightsNotFoundError
from facegen_core.methods.face_judge.augment import augmented
from facegen_core.methods.face_judge.config import AugmentConfig, FaceJudgeConfig, TrunkConfig
from facegen_core.methods.face_judge.files import MOST_BYTES, load_judge, save_judge
from facegen_core.methods.face_judge.framing import (
    EMOTION_CROP,
    EMOTION_WINDOW,
    IDENTITY_WINDOW,
    WIDE_PIXELS,
    WIDE_SIDE,
    Misalignment,
    windowed,
)
from facegen_core.methods.face_judge.losses import margin_softmax, supervised_contrastive
from facegen_core.methods.face_judge.networks import EmotionJudge, FaceJudges, IdentityJudge

SMALL = TrunkConfig(8, (8, 16), (1, 2))
UNITS = ["AU06", "AU12"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4, side: int = 64) -> torch.Tensor:
    return F.interpolate(torch.rand(count, 3, 6, 6, generator=seeded()), (side, side), mode="bilinear")


def trained(network: torch.nn.Module) -> torch.nn.Module:
    """With statistics in its batch normalisation that are not those it starts with."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


def test_contrastive_loss_is_khoslas_sum_written_out():
    embeddings = F.normalize(torch.randn(7, 5, generator=seeded(), dtype=torch.float64), dim=1)
    labels, temperature = torch.tensor([0, 0, 0, 1, 1, 2, 2]), 0.2
    total = 0.0
    for i in range(7):
        partners = [p for p in range(7) if p != i and labels[p] == labels[i]]
        below = sum(math.exp(float(embeddings[i] @ embeddings[a]) / temperature) for a in range(7) if a != i)
        total -= sum(
            math.log(math.exp(float(embeddings[i] @ embeddings[p]) / temperature) / below) for p in partners
        ) / len(partners)
    assert float(supervised_contrastive(embeddings, labels, temperature)) == pytest.approx(total / 7, rel=1e-9)


def test_contrastive_loss_of_orthogonal_people_is_known():
    """Two people, two equal pictures each: the partner's share is e^(1/t) of e^(1/t) + 2."""
    embeddings = torch.eye(2).repeat_interleave(2, 0)
    expected = math.log(1 + 2 * math.exp(-1 / 0.5))
    assert float(supervised_contrastive(embeddings, torch.tensor([0, 0, 1, 1]), 0.5)) == pytest.approx(expected)


def test_picture_without_a_partner_does_not_count():
    embeddings = F.normalize(torch.randn(3, 4, generator=seeded()), dim=1).requires_grad_()
    loss = supervised_contrastive(embeddings, torch.tensor([0, 1, 2]))
    assert loss.item() == 0
    loss.backward()
    assert embeddings.grad is not None and (embeddings.grad == 0).all()


def test_margin_is_taken_off_the_right_cosine():
    """Two people: softplus of the scaled difference plus margin."""
    cosines = torch.tensor([[0.8, 0.3], [0.1, 0.4]])
    gaps = [10 * (0.3 - 0.8 + 0.2), 10 * (0.1 - 0.4 + 0.2)]
    expected = sum(math.log1p(math.exp(gap)) for gap in gaps) / 2
    assert float(margin_softmax(cosines, torch.tensor([0, 1]), 10, 0.2)) == pytest.approx(expected)


def test_windows_show_the_places_they_name():
    """In a picture whose colours are its own coordinates, in ArcFace's units."""
    place = (torch.arange(WIDE_PIXELS) + 0.5) * WIDE_SIDE / WIDE_PIXELS - (WIDE_SIDE - 112) / 2
    y, x = torch.meshgrid(place, place, indexing="ij")
    for window in (IDENTITY_WINDOW, EMOTION_WINDOW):
        seen = windowed(torch.stack([x, y, x])[None], window)[0]
        offsets = ((torch.arange(window.pixels) + 0.5) / window.pixels - 0.5) * window.side
        assert torch.allclose(seen[0], (window.x + offsets).expand(64, 64), atol=1e-3)
        assert torch.allclose(seen[1], (window.y + offsets)[:, None].expand(64, 64), atol=1e-3)


def test_emotion_judge_sees_the_same_of_its_crop_as_of_its_window():
    """The crop is all of ArcFace's 112 in 76 pixels; a wide picture cut to either must read alike."""
    judge = trained(EmotionJudge(SMALL, 2))
    place = (torch.arange(EMOTION_CROP) + 0.5) * 112 / EMOTION_CROP
    inset = place[torch.tensor([6, 69])], place[torch.tensor([12, 75])]
    half = (64 - 1) / 2 * 112 / EMOTION_CROP
    assert torch.allclose(inset[0], torch.tensor([EMOTION_WINDOW.x - half, EMOTION_WINDOW.x + half]))
    assert torch.allclose(inset[1], torch.tensor([EMOTION_WINDOW.y - half, EMOTION_WINDOW.y + half]))
    crop = pictures(side=EMOTION_CROP)
    whole, window = judge(crop), judge(crop[..., 12:76, 6:70])
    assert torch.equal(whole.logits, window.logits) and torch.equal(whole.units, window.units)


def test_misaligned_windows_move_as_much_as_they_are_told():
    """A dot's way from its place, over many draws."""
    wide = torch.zeros(600, 3, WIDE_PIXELS, WIDE_PIXELS)
    wide[..., 47:49, 47:49] = 1  # the middle of ArcFace's square
    seen = windowed(wide, IDENTITY_WINDOW, Misalignment(turn=0, scale=0, shift=0.05), 1.0, seeded())[:, 0]
    place = torch.arange(64.0)
    x = (seen.sum(1) * place).sum(1) / seen.sum((1, 2))
    assert float(x.mean()) == pytest.approx(31.5, abs=0.4) and float(x.std()) == pytest.approx(0.05 * 64, rel=0.1)


def test_augmentation_is_a_function_of_its_generator():
    first, again, other = (augmented(pictures(), AugmentConfig(), 1.0, seeded(s)) for s in (3, 3, 4))
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=0.05)
    assert first.min() >= 0 and first.max() <= 1


def test_augmentation_of_no_strength_changes_nothing():
    given = pictures().clamp(1e-3, 1)
    assert torch.allclose(augmented(given, AugmentConfig(), 0.0, seeded()), given, atol=1e-6)


@pytest.mark.parametrize(("milder", "variance"), [(0.0, 1.0), (1.0, 1 / 3), (0.5, 2 / 3)])
def test_milder_pictures_have_a_strength_drawn_evenly(milder, variance):
    """Factors that are even on 0 to 1 have a mean square of 1/3; of brightness alone, whose logarithm they scale."""
    only = AugmentConfig(0, 0, 0.1, 0, 0, 0, 0, 0, 0, 0, milder)
    change = (augmented(torch.full((20000, 3, 4, 4), 0.3), only, 1.0, seeded())[:, 0, 0, 0] / 0.3).log()
    assert float(change.square().mean()) == pytest.approx(variance * 0.1**2, rel=0.05)


def test_mask_leaves_the_inner_face_and_hides_the_rest():
    only = AugmentConfig(0, 0, 0, 0, 0, 0, 0, 0, mask=1.0, occlude=0)
    given = pictures(64).clamp(1e-3, 1)
    seen = augmented(given, only, 1.0, seeded())
    kept = torch.isclose(seen, given, atol=1e-5).all(1)
    assert kept[:, 38:42, 30:34].all(), "the middle"
    assert kept.float().mean((1, 2)).max() < 0.75 and not kept[:, 0, 0].any(), "no corner"


@pytest.mark.parametrize("kind", ["identity", "emotion"])
def test_file_keeps_what_a_judge_computes(tmp_path, kind):
    config = FaceJudgeConfig(identity=SMALL, emotion=SMALL, embedding=12)
    judge = trained(IdentityJudge(SMALL, 12) if kind == "identity" else EmotionJudge(SMALL, 2))
    seen = pictures(8)
    with torch.no_grad():
        before = judge(seen)
        save_judge(judge, kind, config, UNITS, tmp_path / "judge.safetensors")
        read = load_judge(tmp_path / "judge.safetensors", kind)
        after = read.network(seen)
    for x, y in [(before, after)] if kind == "identity" else zip(before, after, strict=True):
        assert torch.allclose(x, y, atol=0.02 * float(x.abs().max()))
    assert read.unit_names == UNITS and read.dim == (12 if kind == "identity" else 8)
    assert not [m for m in read.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_shipped_judges_are_below_four_mebibytes(tmp_path):
    config = FaceJudgeConfig()
    judges = FaceJudges(config, 20)
    for kind in ("identity", "emotion"):
        path = tmp_path / f"{kind}.safetensors"
        save_judge(getattr(judges, kind), kind, config, ["AU"] * 20, path)
        assert path.stat().st_size < MOST_BYTES


def test_file_of_another_network_is_refused(tmp_path):
    path = tmp_path / "judge.safetensors"
    save_judge(IdentityJudge(SMALL, 12), "identity", FaceJudgeConfig(identity=SMALL, embedding=12), UNITS, path)
    with pytest.raises(WeightsNotFoundError, match="expected facegen's emotion judge"):
        load_judge(path, "emotion")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsNotFoundError, match="cannot be read"):
        load_judge(path, "identity")


def test_judges_stand_as_encoders(tmp_path):
    """Pictures of any size, RGB in [0, 1]; with a gradient, so that they can be a loss."""
    config, judges = FaceJudgeConfig(identity=SMALL, emotion=SMALL), FaceJudges(FaceJudgeConfig(SMALL, SMALL), 2)
    for kind, encoder, dim in (("identity", identity_judge, 128), ("emotion", emotion_judge, 8)):
        save_judge(trained(getattr(judges, kind)), kind, config, UNITS, tmp_path / kind)
        judge = encoder(tmp_path / kind)
        seen = pictures(2, 112).requires_grad_()
        out = judge(seen)
        out[:, 0].sum().backward()
        assert out.shape == (2, dim) == (2, judge.dim)
        assert seen.grad is not None and float(seen.grad.abs().sum()) > 0
        assert judge.preprocessing.framing == "five_points"
        assert judge.name == f"embedded {kind} judge {hashlib.sha256((tmp_path / kind).read_bytes()).hexdigest()[:8]}"
