"""The data that the page shows for an address, read from the store.

Boundary: reads through `exchange`; draws nothing. What costs more than a page of the list is reused for a few seconds:
a hundred visitors with the same link cost as much as one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.errors import InvalidValue
from playground.exchange import FORMATS, ExportOptions, Preview, browse, count_browsed, preview
from playground.records import BattleRow, VoteFilter
from playground.storage.database.statements import Reading
from playground.storage.journal.entries import last_event, last_withholding
from playground.ui.data_address import DataAddress
from playground.ui.http.orders import export_options
from playground.ui.pages.data.battles import SHOWN
from playground.ui.pages.data.filters import Offered
from playground.ui.pages.data.formats import Inside, Kind
from playground.ui.pages.data.recent import Recent
from playground.ui.texts import data as texts

FIRST_ROWS = 5


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
        with self._arena.store.reading() as reading:
            browsed = browse(reading, address.filter, address.before, SHOWN, final_by=now)
            withheld_by = self._last_withholding(reading)
        matching = self._counts.get(address.filter, lambda: self._count(address.filter, now))
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
        with self._arena.store.reading() as reading:
            return Offered(tuple(sorted(reading.licenses_of_models())), tuple(self._arena.starters))

    def _count(self, filter: VoteFilter, now: str) -> int:
        with self._arena.store.reading() as reading:
            return count_browsed(reading, filter, final_by=now)

    def _inside(self, address: DataAddress, now: str) -> Inside:
        options = export_options(address, self._arena.policy, now)
        if not options.filter.license:
            options = replace(options, split_licenses=True)  # counts the rows of both classes
        try:
            return inside(preview(self._arena.store, address.format, options, FIRST_ROWS), options)
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
