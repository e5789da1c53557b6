"""Reads of whole tables for exports, and of pages for lists of battles: joined, and row by row in order of time.

Boundary: rows out; which of them an export leaves out, and which votes count, is decided in `exchange` and `ratings`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import groupby
from operator import itemgetter
from string import Template
from typing import Any

from playground.records import (
    SIDES,
    BattleRow,
    ExportedAnswer,
    ExportedPair,
    ExportedSide,
    ExportedVote,
    Instruction,
)
from playground.storage.database.filters import CLOSED, FINAL, Conditions
from playground.storage.database.rows import to_json
from playground.storage.database.schema.judged import ORIGINS, VOTE_FLAGS, WINNERS
from playground.storage.database.schema.studies import MARKS
from playground.storage.database.tables.known_rows import KnownRows, text_bytes
from playground.storage.database.tables.transaction import Snapshot

NO_CONDITIONS = Conditions("", ())
STARTS = 200
"""Characters of an instruction in a list."""
BATCH = 250
"""Pairs that are read together."""

_STANDING = """
WHERE v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""
_TAKEN_BACK = """
SELECT count(*) FROM votes v WHERE v.choice = 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""
_WITH_WORDS = "AND b.erased_at IS NULL AND b.hidden_at IS NULL"
_VOTES = f"""
FROM votes v CROSS JOIN battles b ON b.id = v.battle_id CROSS JOIN instructions i ON i.id = b.instruction_id
{_STANDING}"""
_WITHHELD = "CASE WHEN b.erased_at IS NOT NULL THEN 'erased' WHEN b.hidden_at IS NOT NULL THEN 'hidden' ELSE '' END"
_NOTES = "FROM vote_notes n WHERE n.battle_id = v.battle_id AND n.vote_id = v.id AND n.kind"

# CROSS JOIN keeps the order of the tables, so that votes are read in time and the pairs of each in theirs, unsorted.
# Tables that only a condition needs are joined for it.
_JUDGED = """
FROM votes v CROSS JOIN judged_pairs p ON p.vote = v.rowid CROSS JOIN battles b ON b.rowid = p.battle"""
_JOINED = {
    "i": "CROSS JOIN instructions i ON i.id = b.instruction_id",
    "f": "CROSS JOIN generations f ON f.rowid = p.answer_a",
    "g": "CROSS JOIN generations g ON g.rowid = p.answer_b",
}
_IN_TIME = " ORDER BY v.created_at, v.id"
_REASONS = (
    f"(SELECT CAST(json_group_array(text) AS BLOB) FROM (SELECT n.text {_NOTES} = 'reason' ORDER BY n.id)),"
    f" coalesce((SELECT group_concat(text, '') FROM (SELECT n.text {_NOTES} = 'comment' ORDER BY n.id)), '')"
)
_CRITERIA = (
    "(SELECT CAST(json_group_array(json_object('criterion', criterion, 'choice', choice, 'reason', reason)) AS BLOB)"
    " FROM (SELECT * FROM vote_criteria WHERE vote_id = v.id ORDER BY criterion))"
)
_DETAILS = (
    ", v.revision, b.owner, b.source, b.state, b.draw_probability, b.created_at, b.opened_at, b.final_at,"
    f" CAST(b.overrides AS BLOB), {_REASONS}, {_CRITERIA}"
)
_NO_DETAILS = tuple(ExportedVote._field_defaults.values())

# The columns after the first five are those of an `ExportedVote` after its marks, but for the instruction.
_EXPORTED = Template(f"""
SELECT p.marks, p.pair, p.answer_a, p.answer_b, b.instruction_id,
  v.imported, v.decision_s, v.rowid, v.created_at, v.id, v.rater_id,
  p.model_a = p.model_b
    AND NOT EXISTS (SELECT 1 FROM judged_pairs q WHERE q.vote = p.vote AND q.model_a <> q.model_b),
  {_WITHHELD}, v.battle_id, b.comparison_id, b.parent_id, v.strength, v.choice, b.study,
  b.study_hash, b.study_kind, b.own_words $details
{_JUDGED}""")
_VOTE_ROW = itemgetter(7)
_WITHHELD_AT = 12
_DETAILS_AT = 22
_INSTRUCTIONS = Template("""
SELECT i.id, $words, i.category FROM json_each(?) j CROSS JOIN instructions i ON i.id = j.value""")
_PROVENANCE = """,
  g.repo, g.model_revision, g.id, g.finish_reason, CAST(g.params AS BLOB), g.seed, g.template_id, g.template_hash,
  g.prompt_text, CAST(g.prompt_ids AS BLOB), CAST(g.token_ids AS BLOB), g.engine, g.device, g.dtype,
  CAST(g.versions AS BLOB), g.faithful, g.created_at, g.first_token_s, g.duration_s, g.reasoning,
  g.written_together"""
_ANSWERS = Template("""
SELECT g.rowid, g.model_id, $text, g.license $provenance
FROM json_each(?) j CROSS JOIN generations g ON g.rowid = j.value""")

_BROWSED = f"""
SELECT v.created_at || ' ' || v.id, v.battle_id, v.id, v.created_at, substr(i.instruction, 1, {STARTS}), i.category,
  v.choice, v.origin, b.blind,
  (SELECT json_group_object(side, model_id) FROM (
    SELECT s.side, s.model_id FROM battle_sides s JOIN generations g ON g.id = s.generation_id AND g.good = 1
    WHERE s.battle_id = v.battle_id ORDER BY s.side)),
  (SELECT group_concat(text, char(10)) FROM (SELECT n.text {_NOTES} = 'reason' ORDER BY n.id))
{_VOTES} {_WITH_WORDS}"""

# The list of states is that of the index, which SQLite uses only if it is said.
_UNDECIDED = f"""
SELECT count(*) FROM battles b INDEXED BY battles_unsettled CROSS JOIN votes v ON v.battle_id = b.id
{_STANDING} AND b.state IN ('generating', 'open', 'voted') AND b.state = 'voted'"""

_OF_RUNNING_STUDIES = f"""
SELECT count(*) FROM battles b INDEXED BY battles_by_study CROSS JOIN votes v ON v.battle_id = b.id
{_STANDING} AND b.study IS NOT NULL AND NOT ({CLOSED})"""


class ExportReads(Snapshot):
    """Rows are made while they are read; texts that several votes share are read once."""

    def exported_pairs(
        self, where: Conditions = NO_CONDITIONS, *, words: bool = True, provenance: bool = False
    ) -> Iterator[ExportedPair]:
        """Yield the judged pairs in order of time.

        Args:
            words: with instruction and answers, else these are empty, which is faster.
            provenance: with prompts, token ids and circumstances of the answers.
        """
        new = tuple.__new__
        for rows, asked, answers in self._judged(where, words, provenance, details=False):
            for row in rows:
                circumstances, winner = _marks(row[0])
                vote = new(ExportedVote, (*circumstances, *row[5:], asked[row[4]], *_NO_DETAILS))
                yield new(ExportedPair, (vote, *_sides(row[1]), winner, answers[row[2]], answers[row[3]]))

    def exported_votes(
        self, where: Conditions = NO_CONDITIONS, *, words: bool = True, provenance: bool = True
    ) -> Iterator[ExportedVote]:
        """Yield the votes that stand in order of time, with their judged answers unless these are withheld."""
        for rows, asked, answers in self._judged(where, words, provenance, details=True):
            for _, judged in groupby(rows, key=_VOTE_ROW):
                pairs = list(judged)
                first = pairs[0]
                sides = {} if first[_WITHHELD_AT] else _answers_of(pairs, answers)
                of_vote = tuple(ExportedSide(side, sides[side]) for side in sorted(sides))
                vote = (*first[5:_DETAILS_AT], asked[first[4]], *first[_DETAILS_AT:], of_vote)
                yield tuple.__new__(ExportedVote, _marks(first[0])[0] + vote)

    def count_undecided_votes(self, now: str) -> int:
        """Count the votes that stand and could still be undone."""
        return int(self.scalar(f"{_UNDECIDED} AND NOT ({FINAL})", (now, now)))

    def count_running_votes(self, final_by: str) -> int:
        """Count the votes that stand of studies that are still running, of those final at a time unless it is empty."""
        final, values = (f"AND ({FINAL})", (final_by, final_by)) if final_by else ("", ())
        return int(self.scalar(f"{_OF_RUNNING_STUDIES} {final}", values))

    def count_standing_votes(self) -> int:
        """Count the votes that stand: one for each battle, but for those whose last vote was taken back."""
        battles = self.scalar("SELECT count(DISTINCT battle_id) FROM votes")  # by the index, and so in order
        return int(battles) - int(self.scalar(_TAKEN_BACK))

    def count_revisions(self) -> int:
        """Count the votes with all their revisions, which reads one small index."""
        return int(self.scalar("SELECT count(*) FROM votes"))

    def has_strengths(self) -> bool:
        """Return True if any vote has a strength of preference."""
        return bool(self.scalar("SELECT EXISTS (SELECT 1 FROM votes WHERE strength IS NOT NULL)"))

    def models_that_met(self, where: Conditions, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to `limit` pairs of different models, each in alphabetical order, that a vote judged."""
        a, b = "min(f.model_id, g.model_id)", "max(f.model_id, g.model_id)"
        tables = f"{_JUDGED} {_JOINED['i']} {_JOINED['f']} {_JOINED['g']}"
        words = f"WHERE p.model_a <> p.model_b {_WITH_WORDS}"
        statement = f"SELECT DISTINCT {a}, {b} {tables} {words} {where.sql} LIMIT {limit}"
        return sorted((str(row[0]), str(row[1])) for row in self.select(statement, where.values))

    def busy_days(self, cap: int) -> Sequence[tuple[str, str]]:
        """Return the raters with more than `cap` votes and undos on a day, with the day."""
        busy = self.select("SELECT rater_id FROM votes GROUP BY rater_id HAVING count(*) > ?", (cap,))
        days = (
            "SELECT substr(created_at, 1, 10) FROM votes WHERE rater_id = ? GROUP BY substr(created_at, 1, 10)"
            " HAVING count(*) > ?"
        )
        return [(rater, row[0]) for (rater,) in busy for row in self.select(days, (rater, cap))]

    def licenses_of_models(self) -> Mapping[str, str]:
        """Return the licenses on the stored cards by model."""
        return {row["id"]: row["license"] for row in self.select("SELECT id, license FROM models")}

    def browsed_battles(self, where: Conditions, before: str, limit: int) -> Sequence[BattleRow]:
        """Return battles with a vote that stands, newest first, from the one after the row whose cursor is `before`."""
        created_at, _, vote_id = before.partition(" ")
        after = "AND (v.created_at, v.id) < (?, ?)" if before else ""
        statement = f"{_BROWSED} {where.sql} {after} ORDER BY v.created_at DESC, v.id DESC LIMIT ?"
        values = (*where.values, *((created_at, vote_id) if before else ()), limit)
        return [_browsed(row) for row in self.select(statement, values)]

    def count_browsed(self, where: Conditions) -> int:
        """Return the number of all battles that `browsed_battles` lists."""
        return int(self.scalar(f"SELECT count(*) {_VOTES} {_WITH_WORDS} {where.sql}", where.values))

    def _judged(
        self, where: Conditions, words: bool, provenance: bool, *, details: bool
    ) -> Iterator[tuple[Sequence[tuple[Any, ...]], Mapping[str, Instruction], Mapping[int, ExportedAnswer]]]:
        """Yield batches of rows of `_EXPORTED` with the instructions and answers that they name; no vote is split."""
        known_asked = KnownRows(partial(self._load_instructions, words))
        known_answers = KnownRows(partial(self._load_answers, words, words and provenance))
        tables = " ".join(table for alias, table in _JOINED.items() if f"{alias}." in where.sql)
        exported = _EXPORTED.substitute(details=_DETAILS if details else "")
        statement = f"{exported} {tables} WHERE true {where.sql} {_IN_TIME}"
        for rows in _batches(self._tuples(statement, where.values)):
            asked = known_asked.of({row[4] for row in rows})
            answers = known_answers.of({row[2] for row in rows} | {row[3] for row in rows})
            yield rows, asked, answers

    def _load_instructions(self, words: bool, ids: Sequence[str]) -> Iterator[tuple[str, Instruction, int]]:
        columns = "i.instruction, i.input, i.system" if words else "'', '', ''"
        for row in self._tuples(_INSTRUCTIONS.substitute(words=columns), (to_json(ids),)):
            yield row[0], Instruction(*row[1:]), text_bytes(row)

    def _load_answers(
        self, words: bool, provenance: bool, numbers: Sequence[int]
    ) -> Iterator[tuple[int, ExportedAnswer, int]]:
        statement = _ANSWERS.substitute(text="g.text" if words else "''", provenance=_PROVENANCE if provenance else "")
        for row in self._tuples(statement, (to_json(numbers),)):
            yield row[0], ExportedAnswer(*row[1:]), text_bytes(row)

    def _tuples(self, statement: str, values: Sequence[Any]) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(statement, values)


@cache
def _marks(marks: int) -> tuple[tuple[Any, ...], str]:
    """Return the first columns of an `ExportedVote`, and the winner of a pair, from the marks of its row."""
    found = {name: marks >> shift & mask for name, (shift, mask) in MARKS.items()}
    flags = ",".join(kind for kind in VOTE_FLAGS if found[kind]) or None
    origin = ORIGINS[found["origin"]]
    facts = (origin, found["blind"], found["drawn"], found["own_sampling"], flags, found["names_itself"])
    return (*facts, found["study_extra"], found["study_running"]), WINNERS[found["winner"]]


@cache
def _sides(pair: int) -> tuple[str, str]:
    return SIDES[pair // 8], SIDES[pair % 8]


def _answers_of(pairs: Iterable[tuple[Any, ...]], answers: Mapping[int, ExportedAnswer]) -> dict[str, ExportedAnswer]:
    """Return the answers of a vote by their sides; each is in one of its pairs."""
    found: dict[str, ExportedAnswer] = {}
    for row in pairs:
        side_a, side_b = _sides(row[1])
        found[side_a], found[side_b] = answers[row[2]], answers[row[3]]
    return found


def _batches(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows in batches that split no vote."""
    rest: list[tuple[Any, ...]] = []
    while found := cursor.fetchmany(BATCH):
        rows = rest + found
        last, end = _VOTE_ROW(rows[-1]), len(rows)
        while end and _VOTE_ROW(rows[end - 1]) == last:
            end -= 1
        if end:
            yield rows[:end]
        rest = rows[end:]
    if rest:
        yield rest


def _browsed(row: sqlite3.Row) -> BattleRow:
    cursor, battle_id, vote_id, created_at, start, category, choice, origin, blind, sides, reasons = row
    models: dict[str, str] = json.loads(sides)
    return BattleRow(
        cursor=cursor,
        battle_id=battle_id,
        vote_id=vote_id,
        created_at=created_at,
        start=start,
        category=category,
        models=tuple(models.values()),
        winner=_winner(choice, models),
        reasons=tuple((reasons or "").split("\n")) if reasons else (),
        origin=origin,
        blind=bool(blind),
    )


def _winner(choice: str, models: Mapping[str, str]) -> str:
    """Return a choice with models in place of sides."""
    if ">" in choice or "=" in choice:
        return "".join(models.get(part, part) for part in re.split("([>=])", choice))
    return models.get(choice, choice)
