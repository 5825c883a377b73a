"""Lightning's logger over the journal. Also used alone, where there is no Trainer (``facegen evaluate``)."""

import dataclasses
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from experiments.tracking.journal import Journal
from experiments.tracking.mlflow_run import resolve_tracking_uri
from experiments.tracking.record import environment, run_record
from experiments.tracking.sender import Sender
from experiments.tracking.sent import public_uri
from experiments.tracking.system_metrics import SystemMonitor
from facegen_core.images import to_uint8
from facegen_core.progress import say

STATUS = {"success": "FINISHED", "finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}


class JournalLogger(Logger):
    """Records a run in its folder, from where it is delivered to MLflow whether or not a server is there now.

    Nothing is opened before the first call that logs, and nothing on ranks other than 0. After :meth:`finalize` a
    further call opens the run again (``trainer.test`` after ``trainer.fit``), as does a resumed process.

    Args:
        run_dir: the run's folder.
        experiment: MLflow's experiment.
        run_name: what MLflow calls the run.
        tracking_uri: an MLflow server or ``sqlite:///<file>``; "" records on disk alone.
        tags: tags beside those of :func:`record.run_record`.
        parent: :attr:`run_key` of the run that this one belongs to, or None.
        system_metrics: whether the machine's load is recorded every ten seconds.
        drain_seconds: how long :meth:`finalize` waits for a server that answers.
    """

    def __init__(
        self,
        run_dir: Path,
        experiment: str,
        run_name: str,
        tracking_uri: str,
        tags: dict[str, str],
        parent: str | None = None,
        system_metrics: bool = True,
        drain_seconds: float = 60.0,
    ) -> None:
        super().__init__()
        self.run_dir = Path(run_dir).absolute()
        self.tracking_uri = resolve_tracking_uri(tracking_uri)
        self._experiment, self._run_name, self._tags, self._parent = experiment, run_name, dict(tags), parent
        self._system_metrics, self._drain_seconds = system_metrics, drain_seconds
        self._journal: Journal | None = None
        self._sender: Sender | None = None
        self._monitor: SystemMonitor | None = None
        self._last_status: str | None = None
        self._run_key = ""
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        return self._experiment

    @property
    def version(self) -> str:
        return self._run_name

    @property
    def save_dir(self) -> str:
        return str(self.run_dir)

    @property
    @rank_zero_experiment
    def experiment(self) -> Journal:
        """The run's journal, opened at the first use; a dummy that takes any call on other ranks."""
        return self._open()

    @property
    def run_key(self) -> str:
        """What identifies the run for ever and everywhere; a child takes it as ``parent``. "" on ranks above 0."""
        if not self._run_key and getattr(rank_zero_only, "rank", 0) == 0:
            self._open()
        return self._run_key

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Records numbers or tensors of one element; what is not a number is left out, and said once."""
        values = {}
        for key, value in metrics.items():
            try:
                values[key] = float(value)
            except (TypeError, ValueError, RuntimeError):
                self._say_once(f"tracking: {key} is not a number ({type(value).__name__}) and is not recorded")
        self._open().metrics(values, 0 if step is None else int(step))

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Records parameters, nested ones under names joined by dots."""
        self._open().params(flatten(params))

    @rank_zero_only
    def log_picture(self, key: str, image: torch.Tensor | Image.Image, step: int) -> None:
        """Records a picture of one step, for MLflow's Image Grid.

        Args:
            key: what it shows; the same key at other steps is the same panel.
            image: (3, H, W) in [0, 1], or a PIL image.
            step: the training step.

        Raises:
            ValueError: if the image has another shape.
        """
        picture = Image.fromarray(to_uint8(image)) if isinstance(image, torch.Tensor) else image
        try:
            self._open().picture(key, picture, int(step))
        except OSError as error:
            self._say_once(f"tracking: a picture could not be written ({error.strerror}) and is lost")

    @rank_zero_only
    def log_file(self, path: Path, artifact_dir: str = "") -> None:
        """Records a copy of a file, made now, as an artifact.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        self._open().file(Path(path), artifact_dir)

    @rank_zero_only
    def log_dict_artifact(self, d: Mapping[str, Any], name: str) -> None:
        """Records a dictionary as the artifact ``name``, whose ending (.json, .yaml) says how."""
        self._open().dictionary(d, name)

    @rank_zero_only
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags of the run."""
        self._open().set_tags(tags)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Records the end ("success", "failed", "killed") and waits until the server has all, if there is one."""
        ended = STATUS.get(status, "FAILED")
        if self._journal is None:
            # Lightning calls every end by an exception "failed"; a run that was stopped by a signal stays "killed".
            if self._last_status in (None, ended) or (self._last_status, ended) == ("KILLED", "FAILED"):
                return
            self._open()
        assert self._journal is not None
        if self._monitor is not None:
            self._monitor.stop()
        self._journal.end(ended)
        self._journal.close()
        self._journal, self._monitor, self._last_status = None, None, ended
        if self._sender is not None:
            waiting = self._sender.close(self._drain_seconds)
            self._sender = None
            if waiting:
                uri = public_uri(self.tracking_uri)
                say(
                    f"tracking: {waiting} records wait in {self.run_dir / 'tracking'} for {uri};"
                    " `facegen compare` and `make dashboard` deliver them"
                )

    def _open(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self.run_dir, self._experiment, self._run_name, self._tags, self._parent)
            self._run_key = self._journal.run_key
            if self.tracking_uri:
                self._sender = Sender(self.run_dir, self.tracking_uri)
                self._sender.start()
            self._journal.set_tags(run_record())
            self._journal.dictionary(environment(), "environment.json")
            if self._system_metrics:
                self._monitor = SystemMonitor(self._journal)
        return self._journal

    def _say_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            say(message)


def flatten(params: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings, dataclasses and namespaces as one flat mapping whose names are joined by dots."""
    if isinstance(params, Namespace):
        params = vars(params)
    elif dataclasses.is_dataclass(params) and not isinstance(params, type):
        params = {field.name: getattr(params, field.name) for field in dataclasses.fields(params)}
    if not isinstance(params, Mapping):
        return {prefix: params}
    flat: dict[str, Any] = {}
    for key, value in params.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat
