"""3DFaceCAM: stages, tables and results."""

from collections.abc import Sequence

from experiments.face3d import coma, sae, shape_cgan, texture_progan

STAGES = {"sae": sae, "shape_cgan": shape_cgan, "texture_progan": texture_progan, "coma": coma}


def reproduce(words: Sequence[str]) -> None:
    """Trains and measures the rows of the paper's tables; see ``tables.py``."""
    from experiments.face3d.tables import make_tables

    make_tables(words)
