from pathlib import Path

import pytest
from PIL import Image

from experiments.face3d.results import PUBLISHED, render
from experiments.results import save_result
from facegen_core.reporting.tables import format_cell, markdown_table


def test_published_page_is_what_its_results_render():
    assert (PUBLISHED / "RESULTS.md").read_text() == render(PUBLISHED)


ROWS = {
    "sae": {"vertex_error_mm": 2.0, "identity_retrieval": 1.0, "expression_from_identity_code": 0.5},
    "pca": {"vertex_error_mm": 1.0, "diversity": 1.1, "specificity": 3.0},
    "shape": {"diversity": 0.7, "diversity_id": 0.9, "specificity": 2.0, "real_expression_accuracy": 0.75},
    "shape_level_5": {"diversity": 1.4, "specificity": 2.5},
}


def page(folder: Path, rows=ROWS) -> str:
    data = {"source": "cubes", "expressions": 20, "vertices": 8, "train_meshes": 4, "test_meshes": 2, "digest": "d",
            "train_identities": 2}  # fmt: skip
    settings = {"max_steps": 1, "global_batch": 1}
    result = {"label": "x", "command": "facegen reproduce face3d", "data": data, "settings": settings, "rows": rows}
    return save_result(result, {"figure-03": Image.new("RGB", (4, 4))}, folder, render).read_text()


def test_page_says_who_wins_whoever_it_is(tmp_path: Path):
    text = page(tmp_path)
    assert "Least vertex error: PCA, the linear 3DMM, 1.000 mm." in text
    assert "Least specificity: ShapeCGAN (ours), Gaussian z_id, level 1, 2.000 mm." in text
    assert "not within 20 % of the training set's: DIV 0.70." in text


@pytest.mark.parametrize(
    "line",
    [
        "| PCA, the linear 3DMM | 1.100 | - | - | 3.000 | 0.720 | 0.590 | 0.570 | 2.300 |",
        "| ShapeCGAN (ours), Gaussian z_id, level 1 | 0.700 | 0.900 | - | 2.000 | 0.750 | 0.750 | 0.800 | 0.840 |",
        "| Gaussian z_id, level 5 | 1.400 | - | - | 2.500 | 0.860 | 0.740 | 3.830 | 0.860 |",
        "| MAE, not measured here | - | - | - | - | 0.790 | 0.280 | 0.750 | 2.000 |",
        "| SAE (ours) | 2.000 | - | - | - | 0.293 | 0.279 |",
        "| FLAME, not measured here | - | - | - | - | 0.882 | 0.905 |",
    ],
)
def test_measured_and_published_values_stand_in_one_row(tmp_path: Path, line: str):
    assert line in page(tmp_path)


def test_parts_that_were_not_measured_are_left_out(tmp_path: Path):
    text = page(tmp_path, {"sae": {"vertex_error_mm": 2.0}})
    assert "Table 1" not in text and "as asked" not in text and "What the codes hold" not in text


def test_remarks_stand_before_the_tables(tmp_path: Path):
    page(tmp_path)
    (tmp_path / "results" / "x.md").write_text("The cubes were round.\n")
    text = page(tmp_path)
    assert 0 < text.index("The cubes were round.") < text.index("### Table 1")


def test_figures_stand_on_the_page_and_beside_it(tmp_path: Path):
    assert "![figure-03](results/x/figure-03.png)" in page(tmp_path)
    assert (tmp_path / "results" / "x" / "figure-03.png").is_file()


def test_markdown_table_shows_missing_values_as_dashes():
    table = markdown_table(["model", "a"], [["x", None], ["y", float("nan")], ["z", 0.12345]])
    assert table.splitlines()[2:] == ["| x | - |", "| y | - |", "| z | 0.123 |"]
    assert format_cell(248000000) == "248000000"
