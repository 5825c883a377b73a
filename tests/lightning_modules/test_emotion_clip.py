"""The fine-tuning step: what it lowers, whose weights move, and that half precision stays finite."""

import pytest
import torch
from helpers.finetuning import FINETUNE, pool_batch, tuned_module
from helpers.fitting import fit, fit_watched

from facegen_core.methods.emotion_ldm.finetune_losses import Terms, finetune_figures, total
from facegen_core.methods.emotion_ldm.first_stage import decode
from facegen_core.methods.emotion_ldm.manipulation import reverse_emotion


def loss_of(module, batch) -> dict[str, float]:
    with torch.no_grad():
        terms = module.losses(module.edited(module.denoiser, batch["latent"], 2), batch["reference"], batch["emotion"])
    return {key: float(value) for key, value in total(module.finetune, terms).items()}


@pytest.mark.parametrize("form", ["log", "cosine"])
def test_steps_lower_the_loss_and_turn_the_change_where_it_should_go(form):
    module, batch = tuned_module(directional_form=form), pool_batch()
    before = loss_of(module, batch)
    fit(module, [batch])
    one = loss_of(module, batch)
    assert one["loss"] < before["loss"], "one step"
    fit(module, [batch] * 8)
    after = loss_of(module, batch)
    assert after["loss"] < one["loss"]
    assert after["judge_direction_cosine"] > before["judge_direction_cosine"]


def test_u_net_alone_is_tuned():
    module = tuned_module()
    first = {name: weight.detach().clone() for name, weight in module.state_dict().items()}
    stage = {name: weight.clone() for name, weight in module._frozen[1].state_dict().items()}
    (moved,) = fit_watched(module, [pool_batch()])
    assert moved == {name for name, weight in module.named_parameters() if weight.requires_grad}
    changed = {name for name, weight in module.state_dict().items() if not torch.equal(weight, first[name])}
    assert changed == moved and all(name.startswith("denoiser.unet.") for name in moved)
    assert all(torch.equal(weight, stage[name]) for name, weight in module._frozen[1].state_dict().items())
    assert all(weight.grad is None for part in module._frozen for weight in part.parameters())
    for name, weight in module.untuned.state_dict().items():
        assert torch.equal(weight, first[f"denoiser.{name}"]), "what inverted the pictures stays as it was"


def test_checkpoint_holds_the_denoiser_alone():
    assert {name.split(".")[0] for name in tuned_module().state_dict()} == {"denoiser"}


def test_edit_is_the_reverse_under_the_target_with_the_same_guidance():
    module, batch = tuned_module(), pool_batch()
    made = module.measured(module.denoiser, batch)
    target = torch.ones(4, dtype=torch.int64)
    with torch.no_grad():
        clean = reverse_emotion(module.denoiser, batch["latent"], target, FINETUNE.edit, module.bars)
        expected = (decode(module._frozen[1], clean) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(made["made"], expected)
    assert torch.equal(made["target"], target)
    torch.testing.assert_close(made["l2"].mean(), loss_of_l2(module, batch))


def loss_of_l2(module, batch) -> torch.Tensor:
    with torch.no_grad():
        made = module.edited(module.denoiser, batch["latent"], 4)
    return torch.nn.functional.mse_loss(made, batch["reference"])


def test_total_is_the_weighted_sum_by_the_names_of_its_guide():
    module = tuned_module(directional_weight=3.0, identity_weight=0.5, l2_weight=0.25, directional_form="log")
    terms = Terms(torch.tensor([0.2, 0.6]), torch.tensor([0.1, 0.3]), torch.tensor([1.0, 2.0]))
    values = total(module.finetune, terms)
    directional = -torch.tensor((1 + 0.4) / 2).log()
    assert float(values["loss"]) == pytest.approx(float(3 * directional + 0.5 * 0.2 + 0.25 * 1.5))
    assert list(values) == ["loss", "judge_direction_loss", "judge_direction_cosine", "identity_loss", "l2_loss"]
    clip = total(tuned_module(guide="clip").finetune, terms)
    assert {"directional_loss", "directional_cosine"} <= clip.keys()


def test_figures_of_a_pass_are_those_of_the_mean_terms_in_any_batches():
    random = torch.Generator().manual_seed(0)
    terms = Terms(*torch.rand(3, 7, generator=random))
    config = tuned_module(directional_form="log").finetune
    for key, (metric, fields) in finetune_figures(config).items():
        for part in (slice(0, 5), slice(5, 7)):
            metric.update(*(getattr(terms, name)[part] for name in fields))
        assert float(metric.compute()) == pytest.approx(float(total(config, terms)[key]), rel=1e-6)


def test_half_precision_stays_finite_where_a_picture_is_its_own_reference():
    """The direction of no change at all is asked for there."""
    module = tuned_module(directional_form="log")
    batch = pool_batch()
    with torch.no_grad():
        batch["reference"] = module.edited(module.denoiser, batch["latent"], 2)
    fit(module, [batch] * 2, precision="bf16-mixed")
    assert all(torch.isfinite(weight).all() for weight in module.parameters())
    assert torch.isfinite(torch.tensor(list(loss_of(module, batch).values()))).all()


def test_norm_of_the_gradients_is_logged_with_the_losses():
    module, batch = tuned_module(), pool_batch()
    seen = {}
    step = module.training_step

    def listening(batch, batch_idx):
        seen.update(step(batch, batch_idx))
        return dict(seen)

    module.training_step = listening
    fit(module, [batch])
    plain = tuned_module()
    made = plain.edited(plain.denoiser, batch["latent"], 2)
    total(plain.finetune, plain.losses(made, batch["reference"], batch["emotion"]))["loss"].backward()
    norm = sum(float(w.grad.square().sum()) for w in plain.parameters() if w.grad is not None) ** 0.5
    assert float(seen["grad_norm"]) == pytest.approx(norm, rel=1e-4)
