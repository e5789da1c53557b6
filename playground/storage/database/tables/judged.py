"""The flat table of judged pairs, read as numbers for counting.

A vote is named by its rowid here, and a row by its vote and pair in one number (`row_keys`).

Boundary: triggers write it (`schema.judged`); which votes count is decided in `ratings`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from playground.records import PAIR_BITS, PackedPairs, PackedWord
from playground.storage.database.filters import FINAL, Conditions
from playground.storage.database.rows import to_json
from playground.storage.database.schema.judged import ORIGINS, mark
from playground.storage.database.schema.studies import MARKS, MARKS_BITS
from playground.storage.database.schema.studies import mark as mark_of_study
from playground.storage.database.tables.transaction import Snapshot

WORD_BITS = 63
VOTES_AT_ONCE = 16_384
"""Votes whose numbers one statement returns as one text: row by row Python takes twice as long, and asks for the
interpreter's lock each time, which other threads may hold."""

_EXPECTED, _STORED = "SELECT * FROM expected_pairs", "SELECT * FROM judged_pairs"
_WRONG = f"""
SELECT DISTINCT coalesce(v.id, 'row ' || d.vote)
FROM (
  SELECT vote FROM ({_EXPECTED} EXCEPT {_STORED})
  UNION SELECT vote FROM ({_STORED} EXCEPT {_EXPECTED})
) d LEFT JOIN votes v ON v.rowid = d.vote ORDER BY 1"""

# The list of states is that of the index, which SQLite uses only if it is said.
_UNDECIDED = f"""
SELECT v.rowid FROM battles b INDEXED BY battles_unsettled CROSS JOIN votes v ON v.battle_id = b.id
WHERE b.state IN ('generating', 'open', 'voted') AND b.state = 'voted' AND NOT ({FINAL}) ORDER BY 1"""
_DECIDED = "p.vote NOT IN (SELECT value FROM json_each(?))"

_OF_RATERS = "rater_id IN (SELECT id FROM raters WHERE rowid IN (SELECT value FROM json_each(?)))"
_BUSY_DAYS = f"""
SELECT substr(created_at, 1, 10) AS day FROM votes WHERE {_OF_RATERS} GROUP BY day HAVING count(*) > ?"""
_OF_DAY = f"SELECT rowid FROM votes WHERE {_OF_RATERS} AND created_at >= ? AND created_at < ? ORDER BY created_at, id"

_NEXT_DAY = "SELECT substr(min(created_at), 1, 10) FROM votes WHERE created_at > ?"
_ON_DAY = "SELECT rowid AS number FROM votes WHERE created_at >= ? AND created_at < ?"

_NETWORKS = "SELECT v.rowid, n.tag FROM vote_networks n JOIN votes v ON v.id = n.vote_id"

_HEAD_TO_HEAD = f"""
SELECT coalesce(sum(CASE {mark("winner")} WHEN 0 THEN p.model_a = m.rowid WHEN 1 THEN p.model_b = m.rowid END), 0),
  count(*)
FROM models m CROSS JOIN models o CROSS JOIN judged_pairs p
WHERE m.id = ? AND o.id = ? AND m.id <> o.id
  AND p.model_a IN (m.rowid, o.rowid) AND p.model_b IN (m.rowid, o.rowid) AND p.model_a <> p.model_b
  AND {mark("blind")} AND NOT {mark("imported")} AND NOT {mark_of_study("study_extra")}
  AND NOT {mark_of_study("study_running")} AND {_DECIDED}"""

_IN_ORDER = "ORDER BY p.vote, p.pair"

_AT_ROW = f"p.vote = j.value >> {PAIR_BITS} AND p.pair = j.value & {(1 << PAIR_BITS) - 1}"
_ANSWERS = f"SELECT p.answer_a, p.answer_b FROM json_each(?) j CROSS JOIN judged_pairs p ON {_AT_ROW} ORDER BY j.key"
_TEXTS = "SELECT g.rowid, g.text FROM json_each(?) j CROSS JOIN generations g ON g.rowid = j.value"
_BATTLES = """
SELECT b.id FROM json_each(?) j CROSS JOIN votes v ON v.rowid = j.value >> ? CROSS JOIN battles b ON b.id = v.battle_id
WHERE b.erased_at IS NULL AND b.hidden_at IS NULL ORDER BY j.key"""

# The index of comparisons holds the first query; the votes on few battles are looked up one by one.
_OF_SHARED = f"""
SELECT p.vote << {PAIR_BITS} | p.pair, s.first, p.answer_a, p.answer_b
FROM (SELECT comparison_id, min(rowid) AS first FROM battles GROUP BY comparison_id HAVING count(*) > 1) s
CROSS JOIN battles b ON b.comparison_id = s.comparison_id
CROSS JOIN votes v ON v.battle_id = b.id
CROSS JOIN judged_pairs p ON p.vote = v.rowid
{_IN_ORDER}"""

# Every row has what it joins: a join that no condition names is left out only from the left.
_WHERE = f"""
SELECT p.vote << {PAIR_BITS} | p.pair AS number
FROM judged_pairs p
JOIN votes v ON v.rowid = p.vote
LEFT JOIN battles b ON b.rowid = p.battle
LEFT JOIN instructions i ON i.id = b.instruction_id
LEFT JOIN generations f ON f.rowid = p.answer_a
LEFT JOIN generations g ON g.rowid = p.answer_b
WHERE 1"""

_ENDED = """
SELECT count(*), count(closed_at), (SELECT count(*) FROM closed_unknown_studies) FROM studies"""


class JudgedReads(Snapshot):
    def wrongly_judged(self) -> Sequence[str]:
        """Return the ids of votes whose flat rows are not those that the votes themselves give."""
        return [row[0] for row in self.select(_WRONG)]

    def undecided_votes(self, now: str) -> Sequence[int]:
        """Return the votes that could still be undone."""
        return [row[0] for row in self.select(_UNDECIDED, (now, now))]

    def packed_pairs(self, undecided: Sequence[int], quick_s: float) -> PackedPairs:
        """Return the judged pairs without those of some votes; `quick`: decided in less than `quick_s` seconds."""
        models = {row[0]: row[1] for row in self.select("SELECT rowid, id FROM models")}
        categories = {row[0]: row[1] for row in self.select("SELECT id, name FROM categories")}
        largest = {"rater": self.scalar("SELECT max(rowid) FROM raters") or 0, "category": max(categories, default=0)}
        largest |= dict.fromkeys(("model_a", "model_b"), max(models, default=0))
        widths = {"quick": 1, "marks": MARKS_BITS} | {name: value.bit_length() for name, value in largest.items()}
        several = self.scalar("SELECT EXISTS (SELECT 1 FROM judged_pairs WHERE pair <> 1)")
        return PackedPairs(
            words=tuple(self._word(parts, undecided, quick_s) for parts in _words(widths)),
            marks=MARKS,
            origins=ORIGINS,
            models=models,
            categories=categories,
            one_each=not several,
        )

    def row_keys(self, undecided: Sequence[int]) -> array[int]:
        """Return the keys of the rows that `packed_pairs` returns, in order."""
        return self._numbers(f"p.vote << {PAIR_BITS} | p.pair", undecided)

    def row_keys_where(self, where: Conditions) -> array[int]:
        """Return the keys of the rows that fulfil conditions on pairs, in order; of undecided votes too."""
        found = array("q")
        self._add_numbers(found, f"{_WHERE}{where.sql} {_IN_ORDER}", where.values)
        return found

    def answers_of_rows(self, keys: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Return the numbers of the two answers of each row, by its key, in order."""
        return [(row[0], row[1]) for row in self.select(_ANSWERS, (to_json(list(keys)),))]

    def rows_of_shared(self) -> array[int]:
        """Return four numbers for each row of comparisons with several battles: key, comparison, and its two answers.

        They are in the order of `row_keys`, those of undecided votes too.
        """
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return array("q", chain.from_iterable(cursor.execute(_OF_SHARED)))

    def texts_of_answers(self, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield the texts of answers by number; an erased one has none."""
        return ((row[0], row[1]) for row in self._connection.execute(_TEXTS, (to_json(list(numbers)),)))

    def battles_of_rows(self, keys: Sequence[int]) -> Sequence[str]:
        """Return the id of the battle of each row, by its key, in order; without those erased or hidden."""
        return [row[0] for row in self.select(_BATTLES, (to_json(list(keys)), PAIR_BITS))]

    def head_to_head(self, model: str, other: str, final_by: str) -> tuple[int, int]:
        """Return the blind votes on two models that one of them won, and all of them; none that were imported."""
        values = (model, other, to_json(list(self.undecided_votes(final_by))))
        [(won, votes)] = self.select(_HEAD_TO_HEAD, values)
        return int(won), int(votes)

    def rater_ids(self, numbers: Sequence[int]) -> Sequence[str]:
        """Return the ids of raters in the order of their numbers."""
        statement = "SELECT id FROM raters WHERE rowid IN (SELECT value FROM json_each(?)) ORDER BY rowid"
        return [row[0] for row in self.select(statement, (to_json(list(numbers)),))]

    def rater_number(self, rater_id: str) -> int | None:
        """Return the number of a rater; None if there is none."""
        found: int | None = self.scalar("SELECT rowid FROM raters WHERE id = ?", (rater_id,))
        return found

    def busy_days_of(self, raters: Sequence[int], cap: int) -> Iterator[array[int]]:
        """Yield the votes and undos of raters, together, in order of time, for each day with more than `cap`."""
        numbers = to_json(list(raters))
        for (day,) in self.select(_BUSY_DAYS, (numbers, cap)):
            found = self._connection.execute(_OF_DAY, (numbers, day, f"{day}~"))
            yield array("q", chain.from_iterable(found))

    def votes_with_networks(self) -> Iterator[tuple[int, str]]:
        """Yield the votes whose networks are known, each with its tag."""
        return ((row[0], row[1]) for row in self._connection.execute(_NETWORKS))

    def board_state(self, now: str) -> tuple[Any, ...]:
        """Return a value that differs if a board may differ: by a vote, an undo, or the end of a network or a study."""
        last, first_day = self.scalar("SELECT max(rowid) FROM votes"), self.scalar("SELECT min(day) FROM vote_networks")
        return (last, self.ended_studies(), first_day, *self.undecided_votes(now))

    def ended_studies(self) -> tuple[int, ...]:
        """Return a value that differs if the votes of a study became those of one that is closed, or is running."""
        return tuple(self.select(_ENDED)[0])

    def days_of_votes(self) -> Iterator[tuple[str, array[int]]]:
        """Yield each day, in UTC, with the votes and undos given on it; the index of times holds them."""
        day = ""
        while day := self.scalar(_NEXT_DAY, (f"{day}~" if day else "",)):
            found = array("q")
            self._add_numbers(found, _ON_DAY, (day, f"{day}~"))
            yield day, found

    def _word(self, parts: tuple[tuple[str, int], ...], undecided: Sequence[int], quick_s: float) -> PackedWord:
        columns = {"quick": f"coalesce(p.decision_s < {float(quick_s)!r}, 0)"}
        expression = ""
        for name, width in reversed(parts):
            column = columns.get(name, f"p.{name}")
            expression = f"(({expression} << {width}) | {column})" if expression else column
        return PackedWord(parts, self._numbers(expression, undecided))

    def _numbers(self, expression: str, undecided: Sequence[int]) -> array[int]:
        """Return one number per row, without an object for each row in memory."""
        decided, values = (f"AND {_DECIDED}", (to_json(list(undecided)),)) if undecided else ("", ())
        statement = f"SELECT {expression} AS number FROM judged_pairs p WHERE p.vote >= ? AND p.vote < ? {decided}"
        found = array("q")
        for start in range(0, (self.scalar("SELECT max(vote) FROM judged_pairs") or 0) + 1, VOTES_AT_ONCE):
            self._add_numbers(found, f"{statement} {_IN_ORDER}", (start, start + VOTES_AT_ONCE, *values))
        return found

    def _add_numbers(self, found: array[int], statement: str, values: Sequence[Any]) -> None:
        """Add the column `number` of a statement, in its order."""
        text = self.scalar(f"SELECT group_concat(number) FROM ({statement})", values)
        found.frombytes(np.fromstring(text or "", dtype=np.int64, sep=",").tobytes())


def _words(widths: dict[str, int]) -> Iterator[tuple[tuple[str, int], ...]]:
    """Share the parts between as few words as there must be; nearly always one is enough."""
    parts: list[tuple[str, int]] = []
    for name, width in widths.items():
        if sum(w for _, w in parts) + width > WORD_BITS:
            yield tuple(parts)
            parts = []
        parts.append((name, width))
    yield tuple(parts)
