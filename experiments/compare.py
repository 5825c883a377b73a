"""``facegen compare``: one table of the measured runs below a folder."""

import json
from pathlib import Path

from facegen_core.errors import FacegenError
from facegen_core.reporting.tables import markdown_table


def compare(outputs: Path) -> None:
    """Delivers tracking records that still wait, prints a table of all measured runs and writes it as compare.md.

    Args:
        outputs: the folder of all runs.

    Raises:
        FacegenError: no run below it has been measured.
    """
    from experiments.tracking.deliver import deliver_waiting

    deliver_waiting(outputs, f"sqlite:///{(outputs / 'mlflow.db').resolve()}")
    runs = {path.parent: json.loads(path.read_text()) for path in sorted(outputs.glob("*/*/*/metrics.json"))}
    if not runs:
        raise FacegenError(f"{outputs}: no measured run here yet. Train one with facegen train, then facegen evaluate.")
    keys = list(dict.fromkeys(key for values in runs.values() for key in values))
    rows = [[str(run.relative_to(outputs)), *(values.get(key) for key in keys)] for run, values in runs.items()]
    table = markdown_table(["run", *keys], rows)
    (outputs / "compare.md").write_text(table)
    print(table)
