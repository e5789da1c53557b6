"""Rules by which a board rates the votes that count: units, level and resamples of intervals, and all-bad votes.

Boundary: the values of an address or a call in, a record out; which votes count is in `board_filter`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.errors import InvalidValue
from playground.messages import Message
from playground.ratings.board import LeaderboardOptions
from playground.ratings.covariance import UNITS
from playground.ratings.intervals import DEFAULT_LEVEL
from playground.ratings.pairs import BOTH_BAD_RULES
from playground.ratings.policy import CountingPolicy
from playground.records import VoteFilter

LEVELS = (0.9, 0.95, 0.99)
MOST_RESAMPLES = 200
"""The limit for a board that a visitor waits for: a resample costs what the sums of units do. Commands have none."""


@dataclass(frozen=True, slots=True)
class BoardRules:
    """The choices that a board is rated with; the default board has the defaults."""

    unit: str = "auto"  # auto | rater | vote
    level: float = DEFAULT_LEVEL
    both_bad: str = "half"  # half | omit
    resamples: int = 0  # 0: the jackknife


DEFAULT_RULES = BoardRules()
RULE_NAMES = ("unit", "level", "both_bad", "bootstrap")
"""Names in an address and in the API."""


def read_board_rules(values: Mapping[str, Any]) -> BoardRules:
    """Read the rules of an address or a call; what is missing or empty is as on the default board.

    Raises:
        InvalidValue: a value that is not valid.
    """
    return BoardRules(
        unit=_one_of("unit", values.get("unit") or DEFAULT_RULES.unit, UNITS),
        level=_level(values.get("level") or DEFAULT_RULES.level),
        both_bad=_one_of("both_bad", values.get("both_bad") or DEFAULT_RULES.both_bad, BOTH_BAD_RULES),
        resamples=_resamples(values.get("bootstrap") or 0),
    )


def options_of(
    rules: BoardRules, *, filter: VoteFilter, policy: CountingPolicy, default: CountingPolicy, prior: float
) -> LeaderboardOptions:
    """Return the options of a board; any but the default one is filtered, and keeps no claims from earlier looks.

    Args:
        default: the policy of the default board.
    """
    return LeaderboardOptions(
        policy=policy,
        both_bad=rules.both_bad,
        prior=prior,
        level=rules.level,
        unit=rules.unit,
        resamples=rules.resamples,
        filtered=filter != VoteFilter() or policy != default or rules != DEFAULT_RULES,
    )


def _one_of(name: str, value: Any, valid: tuple[str, ...]) -> str:
    if value not in valid:
        raise _invalid(name, value, ", ".join(valid))
    return str(value)


def _level(value: Any) -> float:
    found = next((level for level in LEVELS if str(value) == f"{level:g}"), None)
    if found is None:
        raise _invalid("level", value, ", ".join(f"{level:g}" for level in LEVELS))
    return found


def _resamples(value: Any) -> int:
    valid: tuple[int, ...] = (0, *range(2, MOST_RESAMPLES + 1))
    found = next((number for number in valid if str(value) == str(number)), None)
    if found is None:
        raise _invalid("bootstrap", value, f"0 (the jackknife), or 2 to {MOST_RESAMPLES} resamples")
    return found


def _invalid(name: str, value: Any, valid: str) -> InvalidValue:
    return InvalidValue(Message("{name!r} is {value!r}; valid: {valid}", name=name, value=str(value)[:40], valid=valid))
