"""The table of z_id: one fixed code a person, shared by the shape GAN and the texture GAN [C]."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from facegen_core.errors import CheckpointError
from facegen_core.files import atomic_path
from facegen_core.methods.face3d.config import IdentityCodeKind
from facegen_core.seeding import torch_generator

_CODES = 40


class IdentityCodes(nn.Module):
    """One code for every person trained on; part of the checkpoint, never trained.

    Args:
        codes: (I, D) float32.
        people: (I,) int64, the people's numbers in the data set, in the order of their labels.
        kind: how the codes were made.
    """

    codes: Tensor
    people: Tensor

    def __init__(self, codes: Tensor, people: Tensor, kind: IdentityCodeKind = "gaussian") -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("codes", codes)
        self.register_buffer("people", people)

    @classmethod
    def draw(cls, people: Tensor, dim: int, seed: int, kind: IdentityCodeKind = "gaussian") -> Self:
        """A table for ``people`` (I,): Gaussian codes of length ``dim``, or one-hot ones of length I."""
        if kind == "one_hot":
            return cls(torch.eye(len(people)), people, kind)
        return cls(torch.randn(len(people), dim, generator=torch_generator(seed, _CODES)), people, kind)

    def forward(self, labels: Tensor) -> Tensor:
        """Codes (B, D) of identity labels (B,)."""
        return self.codes[labels]

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Codes (count, D) of new people.

        Gaussian: new draws from N(0, I). One-hot codes know no others than those trained on; the paper does not say how
        it drew new people, here each is a mixture, in random shares, of two of them.
        """
        if self.kind == "gaussian":
            return torch.randn(count, self.codes.shape[1], generator=generator)
        pairs = torch.randint(len(self.codes), (2, count), generator=generator)
        share = torch.rand(count, 1, generator=generator)
        return self.codes.cpu()[pairs[0]] * share + self.codes.cpu()[pairs[1]] * (1 - share)

    def save(self, path: Path) -> None:
        """Writes the table as safetensors."""
        with atomic_path(path) as temporary:
            tensors = {"codes": self.codes.cpu(), "people": self.people.cpu()}
            safetensors.torch.save_file(tensors, temporary, {"kind": self.kind})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a table written by :meth:`save`.

        Raises:
            CheckpointError: the file is missing or not such a table.
        """
        try:
            with safetensors.safe_open(path, "pt") as file:
                kind: IdentityCodeKind = "one_hot" if file.metadata()["kind"] == "one_hot" else "gaussian"
                return cls(file.get_tensor("codes"), file.get_tensor("people"), kind)
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}: not a table of identity codes ({error}).") from None

    def of_people(self, people: Tensor) -> "IdentityCodes":
        """The rows of ``people`` (I,), in their order: a texture set may hold fewer people than the meshes do.

        Raises:
            CheckpointError: somebody has no code.
        """
        row = {int(person): i for i, person in enumerate(self.people)}
        if missing := [int(person) for person in people if int(person) not in row]:
            raise CheckpointError(
                f"the table of identity codes has {len(row)} people and lacks {len(missing)} of those trained on here, "
                f"such as {missing[0]}. Shape and texture need one table that has them all."
            )
        return IdentityCodes(self.codes[[row[int(person)] for person in people]], people, self.kind)

    def agrees_with(self, other: "IdentityCodes") -> bool:
        """Whether the people that both tables have, at least one, have the same codes in both."""
        ours, theirs = (dict(zip(t.people.tolist(), t.codes.cpu(), strict=True)) for t in (self, other))
        shared = ours.keys() & theirs.keys()
        return bool(shared) and all(torch.equal(ours[person], theirs[person]) for person in shared)

    def refuse_others(self, weights: Mapping[str, Tensor], prefix: str) -> None:
        """Compares this table with the one in a checkpoint.

        Args:
            weights: the checkpoint's.
            prefix: of this module's names in it.

        Raises:
            CheckpointError: the tables differ.
        """
        for name in ("codes", "people"):
            if not torch.equal(weights[prefix + name].cpu(), getattr(self, name).cpu()):
                raise CheckpointError(
                    "this checkpoint was made with another table of identity codes (z_id) than the one in "
                    "identity_codes=. Give it the table it was trained with: it is in the folder of its SAE."
                )
