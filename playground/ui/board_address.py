"""An address of the Leaderboard page: the votes that it selects, read from its query and written into links.

Boundary: values only; page and downloads read the same record, `ratings.board_filter` applies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from playground.errors import InvalidValue
from playground.ratings.board_filter import BOARD_FILTERS, read_board_filter
from playground.ratings.board_rules import RULE_NAMES, BoardRules, read_board_rules
from playground.ratings.policy import EVERY_VOTE, CountingPolicy
from playground.records import VoteFilter
from playground.ui.query import YES, check_names, is_yes
from playground.ui.texts import leaderboard as texts

MINE, COUNT_ALL, HIDE_RETIRED, MODEL = "mine", "count_all", "hide_retired", "model"
CONDITIONS = tuple(name for name in BOARD_FILTERS if name != "rater")  # raters are hidden
NAMES = (*CONDITIONS, *RULE_NAMES, MINE, COUNT_ALL, HIDE_RETIRED, MODEL)
"""Names in an address of the page."""

Selection = tuple[VoteFilter, CountingPolicy, BoardRules]
"""The votes of a board, which of them count, and how they are rated."""


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """The filter in an address, and the part of the page that it opens."""

    conditions: tuple[tuple[str, str], ...] = ()  # that are set, in the order of `CONDITIONS`
    rules: tuple[tuple[str, str], ...] = ()  # that are set, in the order of `RULE_NAMES`
    mine: bool = False  # only votes of the visitor
    count_all: bool = False  # flagged votes, quick ones and all others too
    hide_retired: bool = False  # models that answer here no more
    model: str = ""  # id of the model whose card is open

    def query(self, **changes: str) -> str:
        """Return the query of an address, with other values for some of its names; empty ones are left out."""
        named = {
            **dict(self.conditions),
            **dict(self.rules),
            MINE: YES if self.mine else "",
            COUNT_ALL: YES if self.count_all else "",
            HIDE_RETIRED: YES if self.hide_retired else "",
            MODEL: self.model,
            **changes,
        }
        return urlencode({name: value for name, value in named.items() if value})

    def link(self, **changes: str) -> str:
        """Return the address of the page, relative to it, with other values for some names."""
        query = self.query(**changes)
        return f"./leaderboard?{query}" if query else "./leaderboard"

    @property
    def is_filtered(self) -> bool:
        """Return True if other votes than the default board's are asked for, or rated in another way."""
        return bool(self.conditions or self.rules) or self.mine or self.count_all

    def selection(self, default: CountingPolicy, rater: str | None) -> Selection:
        """Return the filter, the policy and the rules of the board.

        Args:
            rater: of the visitor; None if their browser keeps no id.

        Raises:
            InvalidValue: a condition or a rule that is not valid, or a visitor's own board without a visitor.
        """
        if self.mine and not rater:
            raise InvalidValue(texts.NO_RATER)
        asked = {**dict(self.conditions), "rater": rater if self.mine else ""}
        filter, policy = read_board_filter(asked, EVERY_VOTE if self.count_all else default)
        return filter, policy, read_board_rules(dict(self.rules))


def read_board_address(query: Mapping[str, str]) -> BoardAddress:
    """Read the query of an address; `BoardAddress.selection` checks its values.

    Raises:
        InvalidValue: a name that the page does not have, or a value of a name that is set or not.
    """
    check_names(query, NAMES)
    return BoardAddress(
        conditions=tuple((name, query[name]) for name in CONDITIONS if query.get(name)),
        rules=tuple((name, query[name]) for name in RULE_NAMES if query.get(name)),
        mine=is_yes(query, MINE),
        count_all=is_yes(query, COUNT_ALL),
        hide_retired=is_yes(query, HIDE_RETIRED),
        model=query.get(MODEL, ""),
    )
