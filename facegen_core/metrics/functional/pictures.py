"""What metrics of pictures take."""

from torch import Tensor

TOLERANCE = 1e-4
"""By how much a value may leave [0, 1]: rounding of a conversion, not another range."""


def check_pictures(*batches: Tensor) -> None:
    """Refuses what is not a batch of pictures.

    Args:
        batches: (B, 3, H, W) each, in [0, 1].

    Raises:
        ValueError: another shape, another range, whole numbers, or values that are not finite.
    """
    for pictures in batches:
        if pictures.ndim != 4 or pictures.shape[1] != 3 or not pictures.is_floating_point():
            raise ValueError(
                f"expected pictures (B, 3, H, W) of real numbers, got {tuple(pictures.shape)} {pictures.dtype}"
            )
        if pictures.numel():
            low, high = (float(x) for x in pictures.aminmax())
            if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):  # NaN is neither
                raise ValueError(
                    f"expected pictures in [0, 1], got {low:.4g} to {high:.4g}; facegen_core.images.from_signed turns "
                    "[-1, 1] into it"
                )


def check_pairs(first: Tensor, second: Tensor) -> None:
    """Refuses what are not pairs of pictures of one size, (B, 3, H, W) each, in [0, 1].

    Raises:
        ValueError: as :func:`check_pictures`, or two shapes.
    """
    check_pictures(first, second)
    if first.shape != second.shape:
        raise ValueError(f"expected pairs of one size, got {tuple(first.shape)} and {tuple(second.shape)}")
