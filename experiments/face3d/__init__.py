"""3DFaceCAM: stages, tables and results."""

from experiments.face3d import sae

STAGES = {"sae": sae}
