"""How the frozen networks of the fine-tuning are shown pictures, and what they say of them."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from helpers.finetuning import FINETUNE, Projection
from helpers.tiny_clip import NAME, tiny_clip

from facegen_core.encoders.base import Preprocessing
from facegen_core.encoders.clip import ClipEncoder
from facegen_core.encoders.framing import AlignedFramer
from facegen_core.encoders.identity import identity_encoder
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm import finetune_losses
from facegen_core.methods.emotion_ldm.finetune_losses import FinetuneLosses, Looker, build_guide, build_identity
from facegen_core.methods.emotion_ldm.prompts import text_directions
from facegen_core.weights.table import CLIP

JUDGED = replace(FINETUNE, identity="judge")


def drawn(count: int = 2, side: int = 16, seed: int = 0) -> torch.Tensor:
    """Pictures about [-1, 1], some of it outside."""
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def judged(directions: torch.Tensor) -> FinetuneLosses:
    return FinetuneLosses(Looker(Projection(5, 1), True, False), Looker(Projection(4, 2), True, True), directions)


def test_clip_sees_the_whole_picture_enlarged_by_cubic_convolution():
    network = tiny_clip()
    clip = ClipEncoder(NAME, network, 16, Preprocessing(32, CLIP.mean, CLIP.std, CLIP.framing, CLIP.resize))
    looker = Looker(clip, whole=True, clamped=False)
    shown = F.interpolate(drawn() / 2 + 0.5, (32, 32), mode="bicubic", align_corners=False, antialias=True)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (CLIP.mean, CLIP.std))
    with torch.no_grad():
        expected = network.encode_image((shown - mean) / std, normalize=True)
        torch.testing.assert_close(looker(drawn()), expected)
    directions = text_directions(clip.embed_texts, target=1)
    made = drawn().requires_grad_()
    losses = FinetuneLosses(looker, Looker(Projection(4, 0), True, True), directions)
    losses(made, drawn(seed=1).clamp(-1, 1), torch.tensor([0, 2])).direction.sum().backward()
    assert torch.isfinite(made.grad).all() and made.grad.abs().sum() > 0


def test_terms_are_of_the_change_of_the_person_and_of_the_pixels():
    guide, who = Projection(5, 1), Projection(4, 2)
    directions = F.normalize(drawn(9, 2)[:, :, 0].flatten(1)[:, :5], dim=1)
    losses = judged(directions)
    made, reference, emotion = drawn(3), drawn(3, seed=1).clamp(-1, 1), torch.tensor([2, 7, -1])
    terms = losses(made, reference, emotion)
    change = guide(made / 2 + 0.5) - guide(reference / 2 + 0.5)
    rows = directions[torch.tensor([2, 7, 8])]
    torch.testing.assert_close(terms.direction, F.cosine_similarity(change, rows), rtol=1e-4, atol=1e-5)
    seen = (who((x / 2 + 0.5).clamp(0, 1)) for x in (made, reference))
    torch.testing.assert_close(terms.identity, 1 - F.cosine_similarity(*seen))
    torch.testing.assert_close(terms.l2.mean(), F.mse_loss(made, reference))


def test_references_give_no_gradient_and_networks_stay_frozen():
    losses = FinetuneLosses(
        Looker(Projection(5, 1), True, False), Looker(Projection(4, 2), True, True), torch.eye(9, 5)
    )
    made, reference = drawn().requires_grad_(), drawn(seed=1).requires_grad_()
    terms = losses.train()(made, reference.detach(), torch.tensor([0, 1]))
    (terms.direction + terms.identity).sum().backward()
    assert made.grad is not None and not losses.training
    assert not any(weight.requires_grad for weight in losses.parameters())


def test_half_precision_around_them_does_not_reach_the_networks():
    """``Projection`` refuses anything but float32."""
    losses = FinetuneLosses(
        Looker(Projection(5, 1), True, False), Looker(Projection(4, 2), True, True), torch.eye(9, 5)
    )
    with torch.autocast("cpu", torch.bfloat16):
        terms = losses(drawn().bfloat16(), drawn(seed=1), torch.tensor([0, 1]))
    assert terms.direction.dtype == terms.identity.dtype == terms.l2.dtype == torch.float32


def test_judges_see_the_fixed_window_or_all_of_it_averaged_to_their_size():
    window = build_identity(replace(JUDGED, framing="window"))
    whole = build_identity(replace(JUDGED, framing="whole"))
    judge, pictures = identity_encoder("judge"), drawn(2, 96).clamp(-1, 1)
    shown = pictures / 2 + 0.5
    torch.testing.assert_close(window(pictures), judge(AlignedFramer(judge.preprocessing)(shown).pictures))
    averaged = F.adaptive_avg_pool2d(shown, judge.preprocessing.size)
    torch.testing.assert_close(whole(pictures), judge(averaged))
    guide = build_guide(JUDGED)
    assert guide(pictures).shape == (2, guide.encoder.dim) and "features" in guide.name


def test_network_that_gradients_cannot_pass_is_refused(monkeypatch):
    monkeypatch.setattr(Projection, "differentiable", False)
    monkeypatch.setattr(finetune_losses, "identity_encoder", lambda name: Projection(4, 0))
    with pytest.raises(ConfigError, match=r"identity = faces\.onnx: no gradients pass an ONNX network"):
        build_identity(replace(FINETUNE, identity="faces.onnx"))
