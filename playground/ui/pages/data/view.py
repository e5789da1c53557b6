"""The data that the page shows for an address, read from the store.

Boundary: reads through `exchange`; draws nothing. What costs more than a page of the list is reused for a few seconds:
a hundred visitors with the same link cost as much as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.errors import InvalidValue
from playground.exchange import FORMATS, ExportOptions, Preview, browse, count_browsed, preview
from playground.records import BattleRow, VoteFilter
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
        matching = self._counts.get(address.filter, lambda: self._count(address.filter, now))
        inside = None
        if address.format:
            asked = replace(address, before="")
            inside = self._insides.get(asked, lambda: self._inside(asked, now))
        return Content(matching, browsed.rows, bool(browsed.next), self._kinds, inside)

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
