"""Distance between meshes in dense correspondence."""

from torch import Tensor

from facegen_core.geometry.alignment import rigid_align


def vertex_error(predicted: Tensor, target: Tensor, mask: Tensor | None = None, align: bool = False) -> Tensor:
    """Mean distance between corresponding vertices of each mesh, ``d(a, b) = 1/|S| sum_v |a_v - b_v|``.

    Args:
        predicted: (B, V, 3), mm.
        target: (B, V, 3), mm.
        mask: (V,) bool, the vertices S that count; all if None. 3DFaceCAM's table 2 follows Jiang et al., who measure
            on 5,334 front vertices.
        align: move ``predicted`` rigidly (rotation and translation, no scale) onto ``target``, fitted on S, before
            measuring, as Jiang et al. do. Displacements from a template must have it added back first.

    Returns:
        (B,) distances in mm.
    """
    if align:
        predicted = rigid_align(predicted, target, mask)
    distance = (predicted - target).norm(dim=-1)
    return (distance if mask is None else distance[:, mask]).mean(dim=1)
