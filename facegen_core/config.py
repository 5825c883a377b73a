"""Configuration: a dataclass schema, a YAML file that may extend others, and ``key=value`` overrides.

Whatever cannot be used raises :class:`ConfigError` with the file, the key and the nearest valid name. Nothing here
imports torch, so a mistake is answered in a fraction of a second.
"""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from facegen_core.errors import ConfigError

T = TypeVar("T")

MAX_EXTENDS_DEPTH = 2
NEAR_ENOUGH = 0.5


@dataclasses.dataclass
class OptimConfig:
    """Adam's settings. The learning rate is the effective one: nothing rescales it by batch or devices.

    Attributes:
        lr: learning rate.
        betas: decay rates of the two moments.
        weight_decay: decoupled decay (AdamW); 0 is plain Adam.
    """

    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0

    def check(self) -> None:
        """Refuses what Adam cannot work with."""
        if self.lr <= 0 or self.weight_decay < 0 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(
                f"optim: lr = {self.lr} must be above 0, betas = {self.betas} from 0 to below 1, weight_decay = "
                f"{self.weight_decay} 0 or more."
            )


@dataclasses.dataclass
class EmaConfig:
    """Exponential moving average of the weights.

    Attributes:
        decay: share of the old average kept at each optimiser step; 0 switches the average off.
        warm_up: keep no more than (1 + n) / (10 + n) of it at step n, so that a long average soon forgets the first
            weights.
    """

    decay: float = 0.0
    warm_up: bool = False

    def check(self) -> None:
        """Refuses what is no share."""
        if not 0 <= self.decay < 1:
            raise ConfigError(f"ema.decay = {self.decay}: must be from 0 to below 1.")


def load_config(schema: type[T], path: Path | None, overrides: Sequence[str] = ()) -> T:
    """Reads a configuration.

    Args:
        schema: dataclass that names every key with its type and default.
        path: YAML file; its ``extends:`` entry (a file or a list, relative to it) is read first, at most two deep.
        overrides: ``key=value`` texts, applied last.

    Returns:
        An instance of ``schema`` that has passed :func:`check`.

    Raises:
        ConfigError: a file cannot be read, or a key is unknown, of the wrong type, or missing.
    """
    config = OmegaConf.structured(schema)
    if path is not None:
        for source, layer in _layers(path, depth=0):
            config = _merge(config, layer, str(source))
    for text in overrides:
        config = _merge(config, _parse_override(text), f"override '{text}'")
    if missing := sorted(OmegaConf.missing_keys(config)):
        where = path if path is not None else schema.__name__
        raise ConfigError(
            f"{where}: no value for {', '.join(missing)}. Set it in the file or as an override, e.g. {missing[0]}=..."
        )
    try:
        loaded = cast(T, OmegaConf.to_object(config))
        check(loaded)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path}: {_first_line(error)}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}" if path is not None else str(error)) from None
    return loaded


def check(config: Any) -> None:
    """Calls the ``check()`` of every group that has one, innermost first.

    They raise ConfigError for values that do not go together. ``__post_init__`` would not do: OmegaConf builds the
    schema's defaults with values still missing.
    """
    for entry in dataclasses.fields(config):
        value = getattr(config, entry.name)
        if dataclasses.is_dataclass(value):
            check(value)
    if hasattr(config, "check"):
        config.check()


def as_config(schema: type[T], value: T | dict[str, Any]) -> T:
    """Validates a plain dict (as read back from a checkpoint) against ``schema``; an instance passes through.

    Raises:
        ConfigError: the dict does not fit the schema.
    """
    if not isinstance(value, dict):
        return value
    merged = _merge(OmegaConf.structured(schema), OmegaConf.create(value), schema.__name__)
    return cast(T, OmegaConf.to_object(merged))


def to_plain(config: Any) -> dict[str, Any]:
    """A configuration as dicts, lists and plain values, fit for a checkpoint or JSON."""
    plain = OmegaConf.to_container(OmegaConf.structured(config), resolve=True, enum_to_str=True)
    return cast(dict[str, Any], plain)


def to_yaml(config: Any) -> str:
    """The resolved configuration as YAML that :func:`load_config` reads back."""
    return OmegaConf.to_yaml(OmegaConf.create(to_plain(config)), resolve=True)


def _layers(path: Path, depth: int) -> Iterator[tuple[Path, DictConfig]]:
    """The files ``path`` is made of, base first."""
    if depth > MAX_EXTENDS_DEPTH:
        raise ConfigError(f"{path}: 'extends' goes deeper than {MAX_EXTENDS_DEPTH} files; merge some of them.")
    try:
        layer = OmegaConf.load(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file.") from None
    except Exception as error:  # yaml's errors have no common base that omegaconf promises
        raise ConfigError(f"{path}: not readable as YAML: {_first_line(error)}") from None
    if not isinstance(layer, DictConfig):
        raise ConfigError(f"{path}: expected 'key: value' lines at the top level.")
    bases = layer.pop("extends", [])
    for base in [bases] if isinstance(bases, str) else bases:
        yield from _layers(path.parent / base, depth + 1)
    yield path, layer


def _parse_override(text: str) -> DictConfig:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"override '{text}': expected key=value, such as trainer.max_steps=100.")
    try:
        return OmegaConf.from_dotlist([text])
    except Exception as error:
        raise ConfigError(f"override '{text}': {value!r} is not readable: {_first_line(error)}") from None


def _merge(config: DictConfig, layer: Any, source: str) -> DictConfig:
    known = list(_keys(config))
    for key in _keys(layer):
        if key not in known and not _inside_free_dict(config, key):
            near = _nearest(key, known)
            raise ConfigError(f"{source}: unknown key '{key}'." + (f" Did you mean '{near}'?" if near else ""))
    try:
        return cast(DictConfig, OmegaConf.merge(config, layer))
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or _culprit(config, layer)
        message = _first_line(error)
        if "$VALUE" in message:  # omegaconf leaves its own placeholders in errors of tuples
            value = OmegaConf.select(layer, key)
            message = message.replace("$VALUE_TYPE", type(value).__name__).replace("$VALUE", str(value))
        raise ConfigError(f"{source}: key '{key}': {message}") from None


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of all values below ``node``, and of the groups that hold them."""
    for key in node:
        name = f"{prefix}{key}"
        yield name
        child = node._get_node(key) if isinstance(node, DictConfig) else None
        if isinstance(child, DictConfig) and not child._is_none() and not child._is_missing():
            yield from _keys(child, f"{name}.")


def _culprit(config: DictConfig, layer: DictConfig) -> str:
    """The key of ``layer`` that does not fit, for errors that do not name it (tuples of another length)."""
    for key in _keys(layer):
        value = OmegaConf.select(layer, key)
        if not isinstance(value, DictConfig):
            try:
                OmegaConf.update(config.copy(), key, value)
            except OmegaConfBaseException:
                return key
    return "?"


def _nearest(key: str, known: list[str]) -> str | None:
    """The valid name most like ``key``, by the whole dotted name or by its last part alone; None if all are far."""

    def likeness(name: str) -> tuple[float, float]:
        pairs = ((key, name), (key.rpartition(".")[2], name.rpartition(".")[2]))
        whole, last = (difflib.SequenceMatcher(None, a, b).ratio() for a, b in pairs)
        return max(whole, last), whole

    near = max(known, key=likeness)
    return near if likeness(near)[0] >= NEAR_ENOUGH else None


def _inside_free_dict(config: DictConfig, key: str) -> bool:
    """Whether ``key`` lies in a field typed as a plain dict or in a group that is None so far."""
    parent = OmegaConf.select(config, key.rpartition(".")[0]) if "." in key else config
    return parent is None or (isinstance(parent, DictConfig) and OmegaConf.get_type(parent) is dict)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
