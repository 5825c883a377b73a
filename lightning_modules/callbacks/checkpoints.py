"""When checkpoints are written, and what a resumed run must agree on."""

import signal
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from lightning.pytorch.utilities.exceptions import SIGTERMException

from facegen_core.checkpoint import digest_path, list_checkpoints, load_checkpoint, save_checkpoint
from facegen_core.errors import CheckpointError
from facegen_core.progress import say
from lightning_modules.base import FaceGenModule


class VerifiedCheckpointIO(CheckpointIO):
    """Lightning's door to checkpoint files: atomic writes with a digest, reads that refuse altered files and code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save_checkpoint(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return load_checkpoint(Path(path), map_location or "cpu")

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)
        digest_path(Path(path)).unlink(missing_ok=True)


class Checkpoints(pl.Callback):
    """Writes ``<step>.ckpt`` every so many optimiser steps, at the end, and on SIGTERM or Ctrl-C, which end the run.

    Only ends of optimiser steps are saved, since half-accumulated gradients are not part of a checkpoint; and where a
    validation pass is due, its end, so that a resumed run neither repeats nor misses the pass. Must come last in the
    list, so that the other callbacks' states are those after the step.

    Args:
        folder: where the files go.
        every: optimiser steps between checkpoints.
        keep: how many of the newest to keep.
        validate_every: optimiser steps between validation passes; 0 if there are none.
        agreement: facts that a resumed run must share (data digest, global batch, processes): name -> value.
    """

    state_key = "checkpoints"

    def __init__(self, folder: Path, every: int, keep: int, validate_every: int, agreement: dict[str, Any]) -> None:
        self.folder, self.every, self.keep, self.validate_every = folder, every, keep, validate_every
        self.agreement = agreement
        self.last_saved = -1
        self.signum = 0
        """The signal that asked this process to stop, or 0."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Lightning's own SIGTERM handler broadcasts from inside the handler, which can fall between two halves of
        # DDP's collectives. Ours only takes a note; the processes agree on it at the end of a batch.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._note_signal)
        if trainer.is_global_zero:
            self._set_aside(pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if pl_module.batches % pl_module.accumulate != 0:
            return
        if self.validate_every and pl_module.step % self.validate_every == 0:
            return  # saved, and stopped if asked, once the validation pass that comes now is done
        self._stop_if_asked(trainer, pl_module)
        if pl_module.step % self.every == 0:
            self._save(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if trainer.state.fn == "fit":
            self._stop_if_asked(trainer, pl_module)
            if pl_module.step % self.every == 0:
                self._save(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._save(trainer, pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, SIGTERMException):
            for logger in trainer.loggers:
                logger.finalize("killed")  # before Lightning says "failed"

    def state_dict(self) -> dict[str, Any]:
        return {"agreement": self.agreement}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict["agreement"].items():
            if (now := self.agreement.get(name)) != value:
                raise CheckpointError(
                    f"{self.folder}: this run was begun with {name} = {value}, now it is {now}; a resumed run would "
                    f"not be the same run. Restore it, or start a new run without resume=."
                )

    def _set_aside(self, pl_module: pl.LightningModule) -> None:
        """Renames checkpoints of steps that this run has yet to reach: they would pass for its newest."""
        assert isinstance(pl_module, FaceGenModule)
        later = [path for path in list_checkpoints(self.folder) if int(path.stem) > pl_module.step]
        for path in later:
            path.rename(path.with_suffix(".ckpt.set_aside"))
            digest_path(path).unlink(missing_ok=True)
        if later:
            say(f"{self.folder}: {len(later)} checkpoints after step {pl_module.step} are set aside as *.set_aside")

    def _stop_if_asked(self, trainer: pl.Trainer, pl_module: FaceGenModule) -> None:
        """Saves and ends the run on all processes if any of them was sent a signal."""
        if trainer.strategy.reduce_boolean_decision(bool(self.signum), all=False):
            self._save(trainer, pl_module)
            if trainer.is_global_zero:
                say(f"stopped on request: step {pl_module.step} is saved; continue with resume={self.folder.parent}")
            raise SIGTERMException(128 + (self.signum or signal.SIGTERM))  # as a shell reports a process so ended

    def _save(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if pl_module.step == self.last_saved:
            return
        self.last_saved = pl_module.step
        trainer.save_checkpoint(
            self.folder / f"{pl_module.step:07d}.ckpt", weights_only=False
        )  # with optimiser and loops
        if trainer.is_global_zero:
            for path in list_checkpoints(self.folder)[self.keep :]:
                trainer.strategy.remove_checkpoint(path)

    def _note_signal(self, signum: int, frame: Any) -> None:
        if self.signum:  # asked twice: do not wait for the end of the step
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        self.signum = signum
