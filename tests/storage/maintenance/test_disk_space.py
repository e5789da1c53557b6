"""Room on the disk: too little of it stops what is new, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.storage.database.files import free_bytes
from playground.storage.maintenance.disk_space import DiskSpace


class Disk:
    """A disk and a clock that are told."""

    def __init__(self, free: int | None) -> None:
        self.free, self.now, self.asked = free, 0.0, 0

    def room(self, least_bytes: int = 200) -> DiskSpace:
        return DiskSpace(Path(), least_bytes, free=self.ask, monotonic=lambda: self.now)

    def ask(self, folder: Path) -> int | None:
        self.asked += 1
        return self.free


@pytest.mark.parametrize(("free", "least"), [(200, 200), (10**12, 200), (0, 0), (None, 200)])
def test_where_there_is_enough_or_nobody_can_tell_nothing_happens(free: int | None, least: int) -> None:
    Disk(free).room(least).check()


def test_a_disk_that_is_nearly_full_is_said_in_words_for_a_visitor_and_over_when_it_is_over() -> None:
    disk = Disk(199)
    room = disk.room()
    with pytest.raises(StorageError, match=r"nearly full.*Votes on open comparisons still count.*do not store"):
        room.check()
    disk.free, disk.now = 200, 1.0
    room.check()


def test_the_file_system_is_asked_at_most_once_a_second() -> None:
    disk = Disk(199)
    room = disk.room()
    for disk.now in (0.0, 0.5, 0.99, 1.0, 1.5, 2.0):
        with pytest.raises(StorageError):
            room.check()
    assert disk.asked == 3


def test_a_real_folder_has_room_and_a_missing_one_does_not_say(tmp_path: Path) -> None:
    free = free_bytes(tmp_path)
    assert free is not None
    assert free > 0
    assert free_bytes(tmp_path / "missing") is None
