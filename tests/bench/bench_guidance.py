"""How fast an emotion is changed under guidance: ``python tests/bench/bench_guidance.py [--sizes paper]``.

Inversion and reverse with both predictions of guidance from one forward of twice the batch, beside loops that ask a
network twice in every step: facegen's own, and diffusers' as it comes (its cross-attention computes a softmax over the
one token). Same weights, same steps, taking turns in one run, on one picture and on several.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from facegen_core.diffusion.ddim import invert, reverse
from facegen_core.diffusion.guidance import Denoise
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import invert_emotion, reverse_emotion

SIZES = {
    "small": DenoiserConfig(latent_pixels=16, channels=(32, 64, 128), heads=(1, 2, 4)),
    "medium": DenoiserConfig(latent_pixels=16, channels=(64, 128, 256), heads=(2, 4, 8)),
    "paper": DenoiserConfig(),
}


def main() -> None:
    """Prints milliseconds an edit of each, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["small", "medium"])
    parser.add_argument("--pictures", type=int, nargs="+", default=[1, 8])
    arguments, _ = parser.parse_known_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = device if device == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    print(f"\nguided manipulation, {arguments.steps} steps each way, {where}; ms an edit")
    print("network   pictures   one forward   two forwards   ratio   two of diffusers   ratio")
    for size in arguments.sizes:
        torch.manual_seed(0)
        model = EmotionDenoiser(SIZES[size]).to(device).eval()
        for pictures in arguments.pictures:
            one, two, plain = bench(model, SIZES[size], pictures, arguments.steps, arguments.turns)
            print(f"{size:9s} {pictures:8d} {1e3 * one:13.0f} {1e3 * two:14.0f} {two / one:7.2f} {1e3 * plain:18.0f} "
                  f"{plain / one:7.2f}")  # fmt: skip


def bench(
    model: EmotionDenoiser, config: DenoiserConfig, pictures: int, steps: int, turns: int
) -> tuple[float, float, float]:
    """Seconds of an edit: one forward a step, two of the same network, two of diffusers'."""
    device, edit, bars = model.null.device, EditConfig(steps=steps), alpha_bars(config.schedule)
    plain = UNet2DConditionModel.from_config(model.unet.config).to(device).eval()
    plain.load_state_dict(model.unet.state_dict())
    latents = torch.randn(pictures, config.latent_channels, config.latent_pixels, config.latent_pixels, device=device)
    source, target = (torch.full((pictures,), emotion, device=device) for emotion in (0, 1))
    ways: tuple[Callable[[], Tensor], ...] = (
        lambda: once_asked(model, latents, source, target, edit, bars),
        lambda: twice_asked(model.unet, model, latents, source, target, edit, bars),
        lambda: twice_asked(plain, model, latents, source, target, edit, bars),
    )
    seconds: list[list[float]] = [[] for _ in ways]
    for turn in range(turns + 1):
        results = []
        for way, spent in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            results.append(way().cpu())
            if turn > 0:  # the first is a warm-up
                spent.append(time.perf_counter() - start)
        for result in results[1:]:
            torch.testing.assert_close(result, results[0], rtol=1e-3, atol=1e-3)
    one, two, others = (median(spent) for spent in seconds)
    return one, two, others


@torch.no_grad()
def once_asked(
    model: EmotionDenoiser, latents: Tensor, source: Tensor, target: Tensor, edit: EditConfig, bars: Tensor
) -> Tensor:
    """Facegen's edit."""
    return reverse_emotion(model, invert_emotion(model, latents, source, edit, bars), target, edit, bars)


@torch.no_grad()
def twice_asked(
    unet: UNet2DConditionModel,
    model: EmotionDenoiser,
    latents: Tensor,
    source: Tensor,
    target: Tensor,
    edit: EditConfig,
    bars: Tensor,
) -> Tensor:
    """The same edit with a forward for no emotion and another for the emotion in every step."""

    def under(emotion: Tensor) -> Denoise:
        context, null = model.context(emotion), model.context(torch.full_like(emotion, -1))

        def denoise(z: Tensor, t: Tensor) -> Tensor:
            without = unet(z, t, null, return_dict=False)[0]
            return without + edit.guidance * (unet(z, t, context, return_dict=False)[0] - without)

        return denoise

    steps = strided_steps(edit.strength, edit.steps)
    return reverse(invert(latents, under(source), steps, bars), under(target), steps, bars)


if __name__ == "__main__":
    main()
