"""What the VQGAN's two networks minimise beside distances between pictures (Esser et al. 2021, section 3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_ADAPTIVE = 1e4
NO_GRADIENT = 1e-4
"""Added to the norm that divides [A]."""


def hinge_discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """Half of ``max(0, 1 - real) + max(0, 1 + made)``, each a mean over all patches [A].

    Args:
        real: scores of true pictures, of any shape.
        made: scores of reconstructions.
    """
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + made).mean())


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last_layer: Tensor) -> Tensor:
    """How much the discriminator must be weighed to pull as strongly at the decoder's last layer as the reconstruction.

    ``|d reconstruction| / (|d adversarial| + 1e-4)``, clamped to [0, 1e4] (equation 7) [A].

    Args:
        reconstruction: (), the loss of reconstruction.
        adversarial: (), the generator's loss.
        last_layer: weight of the decoder's last convolution.

    Returns:
        (), without a gradient.
    """
    pulls = [
        torch.autograd.grad(loss, last_layer, retain_graph=True)[0].float().norm()
        for loss in (reconstruction, adversarial)
    ]
    return (pulls[0] / (pulls[1] + NO_GRADIENT)).clamp(0, MOST_ADAPTIVE).detach()
