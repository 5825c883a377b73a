"""The layers of the design, read from the sources: who imports whom, and that all that is public says what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("facegen_core", "datamodules", "lightning_modules", "experiments")
ALLOWED = {
    "facegen_core": {"facegen_core"},
    "datamodules": {"facegen_core", "datamodules"},
    "lightning_modules": {"facegen_core", "lightning_modules"},
    "experiments": set(PACKAGES),
}
NOT_IN_CORE = {"lightning", "pytorch_lightning", "mlflow"}
SOURCES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level package and line of every import of a file, wherever it stands in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield str(node.module).partition(".")[0], node.lineno


def undocumented(path: Path) -> Iterator[str]:
    """Public module, classes and functions of a file that have no docstring."""
    tree = ast.parse(path.read_text())
    if not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
        if public and not ast.get_docstring(node):
            yield node.name


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_all_four_packages_are_looked_at():
    found = {name(path).partition("/")[0] for path in SOURCES}
    assert found == set(PACKAGES) and len(SOURCES) > 40


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_the_layers_below_it(package):
    wrong = [
        f"{name(path)}:{line} imports {other}"
        for path in SOURCES
        if name(path).startswith(f"{package}/")
        for other, line in imported(path)
        if other in PACKAGES and other not in ALLOWED[package]
    ]
    assert wrong == []


def test_core_knows_neither_lightning_nor_mlflow():
    core = [path for path in SOURCES if name(path).startswith("facegen_core/")]
    assert [f"{name(p)}:{line} {other}" for p in core for other, line in imported(p) if other in NOT_IN_CORE] == []


def test_tests_are_imported_by_no_package():
    assert [name(p) for p in SOURCES if {"tests", "helpers", "conftest"} & {other for other, _ in imported(p)}] == []


def test_everything_public_has_a_docstring():
    assert [f"{name(path)}: {what}" for path in SOURCES for what in undocumented(path)] == []
