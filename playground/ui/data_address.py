"""An address of the Data page: the votes that it selects, read from its query and written into links.

Boundary: values only; page and routes read the same record, `exchange` applies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from playground.errors import Refused
from playground.records.filters import FILTER_NAMES, VoteFilter, read_filter
from playground.settings import Settings
from playground.ui.http.operator import OperatorStatus
from playground.ui.query import YES, is_yes
from playground.ui.texts import data as texts

APART = "apart"
"""The value of `license` for two files: rows for commercial use, and the other rows."""
COUNTED, IDS, FORMAT, BEFORE = "counted", "ids", "format", "before"
_FILTERS = tuple(name for name in FILTER_NAMES if name != "study")  # of commands and the API
ADDRESS_NAMES = (*_FILTERS, COUNTED, IDS, FORMAT, BEFORE)
"""Names in an address of the page."""


@dataclass(frozen=True, slots=True)
class DataAddress:
    """The filter of votes in an address, and the part of the page that it shows."""

    filter: VoteFilter = VoteFilter()
    counted_only: bool = False  # votes that count on the leaderboard
    ids: bool = False  # raters by their ids instead of numbers; the operator's choice
    apart: bool = False  # rows for commercial use and other rows in a file each
    format: str = ""  # whose first rows are shown
    before: str = ""  # the list begins with battles older than this mark

    def query(self, **changes: str) -> str:
        """Return the query of an address, with other values for some of its names; empty ones are left out."""
        named = {
            **self.filter.as_mapping(),
            "license": APART if self.apart else self.filter.license,
            COUNTED: YES if self.counted_only else "",
            IDS: YES if self.ids else "",
            FORMAT: self.format,
            BEFORE: self.before,
            **changes,
        }
        return urlencode({name: value for name, value in named.items() if value})

    def link(self, **changes: str) -> str:
        """Return the address of the page, relative to it, with other values for some names."""
        query = self.query(**changes)
        return f"./data?{query}" if query else "./data"

    def with_license(self, license: str) -> DataAddress:
        """Return the address of the rows of one license class alone."""
        return replace(self, filter=replace(self.filter, license=license), apart=False)

    @property
    def is_filtered(self) -> bool:
        """Return True if a condition on battles is set."""
        return bool(self.filter.as_mapping())


def check_access(settings: Settings, standing: OperatorStatus) -> None:
    """Raise Refused unless everybody, or this visitor as the operator, may see the data."""
    if settings.data != "public" and not standing.is_operator:
        raise Refused("foreign", texts.OPERATOR_ONLY)


def read_address(query: Mapping[str, str], is_operator: bool) -> DataAddress:
    """Read the names of an address that belong to the page; others are left to `query.check_names`.

    Raises:
        InvalidValue: an invalid value.
        Refused: raters by id, or one rater's votes, for somebody else than the operator.
    """
    if not is_operator and (query.get("rater") or query.get(IDS)):
        raise Refused("foreign", texts.RATERS_ARE_HIDDEN)
    apart = query.get("license") == APART
    given = {name: value for name, value in query.items() if name in _FILTERS and not (apart and name == "license")}
    return DataAddress(
        filter=read_filter(given),
        counted_only=is_yes(query, COUNTED),
        ids=is_yes(query, IDS),
        apart=apart,
        format=query.get(FORMAT, ""),
        before=query.get(BEFORE, ""),
    )
