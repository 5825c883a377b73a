"""``facegen weights``: which pretrained networks there are, what a file is, and getting one."""

from pathlib import Path

from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, WeightSpec, find_weights, resolve_weights, weights_folder


def weights_list() -> str:
    """A table of the networks: name, purpose, licence, file, and whether it was found."""
    rows = [("name", "purpose", "licence", "file", "found")]
    rows += [(spec.name, spec.purpose, spec.licence, spec.file, _state(spec)) for spec in WEIGHTS.values()]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return "\n".join([*lines, f"Looked for in {weights_folder().resolve()} and where libraries keep their downloads."])


def weights_check(name_or_path: str) -> str:
    """What a file or folder is, and whether it is the published one.

    Raises:
        WeightsNotFoundError: it is missing or damaged, or not what its name says.
    """
    from facegen_core.weights.files import digest, is_published, spec_of

    spec = WEIGHTS.get(name_or_path)
    path = resolve_weights(name_or_path)
    count, what = _content(path)
    known = spec or spec_of(path)
    lines = [f"{path}: {what}"]
    if path.is_file():
        lines += [f"  {check:<8} {digest(path, check)}" for check in ("sha256", "git")]
    if known is None:
        return "\n".join([*lines, "  in no table: nothing to compare with"])
    lines.append(f"  {known.name}, {known.purpose}; from {known.source}; licence: {known.licence}")
    if known.parameters is not None and count is not None and count != known.parameters:
        raise WeightsNotFoundError(
            f"{path}: expected {known.name} with {known.parameters:,} parameters, and it is {what}."
        )
    if known.digest and is_published(path, known):
        lines.append(f"  the published file: its {known.check} digest is the published one")
    elif known.digest:
        lines.append(f"  NOT the published file: its {known.check} digest should be {known.digest}")
    elif known.parameters is not None and count is not None:
        lines.append("  as many parameters as the published one; its owners publish no digest")
    else:
        lines.append("  its owners publish no digest to compare with")
    return "\n".join(lines)


def weights_get(name: str, url: str) -> str:
    """Downloads a network's file; says where it is."""
    from facegen_core.weights.download import get_weights

    return f"{name}: {get_weights(name, url)}"


def _state(spec: WeightSpec) -> str:
    from facegen_core.weights.files import is_published

    path = find_weights(spec)
    if path is None:
        return "missing"
    return str(path) if path.is_dir() or is_published(path, spec) else f"{path} (not the published file)"


def _content(path: Path) -> tuple[int | None, str]:
    """Parameters of a file, where they can be counted, and what it is in one phrase."""
    from facegen_core.weights.kinds import describe, folder_shapes, parameter_count
    from facegen_core.weights.tensors import is_torchscript, read_tensors

    if path.is_dir():
        shapes = folder_shapes(path)
        return parameter_count(shapes), describe(shapes)
    if path.suffix == ".onnx":
        from facegen_core.encoders.onnx_encoder import open_session

        session = open_session(path)
        ends = [", ".join(f"{end.name} {end.shape}" for end in side)
                for side in (session.get_inputs(), session.get_outputs())]  # fmt: skip
        return None, f"an ONNX network, {ends[0]} -> {ends[1]}"
    if is_torchscript(path):  # telling more would mean to load a program
        return None, f"a TorchScript archive of {path.stat().st_size:,} bytes"
    tensors = read_tensors(path)
    return parameter_count(tensors), describe(tensors)
