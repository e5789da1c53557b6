"""Guesses of models, asked with a vote.

Boundary: reads and writes rows; when to ask, and which answers are taken, is decided in `battles`. A question travels
to the journal with its vote, an answer with the reveal that it causes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from playground.records import Guess, Question
from playground.storage.database.rows import to_json
from playground.storage.database.tables.battles import BattleReads
from playground.storage.database.tables.transaction import Transaction

_REVEALS = """
SELECT count(*) FROM battles WHERE owner = :rater AND source = 'page' AND blind = 1
  AND (state = 'revealed' OR (state = 'voted' AND final_at <= :now))"""

_GUESSES = """
SELECT b.owner, s.model_id, g.named, json_array_length(g.choices), g.reveals
FROM guesses g JOIN battles b ON b.id = g.battle_id JOIN battle_sides s ON s.battle_id = g.battle_id AND s.side = g.side
ORDER BY g.rowid"""


class GuessReads(BattleReads):
    def question(self, battle_id: str) -> Question | None:
        """Return what was asked about a battle, with the answer; None if nothing was."""
        found = self.select("SELECT side, choices, named FROM guesses WHERE battle_id = ?", (battle_id,))
        if not found:
            return None
        side, choices, named = found[0]
        ids: list[str] = json.loads(choices)
        cards = self.cards(ids)
        return Question(side, {id: cards[id].name if id in cards else id for id in ids}, named)

    def count_reveals(self, rater_id: str, now: str) -> int:
        """Count the blind battles of the page whose models a rater has seen."""
        return int(self.scalar(_REVEALS, {"rater": rater_id, "now": now}))

    def guesses(self) -> Sequence[Guess]:
        """Return every question that was asked, in the order of asking."""
        return [Guess(*row) for row in self.select(_GUESSES)]


class GuessWrites(Transaction):
    def ask(self, battle_id: str, side: str, choices: Sequence[str], reveals: int) -> None:
        """Store the question about a side of a battle; the event of its vote tells the journal."""
        row = {"battle_id": battle_id, "side": side, "choices": to_json(choices), "reveals": reveals}
        self.insert("guesses", row)

    def answer(self, battle_id: str, named: str) -> bool:
        """Store the answer to a battle's question; return False if it has one. The reveal tells the journal."""
        return (
            self.change(
                "UPDATE guesses SET named = :named WHERE battle_id = :id AND named IS NULL",
                [{"id": battle_id, "named": named}],
            )
            == 1
        )
