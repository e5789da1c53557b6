"""Battles with their sides and generations, and the cards of the models.

Boundary: a change applies to exactly the row that it is meant for; what a battle may do is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from playground.records import Battle, BattleState, Generation, ModelCard
from playground.storage.database import rows
from playground.storage.database.tables.transaction import Snapshot, Transaction

_GENERATION = """
SELECT g.*, i.instruction, i.input, i.system, i.category
FROM generations g JOIN instructions i ON i.id = g.instruction_id WHERE g.id = ?"""

# Two queries for a whole battle: each one releases and takes the interpreter's lock.
_BATTLE = """
SELECT b.*, i.instruction, i.input, i.system, i.category,
  v.id AS vote_id, v.revision, v.choice, v.rater_id, v.created_at AS voted_at, v.decision_s,
  v.origin, v.strength, v.imported
FROM battles b JOIN instructions i ON i.id = b.instruction_id
LEFT JOIN votes v ON v.battle_id = b.id AND v.revision = (SELECT max(revision) FROM votes WHERE battle_id = b.id)
WHERE b.id = ?"""

_SIDES = """
SELECT s.side, s.model_id AS side_model_id, s.seed AS side_seed, s.params AS side_params,
  g.*, i.instruction, i.input, i.system, i.category
FROM battle_sides s
LEFT JOIN generations g ON g.id = s.generation_id LEFT JOIN instructions i ON i.id = g.instruction_id
WHERE s.battle_id = ? ORDER BY s.side"""

_OF_GUEST = """
SELECT b.id FROM battles o JOIN battles b ON b.comparison_id = o.comparison_id
WHERE o.id = ? AND b.owner = ? AND b.source = 'page' AND b.state <> 'void' ORDER BY b.created_at DESC, b.id LIMIT 1"""


# What a server counted, else the ids, as while they are written: nothing without a piece of an answer.
# The words of an erased answer are gone, but not what a server counted.
_TOKENS = """
SELECT coalesce(sum(coalesce(
  CAST(json_extract(versions, '$.tokens') AS INTEGER),
  iif(json_array_length(token_ids) > 0, json_array_length(prompt_ids) + json_array_length(token_ids), 0)
)), 0)
FROM generations WHERE model_id = ? AND created_at >= ?"""


class BattleReads(Snapshot):
    def tokens_since(self, model_id: str, since: str) -> int:
        """Return the tokens of prompts and answers of a model since a time."""
        return int(self.scalar(_TOKENS, (model_id, since)))

    def battle(self, battle_id: str) -> Battle | None:
        """Return a battle with its sides, their generations and its vote; None if there is none."""
        found = self.select(_BATTLE, (battle_id,))
        if not found:
            return None
        return rows.read_battle(found[0], map(rows.read_side, self.select(_SIDES, (battle_id,))))

    def generation(self, generation_id: str) -> Generation | None:
        found = self.select(_GENERATION, (generation_id,))
        return rows.read_generation(found[0]) if found else None

    def cards(self, model_ids: Iterable[str] | None = None) -> Mapping[str, ModelCard]:
        """Return stored cards by id, all or those named; unknown ids are absent. See `read_any_card`."""
        statement, ids = "SELECT * FROM models", [] if model_ids is None else sorted(set(model_ids))
        if model_ids is not None:
            statement += f" WHERE id IN ({', '.join('?' * len(ids))})"
        return {row["id"]: rows.read_any_card(row) for row in self.select(f"{statement} ORDER BY id", ids)}

    def battle_of_guest(self, battle_id: str, rater_id: str) -> str | None:
        """Return a rater's latest battle on the page with the answers of this one, unless it is void."""
        found = self.scalar(_OF_GUEST, (battle_id, rater_id))
        return None if found is None else str(found)

    def is_of_guest(self, battle: Battle) -> bool:
        """Return True if a battle has its answers from its parent; one that regenerates has others."""
        statement = "SELECT EXISTS (SELECT 1 FROM battles WHERE id = ? AND comparison_id = ?)"
        return battle.parent_id is not None and bool(self.scalar(statement, (battle.parent_id, battle.comparison_id)))

    def newest_battles(self, limit: int) -> Sequence[str]:
        """Return the ids of the battles that were stored last and are not being written, newest first."""
        statement = "SELECT id FROM battles WHERE state <> ? ORDER BY rowid DESC LIMIT ?"
        return [row["id"] for row in self.select(statement, (BattleState.GENERATING.value, limit))]

    def battles_in(self, *states: BattleState) -> Sequence[str]:
        """Return the ids of the battles in these states, oldest first."""
        marks = ", ".join("?" * len(states))
        statement = f"SELECT id FROM battles WHERE state IN ({marks}) ORDER BY created_at, id"
        return [row["id"] for row in self.select(statement, [state.value for state in states])]


class BattleWrites(Transaction):
    def upsert_model(self, card: ModelCard) -> None:
        """Store a card, replacing an older one of the same id."""
        self.upsert("models", "id", rows.model_row(card))

    def insert_battle(self, battle: Battle) -> None:
        """Add a battle with its sides; their generations must be stored already."""
        self.add_rater(battle.owner, battle.created_at)
        self.add_instruction(battle.instruction)
        self.insert("battles", rows.battle_row(battle))
        self.insert("battle_sides", *(rows.side_row(battle.id, side) for side in battle.sides))

    def insert_generation(self, generation: Generation) -> None:
        self.add_instruction(generation.instruction)
        self.insert("generations", rows.generation_row(generation))

    def flag_generation(self, generation_id: str, kind: str, detail: str) -> None:
        """Flag an answer; `detail` is what was found in it."""
        self.insert("generation_flags", {"generation_id": generation_id, "kind": kind, "detail": detail})

    def fill_side(self, battle_id: str, side: str, generation_id: str) -> bool:
        """Set the generation of a side that has none; return False if it has one."""
        changed = self._connection.execute(
            "UPDATE battle_sides SET generation_id = ? WHERE battle_id = ? AND side = ? AND generation_id IS NULL",
            (generation_id, battle_id, side),
        )
        return changed.rowcount == 1

    def move(self, before: Battle, after: Battle) -> bool:
        """Write a battle's new state and times; return False if it is no longer in the state of `before`."""
        changed = self._connection.execute(
            "UPDATE battles SET state = ?, opened_at = ?, final_at = ?, void_reason = ?"
            " WHERE id = ? AND state = ? AND owner = ?",
            (
                *(after.state.value, after.opened_at, after.final_at, after.void_reason),
                *(before.id, before.state.value, before.owner),
            ),
        )
        return changed.rowcount == 1
