"""``RESULTS.md`` from results of measured runs. No number in it is typed by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.emotion_ldm.tables.findings import EXPECTED, Signs, summed, trade_off
from experiments.emotion_ldm.tables.published import METHODS, METRICS, OURS, SHARES, WORDS, Key, Pair, compared
from experiments.emotion_ldm.tables.summary import ALL, Row, our_rows
from experiments.emotion_ldm.tables.truth_page import against_truth, reached_truth
from experiments.results import Result, render_page
from facegen_core.emotions import EMOTIONS
from facegen_core.reporting.tables import Cell, markdown_table

PUBLISHED = Path(__file__).parents[1]
"""The folder whose ``RESULTS.md`` and ``results/`` are part of the repository."""
TARGETS = tuple(name for name in WORDS if name != "neutral")
TITLES = {"emotion_accuracy": "accuracy ↑", "psnr": "PSNR, dB ↑", "ssim": "SSIM ↑", "lpips": "LPIPS ↓",
          "id_cosine": "CSIM ↑"}  # fmt: skip
CLOSENESS = ("psnr", "ssim", "lpips")

Values = Mapping[tuple[Key, str], Pair]


def render(folder: Path) -> str:
    """The page of all results in ``<folder>/results``; see :func:`experiments.results.render_page`."""
    return render_page(folder, section, _HEAD, "")


def comparison(result: Result) -> list[Pair]:
    """Every value of the four tables, the published beside ours."""
    edit, grid = result["settings"]["edit"], result["settings"]["grid"]
    return compared(our_rows(result["rows"], result["ground_truth"], edit, grid["steps_guidance"]))


def section(result: Result, remarks: str) -> str:
    """What the page says of one result."""
    data, model = result["data"], result["model"]
    people = f" of {data['people']} people" if data["people"] else ""
    values = {(pair.key, pair.metric): pair for pair in comparison(result)}
    parts = [
        f"""## {result["label"]}: {data["source"]}

{data["pictures"]} held-out pictures{people}, {data["pixels"]} x {data["pixels"]} pixels, each with all six targets, the
emotion that it shows already among them. Denoiser of {model["parameters"] / 1e6:.1f} M parameters, first stage of
{model["first_stage_parameters"] / 1e6:.1f} M. Emotions are told by {_judge(result, "emotion_accuracy")}, people by
{_judge(result, "id_cosine")}; faces: {result["protocol"]["protocol.emotion_accuracy.framing"]}.
Made by `{result["command"]}`; model `{model["model"][:12]}`, pictures `{data["digest"][:12]}`.
""",
        remarks,
        *(f"{text}\n" for text in result["remarks"]),
        f"### What it reaches\n\n{headline(result)}",
        _tables_1_and_5(values, result),
        _table_3(values, result),
        _table_4(values, result),
        against_truth(result),
        *(f"![{name}](results/{result['label']}/{name}.png)\n" for name in result["figures"]),
    ]
    return "\n".join(part for part in parts if part)


def headline(result: Result) -> str:
    """The figures that count, and what they are held against."""
    edit, known = result["settings"]["edit"], result["reference"]
    row = main_row(result)
    lines = [_before(result)]
    if row is not None:
        at = f"t0 {edit['strength']}, gamma {edit['guidance']:g}, {edit['steps']} steps"
        lines.append(f"- Emotion accuracy at {at}: {row['emotion_accuracy']:.3f}, mean of six targets.")
        lines.append(f"- CSIM there: {row['id_cosine']:.3f} to the reconstruction, {row['id_cosine_raw']:.3f} to the "
                     f"picture itself{_share_of_pairs(row, known)}.")  # fmt: skip
    lines += reached_truth(result)
    if (signs := grid_signs(result["rows"], edit["steps"])) and any(sign.pairs for sign in signs.values()):
        lines.append(f"- Trade-off of table 3, pairs of edits that order as the paper's: {_told(signs)}.")
    return "\n".join(lines) + "\n"


def main_row(result: Result) -> Row | None:
    """All targets together, by the edit of table 1; None if that was not measured."""
    edit = result["settings"]["edit"]
    wanted = ("ours", ALL, edit["strength"], edit["guidance"], edit["steps"])
    about = ("kind", "target", "strength", "guidance", "steps")
    return next((row for row in result["rows"] if tuple(row[name] for name in about) == wanted), None)


def grid_signs(rows: Sequence[Row], steps: int, target: str = ALL) -> dict[tuple[str, str], Signs]:
    """The trade-off in our table 3, of all targets together or of one."""
    return trade_off([row for row in rows if (row["kind"], row["steps"], row["target"]) == ("ours", steps, target)])


def _before(result: Result) -> str:
    """What there is before any edit, and which pictures its accuracies leave out."""
    known = result["reference"]
    text = f"- Before any edit the reconstructions are {known['reconstruction_psnr']:.2f} dB from the pictures."
    if known["told_pictures"]:
        text += (f" The judge reads {known['source_accuracy']:.3f} of the pictures rightly and "
                 f"{known['reconstruction_accuracy']:.3f} of the reconstructions")  # fmt: skip
        if left := known["pictures"] - known["told_pictures"]:
            lacks = ", ".join(emotion for emotion in EMOTIONS if emotion not in result["labels"])
            text += f"; left out are {left:.0f} pictures whose emotion it has no label for ({lacks})"
        text += "."
    return text


def _share_of_pairs(row: Row, known: Mapping[str, float]) -> str:
    if "id_cosine_true_pairs" not in known:
        return ""
    pairs = known["id_cosine_true_pairs"]
    shares = f"{row['id_cosine'] / pairs:.2f} and {row['id_cosine_raw'] / pairs:.2f} times"
    return f"; {shares} the {pairs:.3f} of two true pictures of one person ({known['true_pairs']:.0f} pairs)"


def _judge(result: Result, metric: str) -> str:
    return str(result["protocol"][f"judge.{metric}"])


def _tables_1_and_5(values: Values, result: Result) -> str:
    """A table a metric: methods down, targets across, and table 5's mean behind them."""
    edit = result["settings"]["edit"]
    parts = [
        f"""### Tables 1 and 5: methods

In rows of ours and of the ground truth each cell is published / here; ours was published with t0 500, gamma 5 and 40
steps, here are t0 {edit["strength"]}, gamma {edit["guidance"]:g} and {edit["steps"]}. The other methods stay as
published and were not measured here; what pictures theirs compare with is not known. CSIM is the cosine of embeddings
of two pictures. The last column is table 5, the mean of six targets.{_tuned_by_judge(result)}
"""
    ]
    for metric in METRICS:
        rows: list[list[Cell]] = []
        for method, title in METHODS.items():
            keys = [Key("1", method, target) for target in TARGETS] + [Key("5", method)]
            cells = [_cell(values.get((key, metric)), metric, method in OURS) for key in keys]
            if any(cell != "-" for cell in cells):
                rows.append([title if method in OURS else f"{title}, as published", *cells])
        parts.append(markdown_table([TITLES[metric], *(WORDS[target] for target in TARGETS), "mean"], rows))
    return "\n".join(parts)


def _tuned_by_judge(result: Result) -> str:
    if not any(row.get("guide") == "judge" for row in result["rows"]):
        return ""
    return f""" The paper has no "{OURS["ours_judge"]}": there the embedded emotion judge takes CLIP's place. If it also
tells the emotions, that row's accuracy says that the loss was reached."""


def _table_3(values: Values, result: Result) -> str:
    steps = result["settings"]["edit"]["steps"]
    settings = sorted({(k.strength, k.guidance) for k, _ in values if k.table == "3"})
    keys = {f"{t0}, {gamma:g}": {"strength": t0, "guidance": gamma} for t0, gamma in settings}
    mean = grid_signs(result["rows"], steps)
    if not any(sign.pairs for sign in mean.values()):
        signs = ""
    else:
        each = summed(grid_signs(result["rows"], steps, target) for target in TARGETS)
        signs = f"""Pairs of edits, the same but for one setting, that order as all such pairs of the paper's: over all
targets together {_told(mean)}; target by target {_told(each)}.
"""
    return f"""### Table 3: strength and guidance

Each cell is published / here; here with {steps} steps, published with 40. Mean over six targets:

{_means(values, "3", "t0, gamma", keys)}
{signs}
{_of_each_target(values, "3", "t0, gamma", keys)}"""


def _table_4(values: Values, result: Result) -> str:
    gamma = result["settings"]["grid"]["steps_guidance"]
    settings = sorted({(k.strength, k.steps) for k, _ in values if k.table == "4"})
    keys = {f"{t0}, {steps}": {"strength": t0, "steps": steps} for t0, steps in settings}
    return f"""### Table 4: steps

Each cell is published / here; gamma {gamma:g}. Mean over six targets:

{_means(values, "4", "t0, steps", keys)}
{_of_each_target(values, "4", "t0, steps", keys)}"""


def _means(values: Values, table: str, title: str, keys: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of a table, each value the mean over all six targets, if all are there."""
    metrics = ("emotion_accuracy", *CLOSENESS, "id_cosine")
    rows: list[list[Cell]] = []
    for name, about in keys.items():
        cells: list[Cell] = [name]
        for metric in metrics:
            pairs = [values.get((Key(table, "ours", target, **about), metric)) for target in TARGETS]  # type: ignore[arg-type]
            ours = _mean([pair.ours if pair else None for pair in pairs])
            cells.append(
                _cell(Pair(Key(table), metric, _mean([p.published if p else None for p in pairs]), ours), metric)
            )
        rows.append(cells)
    return markdown_table([title, *(TITLES[metric] for metric in metrics)], rows)


def _of_each_target(values: Values, table: str, title: str, keys: Mapping[str, Mapping[str, float]]) -> str:
    """Closeness and the shares of all emotions, folded away, a table a target."""
    parts = []
    for target in TARGETS:
        rows: list[list[Cell]] = []
        for name, about in keys.items():
            key = Key(table, "ours", target, **about)  # type: ignore[arg-type]
            rows.append([name, *(_cell(values.get((key, metric)), metric) for metric in (*CLOSENESS, *SHARES))])
        shares = (f"**{WORDS[e]}**" if e == target else WORDS.get(e, e) for e in EMOTIONS)
        body = markdown_table([title, *(TITLES[metric] for metric in CLOSENESS), *shares], rows)
        parts.append(
            f"<details><summary>{WORDS[target]}: closeness, and shares of emotions</summary>\n\n{body}\n</details>\n"
        )
    return "\n".join(parts)


def _mean(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if len(known) == len(numbers) and known else None


def _cell(pair: Pair | None, metric: str, both: bool = True) -> str:
    """Published / ours, or the published value alone of methods that are not ours; a dash for what is not there."""
    if pair is None or (pair.published is None and pair.ours is None):
        return "-"
    digits = 2 if metric == "psnr" else 3
    theirs, ours = ("-" if x is None else f"{x:.{digits}f}" for x in (pair.published, pair.ours))
    return f"{theirs} / {ours}" if both else theirs


def _told(signs: Mapping[tuple[str, str], Signs]) -> str:
    words = {"psnr": "PSNR", "emotion_accuracy": "accuracy", "guidance": "gamma", "strength": "t0"}
    verbs = {-1: "falls with", 1: "rises with"}
    told = []
    for (figure, setting), sign in EXPECTED.items():
        agree, pairs = signs[figure, setting]
        told.append(f"{words[figure]} {verbs[sign]} {words[setting]} {agree} of {pairs}")
    return ", ".join(told)


_HEAD = """# EmotionLDM: results

Generated by `facegen reproduce emotion_ldm` from measured runs; do not edit. A dash is what was not printed, or not
measured. PSNR, SSIM, LPIPS and CSIM compare an edit with the first stage's reconstruction of the picture, as the
published PSNR, SSIM and LPIPS of ours very probably do; those probably carry the noise of JPEG, which ours do not. The
same values in long form are in `results/`, as are those against the picture itself. Published values are of AffectNet
at 128 x 128 pixels, told by HSEmotion and a CosFace network: with other data or judges their numbers do not compare,
only their order does.
Table 2 counts answers of people who were shown pictures, and is left out.
"""
