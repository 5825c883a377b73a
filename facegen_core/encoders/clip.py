"""CLIP through open_clip: pictures and prompts in one space."""

import difflib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.encoders.base import Preprocessing, prepare
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.weights import WEIGHTS, find_weights, resolve_weights, weights_folder
from facegen_core.weights.table import CLIP
from facegen_core.weights.tensors import load_into, read_tensors

_HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_NOT_LEARNT = (
    "input_resolution",
    "context_length",
    "vocab_size",
    "attn_mask",
)  # kept among the tensors of OpenAI's files


class ClipEncoder(nn.Module):
    """Both halves of CLIP; as an ``Encoder`` it is the picture half. Embeddings have length 1.

    Attributes:
        name: of the model in open_clip.
        dim: of the common space.
        preprocessing: of its input: the middle square of the whole picture.
    """

    differentiable = True

    def __init__(self, name: str, network: nn.Module, dim: int, preprocessing: Preprocessing):
        """Freezes an open_clip network; see :func:`clip_encoder`."""
        super().__init__()
        import open_clip

        self.name, self.dim, self.preprocessing = name, dim, preprocessing
        self.network: Any = network.requires_grad_(False)
        self._tokenise = open_clip.get_tokenizer(name)
        self.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1] to (B, dim); differentiable in the pictures."""
        height, width = pictures.shape[-2:]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = pictures[..., top : top + side, left : left + side]
        return F.normalize(self.network.encode_image(prepare(square, self.preprocessing)), dim=1)

    def embed_texts(self, prompts: Sequence[str]) -> Tensor:
        """Prompts to (B, dim), without gradient."""
        if not prompts:
            return torch.zeros(0, self.dim)
        device = next(self.network.parameters()).device
        with torch.no_grad():
            return F.normalize(self.network.encode_text(self._tokenise(list(prompts)).to(device)), dim=1)

    def train(self, mode: bool = True) -> "ClipEncoder":
        """Stays in evaluation mode."""
        return super().train(False)


def clip_encoder(model: str = "ViT-B-16-quickgelu", weights: str | None = None) -> ClipEncoder:
    """CLIP from a local file; never downloads.

    Args:
        model: a name of open_clip; OpenAI's weights need the "-quickgelu" ones.
        weights: a name of ``facegen weights list`` or a file: OpenAI's .pt or open_clip's .safetensors or .bin. None
            takes OpenAI's weights, from the folder of weights or where open_clip keeps what it downloads.

    Raises:
        ConfigError: open_clip knows no such model.
        WeightsNotFoundError: no weights, or of another model; says what to put where.
    """
    import open_clip

    settings = open_clip.get_model_config(model)
    if settings is None:
        near = difflib.get_close_matches(model, open_clip.list_models(), n=4, cutoff=0.4)
        raise ConfigError(f"{model}: open_clip knows no such model. Nearest: {', '.join(near)}.")
    path = clip_weights(model) if weights is None else resolve_weights(weights)
    tensors = _read(path)
    network = open_clip.create_model(model, pretrained=None, load_weights=False)
    load_into(network, tensors, path, f"CLIP {model}")
    size = settings["vision_cfg"]["image_size"]
    preprocessing = Preprocessing(size, CLIP.mean, CLIP.std, CLIP.framing, CLIP.resize)
    return ClipEncoder(model, network, settings["embed_dim"], preprocessing)


def clip_weights(model: str) -> Path:
    """OpenAI's weights of a model of open_clip, wherever they are on this machine.

    Raises:
        WeightsNotFoundError: they are not; says what to put where.
    """
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    plain = model.removesuffix("-quickgelu")
    spec = next((spec for spec in WEIGHTS.values() if spec.file == f"{plain}.pt"), None)
    if spec is not None and find_weights(spec) is not None:
        return resolve_weights(spec.name)
    hub = str(open_clip.get_pretrained_cfg(plain, "openai").get("hf_hub", "")).rstrip("/")
    for file in _HUB_FILES if hub else ():
        cached = try_to_load_from_cache(hub, file)
        if isinstance(cached, str):
            return Path(cached)
    get = f"`facegen weights get {spec.name}` downloads it" if spec else "name a file of its weights"
    raise WeightsNotFoundError(
        f"CLIP {model}: no weights. Put OpenAI's {plain}.pt into {weights_folder()} ({get}), or "
        f"{_HUB_FILES[0]} of {hub or 'the model'} into the Hugging Face cache."
    )


def _read(path: Path) -> dict[str, Tensor]:
    """Tensors of a CLIP file. OpenAI's are TorchScript; their tensors are taken, their program is not run."""
    if path.suffix == ".pt" and path.is_file():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # TorchScript is on its way out of torch
                tensors = torch.jit.load(str(path), map_location="cpu").state_dict()
        except RuntimeError:
            return read_tensors(path)
        return {name: value.float() for name, value in tensors.items() if name not in _NOT_LEARNT}
    return read_tensors(path)
