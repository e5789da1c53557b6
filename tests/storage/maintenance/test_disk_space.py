"""A nearly full disk refuses new comparisons only."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.storage.database.files import free_bytes
from playground.storage.maintenance.disk_space import DiskSpace


class Disk:
    """A disk and a clock set by the test."""

    def __init__(self, free: int | None) -> None:
        self.free, self.now, self.asked = free, 0.0, 0

    def space(self, least_bytes: int = 200) -> DiskSpace:
        return DiskSpace(Path(), least_bytes, free=self.ask, monotonic=lambda: self.now)

    def ask(self, folder: Path) -> int | None:
        self.asked += 1
        return self.free


@pytest.mark.parametrize(("free", "least"), [(200, 200), (10**12, 200), (0, 0), (None, 200)])
def test_enough_or_unknown_space_is_accepted(free: int | None, least: int) -> None:
    Disk(free).space(least).check()


def test_nearly_full_disk_is_refused_until_freed() -> None:
    disk = Disk(199)
    space = disk.space()
    with pytest.raises(StorageError, match=r"nearly full.*Votes on open comparisons still count.*do not store"):
        space.check()
    disk.free, disk.now = 200, 1.0
    space.check()


@pytest.mark.parametrize(("free", "least", "is_short"), [(199, 200, True), (200, 200, False), (0, 0, False)])
def test_short_disk_is_told_without_an_error(free: int, least: int, is_short: bool) -> None:
    assert Disk(free).space(least).is_short is is_short


def test_file_system_is_asked_once_a_second() -> None:
    disk = Disk(199)
    space = disk.space()
    for disk.now in (0.0, 0.5, 0.99, 1.0, 1.5, 2.0):
        with pytest.raises(StorageError):
            space.check()
    assert disk.asked == 3


def test_free_bytes_of_folders(tmp_path: Path) -> None:
    free = free_bytes(tmp_path)
    assert free is not None
    assert free > 0
    assert free_bytes(tmp_path / "missing") is None
