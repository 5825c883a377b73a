"""The shape auto-encoder against the paper's tables 3 and 4, its equation 1, and numpy."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

import experiments.face3d
import experiments.face3d.sae
from experiments.face3d.data import expression_labels
from experiments.stage import load_stage_config
from facegen_core.losses.classification import masked_bce
from facegen_core.methods.face3d.autoencoder import SAEOutput, ShapeAutoencoder, sae_loss
from facegen_core.methods.face3d.config import MeshSizes, SAEConfig

PUBLISHED = Path(experiments.face3d.__file__).parent / "published"
FACESCAPE = MeshSizes(vertices=26_317, identities=847, expressions=20)
BP4D_UNITS = 34


def _full_size(**settings) -> ShapeAutoencoder:
    """The networks at FaceScape's size, without their gigabyte of weights."""
    with torch.device("meta"):
        return ShapeAutoencoder(SAEConfig(**settings), FACESCAPE)


def _small(**settings) -> tuple[ShapeAutoencoder, SAEConfig]:
    torch.manual_seed(0)
    config = SAEConfig(hidden=(12, 10), identity_dim=6, expression_dim=4, **settings)
    return ShapeAutoencoder(config, MeshSizes(vertices=7, identities=5, expressions=3)), config


def _count(*networks: nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def _dense(rows: int, columns: int) -> int:
    return rows * columns + columns


def _layers(network: nn.Module) -> list[str]:
    """Layers as the paper's tables write them."""
    words = []
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            words.append(f"{layer.in_features} -> {layer.out_features}")
        elif isinstance(layer, nn.LeakyReLU):
            words.append(f"LeakyReLU({layer.negative_slope})")
    return words


def _published(table: str, column: str, **sizes: int) -> list[str]:
    """The layers of a table's column with its names of sizes replaced by their values."""
    with (PUBLISHED / table).open(newline="") as file:
        cells = [row[column] for row in csv.DictReader(file) if row["layer"].startswith(("Linear", "Activation"))]
    for name, size in {"num_verts*3": 3 * FACESCAPE.vertices, **sizes}.items():
        cells = [re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", str(size), cell) for cell in cells]
    return cells


def test_parameter_counts_are_those_of_the_released_code():
    """Counts of the released networks at FaceScape's size; each encoder's includes its classifier."""
    model = _full_size()
    counts = (
        _count(model.identity_encoder, model.identity_classifier),
        _count(model.expression_encoder, model.expression_classifier),
        _count(model.decoder),
    )
    assert counts == (81_508_495, 81_387_658, 81_517_159)
    assert round(_count(model) / 1e6, 1) == 244.4


def test_parameter_count_is_the_sum_of_dense_layers():
    coordinates = 3 * FACESCAPE.vertices
    encoders = 2 * (_dense(coordinates, 1024) + _dense(1024, 512)) + _dense(512, 100) + _dense(512, 30)
    decoder = _dense(130, 512) + _dense(512, 1024) + _dense(1024, coordinates)
    assert _count(_full_size()) == encoders + decoder + _dense(100, 847) + _dense(30, 20)


@pytest.mark.parametrize(
    ("column", "encoder", "classifier"),
    [
        ("id_encoder", "identity_encoder", "identity_classifier"),
        ("exp_encoder", "expression_encoder", "expression_classifier"),
    ],
)
def test_encoders_are_those_of_table_3(column, encoder, classifier):
    model = _full_size()
    expected = _published("table3_encoder.csv", column, n_id=847, n_exp=20)
    assert _layers(getattr(model, encoder)) + _layers(getattr(model, classifier)) == expected


@pytest.mark.parametrize(("column", "code"), [("id_decoder", "ID embedding"), ("exp_decoder", "Exp embedding")])
def test_decoder_is_that_of_table_4_on_both_codes(column, code):
    """The table prints a decoder for each code; text, figure 2 and code have one, on the two codes together."""
    assert _layers(_full_size().decoder) == _published("table4_decoder.csv", column, **{code: 130})


def test_forward_is_the_composition_of_its_networks():
    """Written out in numpy from the weights: what each head sees, and in which order the decoder takes the codes."""
    model, config = _small()
    meshes = torch.randn(4, 7, 3)

    def mlp(network: nn.Module, x: np.ndarray) -> np.ndarray:
        layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
        for i, layer in enumerate(layers):
            x = x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
            if i + 1 < len(layers):
                x = np.where(x > 0, x, config.negative_slope * x)
        return x

    output = model(meshes)
    flat = meshes.numpy().reshape(4, -1)
    identity, expression = mlp(model.identity_encoder, flat), mlp(model.expression_encoder, flat)
    expected = SAEOutput(
        mlp(model.decoder, np.concatenate([identity, expression], 1)).reshape(4, 7, 3),
        identity,
        expression,
        mlp(model.identity_classifier, identity),
        mlp(model.expression_classifier, expression),
    )
    for got, wanted in zip(output, expected, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, atol=1e-5)


def _batch_and_output(action_units: bool = False):
    random = np.random.default_rng(0)
    expression = random.integers(-1, 2, (6, 3)) if action_units else random.integers(0, 3, 6)
    batch = {
        "displacement": torch.from_numpy(random.normal(0, 5, (6, 7, 3)).astype(np.float32)),
        "identity": torch.from_numpy(random.integers(0, 5, 6)),
        "expression": torch.from_numpy(expression),
    }
    shapes = ((6, 7, 3), (6, 6), (6, 4), (6, 5), (6, 3))
    return batch, SAEOutput(*(torch.from_numpy(random.normal(0, 2, shape).astype(np.float32)) for shape in shapes))


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    scores = logits.double().numpy()
    chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return log_loss(labels.numpy(), chances, labels=range(scores.shape[1]))


def test_loss_is_equation_1_with_a_mean_in_place_of_the_norm():
    batch, output = _batch_and_output()
    parts = sae_loss(output, batch, SAEConfig())
    l1 = np.abs(output.reconstruction.numpy() - batch["displacement"].numpy()).mean()
    identity = _cross_entropy(output.identity_logits, batch["identity"])
    expression = _cross_entropy(output.expression_logits, batch["expression"])
    expected = {
        "loss": l1 + identity + expression,
        "l1_mm": l1,
        "identity_loss": identity,
        "expression_loss": expression,
    }
    assert {name: float(value) for name, value in parts.items()} == pytest.approx(expected, rel=1e-5)


def test_weights_scale_the_terms_of_the_loss_and_not_what_is_reported():
    batch, output = _batch_and_output()
    plain = sae_loss(output, batch, SAEConfig())
    weighted = sae_loss(output, batch, SAEConfig(reconstruction_weight=2, identity_weight=3, expression_weight=0.5))
    expected = 2 * plain["l1_mm"] + 3 * plain["identity_loss"] + 0.5 * plain["expression_loss"]
    torch.testing.assert_close(weighted["loss"], expected)
    for part in ("l1_mm", "identity_loss", "expression_loss"):
        torch.testing.assert_close(weighted[part], plain[part], rtol=0, atol=0)


def test_unsupervised_ablation_trains_no_classifier():
    """Figure 3's auto-encoder: labels change neither its loss nor its gradients."""
    model, config = _small(identity_weight=0, expression_weight=0)
    batch, _ = _batch_and_output()
    sae_loss(model(batch["displacement"]), batch, config)["loss"].backward()
    for classifier in (model.identity_classifier, model.expression_classifier):
        assert all(p.grad is None or not p.grad.any() for p in classifier.parameters())
    assert all(p.grad.any() for p in model.decoder.parameters())


def test_action_units_are_learnt_by_masked_bce():
    batch, output = _batch_and_output(action_units=True)
    parts = sae_loss(output, batch, SAEConfig(expression_labels="action_units"))
    torch.testing.assert_close(parts["expression_loss"], masked_bce(output.expression_logits, batch["expression"]))
    torch.testing.assert_close(parts["loss"], parts["l1_mm"] + parts["identity_loss"] + parts["expression_loss"])


def test_masked_bce_is_the_log_loss_of_the_known_labels():
    random = np.random.default_rng(1)
    logits, labels = random.normal(0, 3, (40, BP4D_UNITS)), random.integers(-1, 2, (40, BP4D_UNITS))
    known = labels >= 0
    expected = log_loss(labels[known], 1 / (1 + np.exp(-logits[known])))
    assert float(masked_bce(torch.from_numpy(logits), torch.from_numpy(labels))) == pytest.approx(expected, rel=1e-9)


def test_unknown_labels_give_no_gradient():
    labels = torch.tensor([[0, 1, -1], [-1, -1, 1]])
    logits = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    masked_bce(logits, labels).backward()
    assert torch.equal(logits.grad != 0, labels >= 0)


def test_nothing_known_is_a_loss_of_zero():
    logits = torch.ones(2, 3, requires_grad=True)
    loss = masked_bce(logits, torch.full((2, 3), -1))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_paper_profile_holds_the_published_settings():
    config = load_stage_config(experiments.face3d.sae, "paper", ["data.root=x"])
    assert (config.optim.lr, tuple(config.optim.betas), config.trainer.global_batch) == (1e-4, (0.9, 0.999), 128)
    assert config.trainer.max_steps == 2000 * -(-16_940 // 128)  # epochs x batches of the whole data set
    model = config.model
    assert (tuple(model.hidden), model.identity_dim, model.expression_dim) == ((1024, 512), 100, 30)
    assert (model.reconstruction_weight, model.identity_weight, model.expression_weight) == (1, 1, 1)
    assert expression_labels(config.data, model.expression_labels) == "classes"
