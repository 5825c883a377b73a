"""Configuration: what is refused names the file and the key; what is read is what was written."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import yaml
from omegaconf import MISSING

from facegen_core.config import as_config, load_config, to_plain, to_yaml
from facegen_core.errors import ConfigError


@dataclass
class Inner:
    rate: float = 0.5
    betas: tuple[float, float] = (0.9, 0.999)
    mode: Literal["fast", "exact"] = "fast"

    def check(self) -> None:
        if self.rate < 0:
            raise ConfigError(f"inner.rate = {self.rate}: must be 0 or more.")


@dataclass
class Schema:
    steps: int = MISSING
    name: str | None = None
    sizes: list[int] = field(default_factory=lambda: [8, 4])
    inner: Inner = field(default_factory=Inner)


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "run.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def message(*arguments: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(Schema, *arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("steps: 1\ninner: {rat: 1}", "inner.rat", "inner.rate"),  # by the whole name
        ("steps: 1\nbeta: [1, 2]", "beta", "inner.betas"),  # by its last part
        ("step: 1", "step", "steps"),
    ],
)
def test_unknown_key_in_a_file_names_file_key_and_nearest(write, text, key, nearest):
    path = write(text)
    assert message(path) == f"{path}: unknown key '{key}'. Did you mean '{nearest}'?"


def test_unknown_key_like_no_other_suggests_nothing(write):
    path = write("steps: 1\nqqqqqq: 1")
    assert message(path) == f"{path}: unknown key 'qqqqqq'."


def test_unknown_key_in_an_override_names_the_override(write):
    found = message(write("steps: 1"), ["rates=2"])
    assert found == "override 'rates=2': unknown key 'rates'. Did you mean 'inner.rate'?"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("steps: many", "steps", "'many'"),
        ("steps: 1.5", "steps", "'1.5'"),
        ("steps: null", "steps", "None"),
        ("inner: {mode: slow}", "inner.mode", "['fast', 'exact']"),
        ("inner: {betas: [0.1]}", "inner.betas", "length 1 does not match type hint length 2"),
        ("inner: {betas: [a, b]}", "inner.betas", "'a"),
        ("sizes: [8, big]", "sizes[1]", "'big'"),
        ("inner: 3", "inner", "int"),
    ],
)
def test_wrong_value_names_file_key_and_value(write, text, key, says):
    path = write(text)
    found = message(path)
    assert found.startswith(f"{path}: key '{key}': ") and "\n" not in found
    assert says in found.replace("[a, b]", "'a") and "$" not in found


def test_missing_value_names_file_and_key(write):
    path = write("name: x")
    found = message(path)
    assert found.startswith(f"{path}: no value for steps.") and "steps=..." in found


def test_missing_value_without_a_file_names_the_schema():
    assert message(None).startswith("Schema: no value for steps.")


@pytest.mark.parametrize("text", ["steps: [1, 2", "steps: 1\n\tname: x", "a: b: c"])
def test_broken_yaml_names_the_file_in_one_line(write, text):
    path = write(text)
    found = message(path)
    assert found.startswith(f"{path}: not readable as YAML: ") and "\n" not in found


def test_yaml_that_is_no_mapping_names_the_file(write):
    path = write("- 1\n- 2")
    assert message(path) == f"{path}: expected 'key: value' lines at the top level."


def test_missing_file_is_named(tmp_path):
    assert message(tmp_path / "no.yaml") == f"{tmp_path / 'no.yaml'}: no such configuration file."


def test_missing_base_file_is_named(tmp_path, write):
    assert message(write("extends: base.yaml\nsteps: 1")).startswith(f"{tmp_path / 'base.yaml'}: no such")


def test_mistake_in_a_base_names_the_base(tmp_path, write):
    write("stepz: 1", "base.yaml")
    assert message(write("extends: base.yaml")).startswith(f"{tmp_path / 'base.yaml'}: unknown key 'stepz'")


def test_extends_reads_bases_first_and_in_order(write):
    write("steps: 1\nname: base\ninner: {rate: 0.1, mode: exact}", "a.yaml")
    write("name: second\ninner: {rate: 0.2}", "b.yaml")
    config = load_config(Schema, write("extends: [a.yaml, b.yaml]\ninner: {betas: [0, 1]}"))
    assert config == Schema(1, "second", [8, 4], Inner(0.2, (0, 1), "exact"))


def test_extends_goes_two_deep_and_no_deeper(write):
    write("steps: 1", "a.yaml")
    write("extends: a.yaml\nname: b", "b.yaml")
    two = write("extends: b.yaml", "c.yaml")
    assert load_config(Schema, two) == Schema(1, "b")
    assert "goes deeper than 2" in message(write("extends: c.yaml", "d.yaml"))


def test_overrides_come_last_and_in_order(write):
    config = load_config(Schema, write("steps: 1"), ["steps=2", "inner.rate=0.25", "steps=3", "sizes=[1]"])
    assert (config.steps, config.inner.rate, config.sizes) == (3, 0.25, [1])


@pytest.mark.parametrize("text", ["steps", "=3", ""])
def test_override_without_key_and_value_is_refused(write, text):
    assert message(write("steps: 1"), [text]).startswith(f"override '{text}': expected key=value")


def test_override_that_is_not_readable_is_named(write):
    assert message(write("steps: 1"), ["steps=["]).startswith("override 'steps=[': '[' is not readable")


def test_check_errors_carry_the_file(write):
    path = write("steps: 1\ninner: {rate: -1}")
    assert message(path) == f"{path}: inner.rate = -1.0: must be 0 or more."


def test_loaded_configuration_is_the_schema_itself(write):
    config = load_config(Schema, write("steps: 7"))
    assert type(config) is Schema and type(config.inner) is Inner and type(config.inner.betas) is tuple


def test_yaml_round_trip_gives_an_equal_configuration(write):
    config = Schema(3, "x", [1, 2, 3], Inner(1e-4, (0.5, 0.25), "exact"))
    text = to_yaml(config)
    assert load_config(Schema, write(text)) == config
    assert yaml.safe_load(text)["inner"] == {"rate": 1e-4, "betas": [0.5, 0.25], "mode": "exact"}


def test_plain_dict_round_trip_gives_an_equal_configuration():
    config = Schema(3, None, [1], Inner(0.75, (0.5, 0.25), "exact"))
    assert as_config(Schema, to_plain(config)) == config
    assert as_config(Schema, config) is config


def test_plain_dict_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"Schema: unknown key 'inner\.rats'"):
        as_config(Schema, {"steps": 1, "inner": {"rats": 2}})
