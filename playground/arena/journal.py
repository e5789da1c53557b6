"""The journal of the arena's database, and its sync to the store on the hub if the operator has one.

Boundary: opens and closes both in the order that loses no vote; what they do is done elsewhere.
"""

from __future__ import annotations

from playground.clock import Clock
from playground.publishing.hub import Dataset
from playground.publishing.restore import FromStore, restore_at_start
from playground.publishing.sync import SEGMENT_BYTES, StoreSync, SyncState
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal, JournalState
from playground.storage.journal.segments import journal_folder


class ArenaJournal:
    """Restores the database from the store, then writes the journal and uploads it, until `close`.

    Args:
        store: the database, open for writing.

    Raises:
        InvalidValue: the setting `store` names no dataset.
        DatasetError: the database is empty, and the store could not be read.
        StorageError: the database or its journal cannot be used.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._sync: StoreSync | None = None
        folder = journal_folder(settings.db)
        if not settings.store:
            self._journal = Journal(store, folder)
            return
        dataset = Dataset(settings.store)
        begun: FromStore = restore_at_start(store, dataset)
        self._journal = Journal(store, folder, SEGMENT_BYTES)
        self._sync = StoreSync(dataset, store, self._journal, settings.store_every_s, begun, clock)

    @property
    def state(self) -> JournalState:
        """The state of the journal. Raises StorageError."""
        return self._journal.state()

    @property
    def sync(self) -> SyncState | None:
        """The state of the store; None without one. Raises StorageError."""
        return None if self._sync is None else self._sync.state()

    def close(self) -> None:
        """Write and upload what is left, in bounded time; before the database is closed."""
        self._journal.close()
        if self._sync is not None:
            self._sync.close()
