"""Whether pictures of one person are more alike than those of two."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from facegen_core.metrics.functional.auc import exact_auc


class VerificationAUC(Metric):
    """Area under the ROC curve of the cosine over all pairs of embeddings; ``compute`` gives NaN without pairs."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    embeddings: list[Tensor]
    identities: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("embeddings", default=[], dist_reduce_fx="cat")
        self.add_state("identities", default=[], dist_reduce_fx="cat")

    def update(self, embeddings: Tensor, identities: Tensor) -> None:
        """Takes in embeddings (B, D) of length 1 and who they are (B,)."""
        self.embeddings.append(embeddings.to(self.dtype))
        self.identities.append(identities)

    def compute(self) -> Tensor:
        if len(self.identities) == 0:  # a tensor once processes have shared theirs
            return torch.tensor(float("nan"))
        embeddings, identities = dim_zero_cat(self.embeddings), dim_zero_cat(self.identities)
        first, second = torch.triu_indices(len(identities), len(identities), 1, device=identities.device)
        cosines = (embeddings @ embeddings.T)[first, second]
        same = identities[first] == identities[second]
        return torch.tensor(exact_auc(cosines[same], cosines[~same]))
