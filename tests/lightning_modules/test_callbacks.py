"""Callbacks in small Trainers of this process, against closed forms."""

from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from helpers.toy_stage import Points
from torch import nn
from torchmetrics import MeanMetric, Metric

from experiments.stage import quiet_lightning
from facegen_core.errors import CheckpointError, NonFiniteLossError
from facegen_core.seeding import derive
from lightning_modules.base import FaceGenModule, build_adam, scalars
from lightning_modules.callbacks.checkpoints import Checkpoints
from lightning_modules.callbacks.ema import EMA
from lightning_modules.callbacks.evaluator import Evaluator
from lightning_modules.callbacks.non_finite_guard import NonFiniteGuard
from lightning_modules.callbacks.step_seed import StepSeed

SEED, DECAY = 3, 0.75


class Tiny(FaceGenModule):
    """One trained layer and one frozen in ``net``, one trained outside it; notes what happened in each batch."""

    network = "net"

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4).requires_grad_(False))
        self.other = nn.Linear(4, 1)
        self.noise: list[torch.Tensor] = []
        self.steps: list[int] = []
        self.raise_in_validation = False
        self.nan_at = -1

    def training_step(self, batch, batch_idx):
        self.noise.append(torch.randn(2))
        self.steps.append(self.step)
        loss = self.net(batch["x"]).square().mean() + self.other(batch["x"]).square().mean()
        return {"loss": loss * float("nan") if self.batches == self.nan_at else loss}

    def validation_step(self, batch, batch_idx):
        if self.raise_in_validation:
            raise RuntimeError("in validation")
        self.noise.append(torch.randn(2))
        return {"error": self.net(batch["x"]).square().mean(1), "weight": self.net[0].weight.clone()}

    def configure_optimizers(self):
        return torch.optim.SGD([p for p in self.parameters() if p.requires_grad], lr=0.1)


class Recorder(pl.Callback):
    """Keeps copies of the weights after each batch and of what validation saw."""

    def __init__(self) -> None:
        self.after: list[dict[str, torch.Tensor]] = []
        self.validated: list[torch.Tensor] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.after.append({name: p.detach().clone() for name, p in pl_module.named_parameters()})

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        self.validated.append(outputs["weight"].float())


def loader(size: int = 12) -> torch.utils.data.DataLoader:
    points = Points(size)
    return torch.utils.data.DataLoader([points[i, i] for i in range(size)], batch_size=4)


def fit(module: FaceGenModule, *callbacks: pl.Callback, steps: int = 6, accumulate: int = 1, **options) -> pl.Trainer:
    quiet_lightning()
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, accumulate_grad_batches=accumulate, logger=False,
        callbacks=[StepSeed(SEED, accumulate), *callbacks], enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, check_val_every_n_epoch=None,
        **({"val_check_interval": steps * accumulate} | options),
    )  # fmt: skip
    trainer.fit(module, loader(6 * 4), loader())
    return trainer


@pytest.mark.parametrize("accumulate", [1, 2])
def test_ema_is_the_weighted_sum_of_the_weights_after_each_optimiser_step(accumulate):
    module, ema, recorder = Tiny(), EMA(DECAY), Recorder()
    begun = module.net[0].weight.detach().double().clone()
    fit(module, ema, recorder, steps=3, accumulate=accumulate)
    ends = [after["net.0.weight"].double() for after in recorder.after[accumulate - 1 :: accumulate]]
    assert len(ends) == 3 and not torch.equal(ends[0], ends[1])
    expected = DECAY**3 * begun + (1 - DECAY) * sum(DECAY ** (2 - k) * end for k, end in enumerate(ends))
    assert torch.allclose(ema.average["0.weight"].double(), expected, atol=1e-7)


def test_ema_that_warms_up_keeps_less_at_first():
    """At step n no more than (1 + n) / (10 + n): 2/11, 3/12, 4/13, and then 0.3 as asked for."""
    module, ema, recorder = Tiny(), EMA(0.3, warm_up=True), Recorder()
    expected = module.net[0].weight.detach().double().clone()
    fit(module, ema, recorder, steps=4)
    for kept, after in zip((2 / 11, 3 / 12, 0.3, 0.3), recorder.after, strict=True):
        expected = kept * expected + (1 - kept) * after["net.0.weight"].double()
    assert torch.allclose(ema.average["0.weight"].double(), expected, atol=1e-7)


def test_ema_averages_only_trained_weights_of_the_named_network():
    ema = EMA(DECAY)
    fit(Tiny(), ema, steps=1)
    assert set(ema.average) == {"0.weight", "0.bias", "1.weight", "1.bias"}, "not the frozen layer, buffers or `other`"


def test_ema_keeps_fp32_of_bf16_weights():
    module, ema = Tiny(), EMA(0.999)
    module.net[0].bfloat16()
    begun = module.net[0].weight.detach().float().clone()
    ema.on_fit_start(None, module)  # type: ignore[arg-type]
    module.batches = 1
    module.net[0].weight.data += 0.01
    ema.on_train_batch_end(None, module, None, None, 0)  # type: ignore[arg-type]
    moved = ema.average["0.weight"] - begun
    assert ema.average["0.weight"].dtype == torch.float32
    assert torch.allclose(moved, (module.net[0].weight.float() - begun) / 1000, atol=1e-7) and (moved != 0).any()


def test_validation_uses_the_average_and_training_weights_come_back():
    module, ema, recorder = Tiny(), EMA(DECAY), Recorder()
    fit(module, ema, recorder, steps=4)
    trained = recorder.after[-1]["net.0.weight"]
    assert torch.equal(recorder.validated[-1], ema.average["0.weight"])
    assert not torch.equal(recorder.validated[-1], trained)
    assert torch.equal(module.net[0].weight, trained)


def test_training_weights_come_back_after_an_exception_in_validation():
    module, ema, recorder = Tiny(), EMA(DECAY), Recorder()
    module.raise_in_validation = True
    with pytest.raises(RuntimeError, match="in validation"):
        fit(module, ema, recorder, steps=4)
    trained = recorder.after[-1]["net.0.weight"]
    assert torch.equal(module.net[0].weight, trained)
    assert not torch.equal(ema.average["0.weight"], trained)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5])
def test_ema_refuses_a_decay_that_is_none(decay):
    with pytest.raises(ValueError, match="between 0 and 1"):
        EMA(decay)


def test_evaluator_gives_the_metric_computed_by_hand():
    module, evaluator = Tiny(), Evaluator({"error": (MeanMetric(), ("error",))})
    fit(module, evaluator, steps=2)
    module.eval()
    x = torch.stack([point["x"] for point in loader().dataset])
    with torch.no_grad():
        expected = module.net(x).square().mean()
    assert evaluator.values == {"error": pytest.approx(float(expected), rel=1e-5)}


class Exact(Metric):
    """Counts updates and multiplies matrices, which autocast would do in bf16."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.dtypes: set[torch.dtype] = set()

    def update(self, values: torch.Tensor) -> None:
        product = values[None] @ torch.full((len(values), 1), 1 + 2**-12)
        self.dtypes |= {values.dtype, product.dtype}
        self.total += product.double().sum()

    def compute(self) -> torch.Tensor:
        return self.total


class Half(Tiny):
    def validation_step(self, batch, batch_idx):
        error = self.net(batch["x"]).square().mean(1)
        self.seen.append(error.detach())
        return {"error": error, "weight": self.net[0].weight.clone()}


def test_evaluator_computes_in_fp32_under_bf16_autocast():
    module, metric = Half(), Exact()
    module.seen = []
    fit(module, Evaluator({"sum": (metric, ("error",))}), steps=1, precision="bf16-mixed")
    assert all(error.dtype == torch.bfloat16 for error in module.seen), "or the test shows nothing"
    assert metric.dtypes == {torch.float32}
    expected = sum(float(error.double().sum()) for error in module.seen) * (1 + 2**-12)
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-6)
    assert metric.total.dtype == torch.float64, "precision of the module leaves the metric's state alone"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run whose loss is NaN in its fourth step: module, weights after each batch, folder, message."""
    folder = tmp_path_factory.mktemp("guard")
    module, recorder = Tiny(), Recorder()
    module.nan_at = 3
    with pytest.raises(NonFiniteLossError) as caught:
        fit(module, NonFiniteGuard(folder), recorder)
    return module, recorder, folder, str(caught.value)


def test_guard_leaves_the_weights_of_the_last_good_step(stopped):
    module, recorder, _, _ = stopped
    assert len(recorder.after) == 3
    assert all(torch.equal(p, recorder.after[-1][name]) for name, p in module.named_parameters())


def test_guard_keeps_the_batch(stopped):
    kept = torch.load(stopped[2] / "nonfinite_batch_rank0.pt", weights_only=True)
    assert torch.equal(kept["x"], list(loader(24))[3]["x"])


def test_guard_names_step_value_and_batch(stopped):
    _, _, folder, message = stopped
    assert message.startswith("the loss became nan in step 4;")
    assert str(folder / "nonfinite_batch_rank0.pt") in message and "resume=last" in message


def test_guard_stops_at_an_infinite_loss(tmp_path):
    class Infinite(Tiny):
        def training_step(self, batch, batch_idx):
            return {"loss": self.net(batch["x"]).sum() * 0 + float("inf")}

    with pytest.raises(NonFiniteLossError, match="the loss became inf in step 1"):
        fit(Infinite(), NonFiniteGuard(tmp_path))


def test_noise_of_a_batch_is_a_function_of_seed_and_batch():
    module = Tiny()
    fit(module, steps=3)
    again = Tiny()
    again_seed = StepSeed(SEED)
    again_seed.load_state_dict({"batches": 2})  # resumed: the third batch comes first
    quiet_lightning()
    options = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    pl.Trainer(accelerator="cpu", max_steps=1, limit_val_batches=0, callbacks=[again_seed], **options).fit(
        again, loader(), loader()
    )
    assert torch.equal(module.noise[2], again.noise[0])
    assert not torch.equal(module.noise[1], module.noise[2])
    torch.manual_seed(derive(SEED, 10, 2, 0))
    assert torch.equal(module.noise[2], torch.randn(2))


def test_validation_draws_the_same_noise_in_every_pass():
    module = Tiny()
    fit(module, steps=4, val_check_interval=2)
    train, first, second = module.noise[0:2] + module.noise[5:7], module.noise[2:5], module.noise[7:10]
    assert len(module.noise) == 10
    assert torch.equal(torch.stack(first), torch.stack(second))
    assert len({tuple(noise.tolist()) for noise in train + first}) == 7, "and other noise than training, batch by batch"


def test_step_counts_optimiser_steps():
    module = Tiny()
    fit(module, steps=3, accumulate=2)
    assert module.steps == [0, 0, 1, 1, 2, 2] and module.step == 3 and module.batches == 6


@pytest.mark.parametrize(("name", "old"), [("data", "points"), ("trainer.global_batch", 8), ("processes", 2)])
def test_resumed_run_must_agree(name, old):
    now = {"data": "other", "trainer.global_batch": 4, "processes": 1}
    callback = Checkpoints(Path("run/checkpoints"), 1, 1, 1, now)
    with pytest.raises(CheckpointError, match=rf"run/checkpoints: this run was begun with {name} = {old}, now it is"):
        callback.load_state_dict({"agreement": now | {name: old}})
    callback.load_state_dict({"agreement": now})


def test_adam_takes_the_given_rate_and_decay_chooses_the_kind():
    from facegen_core.config import OptimConfig

    plain = build_adam([nn.Parameter(torch.ones(2))], OptimConfig(lr=0.25, betas=(0.5, 0.75)))
    assert type(plain) is torch.optim.Adam and plain.defaults["lr"] == 0.25 and plain.defaults["betas"] == (0.5, 0.75)
    decayed = build_adam([nn.Parameter(torch.ones(2))], OptimConfig(weight_decay=0.1))
    assert type(decayed) is torch.optim.AdamW and decayed.defaults["weight_decay"] == 0.1


def test_scalars_are_the_one_element_tensors_without_their_graph():
    weight = torch.ones(3, requires_grad=True)
    found = scalars({"loss": weight.sum(), "image": weight, "one": torch.ones(1), "text": "no"})
    assert {key: float(value) for key, value in found.items()} == {"loss": 3, "one": 1}
    assert not found["loss"].requires_grad
    assert list(scalars(torch.tensor(2.0))) == ["loss"] and scalars(None) == {}
