"""The Evaluator with picture metrics: details and protocols reach the logger."""

import lightning.pytorch as pl
import pytest
import torch
from helpers.judges import Corner, NoContempt, Projection, pictures, prompt_vectors, with_faces
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from experiments.tracking.journal import read_records, tracking_folder
from experiments.tracking.logger import JournalLogger
from facegen_core.metrics.emotion import EmotionAccuracy
from facegen_core.metrics.functional.identity import id_cosine
from facegen_core.metrics.identity import IdentityCosine
from facegen_core.metrics.prompt_similarity import PromptSimilarity
from lightning_modules.base import FaceGenModule
from lightning_modules.callbacks.evaluator import Evaluator

COUNT = 6
SOURCE = with_faces(pictures(COUNT, 0), [True, True, True, True, False, True])
EDITED = with_faces(pictures(COUNT, 1), [True] * COUNT)
TARGET = torch.arange(COUNT)
JUDGE = Projection(6)


class Editor(FaceGenModule):
    """Hands over what the metrics read."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def test_step(self, batch, batch_idx):
        rows = batch.long()
        return {"edited": EDITED[rows], "source": SOURCE[rows], "target": TARGET[rows],
                "prompt": [f"person {row}" for row in rows], "error": rows.float()}  # fmt: skip

    validation_step = test_step


def _evaluator() -> Evaluator:
    return Evaluator(
        {
            "id_cosine": (IdentityCosine(JUDGE, Corner()), ("edited", "source")),
            "emotion_accuracy": (EmotionAccuracy(NoContempt()), ("edited", "target")),
            "prompt_similarity": (PromptSimilarity(Projection(16), prompt_vectors), ("edited", "prompt")),
            "error": (MeanMetric(), ("error",)),
        }
    )


def _trainer(evaluator: Evaluator, logger: Logger) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu", logger=logger, callbacks=[evaluator], enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def logged(tmp_path_factory) -> tuple[dict[str, float], dict[str, str], int]:
    """Metrics and tags in a run's journal after two equal validations and a test, and how often tags were set."""
    folder = tmp_path_factory.mktemp("run")
    logger = JournalLogger(folder, "toy", "run", "", {}, system_metrics=False)
    trainer, loader = _trainer(_evaluator(), logger), DataLoader(torch.arange(COUNT).float(), batch_size=4)
    for _ in range(2):
        trainer.validate(Editor(), loader, verbose=False)
    trainer.test(Editor(), loader, verbose=False)
    logger.finalize("success")
    records = [record.data for record in read_records(tracking_folder(folder) / "journal.jsonl", 0)]
    values = {k: v for record in records if record["kind"] == "metrics" for k, v in record["values"].items()}
    tags = [
        record["values"] for record in records if record["kind"] == "tags" and "judge.id_cosine" in record["values"]
    ]
    return values, tags[-1], len(tags)


def test_values_and_details_are_logged_side_by_side(logged):
    values, _, _ = logged
    kept = [i for i in range(COUNT) if i != 4]
    crops = (x[kept][..., 1:-1, 1:-1] for x in (EDITED, SOURCE))
    assert values["test/id_cosine"] == pytest.approx(id_cosine(*map(JUDGE, crops)), abs=1e-6)
    assert values["test/id_cosine_face_found"] == pytest.approx(5 / 6)
    predicted = NoContempt()(EDITED).argmax(1)
    assert values["test/emotion_accuracy"] == pytest.approx(float((predicted == TARGET).float().mean()))
    assert values["test/emotion_accuracy_share_happy"] == pytest.approx(float((predicted == 1).float().mean()))
    assert values["test/error"] == 2.5
    assert values["val/prompt_similarity"] == values["test/prompt_similarity"]


def test_the_protocol_is_logged_as_tags(logged):
    _, tags, _ = logged
    expected = {
        "judge.id_cosine": "projection to 6",
        "protocol.id_cosine.formula": "mean cosine over pairs",
        "protocol.id_cosine.framing": "bright corner, crop by one",
        "protocol.id_cosine.resize": "the judge's own",
        "protocol.id_cosine.no_face": "the pair is left out and counted",
        "protocol.id_cosine.count": "5",
        "protocol.id_cosine.without_face": "1",
        "judge.emotion_accuracy": "projection to 8",
        "protocol.emotion_accuracy.count": "6",
    }
    assert {key: tags[key] for key in expected} == expected
    assert all(isinstance(value, str) for value in tags.values())
    assert not [key for key in tags if "error" in key], "a metric without a protocol has no tags"


def test_equal_protocols_are_set_once(logged):
    assert logged[2] == 1
