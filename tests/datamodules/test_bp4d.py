"""The BP4D reader on small folders laid out as the data set's owners hand it out, with what is wrong in them."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.bp4d import (
    face,
    fitted,
    position_map,
    texels,
    units_of,
    write_bp4d_folder,
    write_occurrence,
    write_sequence,
)
from PIL import Image

from datamodules.bp4d import BP4DDataModule
from datamodules.config import BP4DConfig
from datamodules.prepare import mesh_cache, row_cache
from datamodules.prepare.bp4d import choose_frames, read_recordings
from datamodules.prepare.bp4d_check import check_bp4d, is_bp4d
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError
from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.losses.classification import masked_bce
from facegen_core.population.action_units import NAMES

HELD = {"val_identities": ["F002"], "test_identities": ["M002"]}
CODED = range(4, 10)


@pytest.fixture
def root(tmp_path) -> Path:
    return write_bp4d_folder(tmp_path / "data")


def opened(root: Path, **settings) -> BP4DDataModule:
    datamodule = BP4DDataModule(BP4DConfig(**({"root": str(root)} | HELD | settings)), batch_size=4, seed=0)
    datamodule.prepare_data()
    datamodule.setup("fit")
    return datamodule


def everything(datamodule: BP4DDataModule, split: str) -> dict[str, torch.Tensor]:
    batches = list(datamodule.in_order(split))
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def known(codes: list[list[int]]) -> np.ndarray:
    return np.where(np.array(codes) == 9, -1, codes)


def problems(datamodule: BP4DDataModule) -> str:
    return "\n".join(reason for _, reason in datamodule.skipped)


# What it reads


def test_frames_come_with_mesh_subject_and_units(root):
    samples = everything(opened(root), "test")
    frames = [("M002", task, frame) for task in ("T1", "T2") for frame in CODED]
    datamodule = opened(root)
    for mesh, frame in zip(samples["displacement"] + datamodule.template, frames, strict=True):
        np.testing.assert_allclose(mesh.numpy(), fitted(face(*frame)), atol=3e-3)
    np.testing.assert_array_equal(samples["expression"], known([units_of(*frame) for frame in frames]))
    assert samples["identity"].tolist() == [4] * 12  # people trained on come first: F001, M001, M003, then F002
    assert (datamodule.num_vertices, datamodule.num_identities, datamodule.num_expressions) == (len(texels()), 3, 34)


def test_names_of_expressions_are_the_units(root):
    assert opened(root).expression_names == NAMES


def test_people_have_numbers(root):
    assert opened(root).people == [1, 10_001, 10_003]


def test_labels_fit_the_masked_loss(root):
    labels = everything(opened(root), "train")["expression"]
    assert labels.dtype == torch.int64
    assert set(labels.unique().tolist()) == {-1, 0, 1}
    sure = torch.where(labels == 1, 50.0, -50.0)
    assert masked_bce(sure, labels) < 1e-6


def test_only_the_coded_span_is_read(tmp_path):
    root = write_bp4d_folder(tmp_path / "data", tasks=("T1",))
    write_sequence(root, "F001", "T2", coded=range(5, 8), meshes=range(12))
    assert len(opened(root, val_identities=["F002"], test_identities=["F001"]).textures["test"]) == 6 + 3


def test_frames_are_spread_evenly_over_the_sequence(root):
    write_sequence(root, "M003", "T3", coded=range(100), pictures=1)
    frames, _ = choose_frames(read_recordings(root), 5, 0)
    assert [f.picture for f in frames if f.task == "T3"] == [0, 25, 50, 74, 99]
    assert [f.picture for f in frames if (f.identity, f.task) == ("M003", "T1")] == [4, 5, 6, 8, 9]


def test_a_sequence_with_fewer_frames_gives_all_it_has(root):
    assert len(everything(opened(root, frames_per_sequence=50), "val")["identity"]) == 12


def test_pictures_with_three_and_four_digits_are_the_same_frames(tmp_path):
    root = write_bp4d_folder(tmp_path / "data", tasks=())
    for subject in ("F001", "F002", "M001", "M002"):
        write_sequence(root, subject, "T1", digits=4)
    datamodule = opened(root)
    np.testing.assert_array_equal(
        everything(datamodule, "test")["expression"], known([units_of("M002", "T1", frame) for frame in CODED])
    )
    assert all(texture is not None for texture in datamodule.textures["test"])


def test_gaps_between_frames_stay_gaps(root):
    for frame in (5, 8):
        (root / "Registered" / "M002" / "T1" / f"{frame:03d}.npy").unlink()
    samples = everything(opened(root), "test")
    expected = [units_of("M002", "T1", f) for f in (4, 6, 7, 9)] + [units_of("M002", "T2", f) for f in CODED]
    np.testing.assert_array_equal(samples["expression"], known(expected))


def test_frame_offset_moves_the_picture_and_not_the_code(root):
    """BP4D+: the coded frame f is picture f - 1. Maps lie at 4 to 9, so frames 5 to 9 have one."""
    samples = everything(opened(root, frame_offset=-1), "test")
    coded = [("M002", task, frame) for task in ("T1", "T2") for frame in range(5, 10)]
    np.testing.assert_array_equal(samples["expression"], known([units_of(*frame) for frame in coded]))
    datamodule = opened(root, frame_offset=-1)
    mesh = (everything(datamodule, "test")["displacement"][0] + datamodule.template).numpy()
    np.testing.assert_allclose(mesh, fitted(face("M002", "T1", 4)), atol=3e-3)


def test_intensities_stand_in_the_order_of_the_samples(root):
    path = root / "AUCoding" / "AU_INT" / "AU10" / "M002_T1_AU10.csv"
    path.write_text("4,9\n5,0\n6,3\n")
    (root / "AUCoding" / "AU_INT" / "AU17" / "M002_T2_AU17.csv").unlink()
    intensity = opened(root).intensity["test"]
    expected = np.array([[(frame + unit) % 6 for unit in (6, 10, 12, 14, 17)] for _ in range(2) for frame in CODED])
    expected[:6, 1] = [-1, 0, 3, -1, -1, -1]
    expected[6:, 4] = -1
    np.testing.assert_array_equal(intensity, expected)


def test_registered_obj_files_are_read_where_there_are_no_position_maps(tmp_path):
    root = write_bp4d_folder(tmp_path / "data")
    shutil.rmtree(root / "Registered" / "uv-data")
    faces, none = np.array([[0, 1, 2]]), np.zeros((0, 3), np.int64)
    vertices = np.random.default_rng(0).normal(0, 50, (7, 3))
    for path in (root / "Registered").rglob("*.npy"):
        path.unlink()
        text = format_vertices(vertices + int(path.stem)) + format_topology(faces, np.zeros((0, 2), np.float32), none)
        path.with_suffix(".obj").write_text(text)
    datamodule = opened(root)
    meshes = everything(datamodule, "test")["displacement"] + datamodule.template
    np.testing.assert_allclose(meshes[1].numpy(), vertices + 5, atol=1e-4)
    assert datamodule.unit == "mm"
    assert datamodule.textures["test"] == [None] * 12  # no way from the picture to the mesh


def test_unit_of_position_maps_is_not_mm(root):
    assert opened(root).unit == "PRNet pixels"


# Textures


def test_texture_comes_from_its_file_else_from_the_picture(root):
    Image.new("RGB", (4, 4), (1, 2, 3)).save(root / "Registered" / "M002" / "T1" / "004.png")
    first, second = opened(root).textures["test"][:2]
    assert first.picture == root / "Registered/M002/T1/004.png"
    assert first.position_map is None
    assert (second.picture, second.position_map) == (
        root / "Sequences(2D+3D)/M002/T1/005.jpg",
        root / "Registered/M002/T1/005.npy",
    )
    assert second.read().shape == (256, 256, 3)


def test_pictures_are_not_needed_for_meshes(root):
    shutil.rmtree(root / "Sequences(2D+3D)")
    datamodule = opened(root)
    assert len(everything(datamodule, "test")["identity"]) == 12
    assert datamodule.textures["test"] == [None] * 12


# What is wrong in it


def test_other_files_and_folders_are_passed_over(root):
    before = opened(root).digest()
    (root / "Sequences(2D+3D)" / "F001" / "T9.zip").write_text("x")
    (root / "Registered" / "F001" / "Thumbs").mkdir()
    (root / "Registered" / "F001" / "T1" / "notes.txt").write_text("x")
    (root / "Registered" / "F001" / "T1" / "._004.npy").write_text("x")
    (root / "AUCoding" / "AU_OCC" / "readme.csv").write_text("x")
    assert opened(root).digest() == before


def test_broken_table_is_named_with_its_line_and_its_sequence_left_out(root, capsys):
    path = write_occurrence(root, "F001", "T2", CODED)
    path.write_text(path.read_text().replace("\n6,", "\n6,7,"))
    datamodule = opened(root)
    assert "F001_T2.csv, line 4: 36 values where 35 are expected" in problems(datamodule)
    assert len(everything(datamodule, "train")["identity"]) == 5 * 6
    assert "sequences left out: 1: " in capsys.readouterr().err


def test_broken_table_stops_a_strict_reader(root):
    write_occurrence(root, "F001", "T2", CODED).write_text("frame\n")
    with pytest.raises(BadSampleError, match=r"F001_T2\.csv, line 1.*sequences left out: 1.*on_bad_sample=skip"):
        opened(root, on_bad_sample="raise")


def test_sequence_without_maps_is_named(root):
    shutil.rmtree(root / "Registered" / "F001" / "T1")
    assert "F001/T1: 6 coded frames, none with a mesh in Registered/F001/T1" in problems(opened(root))


def test_sequence_without_codes_is_named(root):
    (root / "AUCoding" / "AU_OCC" / "F001_T1.csv").unlink()
    assert "F001/T1: no AUCoding/AU_OCC/F001_T1.csv" in problems(opened(root))


def test_map_that_cannot_be_read_is_left_out(root):
    (root / "Registered" / "M002" / "T1" / "005.npy").write_bytes(b"\x93NUMPY")
    datamodule = opened(root)
    assert [path for path, _ in datamodule.skipped] == ["Registered/M002/T1/005.npy"]
    expected = [units_of("M002", "T1", f) for f in (4, 6, 7, 8, 9)] + [units_of("M002", "T2", f) for f in CODED]
    np.testing.assert_array_equal(everything(datamodule, "test")["expression"], known(expected))


def test_broken_intensities_cost_no_mesh_but_are_told(root, capsys):
    (root / "AUCoding" / "AU_INT" / "AU12" / "M002_T1_AU12.csv").write_text("4,0\n5,8\n")
    datamodule = opened(root)
    assert (datamodule.intensity["test"][:6, 2] == -1).all()
    assert "M002_T1_AU12.csv, line 2: code 8" in capsys.readouterr().err
    with pytest.raises(BadSampleError, match=r"M002_T1_AU12\.csv, line 2"):
        opened(root, on_bad_sample="raise")


@pytest.mark.parametrize(
    "make",
    [lambda root: None, lambda root: root.mkdir(), lambda root: (root / "AUCoding" / "AU_OCC").mkdir(parents=True)],
)
def test_missing_data_says_what_is_expected_and_how_to_get_it(tmp_path, make):
    make(tmp_path / "absent")
    with pytest.raises(DatasetNotFoundError) as missing:
        opened(tmp_path / "absent")
    for part in ("AU_OCC", "binghamton.edu", "facegen data population --layout bp4d", "absent", "face_ind.txt"):
        assert part in str(missing.value)


def test_data_without_any_mesh_says_what_is_expected(root):
    for path in (root / "Registered").rglob("*.npy"):
        path.unlink()
    with pytest.raises(DatasetNotFoundError, match="no coded frame has a mesh"):
        opened(root)


def test_position_maps_without_their_topology_say_what_to_copy(root):
    shutil.rmtree(root / "Registered" / "uv-data")
    with pytest.raises(DatasetNotFoundError, match=r"Registered/uv-data.*face_ind\.txt"):
        opened(root)


# Cache, splits, loading


def test_cache_is_built_once_and_belongs_to_the_topology(root, monkeypatch):
    opened(root)
    with monkeypatch.context() as patched:
        patched.setattr(row_cache, "_fill", lambda *_: pytest.fail("built again"))
        opened(root)
    np.save(root / "Registered" / "uv-data" / "canonical_vertices.npy", np.ones((len(texels()), 3)))
    called = []
    monkeypatch.setattr(mesh_cache, "fill_rows", lambda *_: called.append(1))
    with pytest.raises(FileNotFoundError):
        opened(root)
    assert called


def test_corrected_table_counts_without_building_anew(root, monkeypatch):
    opened(root)
    path = root / "AUCoding" / "AU_OCC" / "M002_T1.csv"
    lines = path.read_text().splitlines()
    lines[1] = ",".join(["4"] + ["1"] * 34)
    path.write_text("\n".join(lines))
    monkeypatch.setattr(row_cache, "_fill", lambda *_: pytest.fail("built again"))
    assert everything(opened(root), "test")["expression"][0].tolist() == [1] * 34


def test_processes_read_what_one_does(tmp_path, monkeypatch):
    root = write_bp4d_folder(tmp_path / "data")
    one = opened(root, cache=str(tmp_path / "one"))
    monkeypatch.setattr(row_cache, "FILES_WORTH_PROCESSES", 2)
    many = opened(root, cache=str(tmp_path / "many"))
    assert one.digest() == many.digest()


def test_digest_changes_with_one_code(root):
    before = opened(root).digest()
    path = root / "AUCoding" / "AU_OCC" / "F001_T1.csv"
    line = path.read_text().splitlines()[1]
    path.write_text(path.read_text().replace(line, line[:-1] + str((int(line[-1]) + 1) % 2)))
    assert opened(root).digest() != before


def test_digest_is_of_the_data_wherever_it_lies(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy", ignore=shutil.ignore_patterns(".facegen_cache"))
    assert opened(root).digest() == opened(tmp_path / "copy").digest()


def test_subjects_are_split_and_stay_whole(root):
    datamodule = opened(root, val_identities=[], test_identities=[], val_fraction=0.2, test_fraction=0.2)
    people = [set(everything(datamodule, split)["identity"].tolist()) for split in ("train", "val", "test")]
    assert people == [{0, 1, 2}, {3}, {4}]


def test_subject_that_is_not_there_is_refused(root):
    with pytest.raises(ConfigError, match=r"nobody in the data is called \['F009'\]"):
        opened(root, test_identities=["F009"])


def test_workers_are_handed_the_file_not_its_content(root):
    assert len(pickle.dumps(opened(root).datasets["train"])) < 50_000


# The check


def test_check_of_a_whole_folder_finds_nothing_wrong(root):
    for line in check_bp4d(root, deep=True).splitlines()[1:]:
        assert line.endswith("none") or line.startswith(
            ("coded frames: 60; with a mesh: 60; taken", "sequences missing")
        )


def test_check_names_what_is_missing_and_what_is_broken(root):
    shutil.rmtree(root / "Registered" / "F001" / "T1")
    (root / "Registered" / "F001" / "T2" / "004.npy").unlink()
    (root / "Sequences(2D+3D)" / "F002" / "T1" / "004.jpg").unlink()
    (root / "AUCoding" / "AU_OCC" / "M001_T1.csv").write_text("0,1\n3,5\n")
    (root / "AUCoding" / "AU_INT" / "AU06" / "M001_T2_AU06.csv").unlink()
    (root / "AUCoding" / "AU_INT" / "AU06" / "M003_T2_AU06.csv").write_text("1,7\n")
    (root / "Registered" / "M002" / "T1" / "005.npy").write_bytes(b"no map")
    (root / "Sequences(2D+3D)" / "M002" / "T1" / "006.jpg").write_bytes(b"no picture")
    report = check_bp4d(root, deep=True)
    for part in (
        "10 sequences of 5 subjects (2 F, 3 M); meshes are position maps",
        "sequences missing: 30 (F001/T3,",
        "F001/T1: 6 coded frames, none with a mesh",
        "M001_T1.csv, line 2: code 5",
        "coded frames: 54; with a mesh: 47; taken at 50 a sequence, evenly spread: 47",
        "F001/T2 (1 of 6)",
        "coded frames without a picture (only textures need them): 1",
        "AUCoding/AU_INT/AU06/M001_T2_AU06.csv",
        "M003_T2_AU06.csv, line 1: code 7",
        "M002/T1/005.npy: not a position map",
        "M002/T1/006.jpg: the picture cannot be read",
        "frames taken without a texture: 1 (Registered/F002/T1/004.npy)",
    ):
        assert part in report, part


def test_check_says_when_another_offset_fits_better(tmp_path):
    root = write_bp4d_folder(tmp_path / "data", tasks=())
    write_sequence(root, "F001", "T1", coded=range(1, 13), pictures=12)
    assert "1 (0 with data.frame_offset=-1)" in check_bp4d(root)


def test_check_counts_units_without_a_column(root):
    path = root / "AUCoding" / "AU_OCC" / "F001_T1.csv"
    rows = [line.split(",")[:-1] for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(row) for row in rows))
    assert "action units without a column: 1 (AU39 in 1 tables)" in check_bp4d(root)


def test_maps_of_another_size_are_found(root):
    np.save(root / "Registered" / "M002" / "T1" / "005.npy", position_map(face("M002", "T1", 5))[:128])
    assert "005.npy: expected a position map" in check_bp4d(root, deep=True)


def test_bp4d_is_told_from_other_folders(root, tmp_path):
    (tmp_path / "1" / "models_reg").mkdir(parents=True)
    assert (is_bp4d(root), is_bp4d(tmp_path), is_bp4d(tmp_path / "nowhere")) == (True, False, False)
