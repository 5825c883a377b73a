"""Writes ``RESULTS.md`` from results of measured runs. No number in it is typed by hand."""

import csv
import json
from pathlib import Path
from typing import Any

from PIL.Image import Image

from facegen_core.reporting.tables import markdown_table

PUBLISHED = Path(__file__).parent
"""The folder whose ``RESULTS.md`` and ``results/`` are part of the repository."""

ROW_TITLES = {"sae": "SAE (ours)", "unsupervised": "unsupervised auto-encoder", "pca": "PCA, the linear 3DMM"}
RECONSTRUCTION = {
    "vertex_error_mm": "mean",
    "vertex_error_median_mm": "median",
    "vertex_error_aligned_mm": "mean, aligned",
    "vertex_error_train_mm": "mean, training people",
}
READ_OFF = {
    "expression_accuracy": "expression, own classifier ↑",
    "expression_from_expression_code": "expression from expression code ↑",
    "expression_from_identity_code": "expression from identity code ↓",
    "identity_retrieval": "identity retrieval ↑",
    "identity_from_identity_code": "identity from identity code ↑",
    "identity_from_expression_code": "identity from expression code ↓",
}
SILHOUETTES = {
    "silhouette_identity_code_by_identity": "identity code by identity ↑",
    "silhouette_identity_code_by_expression": "identity code by expression ↓",
    "silhouette_expression_code_by_expression": "expression code by expression ↑",
    "silhouette_expression_code_by_identity": "expression code by identity ↓",
}
COST = {"parameters": "parameters", "seconds_per_step": "s a step", "peak_memory_gib": "peak memory, GiB"}


def save_result(result: dict[str, Any], figure: Image, folder: Path) -> Path:
    """Keeps a result and its figure in ``<folder>/results``, writes the folder's page anew and returns its path."""
    (folder / "results").mkdir(parents=True, exist_ok=True)
    stem = folder / "results" / result["label"]
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    figure.quantize(64).save(stem.with_suffix(".png"), optimize=True)
    page = folder / "RESULTS.md"
    page.write_text(render(folder))
    return page


def render(folder: Path) -> str:
    """The page of all results in ``<folder>/results``."""
    results = [json.loads(path.read_text()) for path in sorted((folder / "results").glob("*.json"))]
    return "\n".join([_HEAD, *(_section(result) for result in results), _published()])


def _section(result: dict[str, Any]) -> str:
    data, settings, rows = result["data"], result["settings"], result["rows"]
    steps, batch = settings["max_steps"], settings["global_batch"]
    return f"""## {result["label"]}: {data["source"]}

{data["train_meshes"]} meshes of {data["train_identities"]} people to train on, {data["test_meshes"]} meshes of people
held out; {data["vertices"]} vertices; {steps} steps of {batch} meshes. Data digest `{data["digest"][:16]}`. Made by
`{result["command"]}`.

Vertex error on held-out people, mm (↓):

{_table(rows, RECONSTRUCTION)}
What can be told of held-out people from their codes, as accuracy: by the SAE's own classifier, by the nearest neutral
mesh (retrieval), else by a linear probe. Chance is {1 / data["expressions"]:.2f} for {data["expressions"]} expressions.
PCA has one code for both; it stands in both columns.

{_table(rows, READ_OFF)}
Silhouettes of the codes:

{_table(rows, SILHOUETTES)}
Cost on the machine that made this page:

{_table(rows, COST)}
{_winners(rows)}

![t-SNE of codes](results/{result["label"]}.png)
"""


def _table(rows: dict[str, dict[str, Any]], columns: dict[str, str]) -> str:
    cells = [[ROW_TITLES[row], *(values.get(key) for key in columns)] for row, values in rows.items()]
    return markdown_table(["model", *columns.values()], cells)


def _winners(rows: dict[str, dict[str, Any]]) -> str:
    """In words, who reconstructs best and who keeps the factors apart best, whoever it is."""
    lines = [f"Least vertex error: {_least(rows, 'vertex_error_mm')} mm."]
    for key in ("expression_from_identity_code", "identity_from_expression_code"):
        if all(key in values for values in rows.values()):
            lines.append(f"Least leak, {READ_OFF[key].rstrip(' ↓')}: {_least(rows, key)}.")
    return " ".join(lines)


def _least(rows: dict[str, dict[str, Any]], key: str) -> str:
    """The rows with the least value, all that share it, and the value."""
    least = min(values[key] for values in rows.values())
    return f"{' and '.join(ROW_TITLES[row] for row in rows if rows[row][key] == least)}, {least:.3f}"


def _published() -> str:
    with (PUBLISHED / "published" / "table2_reconstruction_facewarehouse.csv").open() as file:
        table = list(csv.DictReader(file))
    rows = [[r["method"], float(r["E_avg_mean_mm"]), float(r["E_avg_median_mm"])] for r in table]
    return f"""## Table 2 of the paper, as published

Reconstruction of FaceWarehouse, 11,510 vertices. FaceWarehouse needs its own licence and is not part of this project,
so it stands here without a row of ours. For one, point `data.root` at registered FaceWarehouse meshes in mm (they come
in about dm) laid out as `<id>/models_reg/<k>_<name>.obj`, hold out people 141 to 150 with `data.test_identities`, and
give the 5,334 front vertices as `evaluation.vertex_mask`: the row is then a section above. The paper states no
alignment; Jiang et al., whose rows it repeats, align rigidly.

{markdown_table(["method", "E_avg mean, mm", "E_avg median, mm"], rows)}"""


_HEAD = """# 3DFaceCAM: results

Generated by `facegen reproduce face3d` from measured runs; do not edit. Every model of a section was trained and
measured on the same meshes, on people none of them saw.
"""
