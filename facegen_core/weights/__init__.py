"""Pretrained weights as data: a table of names, files, checks, licences and preprocessing, and how they are found.

`table.py` is the table, `files.py` finds and checks files, `tensors.py` reads them without running anything in them,
`kinds.py` tells what a file is, `download.py` gets one when the user asks. The embedded judges lie in this folder.
"""

from facegen_core.weights.files import FOLDER_VARIABLE, find_weights, resolve_weights, weights_folder
from facegen_core.weights.spec import WeightSpec
from facegen_core.weights.table import WEIGHTS

__all__ = ["FOLDER_VARIABLE", "WEIGHTS", "WeightSpec", "find_weights", "resolve_weights", "weights_folder"]
