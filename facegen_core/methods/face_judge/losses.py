"""What the judges learn by."""

import torch
import torch.nn.functional as F
from torch import Tensor


def supervised_contrastive(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Pictures of one person together, those of others apart (Khosla et al. 2020, L_out of equation 2).

    Args:
        embeddings: (N, D), of length 1.
        labels: (N,) who it is.
        temperature: divides the cosines.

    Returns:
        Scalar, the mean over pictures that have a partner in the batch; 0 where none has.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    similarity = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    partners = (labels[:, None] == labels) & ~itself
    log_share = (similarity - similarity.logsumexp(1, keepdim=True)).masked_fill(~partners, 0.0)
    count = partners.sum(1)
    return -(log_share.sum(1) / count.clamp(min=1)).sum() / (count > 0).sum().clamp(min=1)


def margin_softmax(cosines: Tensor, labels: Tensor, scale: float = 30.0, margin: float = 0.2) -> Tensor:
    """Softmax over people with an additive margin on the cosine (CosFace, Wang et al. 2018, equation 4).

    Args:
        cosines: (N, P) of each embedding with each person's centre.
        labels: (N,) who it is.
        scale: the length that embeddings are taken to have.
        margin: by which the right person's cosine must exceed the others'.
    """
    right = F.one_hot(labels, cosines.shape[1]).to(cosines.dtype)
    return F.cross_entropy(scale * (cosines - margin * right), labels)
