"""What the training stages of 3DFaceCAM's two GANs share."""

from abc import ABC, abstractmethod
from typing import Any, cast

import torch
from torch import Tensor, nn

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from lightning_modules.base import FaceGenModule, build_adam


class IdentityGANModule(FaceGenModule, ABC):
    """One discriminator and one generator step a batch [C], of people whom a table of z_id names.

    A subclass builds ``generator`` and ``discriminator`` and says what each of them minimises.

    Args:
        config: networks and objective.
        sizes: what the data and earlier stages decide about the networks.
        optim: Adam's settings, the same for both.
        identity_codes: z_id of the people trained on; becomes part of the checkpoint.
        hyperparameters: what else a checkpoint must tell so that the module can be built from it.
    """

    optim: OptimConfig
    generator: nn.Module
    discriminator: nn.Module

    network = "generator"
    optimizers_per_step = 2
    find_unused_parameters = True

    def __init__(
        self,
        config: Any,
        sizes: Any,
        optim: OptimConfig | dict[str, Any],
        identity_codes: IdentityCodes,
        **hyperparameters: Any,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.sizes, self.optim = config, sizes, as_config(OptimConfig, optim)
        settings = {"model": to_plain(config), "sizes": to_plain(sizes), "optim": to_plain(self.optim)}
        self.save_hyperparameters(settings | hyperparameters)
        self.identity_codes = identity_codes

    @abstractmethod
    def discriminator_losses(self, batch: Any) -> dict[str, Tensor]:
        """What the discriminator minimises on a batch, ``d_loss``, and the terms of it."""

    @abstractmethod
    def generator_losses(self, batch: Any) -> dict[str, Tensor]:
        """What the generator minimises on a batch, ``loss``, and the terms of it."""

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        first, second = cast(tuple[Any, Any], self.optimizers())
        losses = self._step(first, "d_loss", lambda: self.discriminator_losses(batch))
        return losses | self._step(second, "loss", lambda: self.generator_losses(batch))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint made with another z_id table than the one in use.

        Raises:
            CheckpointError: the tables differ, or other weights do.
        """
        super().on_load_checkpoint(checkpoint)
        self.identity_codes.refuse_others(checkpoint["state_dict"], "identity_codes.")

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return (
            build_adam(self.discriminator.parameters(), self.optim),
            build_adam(self.generator.parameters(), self.optim),
        )

    def _noise(self, count: int) -> Tensor:
        return torch.randn(count, self.config.noise_dim, device=self.device)
