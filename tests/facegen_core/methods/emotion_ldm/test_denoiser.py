"""EmotionLDM's denoiser: its published size, its classes, and attention to one token against diffusers' own."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.utils._python_dispatch import TorchDispatchMode

from experiments.emotion_ldm import emotion_ldm
from facegen_core.config import load_config
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.single_token import use_single_token

TINY = DenoiserConfig(
    latent_pixels=8, channels=(16, 32), layers_per_block=1, heads=(2, 4), norm_groups=4, context_dim=6
)
PAPER = Path(emotion_ldm.__file__).with_name("paper.yaml")
IDLE = ("transformer_blocks.0.norm2", "attn2.to_q", "attn2.to_k")
"""Weights that attention to one token cannot hear."""


def plain(config: DenoiserConfig = TINY) -> UNet2DConditionModel:
    """diffusers' network as it comes."""
    torch.manual_seed(0)
    levels = len(config.channels)
    return UNet2DConditionModel(
        sample_size=config.latent_pixels, in_channels=3, out_channels=3, block_out_channels=config.channels,
        layers_per_block=config.layers_per_block, down_block_types=("CrossAttnDownBlock2D",) * levels,
        up_block_types=("CrossAttnUpBlock2D",) * levels, cross_attention_dim=config.context_dim,
        attention_head_dim=config.heads, norm_num_groups=config.norm_groups,
    )  # fmt: skip


def shown(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    latents = torch.randn(3, 3, 8, 8, generator=random, dtype=dtype)
    context = torch.randn(3, 1, 6, generator=random, dtype=dtype)
    return latents, torch.tensor([0, 500, 999]), context


def idle(name: str) -> bool:
    return any(part in name for part in IDLE)


def test_published_network_has_the_published_size():
    config = load_config(emotion_ldm.Config, PAPER).model
    with torch.device("meta"):
        model = EmotionDenoiser(config)
    assert sum(weight.numel() for weight in model.unet.parameters()) == 156_760_483
    assert sum(weight.numel() for weight in model.parameters()) == 156_765_091


def test_published_heads_are_of_32_channels():
    """Their number leaves no trace in the count of parameters, but in the results."""
    config = load_config(emotion_ldm.Config, PAPER).model
    with torch.device("meta"):
        unet = EmotionDenoiser(config).unet
    found = {m.to_q.out_features // m.heads for name, m in unet.named_modules() if name.endswith(("attn1", "attn2"))}
    assert found == {32}


# One token


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_one_token_gives_the_values_and_gradients_of_plain_attention(dtype, within):
    stock, lean = plain().to(dtype), plain().to(dtype)
    use_single_token(lean)
    latents, t, context = shown(dtype)
    found = []
    for unet in (stock, lean):
        token, z = context.clone().requires_grad_(), latents.clone().requires_grad_()
        made = unet(z, t, token).sample
        made.square().mean().backward()
        gradients = {name: weight.grad for name, weight in unet.named_parameters() if not idle(name)}
        found.append(gradients | {"made": made.detach(), "token": token.grad, "latents": z.grad})
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        assert value.abs().max() > 1e-6, f"{name}: the test would show nothing"
        torch.testing.assert_close(found[1][name], value, rtol=within, atol=within, msg=name)


def test_weights_left_out_have_no_gradient_in_plain_attention_either():
    stock = plain().double()
    latents, t, context = shown(torch.float64)
    stock(latents, t, context).sample.square().mean().backward()
    left_out = {name: float(weight.grad.abs().max()) for name, weight in stock.named_parameters() if idle(name)}
    assert len(left_out) == 4 * 7, "a query, a key and a norm's two in each of the seven blocks"
    assert max(left_out.values()) < 1e-15


class Counted(TorchDispatchMode):
    """Counts the layer norms that are computed, and products of matrices."""

    def __init__(self):
        super().__init__()
        self.norms, self.products = 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.norms += func is torch.ops.aten.native_layer_norm.default
        self.products += func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)
        return func(*args, **kwargs or {})


def test_what_one_token_cannot_hear_is_not_computed():
    stock, lean = plain(), plain()
    use_single_token(lean)
    counts = []
    for unet in (stock, lean):
        with torch.no_grad(), Counted() as counted:
            unet(*shown())
        counts.append(counted)
    assert (counts[0].norms, counts[1].norms) == (3 * 7, 2 * 7), "in each of the seven blocks"
    assert counts[0].products - counts[1].products == 2 * 7, "its query and its key"


def test_weights_left_out_are_frozen_and_stay_in_checkpoints():
    lean = plain()
    use_single_token(lean)
    assert {name for name, weight in lean.named_parameters() if not weight.requires_grad} == {
        name for name, _ in lean.named_parameters() if idle(name)
    }
    assert lean.state_dict().keys() == plain().state_dict().keys()


def test_several_tokens_are_refused():
    latents, t, context = shown()
    with pytest.raises(ValueError, match=r"one token, \(B, 1, D\), got \(3, 2, 6\)"):
        EmotionDenoiser(TINY)(latents, t, context.repeat(1, 2, 1))


def test_heads_of_the_settings_are_diffusers_heads():
    """Two networks of the same weights with other heads differ."""
    latents, t, context = shown()
    made = []
    for heads in ((2, 4), (4, 8)):
        torch.manual_seed(0)
        model = EmotionDenoiser(DenoiserConfig(**vars(TINY) | {"heads": heads}))
        made.append(model(latents, t, context))
    assert (made[0] - made[1]).abs().max() > 1e-4


# Classes


def test_context_is_the_emotions_embedding_or_the_learnt_null():
    model = EmotionDenoiser(TINY)
    context = model.context(torch.tensor([3, -1, 0]))
    assert context.shape == (3, 1, 6)
    expected = [model.emotions.weight[3], model.null[0], model.emotions.weight[0]]
    assert torch.equal(context[:, 0], torch.stack(expected))


def test_null_learns_from_withheld_labels_alone_and_an_emotion_from_its_own():
    model = EmotionDenoiser(TINY)
    model.context(torch.tensor([3, -1, -1])).sum().backward()
    assert torch.equal(model.null.grad, torch.full((1, 6), 2.0))
    assert torch.equal(model.emotions.weight.grad.sum(1), torch.tensor([0.0, 0, 0, 6, 0, 0, 0, 0]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"heads": (2,)}, r"one number for each of model.channels"),
        ({"heads": (3, 4)}, r"model.channels: 16 must be a multiple of its heads \(3\)"),
        ({"latent_pixels": 9}, "cannot be halved 1 times"),
        ({"label_drop": 1.0}, "from 0 to below 1"),
    ],
)
def test_what_cannot_be_built_is_refused(settings, says):
    with pytest.raises(ConfigError, match=says):
        DenoiserConfig(**vars(TINY) | settings).check()
