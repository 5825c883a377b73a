"""Whether pictures of one person are more alike than those of two."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from facegen_core.metrics.functional.auc import exact_auc
from facegen_core.metrics.kept_rows import add_rows, all_rows, keep_rows


class VerificationAUC(Metric):
    """Area under the ROC curve of the cosine over all pairs of embeddings.

    ``compute`` gives NaN where no two are of one person, or none of two.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_dtype(torch.float64)  # of the rows: embeddings, and who it is
        keep_rows(self, "rows")

    def update(self, embeddings: Tensor, identities: Tensor) -> None:
        """Takes in embeddings (B, D) of length 1 and who they are (B,)."""
        if len(embeddings):
            add_rows(self, "rows", torch.cat([identities[:, None].double(), embeddings.double()], dim=1))

    def compute(self) -> Tensor:
        rows = all_rows(self, "rows")
        identities, embeddings = rows[:, 0], rows[:, 1:]
        first, second = torch.triu_indices(len(rows), len(rows), 1, device=rows.device)
        cosines = (embeddings @ embeddings.T)[first, second]
        same = identities[first] == identities[second]
        return torch.tensor(exact_auc(cosines[same], cosines[~same]))
