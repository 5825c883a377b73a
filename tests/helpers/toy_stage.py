"""Two tiny training stages, with one and with two optimisers, for tests of the engine; run like any other stage.

``python toy_stage.py train toy_one key=value ...`` is ``facegen train toy_one ...`` with the toys among the stages.
Everything in which a careless resume shows is in them: noise in the step, dropout, augmentation by sample seed, EMA,
accumulation and validation that draws noise.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics import MeanMetric

import experiments
from datamodules.base import FaceDataModule
from experiments.schema import StageConfig
from facegen_core.seeding import torch_generator
from lightning_modules.base import FaceGenModule, build_adam
from lightning_modules.callbacks.evaluator import Evaluator

FOLDER = Path(__file__).parent / "toy_stage"


@dataclass
class Config(StageConfig):
    num_workers: int = 0
    nan_at: int = -1
    seconds_per_step: float = 0.0


class Points(torch.utils.data.Dataset):
    def __init__(self, size: int) -> None:
        self.values = torch.randn(size, 4, generator=torch_generator(99))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, torch.Tensor]:
        index, seed = place
        return {"x": self.values[index] + 0.1 * torch.randn(4, generator=torch.Generator().manual_seed(seed))}


class ToyData(FaceDataModule):
    def prepare_data(self) -> None:
        pass

    def setup(self, stage: str) -> None:
        self.datasets = {"train": Points(37), "val": Points(9), "test": Points(9)}

    def digest(self) -> str:
        return "points"


class ToyOne(FaceGenModule):
    network = "net"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.toy, self.optim = config, config.optim
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 4))

    def training_step(self, batch, batch_idx):
        if self.toy.seconds_per_step:
            import time

            time.sleep(self.toy.seconds_per_step)
        x = batch["x"]
        loss = F.mse_loss(self.net(x + 0.2 * torch.randn_like(x)), x)
        return {"loss": loss * float("nan") if self.batches == self.toy.nan_at else loss}

    def validation_step(self, batch, batch_idx):
        x = batch["x"]
        return {"error": (self.net(x + torch.randn_like(x)) - x).square().mean(1)}

    def configure_optimizers(self):
        return build_adam(self.net.parameters(), self.toy.optim)


class ToyTwo(ToyOne):
    find_unused_parameters = True
    optimizers_per_step = 2

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.automatic_optimization = False
        self.critic = nn.Linear(4, 1)

    def training_step(self, batch, batch_idx):
        if self.toy.seconds_per_step:
            import time

            time.sleep(self.toy.seconds_per_step)
        x, (first, second) = batch["x"], self.optimizers()
        fake = self.net(torch.randn_like(x))
        scale, last = 1 / self.accumulate, (self.batches + 1) % self.accumulate == 0
        losses = {}
        drift = self.critic.weight.square().sum()
        for optimizer, name, loss in (
            (second, "critic", lambda: (self.critic(fake.detach()) - self.critic(x)).mean() + drift),
            (first, "loss", lambda: -self.critic(fake).mean() + F.mse_loss(fake, x)),
        ):
            with optimizer.toggle_model(sync_grad=last):  # the other's weights must gather no gradient
                value = loss()
                self.manual_backward(value * scale)
                if last:
                    optimizer.step()
                    optimizer.zero_grad()
            losses[name] = value.detach()
        return losses

    def configure_optimizers(self):
        return build_adam(self.net.parameters(), self.toy.optim), build_adam(self.critic.parameters(), self.toy.optim)


def toy(module: type[ToyOne]) -> SimpleNamespace:
    return SimpleNamespace(
        __file__=str(FOLDER / "toy_stage.py"),
        Config=Config,
        prepare=lambda config: None,
        build_datamodule=lambda config: ToyData(config.trainer.batch_size, config.seed, config.num_workers),
        build_module=lambda config, datamodule: module(config),
        build_callbacks=lambda config, datamodule: [Evaluator({"error": (MeanMetric(), ("error",))})],
    )


if __name__ == "__main__":
    from experiments.cli import main

    experiments.EXPERIMENTS["toys"] = SimpleNamespace(STAGES={"toy_one": toy(ToyOne), "toy_two": toy(ToyTwo)})
    sys.exit(main())
