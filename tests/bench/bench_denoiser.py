"""How fast EmotionLDM's denoiser trains: ``python -m tests.bench.bench_denoiser [--batch N] [--turns N]``.

One step at the paper's size, as the stage takes it, beside the same step written plainly with diffusers: its U-Net as
it comes, torch's AdamW as it comes, diffusers' EMAModel. They start from the same weights and take turns in one run;
the figures are medians. In float32 both compute the same; half precision, which is not the same, stands apart.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from facegen_core.config import OptimConfig
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.types import LatentBatch
from lightning_modules.callbacks.ema import EMA
from lightning_modules.emotion_ldm import EmotionLDMModule

CONFIG = DenoiserConfig()
OPTIM = OptimConfig(lr=2.4e-5, weight_decay=0.01)
PARTS = ("forward, backward", "optimiser", "average")
Step = Callable[[LatentBatch], list[float]]
"""Takes a step; gives the seconds of its parts."""


def main() -> None:
    """Prints seconds of a step and of its parts, and their ratios; on a GPU too if there is one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--turns", type=int, default=5)
    words = parser.parse_args()
    print(f"\ntraining step of EmotionLDM's denoiser, batch {words.batch}, CPU, {torch.get_num_threads()} threads")
    compare(torch.device("cpu"), words.batch, words.turns)
    if torch.cuda.is_available():
        print(f"training step of EmotionLDM's denoiser, batch 24, {torch.cuda.get_device_name()}")
        compare(torch.device("cuda"), 24, 20)


def compare(device: torch.device, batch: int, turns: int) -> None:
    """Prints the table of one device."""
    torch.manual_seed(0)
    module = EmotionLDMModule(CONFIG, OPTIM).to(device)
    plain = plain_network(module).to(device)
    ours, theirs = stage_step(module, device), plain_step(plain, device)
    half_ours, half_theirs = (_in_half(step, device) for step in (ours, theirs))
    columns: dict[str, Step] = {"facegen": ours, "diffusers": theirs, "facegen bf16": half_ours}
    if device.type == "cuda":
        columns["diffusers bf16"] = half_theirs
        module.compile_network()  # from here on, in all of ours
    seconds: dict[str, list[list[float]]] = {name: [] for name in columns}
    for turn in range(turns + 2):
        for name, step in columns.items():
            took = step(_drawn(batch, device))
            if turn > 1:  # the optimiser's state is made in the first, caches are filled in the second
                seconds[name].append(took)
    parts = {name: [median(part) for part in zip(*rows, strict=True)] for name, rows in seconds.items()}
    print(f"  {'s':20}" + "".join(f"{name:>16}" for name in columns) + f"{'ratio':>10}")
    for i, part in enumerate(PARTS):
        print(f"  {part:20}" + "".join(f"{parts[name][i]:16.3f}" for name in columns) + f"{_ratio(parts, i):10.2f}")
    for title, upto in (("without the average", 2), ("whole step", 3)):
        sums = {name: sum(values[:upto]) for name, values in parts.items()}
        ratio = sums["diffusers"] / sums["facegen"]
        print(f"  {title:20}" + "".join(f"{sums[name]:16.3f}" for name in columns) + f"{ratio:10.2f}")
    print(f"  half precision, whole step: {_sum(parts, 'diffusers') / _sum(parts, 'facegen bf16'):.2f} times diffusers' "
          "float32" + (f", {_sum(parts, 'diffusers bf16') / _sum(parts, 'facegen bf16'):.2f} times its bf16"
                       if device.type == "cuda" else ""))  # fmt: skip


def stage_step(module: EmotionLDMModule, device: torch.device) -> Step:
    """The stage's own step: its loss, its optimiser, its average."""
    optimizer, ema = module.configure_optimizers(), EMA(0.9999, warm_up=True)
    ema.on_fit_start(None, module)  # type: ignore[arg-type]  # it asks the trainer for nothing

    def step(batch: LatentBatch) -> list[float]:
        clock = _Clock(device)
        module.training_step(batch, 0)["loss"].backward()
        clock.note()
        optimizer.step()
        optimizer.zero_grad()
        clock.note()
        module.batches += 1
        ema.on_train_batch_end(None, module, None, None, 0)  # type: ignore[arg-type]
        clock.note()
        return clock.seconds

    return step


class Plain(nn.Module):
    """diffusers' network with class embeddings, as one would write it in a script."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(
            sample_size=32, in_channels=3, out_channels=3, layers_per_block=2, block_out_channels=(160, 320, 640),
            down_block_types=("CrossAttnDownBlock2D",) * 3, up_block_types=("CrossAttnUpBlock2D",) * 3,
            cross_attention_dim=512, attention_head_dim=(5, 10, 20),
        )  # fmt: skip
        self.emotions, self.null = nn.Embedding(8, 512), nn.Parameter(torch.randn(1, 512))

    def forward(self, noisy: Tensor, t: Tensor, emotion: Tensor) -> Tensor:
        token = torch.where((torch.rand(()) < 0.2).to(emotion.device), self.null, self.emotions(emotion))
        return self.unet(noisy, t, token[:, None]).sample


def plain_network(module: EmotionLDMModule) -> Plain:
    """With the stage's weights, which fit as they are."""
    plain = Plain()
    plain.load_state_dict(module.denoiser.state_dict())
    return plain


def plain_step(plain: Plain, device: torch.device) -> Step:
    """The same step by diffusers' and torch's parts as they come."""
    schedule = CONFIG.schedule
    scheduler = DDPMScheduler(1000, schedule.first, schedule.last, schedule.kind)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=OPTIM.lr)
    average = EMAModel(plain.unet.parameters(), 0.9999)

    def step(batch: LatentBatch) -> list[float]:
        clock = _Clock(device)
        noise = torch.randn_like(batch["latent"])
        t = torch.randint(1000, (len(noise),), device=device)
        predicted = plain(scheduler.add_noise(batch["latent"], noise, t), t, batch["emotion"])
        F.mse_loss(predicted.float(), noise).backward()
        clock.note()
        optimizer.step()
        optimizer.zero_grad()
        clock.note()
        average.step(plain.unet.parameters())
        clock.note()
        return clock.seconds

    return step


class _Clock:
    """Seconds between notes; waits for the GPU at each."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds = device, list[float]()
        self.last = self._now()

    def note(self) -> None:
        now = self._now()
        self.seconds.append(now - self.last)
        self.last = now

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def _in_half(step: Step, device: torch.device) -> Step:
    """Mixed precision; the optimiser and the average are float32's, as they are in it."""

    def half(batch: LatentBatch) -> list[float]:
        with torch.autocast(device.type, torch.bfloat16):
            return step(batch)

    return half


def _drawn(batch: int, device: torch.device) -> LatentBatch:
    index = torch.arange(batch, device=device)
    latent = torch.randn(batch, CONFIG.latent_channels, CONFIG.latent_pixels, CONFIG.latent_pixels, device=device)
    return LatentBatch(latent=latent, emotion=index % 8, identity=index, index=index)


def _ratio(parts: dict[str, list[float]], part: int) -> float:
    return parts["diffusers"][part] / parts["facegen"][part]


def _sum(parts: dict[str, list[float]], name: str) -> float:
    return sum(parts[name])


if __name__ == "__main__":
    main()
