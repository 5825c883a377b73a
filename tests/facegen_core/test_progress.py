"""Progress with --quiet: lines in place of bars."""

import re

import pytest

from facegen_core import progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setenv("FACEGEN_QUIET", "1")
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def lines(capsys) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == "", "progress belongs on standard error"
    return captured.err.splitlines()


def test_quiet_prints_a_line_every_ten_seconds_and_one_at_the_end(clock, capsys):
    with progress.bar(100, "read meshes", "mesh") as bar:
        for _ in range(100):
            clock.now += 0.25
            bar.update()
    assert lines(capsys) == [
        "read meshes: 40/100 mesh, 4 mesh/s, 15 s left",
        "read meshes: 80/100 mesh, 4 mesh/s, 5 s left",
        "read meshes: 100/100 mesh, 4 mesh/s, 0 s left",
    ]


def test_quiet_rate_of_a_resumed_run_counts_this_process_alone(clock, capsys):
    bar = progress.bar(100, "train", "step", initial=60)
    clock.now += 10
    bar.update(20)
    assert lines(capsys) == ["train: 80/100 step, 2 step/s, 10 s left"]


def test_quiet_says_no_time_left_where_the_total_is_unknown(clock, capsys):
    with progress.bar(None, "scan", "file") as bar:
        clock.now += 2
        bar.update(3)
        bar.set_postfix_str("loss 0.5")
    assert lines(capsys) == ["scan: 3 file, 1.5 file/s loss 0.5"]


def test_quiet_prints_nothing_where_nothing_was_done(clock, capsys):
    with progress.bar(5, "nothing"):
        clock.now += 60
    assert lines(capsys) == []


def test_track_passes_all_items_on_and_counts_them(clock, capsys):
    assert list(progress.track("abc", "letters", "letter")) == ["a", "b", "c"]
    assert lines(capsys)[0].startswith("letters: 3/3 letter")


@pytest.mark.parametrize(("value", "expected"), [("", False), ("0", False), ("1", True)])
def test_quiet_follows_the_variable(monkeypatch, value, expected):
    monkeypatch.setenv("FACEGEN_QUIET", value)
    assert progress.quiet() is expected


def test_bar_shows_rate_and_time_left(monkeypatch, capsys):
    monkeypatch.setenv("FACEGEN_QUIET", "0")
    for _ in progress.track(range(3), "read", "mesh"):
        pass
    drawn = capsys.readouterr().err.split("\r")[-1]
    assert re.search(r"read: 100%.*3/3 \[\d\d:\d\d<\d\d:\d\d, .* mesh/s\]", drawn)
