"""ShapeCGAN's training step: whose weights move, that it learns, and which checkpoints it takes."""

import pytest
import torch
import torch.nn.functional as F
from helpers.fitting import fit, fit_watched
from torch import Tensor

from facegen_core.config import OptimConfig
from facegen_core.errors import CheckpointError
from facegen_core.methods.face3d.config import CodeSizes, ShapeGANConfig
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.types import CodeBatch
from lightning_modules.shape_cgan import ShapeCGANModule

PEOPLE, EXPRESSIONS, IDENTITY, EXPRESSION = 6, 3, 8, 4
SIZES = CodeSizes(IDENTITY, EXPRESSION, 5, PEOPLE, EXPRESSIONS)
SMALL = ShapeGANConfig(generator_hidden=(32, 32, 32), discriminator_hidden=(32, 32, 32), dropout=0.0)


def module(seed: int = 0, lr: float = 1e-3) -> ShapeCGANModule:
    torch.manual_seed(seed)
    table = IdentityCodes.draw(torch.arange(1, 1 + PEOPLE), 5, seed)
    classifier = torch.eye(EXPRESSIONS, EXPRESSION), torch.zeros(EXPRESSIONS)
    return ShapeCGANModule(SMALL, SIZES, OptimConfig(lr=lr), table, classifier)


def batches(count: int, size: int = 32) -> list[CodeBatch]:
    """Codes that say who and what: a person's own identity code, an expression code along the expression's axis."""
    generator = torch.Generator().manual_seed(1)
    people = torch.randn(PEOPLE, IDENTITY, generator=generator)
    made = []
    for _ in range(count):
        who, what = (torch.randint(n, (size,), generator=generator) for n in (PEOPLE, EXPRESSIONS))
        noise = 0.1 * torch.randn(size, EXPRESSION, generator=generator)
        made.append(
            CodeBatch(
                identity_code=people[who],
                expression_code=3 * F.one_hot(what, EXPRESSION) + noise,
                identity=who,
                expression=what,
            )
        )
    return made


def test_gradients_reach_only_the_network_whose_turn_it_is():
    critic, maker = fit_watched(module(), batches(1))
    assert {name.partition(".")[0] for name in critic} == {"discriminator"}
    assert {name.partition(".")[0] for name in maker} == {"generator"}


def test_z_id_is_never_trained():
    model = module()
    before = model.identity_codes.codes.clone()
    fit(model, batches(3))
    assert torch.equal(model.identity_codes.codes, before)


def made(model: ShapeCGANModule) -> tuple[Tensor, Tensor]:
    """Expressions read off new people's codes by the classifier, and those asked for."""
    torch.manual_seed(5)
    with torch.no_grad():
        step = model.validation_step(batches(1, 300)[0], 0)
    return step["expression_logits"].argmax(1), step["expression"]


def test_new_people_make_the_expression_asked_for_once_it_is_trained():
    model = module()
    read, asked = made(model)
    assert (read == asked).float().mean() < 0.7
    fit(model, batches(300))
    read, asked = made(model)
    assert (read == asked).float().mean() > 0.85


def test_checkpoint_of_another_table_of_people_is_refused():
    own, other = module(seed=0), module(seed=1)
    own.on_load_checkpoint({"state_dict": own.state_dict()})
    with pytest.raises(CheckpointError, match=r"another table of identity codes \(z_id\)"):
        own.on_load_checkpoint({"state_dict": other.state_dict()})
