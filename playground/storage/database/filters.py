"""Conditions of a `VoteFilter` as SQL: the one place for exports, lists of battles and the leaderboard.

Boundary: text and values only. The text names the aliases of the queries in `tables.exports`: `v` vote, `b` battle,
`i` instruction; for pairs also `f`, `g` their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from playground.records import VoteFilter
from playground.storage.database.schema.studies import is_running


@dataclass(frozen=True, slots=True)
class Conditions:
    """SQL that follows ``WHERE …``, beginning with AND if there is any, and the values of its marks."""

    sql: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A value of the filter, the level of the query, and the licenses that allow commercial use."""

    value: str
    pairs: bool
    commercial: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


_Found = tuple[str, tuple[Any, ...]]

FINAL = "b.state = 'revealed' OR b.final_at <= ? OR v.created_at > ?"
"""A vote is final at its time, if the clock was set back since it was given, or once its models were shown."""

CLOSED = f"NOT {is_running('b.study', 'v.imported IS NULL')}"
"""A vote of no study, or of one that is closed."""

_GOOD_SIDE = (
    "SELECT 1 FROM battle_sides s JOIN generations h ON h.id = s.generation_id AND h.good = 1"
    " WHERE s.battle_id = v.battle_id AND"
)
_TOP = "substr(v.choice, 1, instr(v.choice || '>', '>') - 1)"
"""The letters of the best sides, with '=' between them."""
_ORDER = "v.choice GLOB '[a-f][>=]*'"
_WON_BY_SIDE = (
    f"instr({_TOP}, s.side) > 0 AND v.choice NOT IN ('tie', 'both_bad') AND (NOT {_ORDER} OR v.choice GLOB '*>*')"
)
_ALL_ALIKE = f"(v.choice = 'tie' OR ({_ORDER} AND v.choice NOT GLOB '*>*'))"


def conditions(
    filter: VoteFilter,
    *,
    pairs: bool,
    commercial: Collection[str] = (),
    without: Collection[str] = (),
    final_by: str = "",
    running_studies: bool = True,
) -> Conditions:
    """Return the conditions of a filter.

    Args:
        pairs: the query has a row per judged pair, else one per vote.
        commercial: licenses that allow commercial use, in lower case, for the condition `license`.
        without: names of conditions that the caller checks itself.
        final_by: leave out votes that could still be undone at that time; empty: none.
        running_studies: with the votes of studies that are not closed.
    """
    found: list[_Found] = [(FINAL, (final_by, final_by))] if final_by else []
    if not running_studies:
        found.append((CLOSED, ()))
    for name, value in filter.as_mapping().items():
        if name not in without:
            asked = _Asked(value, pairs, tuple(commercial), filter.model_ids)
            found.append(CONDITIONS[name](asked))
    return Conditions(
        "".join(f" AND ({sql})" for sql, _ in found), tuple(value for _, values in found for value in values)
    )


def _equal(column: str) -> Callable[[_Asked], _Found]:
    return lambda asked: (f"{column} = ?", (asked.value,))


def _one_of(**sql: str) -> Callable[[_Asked], _Found]:
    return lambda asked: (sql[asked.value], ())


def _license(asked: _Asked) -> _Found:
    marks = ", ".join("?" * len(asked.commercial))
    forbidden = f"lower(trim(%s)) NOT IN ({marks})"
    if asked.pairs:
        any_other, values = (
            f"{forbidden % LICENSE.format('f')} OR {forbidden % LICENSE.format('g')}",
            asked.commercial * 2,
        )
    else:
        any_other, values = f"EXISTS ({_GOOD_SIDE} {forbidden % LICENSE.format('h')})", asked.commercial
    return (any_other if asked.value == "other" else f"NOT ({any_other})"), values


LICENSE = (
    "CASE WHEN lower(trim({0}.license)) IN ('', 'unknown', 'other')"
    " THEN coalesce((SELECT nullif(trim(m.license), '') FROM models m WHERE m.id = {0}.model_id), 'unknown')"
    " ELSE {0}.license END"
)
"""The license of an answer; its model's card says it if it was not known when the answer was written."""


def _models(asked: _Asked) -> _Found:
    ids = asked.ids
    if asked.pairs and len(ids) == 1:
        return "? IN (f.model_id, g.model_id)", ids
    if asked.pairs:
        return "(f.model_id = ? AND g.model_id = ?) OR (g.model_id = ? AND f.model_id = ?)", ids * 2
    if len(ids) == 2 and ids[0] == ids[1]:
        return f"(SELECT count(*) FROM ({_GOOD_SIDE} s.model_id = ?)) > 1", ids[:1]
    return " AND ".join(f"EXISTS ({_GOOD_SIDE} s.model_id = ?)" for _ in ids), ids


def _winner(asked: _Asked) -> _Found:
    if asked.value == "both_bad":
        return "v.choice = 'both_bad'", ()
    if asked.value == "tie":
        return _ALL_ALIKE, ()
    return f"EXISTS ({_GOOD_SIDE} s.model_id = ? AND {_WON_BY_SIDE})", (asked.value,)


def _reason(asked: _Asked) -> _Found:
    noted = "n.battle_id = v.battle_id AND n.vote_id = v.id AND n.kind = 'reason' AND n.text = ?"
    return f"EXISTS (SELECT 1 FROM vote_notes n WHERE {noted})", (asked.value,)


def _words(asked: _Asked) -> _Found:
    """Return the condition that each word occurs in the instruction or in an answer; case does not matter for ASCII."""
    found, values = [], []
    for word in asked.value.split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = "LIKE ? ESCAPE '\\'"
        texts = f"i.instruction {like} OR i.input {like} OR i.system {like} OR EXISTS ({_GOOD_SIDE} h.text {like})"
        found.append(f"({texts})")
        values += [f"%{escaped}%"] * 4
    return " AND ".join(["b.erased_at IS NULL AND b.hidden_at IS NULL", *found]), tuple(values)


CONDITIONS: Mapping[str, Callable[[_Asked], _Found]] = {
    "category": _equal("i.category"),
    "origin": _equal("v.origin"),
    "mode": _one_of(blind="b.blind = 1", open="b.blind = 0"),
    "pairs": _one_of(drawn="b.draw_probability IS NOT NULL", chosen="b.draw_probability IS NULL"),
    "sampling": _one_of(card="b.overrides = '{}'", changed="b.overrides <> '{}'"),
    "rater": _equal("v.rater_id"),
    "since": lambda asked: ("v.created_at >= ?", (asked.value,)),
    "until": lambda asked: ("v.created_at < ?", (f"{asked.value}~",)),
    "license": _license,
    "study": _equal("b.study"),
    "imported": _one_of(only="v.imported IS NOT NULL", none="v.imported IS NULL"),
    "models": _models,
    "winner": _winner,
    "reason": _reason,
    "words": _words,
}
"""The condition of each field of `VoteFilter`."""
