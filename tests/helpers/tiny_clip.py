"""A CLIP of one layer that open_clip is told of."""

import json
import tempfile
from pathlib import Path
from typing import Any

import open_clip
import torch

NAME = "facegen-tiny-quickgelu"
CONFIG = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def tiny_clip() -> Any:
    """The network with random weights, the same each time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NAME}.json"
        path.write_text(json.dumps(CONFIG))
        open_clip.add_model_config(path)
    torch.manual_seed(0)
    return open_clip.create_model(NAME, pretrained=None, load_weights=False).eval()
