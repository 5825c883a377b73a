"""What training through the sampling costs: ``python -m tests.bench.bench_unrolled [--batch N]``.

One forward and backward through the guided reverse of S steps, with the network's forwards kept (plain) and with their
inputs kept alone (checkpointed). Memory is the most that tensors take at once beside weights and their gradients.
"""

import argparse
import time
from collections.abc import Callable

import torch

from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel, reverse_emotion
from facegen_core.methods.emotion_ldm.unrolled import Checkpointed
from tests.helpers.live_bytes import LiveBytes

STEPS = (2, 4, 6, 12)
DEMO = DenoiserConfig(latent_pixels=16, channels=(64, 128, 192), layers_per_block=1, heads=(2, 4, 6), context_dim=128)
KINDS: dict[str, Callable[[EmotionDenoiser], EmotionModel]] = {
    "plain": lambda model: model,
    "checkpointed": Checkpointed,
}


def main() -> None:
    """Prints memory and seconds of both for each number of steps; on a GPU at the paper's size too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=2)
    batch = parser.parse_args().batch
    print(f"\ngradients through the guided reverse, demo's denoiser, batch {batch}, CPU")
    compare(DEMO, torch.device("cpu"), batch)
    if torch.cuda.is_available():
        print(f"gradients through the guided reverse, the paper's denoiser, batch 4, {torch.cuda.get_device_name()}")
        compare(DenoiserConfig(), torch.device("cuda"), 4)


def compare(config: DenoiserConfig, device: torch.device, batch: int) -> None:
    """Prints the table of one device."""
    torch.manual_seed(0)
    model = EmotionDenoiser(config).to(device)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    print(f"  {'steps':>5}" + "".join(f"{kind + ', MiB':>20}{'s':>8}" for kind in KINDS) + f"{'memory':>10}{'time':>8}")
    for steps in STEPS:
        cells = {kind: _cost(wrap(model), config, device, batch, steps) for kind, wrap in KINDS.items()}
        (plain, fast), (flat, slow) = cells["plain"], cells["checkpointed"]
        shown = "".join(f"{size / 2**20:20.1f}{seconds:8.2f}" for size, seconds in cells.values())
        print(f"  {steps:5}{shown}{plain / flat:9.2f}x{slow / fast:7.2f}x", flush=True)


def _cost(
    model: EmotionModel, config: DenoiserConfig, device: torch.device, batch: int, steps: int
) -> tuple[int, float]:
    """Bytes at the peak, and seconds; the first run warms up and, on a CPU, is counted and not timed."""
    if device.type == "cpu":
        with LiveBytes(every=100) as live:
            _run(model, config, device, batch, steps)
        return live.peak, _seconds(model, config, device, batch, steps)
    _run(model, config, device, batch, steps)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    seconds = _seconds(model, config, device, batch, steps)
    return torch.cuda.max_memory_allocated() - before, seconds


def _seconds(model: EmotionModel, config: DenoiserConfig, device: torch.device, batch: int, steps: int) -> float:
    started = time.perf_counter()
    _run(model, config, device, batch, steps)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _run(model: EmotionModel, config: DenoiserConfig, device: torch.device, batch: int, steps: int) -> None:
    pixels, happy = config.latent_pixels, torch.ones(batch, dtype=torch.int64, device=device)
    latents = torch.randn(batch, config.latent_channels, pixels, pixels, device=device)
    edit, bars = EditConfig(steps=steps, guidance=5.0), alpha_bars(config.schedule)
    reverse_emotion(model, latents, happy, edit, bars).square().mean().backward()


if __name__ == "__main__":
    main()
