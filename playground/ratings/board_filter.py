"""The filter of a board: which votes it shows, and which of them count, for page, command line and API.

A filter narrows what a policy counts. Some conditions are the policy's own, so that the board can say how many votes
it leaves out and why; the others choose rows in the database, after all votes have decided which of them count.

Boundary: values in, a filter and a policy out; `storage` turns the conditions on rows into SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from playground.errors import InvalidValue
from playground.ratings.policy import CountingPolicy, filtered
from playground.records import FILTER_NAMES, Origin, VoteFilter, check_choice, read_filter

NOT_OF_BOARDS: Mapping[str, str] = MappingProxyType(
    {
        "winner": "ratings of votes that were chosen by their outcome say nothing",
        "reason": "ratings of votes that were chosen by their outcome say nothing",
        "words": "export the battles with these words, and rate them with imported votes",
    }
)
"""Conditions of exports that a board refuses, and why."""
BOARD_FILTERS = tuple(name for name in FILTER_NAMES if name not in NOT_OF_BOARDS)
"""Names of the conditions of a board, as in an address, as flags and in the API."""
ALL = "all"
WIDER = ("origin", "mode", "pairs", "sampling", "imported")
"""Conditions that take `ALL` too: votes that the default board leaves out count then."""


def read_board_filter(values: Mapping[str, Any], policy: CountingPolicy) -> tuple[VoteFilter, CountingPolicy]:
    """Read the conditions of an address, a command line or a call; other names in `values` are left to the caller.

    Returns:
        the filter, and the policy under which votes count, which is `policy` where nothing else is asked.

    Raises:
        InvalidValue: a value that is not valid, or a condition that boards do not have.
    """
    for condition in fields(VoteFilter):
        if condition.name in WIDER and isinstance(value := values.get(condition.name), str):
            check_choice(condition.name, value, (*condition.metadata["valid"], ALL))
    wider = {name for name in WIDER if values.get(name) == ALL}
    filter = read_filter({name: value for name, value in values.items() if name not in wider})
    wide = filtered(
        policy,
        origin=ALL if "origin" in wider else "",
        pairs=ALL if "pairs" in wider else "",
        sampling=ALL if "sampling" in wider else "",
        blind_only=policy.blind_only and "mode" not in wider,
        imported="imported" in wider,
    )
    return filter, narrowed(wide, filter)


def narrowed(policy: CountingPolicy, filter: VoteFilter) -> CountingPolicy:
    """Return the policy that counts the votes of a filter; a condition that is not set leaves it as it is.

    Raises:
        InvalidValue: a condition that boards do not have.
    """
    for name, why in NOT_OF_BOARDS.items():
        if getattr(filter, name):
            raise InvalidValue(f"a leaderboard has no filter {name!r}: {why}; valid: {', '.join(BOARD_FILTERS)}")
    wanted = filtered(
        policy,
        origin=filter.origin,
        pairs=filter.pairs,
        sampling={"card": "card", "changed": ALL}.get(filter.sampling, ""),
        blind_only=filter.mode != "open" if filter.mode else policy.blind_only,
        imported=filter.imported == "only",
    )
    return replace(wanted, keep_imported=False) if filter.imported == "none" else wanted


def with_guests(policy: CountingPolicy, filter: VoteFilter) -> CountingPolicy:
    """Return the policy that counts guests of shared links too, unless the filter says whose votes to count.

    They judge answers that somebody else has judged, whoever chose the models.
    """
    if filter.origin or Origin.SHARED in policy.origins:
        return policy
    return replace(
        policy,
        origins=(*policy.origins, Origin.SHARED),
        pairs=policy.pairs if filter.pairs else ALL,
        sampling=policy.sampling if filter.sampling else ALL,
    )


def on_rows(filter: VoteFilter) -> VoteFilter:
    """Return the conditions that neither the policy nor the category of a board stands for."""
    return replace(
        filter,
        category="",
        origin="",
        pairs="",
        mode="open" if filter.mode == "open" else "",
        sampling="changed" if filter.sampling == "changed" else "",
        imported="only" if filter.imported == "only" else "",
    )
