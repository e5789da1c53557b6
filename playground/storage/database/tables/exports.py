"""Reads of whole tables for exports, and of pages for lists of battles: joined, and row by row in order of time.

Boundary: rows out; which of them an export leaves out, and which votes count, is decided in `exchange` and `ratings`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from string import Template
from typing import Any, TypeVar

from playground.records import BattleRow, CountedVote, ExportedPair, ExportedSide, ExportedVote
from playground.storage.database.filters import FINAL, Conditions
from playground.storage.database.schema.pairs import JUDGED_PAIRS, JUDGEMENT
from playground.storage.database.tables.transaction import Snapshot

T = TypeVar("T", bound=tuple[Any, ...])

NO_CONDITIONS = Conditions("", ())
STARTS = 200
"""Characters of an instruction in a list."""

_STANDING = """
WHERE v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""
_WITH_WORDS = "AND b.erased_at IS NULL AND b.hidden_at IS NULL"
# CROSS JOIN keeps the order of the tables, so that votes are read in time and the sides of each in theirs, unsorted.
_VOTES = f"""
FROM votes v CROSS JOIN battles b ON b.id = v.battle_id CROSS JOIN instructions i ON i.id = b.instruction_id
{_STANDING}"""
_SIDES = f"""
FROM votes v CROSS JOIN battles b ON b.id = v.battle_id CROSS JOIN instructions i ON i.id = b.instruction_id
CROSS JOIN battle_sides s ON s.battle_id = v.battle_id
CROSS JOIN generations g ON g.id = s.generation_id AND g.good = 1
{_STANDING} AND b.erased_at IS NULL AND b.hidden_at IS NULL"""
_JUDGED_IN_TIME = JUDGED_PAIRS.replace("\nJOIN", "\nCROSS JOIN")

_CIRCUMSTANCES = """
  v.origin, b.blind, b.draw_probability IS NOT NULL, b.overrides = '{}',
  (SELECT group_concat(n.kind) FROM vote_flags n WHERE n.vote_id = v.id),
  EXISTS (
    SELECT 1 FROM battle_sides s JOIN generation_flags n ON n.generation_id = s.generation_id
    WHERE s.battle_id = v.battle_id AND n.kind = 'names_itself'),
  v.imported, v.decision_s"""
_ONE_MODEL = """
  x.model_id = y.model_id AND NOT EXISTS (
    SELECT 1 FROM battle_sides s JOIN generations h ON h.id = s.generation_id AND h.good = 1
    WHERE s.battle_id = v.battle_id AND s.model_id <> x.model_id)"""
_WITHHELD = "CASE WHEN b.erased_at IS NOT NULL THEN 'erased' WHEN b.hidden_at IS NOT NULL THEN 'hidden' ELSE '' END"
_NOTES = "FROM vote_notes n WHERE n.battle_id = v.battle_id AND n.vote_id = v.id AND n.kind"

# `JUDGEMENT` names side_a … weight; the order of these columns is that of the record.
_PAIR = Template(f"""
SELECT $circumstances, v.rowid AS vote_row, v.created_at, v.id AS vote_id, v.rater_id, {_ONE_MODEL} AS one_model,
  {_WITHHELD} AS withheld, v.battle_id, b.comparison_id, v.strength, v.choice, i.category,
  $instruction, {JUDGEMENT}
  f.license, g.license, f.id, g.id, $texts, $tokens
{_JUDGED_IN_TIME}""")
"""Judged pairs; see `_pair_statement` for the parts."""

_VOTE = Template(f"""
SELECT {_CIRCUMSTANCES}, v.rowid, v.created_at, v.id, v.rater_id, {_WITHHELD},
  v.battle_id, b.comparison_id, b.parent_id, v.strength, v.choice, v.revision, b.owner, b.source, b.state,
  b.draw_probability, b.created_at, b.opened_at, b.final_at, i.category, $instruction, CAST(b.overrides AS BLOB),
  (SELECT CAST(json_group_array(text) AS BLOB) FROM (SELECT n.text {_NOTES} = 'reason' ORDER BY n.id)),
  coalesce((SELECT group_concat(text, '') FROM (SELECT n.text {_NOTES} = 'comment' ORDER BY n.id)), '')
{_VOTES}""")

_SIDE = Template(f"""
SELECT v.rowid, s.side, s.model_id, $text, g.license, g.repo, g.model_revision, g.id, g.finish_reason,
  CAST(g.params AS BLOB),
  g.seed, g.template_id, g.template_hash, $prompt, g.engine, g.device, g.dtype, CAST(g.versions AS BLOB), g.faithful,
  g.created_at, g.first_token_s, g.duration_s
{_SIDES}""")

_BROWSED = f"""
SELECT v.created_at || ' ' || v.id, v.battle_id, v.id, v.created_at, substr(i.instruction, 1, {STARTS}), i.category,
  v.choice, v.origin, b.blind,
  (SELECT json_group_object(side, model_id) FROM (
    SELECT s.side, s.model_id FROM battle_sides s JOIN generations g ON g.id = s.generation_id AND g.good = 1
    WHERE s.battle_id = v.battle_id ORDER BY s.side)),
  (SELECT group_concat(text, char(10)) FROM (SELECT n.text {_NOTES} = 'reason' ORDER BY n.id))
{_VOTES} {_WITH_WORDS}"""

_COUNTED = f"""
SELECT {_CIRCUMSTANCES}, v.rowid, v.created_at, v.id, v.rater_id, (
  SELECT count(DISTINCT s.model_id) FROM battle_sides s JOIN generations h ON h.id = s.generation_id AND h.good = 1
  WHERE s.battle_id = v.battle_id) < 2
{_VOTES}"""

# The list of states is that of the index, which SQLite uses only if it is said.
_UNDECIDED = f"""
SELECT count(*) FROM battles b INDEXED BY battles_unsettled CROSS JOIN votes v ON v.battle_id = b.id
{_STANDING} AND b.state IN ('generating', 'open', 'voted') AND b.state = 'voted'"""

_IN_TIME = " ORDER BY v.created_at, v.id"


class ExportReads(Snapshot):
    """Each query runs once for the whole table; its rows are made while they are read."""

    def exported_pairs(
        self, where: Conditions = NO_CONDITIONS, *, words: bool = True, counting: bool = True, tokens: bool = False
    ) -> Iterator[ExportedPair]:
        """Yield the judged pairs in order of time.

        Args:
            words: with instruction and answers, else these columns are empty, which is faster.
            counting: with what decides whether a vote counts.
            tokens: with the numbers of tokens.
        """
        return self._stream(ExportedPair, _pair_statement(where, words, counting, tokens), where.values)

    def exported_votes(self, where: Conditions = NO_CONDITIONS, *, words: bool = True) -> Iterator[ExportedVote]:
        """Yield the votes that stand in order of time, with their judged answers unless these are withheld."""
        instruction = "i.instruction, i.input, i.system" if words else "'', '', ''"
        statement = _VOTE.substitute(instruction=instruction) + where.sql + _IN_TIME
        votes: Iterator[ExportedVote] = self._stream(ExportedVote, statement, where.values)
        sides = self._exported_sides(where, words)
        side = next(sides, None)
        for vote in votes:
            of_vote = []
            while side is not None and side.vote_row == vote.vote_row:
                of_vote.append(side)
                side = next(sides, None)
            yield tuple.__new__(ExportedVote, (*vote, tuple(of_vote)))

    def counted_votes(self, where: Conditions = NO_CONDITIONS) -> Iterator[CountedVote]:
        """Yield what decides whether a vote counts, in order of time."""
        return self._stream(CountedVote, _COUNTED + where.sql + _IN_TIME, where.values)

    def count_undecided_votes(self, now: str) -> int:
        """Count the votes that stand and could still be undone."""
        return int(self.scalar(f"{_UNDECIDED} AND NOT ({FINAL})", (now, now)))

    def count_standing_votes(self) -> int:
        """Count the votes that stand, of the votes' own table only, which is fast."""
        return int(self.scalar(f"SELECT count(*) FROM votes v {_STANDING}"))

    def count_revisions(self) -> int:
        """Count the votes with all their revisions, which reads one small index."""
        return int(self.scalar("SELECT count(*) FROM votes"))

    def has_strengths(self) -> bool:
        """Return True if any vote has a strength of preference."""
        return bool(self.scalar("SELECT EXISTS (SELECT 1 FROM votes WHERE strength IS NOT NULL)"))

    def models_that_met(self, where: Conditions, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to `limit` pairs of different models, each in alphabetical order, that a vote judged."""
        a, b = "min(x.model_id, y.model_id)", "max(x.model_id, y.model_id)"
        words = "AND b.erased_at IS NULL AND b.hidden_at IS NULL AND x.model_id <> y.model_id"
        statement = f"SELECT DISTINCT {a}, {b} {JUDGED_PAIRS} {words} {where.sql} LIMIT {limit}"
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

    def _exported_sides(self, where: Conditions, words: bool) -> Iterator[ExportedSide]:
        text = "g.text" if words else "''"
        prompt = (
            "g.prompt_text, CAST(g.prompt_ids AS BLOB), CAST(g.token_ids AS BLOB)" if words else "'', x'5b5d', x'5b5d'"
        )
        statement = _SIDE.substitute(text=text, prompt=prompt) + where.sql + _IN_TIME
        return self._stream(ExportedSide, statement, where.values)

    def _stream(self, kind: type[T], statement: str, values: Sequence[Any]) -> Iterator[T]:
        """Yield rows as named tuples without a second copy of each."""
        cursor = self._connection.cursor()
        cursor.row_factory = lambda _, row: tuple.__new__(kind, row)
        return iter(cursor.execute(statement, values))


def _pair_statement(where: Conditions, words: bool, counting: bool, tokens: bool) -> str:
    count = "json_array_length({0})"
    parts = {
        "circumstances": _CIRCUMSTANCES if counting else "v.origin, b.blind, 1, 1, NULL, 0, v.imported, v.decision_s",
        "instruction": "i.instruction, i.input, i.system" if words else "'', '', ''",
        "texts": "f.text, g.text" if words else "'', ''",
        "tokens": ", ".join(
            count.format(column) if tokens and words else "0"
            for column in ("f.token_ids", "g.token_ids", "f.prompt_ids", "g.prompt_ids")
        ),
    }
    return _PAIR.substitute(parts) + where.sql + _IN_TIME


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
        winner=models.get(choice, choice),
        reasons=tuple((reasons or "").split("\n")) if reasons else (),
        origin=origin,
        blind=bool(blind),
    )
