"""Reads for a publication: which votes may be published, and their words, streamed in order of time.

Boundary: reads rows; what is left out and in which form the others are published is decided in `publishing`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from playground.storage.database import rows
from playground.storage.database.tables.transaction import Snapshot

_PAIRS = f"""
SELECT {rows.PAIR_COLUMNS}, side_a, side_b, final_at, erased_at, hidden_at,
  EXISTS (SELECT 1 FROM battles s WHERE s.id = pairs.battle_id AND s.state = 'revealed') AS is_revealed
FROM pairs
ORDER BY created_at, vote_id, side_a, side_b"""

# One row per judged answer. The order is that of the index: nothing is sorted, and nothing waits in memory.
_VOTES = """
SELECT v.id AS vote_id, v.battle_id, v.rater_id, v.origin, v.choice, v.strength, v.decision_s, v.created_at,
  b.comparison_id, b.parent_id, b.study, b.study_hash, b.study_kind,
  b.owner, b.source, b.blind, b.draw_probability, b.overrides,
  b.created_at AS battle_created_at, b.opened_at, b.final_at, i.category, i.instruction, i.input, i.system,
  (SELECT json_group_array(text) FROM (
     SELECT n.text FROM vote_notes n
     WHERE n.battle_id = v.battle_id AND n.vote_id = v.id AND n.kind = 'reason' ORDER BY n.id)) AS reasons,
  (SELECT n.text FROM vote_notes n
   WHERE n.battle_id = v.battle_id AND n.vote_id = v.id AND n.kind = 'comment' ORDER BY n.id LIMIT 1) AS comment,
  s.side, s.model_id AS model, g.license, g.id AS generation_id, g.text, g.reasoning, g.rowid AS generation_row
FROM votes v INDEXED BY votes_in_time
CROSS JOIN battles b ON b.id = v.battle_id
CROSS JOIN instructions i ON i.id = b.instruction_id
CROSS JOIN battle_sides s ON s.battle_id = b.id
CROSS JOIN generations g ON g.id = s.generation_id AND g.good = 1
WHERE v.choice <> 'undo' AND b.erased_at IS NULL AND b.hidden_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)
ORDER BY v.created_at, v.id, s.side"""
_OF_SIDE = ("side", "model", "license", "generation_id", "text", "reasoning", "generation_row")

_GENERATIONS = """
SELECT g.rowid AS generation_row, g.*, i.instruction, i.input, i.system, i.category,
  EXISTS (SELECT 1 FROM generation_flags n WHERE n.generation_id = g.id AND n.kind = 'names_itself') AS names_itself
FROM generations g JOIN instructions i ON i.id = g.instruction_id
WHERE g.good = 1 ORDER BY g.rowid"""


class PublicationReads(Snapshot):
    def pairs_with_dates(self) -> Iterator[Mapping[str, Any]]:
        """Yield the judged pairs in order of time.

        Keys are the fields of a `JudgedPair`, side_a, side_b, final_at, erased_at, hidden_at and is_revealed.
        """
        return map(dict, self._connection.execute(_PAIRS))

    def votes_with_words(self) -> Iterator[Mapping[str, Any]]:
        """Yield the standing votes in order of time, with `sides`; none on a battle that is erased or hidden.

        Keys are those of the statement; `reasons` is a JSON array, `comment` None without one. `generation_row` of a
        side is the number of its generation in this snapshot.
        """
        found: Iterator[sqlite3.Row] = self._connection.execute(_VOTES)
        for _, answers in groupby(found, key=itemgetter("vote_id")):
            every = list(map(dict, answers))
            yield {**every[0], "sides": [{name: answer[name] for name in _OF_SIDE} for answer in every]}

    def good_generations(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of good generations in the order of writing, with their numbers (`generation_row`)."""
        return map(dict, self._connection.execute(_GENERATIONS))

    def last_generation(self) -> int:
        """Return the number of the last generation; 0: none."""
        return int(self.scalar("SELECT coalesce(max(rowid), 0) FROM generations"))

    def last_erasure(self) -> int:
        """Return the number of the last erasure; 0: none."""
        return int(self.scalar("SELECT coalesce(max(id), 0) FROM erasures"))
