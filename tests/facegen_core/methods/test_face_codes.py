"""z_id tables and z_exp: what is drawn, kept, refused and read from words."""

import pytest
import torch

from facegen_core.errors import CheckpointError, ConfigError
from facegen_core.methods.face3d.expression_codes import expression_codes, parse_expression, parse_levels
from facegen_core.methods.face3d.identity_codes import IdentityCodes

NAMES = ["neutral", "smile", "anger", "jaw_left"]
PEOPLE = torch.tensor([3, 8, 5])


def test_table_is_drawn_from_a_standard_normal():
    table = IdentityCodes.draw(torch.arange(847), 20, seed=0)
    assert table.codes.shape == (847, 20)
    assert abs(float(table.codes.mean())) < 4 / (847 * 20) ** 0.5
    assert float(table.codes.std()) == pytest.approx(1, abs=0.02)


def test_one_hot_table_tells_people_apart_and_nothing_else():
    table = IdentityCodes.draw(PEOPLE, 20, seed=0, kind="one_hot")
    assert torch.equal(table(torch.tensor([2, 0])), torch.tensor([[0.0, 0, 1], [1, 0, 0]]))


def test_table_comes_back_from_its_file(tmp_path):
    table = IdentityCodes.draw(PEOPLE, 4, seed=1)
    table.save(tmp_path / "z_id.safetensors")
    again = IdentityCodes.load(tmp_path / "z_id.safetensors")
    assert torch.equal(again.codes, table.codes)
    assert torch.equal(again.people, PEOPLE)
    assert again.kind == "gaussian"


def test_table_is_part_of_the_checkpoint():
    table = IdentityCodes.draw(PEOPLE, 4, seed=1)
    assert set(table.state_dict()) == {"codes", "people"}
    assert not list(table.parameters())


def test_people_are_found_by_their_number():
    table = IdentityCodes.draw(PEOPLE, 4, seed=1)
    fewer = table.of_people(torch.tensor([5, 3]))
    assert torch.equal(fewer.codes, table.codes[[2, 0]])


def test_table_without_somebody_is_refused():
    with pytest.raises(CheckpointError, match=r"3 people and lacks 1 .* such as 9"):
        IdentityCodes.draw(PEOPLE, 4, seed=1).of_people(torch.tensor([5, 9]))


def test_tables_agree_if_people_they_share_have_the_same_codes():
    table = IdentityCodes.draw(torch.tensor([3, 5, 9]), 4, seed=0)
    assert table.agrees_with(table.of_people(torch.tensor([9, 3])))
    assert table.of_people(torch.tensor([9, 3])).agrees_with(table)
    assert not table.agrees_with(IdentityCodes.draw(torch.tensor([3, 5, 9]), 4, seed=1))
    assert not table.agrees_with(IdentityCodes(table.codes, torch.tensor([5, 3, 9]))), "the same codes, others' own"
    assert not table.agrees_with(IdentityCodes(table.codes, torch.tensor([1, 2, 4]))), "nobody is in both"


def test_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "z_id.safetensors").write_text("no table")
    with pytest.raises(CheckpointError, match=r"z_id\.safetensors: not a table"):
        IdentityCodes.load(tmp_path / "z_id.safetensors")


def test_new_people_of_a_one_hot_table_are_mixtures_of_two():
    codes = IdentityCodes.draw(torch.arange(9), 20, 0, "one_hot").sample(50, torch.Generator().manual_seed(0))
    assert codes.min() >= 0
    torch.testing.assert_close(codes.sum(1), torch.ones(50))
    assert ((codes > 0).sum(1) <= 2).all()


def test_classes_are_one_hot_and_unknown_units_absent():
    assert torch.equal(expression_codes(torch.tensor([1, 0]), 2), torch.tensor([[0.0, 1], [1, 0]]))
    assert torch.equal(expression_codes(torch.tensor([[1, -1], [0, 1]]), 2), torch.tensor([[1.0, 0], [0, 1]]))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("smile", [0, 1, 0, 0]),
        ("Jaw-Left", [0, 0, 0, 1]),
        ("0.6*smile+anger", [0, 0.6, 1, 0]),
        ("smile + 1.5*smile", [0, 2.5, 0, 0]),
        ("-0.5*anger", [0, 0, -0.5, 0]),
    ],
)
def test_words_become_codes(text, code):
    torch.testing.assert_close(parse_expression(text, NAMES), torch.tensor(code, dtype=torch.float32))


def test_action_units_are_known_with_and_without_zeros():
    assert parse_expression("AU6+au12", ["AU06", "AU12"]).tolist() == [1, 1]
    assert parse_expression("AU06", ["AU6", "AU12"]).tolist() == [1, 0]


def test_unknown_expression_is_told_its_nearest():
    with pytest.raises(ConfigError, match=r"'smlie': no such expression\. Nearest: smile"):
        parse_expression("smlie", NAMES)


def test_what_is_no_expression_is_refused():
    with pytest.raises(ConfigError, match=r"'2smile' is not a name or strength\*name"):
        parse_expression("2smile", NAMES)


@pytest.mark.parametrize(
    ("text", "levels"), [("1", [1]), ("0,0.5,2", [0, 0.5, 2]), ("0:1.5:4", [0, 0.5, 1, 1.5]), ("1:9:1", [1])]
)
def test_levels_are_read(text, levels):
    torch.testing.assert_close(parse_levels(text), torch.tensor(levels, dtype=torch.float32))


@pytest.mark.parametrize("text", ["much", "0:1", "0:1:0", "0:1:2:3", "", "nan", "0,inf"])
def test_what_is_no_level_is_refused(text):
    with pytest.raises(ConfigError, match=r"expected a number, a list 0,0\.5,1 or first"):
        parse_levels(text)
