"""Training stage of EmotionClipFinetune: the denoiser is tuned until its edits reach one emotion."""

from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from facegen_core.checkpoint import weights_digest
from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.clip_finetune_config import ClipFinetuneConfig
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.finetune_losses import FinetuneLosses, total
from facegen_core.methods.emotion_ldm.first_stage import decode
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel, reverse_emotion
from facegen_core.methods.emotion_ldm.unrolled import Checkpointed
from facegen_core.types import PoolBatch
from lightning_modules.base import FaceGenModule, build_adam


class EmotionClipModule(FaceGenModule):
    """Inverted pictures are brought back under the target emotion in few steps, and what becomes of them is compared.

    Gradients pass the decoder and all steps. The U-Net alone is tuned; embeddings and first stage are frozen [P, A].

    Args:
        model: the network, and the noise's schedule.
        finetune: what is tuned towards.
        optim: AdamW's settings.
        untuned: the network that the pictures were inverted with: its weights are the first.
        first_stage: the frozen autoencoder; like the losses it stays out of checkpoints.
        losses: by frozen networks.
    """

    optim: OptimConfig
    network = "denoiser.unet"
    bars: Tensor

    def __init__(
        self,
        model: DenoiserConfig | dict[str, Any],
        finetune: ClipFinetuneConfig | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        untuned: EmotionDenoiser,
        first_stage: nn.Module,
        losses: FinetuneLosses,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # the norm of the gradients is logged with the losses
        self.model, self.optim = as_config(DenoiserConfig, model), as_config(OptimConfig, optim)
        self.finetune = as_config(ClipFinetuneConfig, finetune)
        plain = {name: to_plain(value) for name, value in (("model", self.model), ("finetune", self.finetune))}
        self.save_hyperparameters(plain | {"optim": to_plain(self.optim), "untuned": weights_digest(untuned)})
        self.denoiser = EmotionDenoiser(self.model)
        self.denoiser.load_state_dict(untuned.state_dict())
        for frozen in (*self.denoiser.emotions.parameters(), self.denoiser.null):
            frozen.requires_grad_(False)
        self.register_buffer("bars", alpha_bars(self.model.schedule), persistent=False)
        self._frozen = (untuned, first_stage, losses)  # in a tuple, so that they are no submodules

    @property
    def untuned(self) -> EmotionDenoiser:
        """The network as it was."""
        return self._frozen[0]

    @property
    def losses(self) -> FinetuneLosses:
        """What is minimised."""
        return self._frozen[2]

    def training_step(self, batch: PoolBatch, batch_idx: int) -> dict[str, Tensor]:
        optimizer = cast(Any, self.optimizers())
        with optimizer.toggle_model(sync_grad=self.last_of_step):
            made = self.edited(Checkpointed(self.denoiser), batch["latent"], self.finetune.train_steps)
            values = total(self.finetune, self.losses(made, batch["reference"], batch["emotion"]))
            self.manual_backward(values["loss"] / self.accumulate)
            if self.last_of_step:
                trained = (weight.grad for weight in self.denoiser.parameters() if weight.grad is not None)
                values["grad_norm"] = torch.nn.utils.get_total_norm(trained)
                optimizer.step()
                optimizer.zero_grad()
        return {name: value.detach() for name, value in values.items()}

    def validation_step(self, batch: PoolBatch, batch_idx: int) -> dict[str, Tensor]:
        """Edits in as many steps as they will have in use."""
        return self.measured(self.denoiser, batch)

    @torch.no_grad()
    def measured(self, model: EmotionModel, batch: PoolBatch) -> dict[str, Tensor]:
        """Pictures in [0, 1] and the terms of the loss, edited by the tuned network or the one it was."""
        made = self.edited(model, batch["latent"], self.finetune.edit.steps)
        terms = self.losses(made, batch["reference"], batch["emotion"])
        return {
            "made": from_signed(made),
            "reference": from_signed(batch["reference"]),
            "target": torch.full_like(batch["emotion"], self.finetune.target_label),
            "emotion": batch["emotion"],
            **terms._asdict(),
        }

    def edited(self, model: EmotionModel, latents: Tensor, steps: int) -> Tensor:
        """Pictures (B, 3, R, R), about [-1, 1] and not clamped, of latents brought back under the target emotion."""
        target = torch.full((len(latents),), self.finetune.target_label, device=latents.device)
        clean = reverse_emotion(model, latents, target, replace(self.finetune.edit, steps=steps), self.bars)
        return decode(self._frozen[1], clean)

    def on_fit_start(self) -> None:
        self.place_frozen()

    def place_frozen(self) -> None:
        """Brings the frozen networks that take part in a step to where this module is."""
        for network in self._frozen[1:]:
            network.to(self.device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_adam([weight for weight in self.denoiser.parameters() if weight.requires_grad], self.optim)
