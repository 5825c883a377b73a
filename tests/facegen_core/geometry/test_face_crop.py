"""Crops of faces against scikit-image, scipy and Pillow, and what they owe to gradients."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage.transform import SimilarityTransform
from skimage.transform import warp as skimage_warp

from facegen_core.geometry.face_crop import (
    ALIGNED_224,
    ARCFACE_112,
    align_matrix,
    box_matrix,
    eye_level,
    eye_level_matrix,
    ffhq_matrix,
    five_points,
    invert,
    move_points,
    similarity,
    warp,
)


def smooth_pictures(count: int, height: int, width: int, dtype=torch.float64, blur=1.5) -> torch.Tensor:
    rng = np.random.default_rng(5)
    noise = ndimage.gaussian_filter(rng.random((count, 3, height, width)), (0, 0, blur, blur), mode="reflect")
    return torch.from_numpy((noise - noise.min()) / np.ptp(noise)).to(dtype)


def turned(degrees: float, scale: float, shift: tuple[float, float]) -> torch.Tensor:
    matrix = SimilarityTransform(scale=scale, rotation=np.deg2rad(degrees), translation=shift).params[:2]
    return torch.from_numpy(matrix)[None]


def made_up_landmarks(count: int) -> torch.Tensor:
    rng = np.random.default_rng(1)
    return torch.from_numpy(rng.normal(size=(count, 68, 2)) * 6 + np.array([70.0, 60.0]) + np.arange(68)[:, None] * 0.3)


def test_similarity_is_scikit_images_umeyama():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(4, 9, 2)) * 20, rng.normal(size=(4, 9, 2)) * 7 + 30
    found = similarity(torch.from_numpy(source), torch.from_numpy(target))
    for i in range(4):
        expected = SimilarityTransform.from_estimate(source[i], target[i]).params[:2]
        np.testing.assert_allclose(found[i].numpy(), expected, atol=1e-10)


def test_similarity_never_mirrors():
    face = ARCFACE_112[None]
    linear = similarity(face, face * torch.tensor([-1.0, 1.0]))[0, :, :2]
    assert torch.linalg.det(linear) > 0


def test_similarity_has_a_gradient():
    source = torch.randn(2, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda points: similarity(points, ARCFACE_112), source)


@pytest.mark.parametrize("points", [torch.ones(1, 5, 2), torch.full((1, 5, 2), float("nan")), torch.zeros(5, 2)])
def test_points_that_align_nothing_are_refused(points):
    with pytest.raises(ValueError):
        similarity(points, ARCFACE_112)


@pytest.mark.parametrize(("template", "side"), [(ARCFACE_112, 112), (ALIGNED_224, 224)])
@pytest.mark.parametrize("factor", [1, 2])
def test_template_in_another_size_covers_the_same_square(template, side, factor):
    """The edges of the crop lie at the same places of the photograph, whatever its size."""
    points = template[None] * 1.7 + 40
    edges = torch.tensor([[[-0.5, -0.5], [side * factor - 0.5, side * factor - 0.5]]])
    corners = move_points(edges, invert(align_matrix(points, side * factor, template, side)))
    expected = torch.tensor([[[-0.5, -0.5], [side - 0.5, side - 0.5]]], dtype=torch.float64) * 1.7 + 40
    assert torch.allclose(corners, expected)


def test_five_points_of_68():
    landmarks = made_up_landmarks(1)
    points = five_points(landmarks)[0]
    assert torch.equal(points[0], landmarks[0, [36, 37, 38, 39, 40, 41]].mean(0))
    assert torch.equal(points[1], landmarks[0, [42, 43, 44, 45, 46, 47]].mean(0))
    assert torch.equal(points[2:], landmarks[0, [30, 48, 54]])
    assert torch.equal(five_points(points[None])[0], points)
    with pytest.raises(ValueError, match="98"):
        five_points(torch.zeros(1, 98, 2))


@pytest.mark.parametrize("border", ["reflect", "zero"])
def test_warp_is_scikit_images(border):
    picture, matrix = smooth_pictures(1, 40, 50), turned(23, 1.3, (4, -9))
    ours = warp(picture, matrix, 48, border=border)[0].permute(1, 2, 0).numpy()
    inverse = np.vstack([invert(matrix)[0].numpy(), [0, 0, 1]])
    theirs = np.stack(
        [
            ndimage.affine_transform(
                picture[0, c].numpy(),
                inverse[:2, :2][::-1, ::-1],
                inverse[:2, 2][::-1],
                output_shape=(48, 48),
                order=1,
                mode="reflect" if border == "reflect" else "grid-constant",
            )
            for c in range(3)
        ],
        -1,
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    mode = "symmetric" if border == "reflect" else "constant"
    image = picture[0].permute(1, 2, 0).numpy()
    theirs = skimage_warp(image, inverse, output_shape=(48, 48), order=1, mode=mode)
    inside = np.abs(ours - theirs)[4:-4, 4:-4]
    assert np.median(inside) < 1e-9


def test_border_is_mirrored_beyond_any_distance():
    """Twenty picture widths away, where most padding has long run out."""
    picture = smooth_pictures(1, 11, 7)
    matrix = turned(0, 1.0, (140, 220))
    ours = warp(picture, matrix, (11, 7))
    there = np.pad(picture[0].numpy(), ((0, 0), (220, 0), (140, 0)), mode="symmetric")[:, :11, :7]
    np.testing.assert_allclose(ours[0].numpy(), there, atol=1e-9)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_reducing_by_a_whole_factor_is_the_mean_of_the_pixels_covered(factor):
    picture = torch.rand(1, 3, 8 * factor, 8 * factor, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    box = torch.tensor([[-0.5, -0.5, 8 * factor - 0.5, 8 * factor - 0.5]])
    crop = warp(picture, box_matrix(box, 8), 8)
    assert torch.allclose(crop, torch.nn.functional.avg_pool2d(picture, factor), atol=1e-12)


def test_reducing_leaves_no_moire():
    """Stripes finer than the crop's pixels become even grey; one sample a pixel turns them into wide false stripes."""
    stripes = ((torch.arange(300) % 2).double()).expand(1, 3, 300, 300)
    matrix = turned(10, 1 / 5.3, (10, 0))
    assert warp(stripes, matrix, 40).std() < 0.04
    assert warp(stripes, matrix, 40, antialias=False).std() > 0.2


def test_reducing_follows_pillows_area_average():
    picture = smooth_pictures(1, 96, 96)
    matrix = box_matrix(torch.tensor([[-0.5, -0.5, 95.5, 95.5]]), 28)
    channels = [Image.fromarray(channel.numpy().astype(np.float32)).resize((28, 28), Image.Resampling.BOX)
                for channel in picture[0]]  # fmt: skip
    off, off_without = (np.abs(warp(picture, matrix, 28, antialias=on)[0].numpy() - np.stack(channels)).mean()
                        for on in (True, False))  # fmt: skip
    assert off < 0.01 and off < off_without / 2


def test_crop_does_not_depend_on_its_batch():
    pictures = smooth_pictures(3, 60, 60, torch.float32)
    matrices = torch.cat([turned(5, 0.2, (0, 0)), turned(30, 1.1, (3, 3)), turned(-20, 0.45, (9, 1))])
    together = warp(pictures, matrices, 16)
    for i in range(3):
        assert torch.equal(together[i], warp(pictures[i : i + 1], matrices[i : i + 1], 16)[0])


@pytest.mark.parametrize("scale", [0.4, 1.4])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_warp_has_a_gradient_in_the_pictures(scale, interpolation):
    picture = smooth_pictures(1, 7, 8).requires_grad_()
    matrix = turned(12, scale, (1, -2))
    assert torch.autograd.gradcheck(lambda p: warp(p, matrix, 4, interpolation=interpolation), picture)


def test_warp_in_bf16_samples_where_float32_does():
    picture, matrix = smooth_pictures(1, 300, 300, torch.float32), turned(7, 0.5, (-3, 2))
    crop = warp(picture.bfloat16(), matrix, 64)
    assert crop.dtype == torch.bfloat16
    assert (crop.float() - warp(picture, matrix, 64)).abs().max() < 0.01


def test_ffhq_square_is_pillows_quad_of_the_published_recipe():
    landmarks = made_up_landmarks(1)
    picture = smooth_pictures(1, 140, 150)
    # The recipe as the owners of FFHQ state it, on one face at a time and in numpy.
    points = landmarks[0].numpy()
    eye_left, eye_right = points[36:42].mean(0), points[42:48].mean(0)
    eye_avg, mouth_avg = (eye_left + eye_right) / 2, (points[48] + points[54]) / 2
    eye_to_eye, eye_to_mouth = eye_right - eye_left, mouth_avg - eye_avg
    x = eye_to_eye - np.flipud(eye_to_mouth) * [-1, 1]
    x = x / np.hypot(*x) * max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eye_to_mouth) * 1.8)
    y = np.flipud(x) * [-1, 1]
    c = eye_avg + eye_to_mouth * 0.1
    quad = np.stack([c - x - y, c - x + y, c + x + y, c + x - y])
    size = 64
    theirs = np.stack(
        [
            Image.fromarray(channel.numpy().astype(np.float32)).transform(
                (size, size), Image.Transform.QUAD, tuple((quad + 0.5).flatten()), Image.Resampling.BILINEAR
            )
            for channel in picture[0]
        ]
    )
    ours = warp(picture, ffhq_matrix(landmarks, size), size, border="zero", antialias=False)[0].numpy()
    both = (theirs > 0) & (ours > 0)
    assert both.mean() > 0.3
    assert np.abs(ours - theirs)[both].max() < 0.02


def test_box_fills_the_crop_and_a_square_keeps_its_shape():
    box = torch.tensor([[10.0, 20.0, 30.0, 80.0]])
    corners = torch.tensor([[[10.0, 20.0], [30.0, 80.0]]])
    edge = torch.tensor([[[-0.5, -0.5], [15.5, 15.5]]], dtype=torch.float64)
    assert torch.allclose(move_points(corners, box_matrix(box, 16)), edge)
    square = box_matrix(box, 16, square=True)
    assert square[0, 0, 0] == square[0, 1, 1] == pytest.approx(16 / 60)
    assert torch.allclose(move_points(torch.tensor([[[20.0, 50.0]]]), square), torch.full((1, 1, 2), 7.5).double())
    assert box_matrix(box, 16, square=True, margin=0.25)[0, 0, 0] == pytest.approx(16 / 90)
    for bad in ([3.0, 3.0, 3.0, 9.0], [0.0, 0.0, float("inf"), 1.0]):
        with pytest.raises(ValueError, match="no area"):
            box_matrix(torch.tensor([bad]), 16)


def test_eye_levelling_turns_about_the_eyes_and_nothing_else():
    landmarks = made_up_landmarks(2)
    landmarks[:, 36:42] += torch.tensor([-25.0, 8.0])  # eyes well apart, and not level
    matrix = eye_level_matrix(landmarks)
    before, after = five_points(landmarks)[:, :2], five_points(move_points(landmarks, matrix))[:, :2]
    assert torch.allclose(after[:, 0, 1], after[:, 1, 1])
    assert (after[:, 1, 0] > after[:, 0, 0]).all()
    assert torch.allclose(after.mean(1), before.mean(1))
    assert torch.allclose(torch.linalg.det(matrix[..., :2]), torch.ones(2, dtype=torch.float64))


def test_eye_levelling_resamples_about_as_scipys_spline_of_order_3():
    picture, landmarks = smooth_pictures(1, 60, 60), made_up_landmarks(1) * 0.4
    back = invert(eye_level_matrix(landmarks))[0].numpy()
    theirs = [ndimage.affine_transform(channel.numpy(), back[:, :2][::-1, ::-1], back[:, 2][::-1], order=3,
                                       mode="reflect") for channel in picture[0]]  # fmt: skip
    ours = eye_level(picture, landmarks)[0].numpy()
    assert np.abs(ours - np.stack(theirs)).mean() < 0.005
