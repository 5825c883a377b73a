from pathlib import Path

from PIL import Image

from experiments.face3d.results import PUBLISHED, render, save_result
from facegen_core.reporting.tables import format_cell, markdown_table


def test_published_page_is_what_its_results_render():
    assert (PUBLISHED / "RESULTS.md").read_text() == render(PUBLISHED)


def test_page_says_who_wins_whoever_it_is(tmp_path: Path):
    row = {"expression_from_identity_code": 0.5, "identity_from_expression_code": 0.25}
    result = {
        "label": "x",
        "command": "facegen reproduce face3d",
        "data": {
            "source": "cubes",
            "expressions": 20,
            "vertices": 8,
            "train_meshes": 4,
            "test_meshes": 2,
            "train_identities": 2,
            "digest": "d",
        },
        "settings": {"max_steps": 1, "global_batch": 1},
        "rows": {"sae": row | {"vertex_error_mm": 2.0}, "pca": row | {"vertex_error_mm": 1.0}},
    }
    page = save_result(result, Image.new("RGB", (4, 4)), tmp_path).read_text()
    assert "Least vertex error: PCA, the linear 3DMM, 1.000 mm" in page
    assert "| Ours | 0.293 | 0.279 |" in page  # the paper's own row, and no number of ours where there is none
    assert (tmp_path / "results" / "x.png").is_file()


def test_markdown_table_shows_missing_values_as_dashes():
    table = markdown_table(["model", "a"], [["x", None], ["y", float("nan")], ["z", 0.12345]])
    assert table.splitlines()[2:] == ["| x | - |", "| y | - |", "| z | 0.123 |"]
    assert format_cell(248000000) == "248000000"
