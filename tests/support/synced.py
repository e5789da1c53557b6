"""Playgrounds whose votes go to a store on the loopback hub."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playground.publishing.hub import Dataset
from playground.publishing.restore import FromStore, restore_at_start
from playground.publishing.upload import Known, Uploaded, Uploader
from playground.storage.database.store import Store
from playground.storage.journal.entries import database_id
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import House, house

SEGMENT_BYTES = 2000


@dataclass
class Playground:
    """A database, restored from the store at its start as the app does it; its journal is written on demand."""

    home: House
    folder: Path  # of the journal
    begun: FromStore
    uploader: Uploader

    @property
    def store(self) -> Store:
        return self.home.store

    def write_journal(self) -> None:
        """Write what the journal lacks, as a program of its own that ends then."""
        Journal(self.store, self.folder, SEGMENT_BYTES).close()

    def upload(self) -> Uploaded:
        """Write the journal and upload it."""
        self.write_journal()
        result = self.uploader.upload(is_whole=True)
        self.uploader.clear_history()
        return result


@contextmanager
def started(folder: Path, dataset: Dataset, *, asks: bool = True) -> Iterator[Playground]:
    """Start a playground in a folder; `asks` says that the store is read at the start."""
    folder.mkdir(exist_ok=True)
    path = folder / "playground.db"
    with house(folder).store as store:
        begun = restore_at_start(store, dataset, wait_s=0) if asks else FromStore(Known())
        with store.reading() as reading:
            uploader = Uploader(dataset, journal_folder(path), database_id(reading), begun.known)
        made = Playground(House(store), journal_folder(path), begun, uploader)
        made.write_journal()
        yield made


def lose_disk(folder: Path) -> None:
    shutil.rmtree(folder)


def battles_with_votes(store: Store) -> list[str]:
    """Return the battle of each vote row, in order: one that is doubled stands twice."""
    with store.reading() as reading:
        return sorted(row[0] for row in reading.select("SELECT battle_id FROM votes"))
