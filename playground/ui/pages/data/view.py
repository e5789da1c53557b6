"""The data that the page shows for an address, read from the store.

Boundary: reads through `exchange`; draws nothing. What costs more than a page of the list is reused for a few seconds:
a hundred visitors with the same link cost as much as one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.errors import InvalidValue, ReadTooLong
from playground.exchange import FORMATS, Browsed, ExportOptions, Preview, browse, count_browsed, preview
from playground.records import BattleRow
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal.entries import last_event, last_withholding
from playground.storage.maintenance.detached import detached
from playground.ui.data_address import DataAddress
from playground.ui.http.orders import export_options
from playground.ui.pages.data.battles import SHOWN
from playground.ui.pages.data.filters import Offered
from playground.ui.pages.data.formats import Inside, Kind
from playground.ui.pages.data.recent import Recent
from playground.ui.texts import data as texts

FIRST_ROWS = 5
BRIEF_S = 0.05
"""The longest read for which votes wait, where they share its connection (see `Store.has_one_connection`)."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Content:
    """The data that an address shows."""

    matching: int  # battles
    battles: Sequence[BattleRow]
    has_older: bool
    kinds: Sequence[Kind]
    inside: Inside | None  # of the format in the address


class DataReader:
    """Reads for one page; for many threads."""

    def __init__(self, arena: Arena, clock: Clock | None = None) -> None:
        self._arena = arena
        self._clock = clock or Clock()
        self._counts: Recent[int] = Recent()
        self._insides: Recent[Inside] = Recent()
        self._offers: Recent[Offered] = Recent()
        self._lists: Recent[Browsed] = Recent()
        self._copying = threading.Lock()
        self._guard = threading.Lock()
        self._read_up_to = 0  # number of the last event that was looked at
        self._withheld_by = 0  # number of the last event that may have withheld words
        self._kinds = tuple(
            Kind(name, texts.PURPOSES.get(name, format.description), tuple(end[1:] for end in format.containers))
            for name, format in FORMATS.items()
        )

    def offered(self) -> Offered:
        """Return the values that filters offer: the stored models and the starters' categories."""
        return self._offers.get("", self._offered)

    def content(self, address: DataAddress) -> Content:
        """Return what an address shows; a look inside a format only if it names one.

        Raises:
            InvalidValue: an unknown format.
            StorageError: the database cannot be read.
        """
        if address.format and address.format not in FORMATS:
            raise InvalidValue(texts.NO_FORMAT.format(valid=", ".join(FORMATS)))
        now = self._clock.now()
        withheld_by = self._read(self._last_withholding)
        browsed = self._browsed(address, now, withheld_by)
        matching = self._counts.get((address.filter, address.ids), lambda: self._count(address, now))
        inside = None
        if address.format:
            asked = replace(address, before="")
            inside = self._insides.get((asked, withheld_by), lambda: self._inside(asked, now))
        return Content(matching, browsed.rows, bool(browsed.next), self._kinds, inside)

    def _last_withholding(self, reading: Reading) -> int:
        """Return the event since which no words were erased or hidden: a look from before it shows them no more."""
        with self._guard:
            self._withheld_by = max(self._withheld_by, last_withholding(reading, self._read_up_to))
            self._read_up_to = max(self._read_up_to, last_event(reading))
            return self._withheld_by

    def _offered(self) -> Offered:
        models = self._read(lambda reading: sorted(reading.licenses_of_models()))
        return Offered(tuple(models), tuple(self._arena.starters))

    def _count(self, address: DataAddress, now: str) -> int:
        filter, running = address.filter, address.ids  # as an export has them
        return self._read(lambda reading: count_browsed(reading, filter, final_by=now, running_studies=running))

    def _browsed(self, address: DataAddress, now: str, withheld_by: int) -> Browsed:
        """Return a page of the list as it is now; one that takes long, where votes would wait, is reused too."""

        def work(reading: Reading) -> Browsed:
            return browse(reading, address.filter, address.before, SHOWN, final_by=now, running_studies=address.ids)

        try:
            with self._arena.store.reading(BRIEF_S) as reading:
                return work(reading)
        except ReadTooLong:
            key = (address.filter, address.ids, address.before, withheld_by)
            return self._lists.get(key, lambda: self._read_copy(work))

    def _read(self, work: Callable[[Reading], T]) -> T:
        """Return the result of a read; of a copy if votes would wait for it too long."""
        try:
            with self._arena.store.reading(BRIEF_S) as reading:
                return work(reading)
        except ReadTooLong:
            return self._read_copy(work)

    def _read_copy(self, work: Callable[[Reading], T]) -> T:
        with self._apart() as store, store.reading() as reading:
            return work(reading)

    @contextmanager
    def _apart(self) -> Iterator[Store]:
        """Yield the store, or a copy where votes would wait for its reads; one copy at a time."""
        if not self._arena.store.has_one_connection:
            yield self._arena.store
            return
        with (
            self._copying,
            TemporaryDirectory(prefix="playground-") as folder,
            detached(self._arena.store, Path(folder)) as copy,
        ):
            yield copy

    def _inside(self, address: DataAddress, now: str) -> Inside:
        options = export_options(address, self._arena.policy, now)
        if not options.filter.license:
            options = replace(options, split_licenses=True)  # counts the rows of both classes
        try:
            with self._apart() as store:
                return inside(preview(store, address.format, options, FIRST_ROWS), options)
        except InvalidValue as error:  # a format of two models, for votes on more
            return Inside(0, 0, 0, error=error.public)


def inside(found: Preview, options: ExportOptions) -> Inside:
    """Return a look inside a format."""
    other = found.num_rows if options.filter.license == "other" else found.num_other
    return Inside(
        rows=found.num_rows,
        size_bytes=found.bytes,
        commercial=found.num_rows - other,
        left_out=found.left_out,
        columns=found.columns,
        first=found.rows,
    )
