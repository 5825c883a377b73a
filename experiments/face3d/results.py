"""Writes ``RESULTS.md`` from results of measured runs. No number in it is typed by hand."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.results import render_page
from facegen_core.reporting.tables import Cell, markdown_table

PUBLISHED = Path(__file__).parent
"""The folder whose ``RESULTS.md`` and ``results/`` are part of the repository."""

Rows = Mapping[str, Mapping[str, Any]]

ROW_TITLES = {
    "pca": "PCA, the linear 3DMM",
    "separate_pca": "3DMM, people and motions apart",
    "bilinear": "bilinear",
    "coma": "CoMA",
    "unsupervised": "unsupervised auto-encoder",
    "sae": "SAE (ours)",
    "shape_one_hot": "ShapeCGAN (ours), one-hot z_id, level 1",
    "shape_one_hot_level_5": "one-hot z_id, level 5",
    "shape_one_hot_level_10": "one-hot z_id, level 10",
    "shape": "ShapeCGAN (ours), Gaussian z_id, level 1",
    "shape_level_5": "Gaussian z_id, level 5",
    "shape_level_10": "Gaussian z_id, level 10",
    "texture": "TextureProGAN (ours)",
    "faces": "both, rendered",
}
GENERATION = {
    "diversity": "DIV",
    "diversity_id": "DIV-ID",
    "diversity_exp": "DIV-EXP",
    "specificity": "SP, mm ↓",
}
TABLE_1 = {
    "pca": "3DMM",
    "coma": "CoMA",
    "shape_one_hot": "Ours, One-hot z_id, level 1",
    "shape_one_hot_level_5": "Ours, One-hot z_id, level 5",
    "shape_one_hot_level_10": "Ours, One-hot z_id, level 10",
    "shape": "Ours, Gaussian z_id, level 1",
    "shape_level_5": "Ours, Gaussian z_id, level 5",
    "shape_level_10": "Ours, Gaussian z_id, level 10",
}
"""Row -> the published row that stands beside it."""
RECONSTRUCTION = {
    "vertex_error_mm": "mean ↓",
    "vertex_error_median_mm": "median ↓",
    "vertex_error_aligned_mm": "mean, aligned ↓",
    "vertex_error_train_mm": "mean, training people ↓",
}
TABLE_2 = {"bilinear": "Bilinear", "coma": "CoMA", "sae": "Ours"}
CONTROL = {
    "expression_accuracy": "expression as asked ↑",
    "real_expression_accuracy": "the same of real faces",
    "identity_drift": "identity drift ↓",
    "real_identity_drift": "the same of real faces",
    "intensity_rank_correlation": "intensity follows the level ↑",
}
READ_OFF = {
    "expression_accuracy": "expression, own classifier ↑",
    "expression_from_expression_code": "expression from expression code ↑",
    "expression_from_identity_code": "expression from identity code ↓",
    "identity_retrieval": "identity retrieval ↑",
    "identity_from_identity_code": "identity from identity code ↑",
    "identity_from_expression_code": "identity from expression code ↓",
}
UNITS = {
    "au_f1": "F1 ↑",
    "au_f1_if_always_present": "F1 if every unit were always present",
    "au_intensity_correlation": "rank correlation with coded intensity ↑",
}
SILHOUETTES = {
    "silhouette_identity_code_by_identity": "identity code by identity ↑",
    "silhouette_identity_code_by_expression": "identity code by expression ↓",
    "silhouette_expression_code_by_expression": "expression code by expression ↑",
    "silhouette_expression_code_by_identity": "expression code by identity ↓",
}
COST = {"parameters": "parameters", "seconds_per_step": "s a step", "peak_memory_gib": "peak memory, GiB"}
CODED = ("sae", "unsupervised", "pca", "separate_pca", "bilinear", "coma")
"""Rows whose codes are looked into; table 2's, too."""
JUDGED = ("shape", "shape_one_hot", "texture", "faces")


def render(folder: Path) -> str:
    """The page of all results in ``<folder>/results``; see :func:`experiments.results.render_page`."""
    return render_page(folder, _section, _HEAD, _TAIL)


def _section(result: Mapping[str, Any], remarks: str) -> str:
    data, settings, rows = result["data"], result["settings"], result["rows"]
    steps, batch = settings["max_steps"], settings["global_batch"]
    parts = [
        f"""## {result["label"]}: {data["source"]}

{data["train_meshes"]} meshes of {data["train_identities"]} people to train on, {data["test_meshes"]} meshes of people
held out; {data["vertices"]} vertices; the SAE takes {steps} steps of {batch} meshes.
Data digest `{data["digest"][:16]}`. Made by `{result["command"]}`.{_other_unit(data)}
""",
        remarks,
        _table_1(rows),
        _control(rows),
        _table_2(rows),
        _codes(rows, data["expressions"]),
        _units(rows),
        _cost(rows),
        *(f"![{name}](results/{result['label']}/{name}.png)\n" for name in result["figures"]),
    ]
    return "\n".join(part for part in parts if part)


def _other_unit(data: Mapping[str, Any]) -> str:
    unit = data.get("unit", "mm")
    return "" if unit == "mm" else f" What is called mm below is in {unit}."


def _table_1(rows: Rows) -> str:
    """Ours beside the published values; methods that were not measured here with the published ones alone."""
    if not any("specificity" in values for values in rows.values()):
        return ""
    published = {_published_name(row): row for row in _read("table1_diversity_specificity.csv")}
    del published["Training data"]  # 1, 1, 1: what the others are divided by
    cells: list[list[Cell]] = []
    for row, title in ROW_TITLES.items():
        if "specificity" in rows.get(row, {}):
            theirs = published.pop(TABLE_1.get(row, ""), None)
            cells.append([title, *(rows[row].get(key) for key in GENERATION), *_theirs(theirs)])
    cells += [
        [f"{name}, not measured here", *[None] * len(GENERATION), *_theirs(row)] for name, row in published.items()
    ]
    header = ["model", *GENERATION.values(), *(f"published {title}" for title in GENERATION.values())]
    return f"""### Table 1: diversity and specificity of new faces

Diversities as shares of the training set's; specificity is the distance to the nearest training mesh. The published
columns are of FaceScape, 16,940 meshes.

{markdown_table(header, cells)}
{_who_is_least(rows, "specificity", "mm", "Least specificity")}{_off_diversity(rows)}
"""


def _published_name(row: Mapping[str, str]) -> str:
    """Of a row of table 1; the variant of another method is a remark on its citation."""
    return f"{row['method']}, {row['variant']}, level {row['level']}" if row["level"] else row["method"]


def _theirs(row: Mapping[str, str] | None) -> list[Cell]:
    return [float(row[key]) if row else None for key in ("DIV", "DIV_ID", "DIV_EXP", "SP_mm")]


def _off_diversity(rows: Rows) -> str:
    """In words, which of the shape GAN's diversities at level 1 are further than 20 % from the training set's."""
    values = rows.get("shape", {})
    off = [
        f"{title} {values[key]:.2f}" for key, title in GENERATION.items()
        if key in values and key != "specificity" and abs(values[key] - 1) > 0.2
    ]  # fmt: skip
    return (
        f" Of the Gaussian shape GAN's diversities, not within 20 % of the training set's: {', '.join(off)}."
        if off
        else ""
    )


def _control(rows: Rows) -> str:
    judged = {row: rows[row] for row in JUDGED if "real_expression_accuracy" in rows.get(row, {})}
    if not judged:
        return ""
    return f"""### Does it do as asked?

A judge fitted on people held out, linear discriminants on principal components, reads new faces: meshes, textures, and
pictures of both together. Identity drift is the distance between two expressions of one person in the judge's identity
space, as a share of that between two people; the last column is a rank correlation over levels 0 to 1.5.

{_table(judged, CONTROL)}"""


def _table_2(rows: Rows) -> str:
    published = {r["method"]: r for r in _read("table2_reconstruction_facewarehouse.csv")}
    cells: list[list[Cell]] = []
    for row, title in ROW_TITLES.items():
        if "vertex_error_mm" in rows.get(row, {}):
            theirs = published.pop(TABLE_2[row], None) if row in TABLE_2 else None
            cells.append([title, *(rows[row].get(key) for key in RECONSTRUCTION), *_errors(theirs)])
    cells += [
        [f"{method}, not measured here", *[None] * len(RECONSTRUCTION), *_errors(row)]
        for method, row in published.items()
    ]
    header = ["model", *RECONSTRUCTION.values(), "published mean ↓", "published median ↓"]
    return f"""### Table 2: reconstruction of people held out

Vertex error, mm. The published columns are of FaceWarehouse, whose data these are not.

{markdown_table(header, cells)}
{_who_is_least(rows, "vertex_error_mm", "mm", "Least vertex error")}
"""


def _errors(row: Mapping[str, str] | None) -> list[Cell]:
    return [float(row["E_avg_mean_mm"]), float(row["E_avg_median_mm"])] if row else [None, None]


def _codes(rows: Rows, expressions: int) -> str:
    coded = {row: rows[row] for row in CODED if "identity_retrieval" in rows.get(row, {})}
    if not coded:
        return ""
    leaks = " ".join(
        _who_is_least(coded, key, "", f"Least leak, {READ_OFF[key].rstrip(' ↓')}")
        for key in ("expression_from_identity_code", "identity_from_expression_code")
    )
    return f"""### What the codes hold

What can be told of held-out people from their codes, as accuracy: by the SAE's own classifier, by the nearest neutral
mesh (retrieval), else by a linear probe. Chance is {1 / expressions:.2f} for {expressions} expressions. PCA and CoMA
have one code for both; it stands in both columns.

{_table(coded, READ_OFF)}
Silhouettes of the codes:

{_table(coded, SILHOUETTES)}
{leaks}
"""


def _units(rows: Rows) -> str:
    read = {row: rows[row] for row in CODED if "au_f1" in rows.get(row, {})}
    if not read:
        return ""
    return f"""### Action units of people held out, by the auto-encoder's own classifier

{_table(read, UNITS)}"""


def _cost(rows: Rows) -> str:
    trained = {row: rows[row] for row in ROW_TITLES if "peak_memory_gib" in rows.get(row, {})}
    return f"""### Cost on the machine that made this page

{_table(trained, COST)}"""


def _table(rows: Rows, columns: dict[str, str]) -> str:
    cells = [[ROW_TITLES[row], *(values.get(key) for key in columns)] for row, values in rows.items()]
    return markdown_table(["model", *columns.values()], cells)


def _who_is_least(rows: Rows, key: str, unit: str, what: str) -> str:
    """In words, the rows with the least value, all that share it, whoever they are."""
    values = {row: rows[row][key] for row in ROW_TITLES if key in rows.get(row, {})}
    if not values:
        return ""
    least = min(values.values())
    who = " and ".join(ROW_TITLES[row] for row, value in values.items() if value == least)
    return f"{what}: {who}, {least:.3f} {unit}".rstrip() + "."


def _read(table: str) -> list[dict[str, str]]:
    with (PUBLISHED / "published" / table).open() as file:
        return list(csv.DictReader(file))


_HEAD = """# 3DFaceCAM: results

Generated by `facegen reproduce face3d` from measured runs; do not edit. Every model of a section was trained and
measured on the same meshes, on people none of them saw. A dash is what a model cannot do, or what was not published.
"""
_TAIL = """## For a row of your own in table 2

FaceWarehouse needs its own licence and is not part of this project. Point `data.root` at registered FaceWarehouse
meshes in mm (they come in about dm) laid out as `<id>/models_reg/<k>_<name>.obj`, hold out people 141 to 150 with
`data.test_identities`, and give the 5,334 front vertices as `evaluation.vertex_mask`: the rows are then a section
above. The paper states no alignment; Jiang et al., whose rows it repeats, align rigidly.
"""
