"""How fast an emotion is changed under guidance: ``python tests/bench/bench_guidance.py [--steps S]``.

Inversion and reverse with both predictions of guidance from one forward of twice the batch, beside the loop that asks
the network twice in every step. Same network, same steps, taking turns in one run, on one picture and on several.
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
from torch import Tensor, nn

from facegen_core.diffusion.ddim import invert, reverse
from facegen_core.diffusion.guidance import Denoise
from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import manipulate

SIZES = {
    "small": ((32, 64, 128), 16, (1, 2, 4)),
    "medium": ((64, 128, 256), 32, (2, 4, 8)),
    "paper": ((160, 320, 640), 32, (5, 10, 20)),
}
"""Channels of the levels, pixels of the latents, heads of attention."""
CONTEXT = 512


class Network(nn.Module):
    """diffusers' network with emotions, untrained."""

    def __init__(self, size: str) -> None:
        super().__init__()
        channels, pixels, heads = SIZES[size]
        self.unet = UNet2DConditionModel(
            sample_size=pixels,
            in_channels=3,
            out_channels=3,
            layers_per_block=2,
            block_out_channels=channels,
            down_block_types=("CrossAttnDownBlock2D",) * 3,
            up_block_types=("CrossAttnUpBlock2D",) * 3,
            cross_attention_dim=CONTEXT,
            attention_head_dim=heads,
        )
        self.emotions = nn.Embedding(9, CONTEXT)

    def context(self, emotion: Tensor) -> Tensor:
        return self.emotions(emotion % 9)[:, None]

    def forward(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        return self.unet(latents, t, context, return_dict=False)[0]


def main() -> None:
    """Prints seconds an edit of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["small", "medium"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    arguments, _ = parser.parse_known_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = device if device == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    print(f"\nguided manipulation, {arguments.steps} steps each way, {where}")
    print("network   pictures   one forward, ms   two forwards, ms   ratio")
    for size in arguments.sizes:
        torch.manual_seed(0)
        network = Network(size).to(device).eval()
        for count in arguments.batches:
            one, two = bench(network, SIZES[size][1], count, arguments.steps, arguments.turns)
            print(f"{size:9s} {count:8d} {1e3 * one:17.0f} {1e3 * two:18.0f} {two / one:7.2f}")


def bench(network: Network, pixels: int, count: int, steps: int, turns: int) -> tuple[float, float]:
    """Seconds of an edit with one forward a step, and with two."""
    device = next(network.parameters()).device
    config, bars = EditConfig(steps=steps), alpha_bars(ScheduleConfig("scaled_linear", 0.0015, 0.0205))
    latents = torch.randn(count, 3, pixels, pixels, device=device)
    source, target = (torch.full((count,), emotion, device=device) for emotion in (0, 1))
    edits: tuple[Callable[[], Tensor], ...] = (
        lambda: manipulate(network, latents, source, target, config, bars),
        lambda: twice_asked(network, latents, source, target, config, bars),
    )
    seconds: tuple[list[float], ...] = ([], [])
    for turn in range(turns + 1):
        results = []
        for edit, spent in zip(edits, seconds, strict=True):
            start = time.perf_counter()
            results.append(edit().cpu())
            if turn > 0:  # the first is a warm-up
                spent.append(time.perf_counter() - start)
        torch.testing.assert_close(*results, rtol=1e-3, atol=1e-3)
    return median(seconds[0]), median(seconds[1])


@torch.no_grad()
def twice_asked(
    network: Network, latents: Tensor, source: Tensor, target: Tensor, config: EditConfig, bars: Tensor
) -> Tensor:
    """The same edit with a forward for the null emotion and another for the emotion in every step."""

    def asked_twice(emotion: Tensor) -> Denoise:
        context, null = network.context(emotion), network.context(torch.full_like(emotion, -1))

        def denoise(z: Tensor, t: Tensor) -> Tensor:
            without = network(z, t, null)
            return without + config.guidance * (network(z, t, context) - without)

        return denoise

    steps = strided_steps(config.strength, config.steps)
    return reverse(invert(latents, asked_twice(source), steps, bars), asked_twice(target), steps, bars)


if __name__ == "__main__":
    main()
