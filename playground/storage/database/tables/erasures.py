"""Erasure of a rater's text: the text goes, everything that was counted stays.

The schema's triggers limit what may be blanked.

Boundary: runs inside a transaction; the caller sees to it that no battle of the rater is being written or undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.records import BattleState, Erased, Instruction
from playground.storage.database.tables.criteria import WRITTEN_REASONS
from playground.storage.database.tables.live import UNSEEN
from playground.storage.database.tables.panels import PANEL_IDS_OF_RATER
from playground.storage.database.tables.raters import OWN_BATTLES, OWN_WORDS, WRITTEN_NOTES, own_values
from playground.storage.database.tables.transaction import Snapshot, Transaction

NO_TEXT: Mapping[str, str] = {"text": "", "reasoning": "", "prompt_text": "", "prompt_ids": "[]", "token_ids": "[]"}
"""Columns of an erased generation."""

_BLANK_GENERATION = (
    f"UPDATE generations SET instruction_id = :instruction_id, {', '.join(f'{name} = :{name}' for name in NO_TEXT)}"
    " WHERE id = :id AND instruction_id <> :instruction_id"
)
# a flag's detail quotes the answer
_BLANK_FLAGS = "UPDATE generation_flags SET detail = '' WHERE generation_id = :id AND detail <> ''"

_UNUSED_INSTRUCTION = """
DELETE FROM instructions WHERE id = :id
  AND NOT EXISTS (SELECT 1 FROM battles WHERE instruction_id = :id)
  AND NOT EXISTS (SELECT 1 FROM generations WHERE instruction_id = :id)
  AND NOT EXISTS (SELECT 1 FROM live_items WHERE instruction_id = :id)"""


def with_guests(own: str) -> str:
    """Return the condition that a battle `b` shows a rater's words: theirs, or what guests joined or made again of it.

    Args:
        own: the condition that `b` is the rater's. What a guest joined has the words of somebody else.
    """
    return f"""b.id IN (
  SELECT b.id FROM battles b WHERE {own}
  UNION SELECT id FROM (
    WITH RECURSIVE made(id) AS (
      SELECT b.id FROM battles b WHERE {own} AND NOT EXISTS (
        SELECT 1 FROM battles p WHERE p.id = b.parent_id AND p.comparison_id = b.comparison_id)
      UNION SELECT o.id FROM made JOIN battles o ON o.parent_id = made.id)
    SELECT id FROM made))"""


_WITH_WORDS = f"{with_guests(OWN_BATTLES)} AND b.erased_at IS NULL AND {OWN_WORDS}"

_INSTRUCTIONS = f"""
SELECT DISTINCT i.id, i.category FROM battles b JOIN instructions i ON i.id = b.instruction_id
WHERE {_WITH_WORDS}"""

# An answer that stays in another rater's battle stays until that rater erases it.
_GENERATIONS = f"""
SELECT DISTINCT g.id, g.instruction_id, i.category
FROM battles b JOIN battle_sides s ON s.battle_id = b.id JOIN generations g ON g.id = s.generation_id
JOIN instructions i ON i.id = g.instruction_id
WHERE {with_guests(OWN_BATTLES)} AND b.erased_at IS NOT NULL AND i.instruction || i.input || i.system <> ''
  AND NOT EXISTS (
    SELECT 1 FROM battle_sides t JOIN battles o ON o.id = t.battle_id
    WHERE t.generation_id = g.id AND o.erased_at IS NULL)"""

_COUNT_OWN = f"SELECT count(*) FROM battles b WHERE {OWN_BATTLES} AND b.erased_at IS NULL AND {OWN_WORDS}"

_ANSWERS_TO_UNSEEN = """
SELECT g.id FROM generations g JOIN generated d ON d.generation_id = g.id
WHERE g.instruction_id = :instruction_id AND d.seed = :seed"""
_BLANK_LIVE = "UPDATE live_items SET instruction_id = :empty WHERE study = :study AND number = :number"
_END_LIVE = """
UPDATE live_items SET failed = 'erased' WHERE study = :study AND number = :number AND item IS NULL AND failed IS NULL"""

_UNFINISHED = (BattleState.GENERATING, BattleState.OPEN, BattleState.VOTED)


class ErasureReads(Snapshot):
    def erasure_to_scrub(self) -> int | None:
        """Return the id of the last erasure if the file may still hold bytes of what was erased."""
        last = self.scalar("SELECT max(id) FROM erasures")
        scrubbed = self.scalar("SELECT value FROM facts WHERE name = 'scrubbed_erasure'")
        return None if last is None or (scrubbed is not None and int(scrubbed) >= last) else int(last)


class ErasureWrites(Transaction):
    def unsettled(self, rater_id: str, source: str) -> Sequence[str]:
        """Return the ids of the battles with a rater's words that are not final."""
        states = {f"s{number}": state.value for number, state in enumerate(_UNFINISHED)}
        marks = ", ".join(f":{name}" for name in states)
        statement = f"SELECT b.id FROM battles b WHERE {_WITH_WORDS} AND b.state IN ({marks})"
        return [row["id"] for row in self.select(statement, own_values(rater_id, source) | states)]

    def has_erasure(self, rater_id: str, created_at: str) -> bool:
        """Return True if a rater erased their text at exactly that time."""
        statement = "SELECT EXISTS (SELECT 1 FROM erasures WHERE rater_id = ? AND created_at = ?)"
        return bool(self.scalar(statement, (rater_id, created_at)))

    def erase_words(self, rater_id: str, source: str, now: str) -> Erased:
        """Erase the text of a rater's final battles and notes, and add a tombstone with an event for the journal.

        What they typed is erased from the battles of guests too, which are not counted; so are their ids at panels.
        """
        own = own_values(rater_id, source)
        unused = [row["id"] for row in self.select(_INSTRUCTIONS, own)]
        battles = int(self.scalar(_COUNT_OWN, own)) + len(self.select(UNSEEN, own))
        changed = self._blank_battles(own, now)
        unused += self._blank_generations(own)
        unseen = self._blank_live_items(own)
        unused += [live["instruction_id"] for live in unseen]
        self.drop_unused_instructions(unused)
        notes = self._connection.execute(f"DELETE {WRITTEN_NOTES}", own).rowcount
        notes += self._connection.execute(f"UPDATE {WRITTEN_REASONS}", own).rowcount
        panel_ids = self._connection.execute(f"DELETE {PANEL_IDS_OF_RATER}", own).rowcount
        if changed or unseen or notes or panel_ids:
            self.add_rater(rater_id, now)  # whom a panel sent may be known by a hash alone
            erasure = {"rater_id": rater_id, "created_at": now, "battles": battles, "notes": notes}
            self._add_event("erasure", now, erasure_id=self.insert("erasures", erasure))
        return Erased(battles, notes, panel_ids)

    def mark_scrubbed(self, erasure_id: int) -> None:
        """Store that no byte is left of what was erased up to an erasure."""
        self.upsert("facts", "name", {"name": "scrubbed_erasure", "value": str(erasure_id)})

    def blank_generations(self, instructions: Mapping[str, str]) -> None:
        """Remove the text of generations; `instructions` names the empty instruction of each."""
        values = [{"id": id, "instruction_id": empty, **NO_TEXT} for id, empty in instructions.items()]
        self.change(_BLANK_GENERATION, values)
        self.change(_BLANK_FLAGS, values)

    def drop_unused_instructions(self, ids: Sequence[str]) -> None:
        """Delete those of the instructions that no battle and no generation has."""
        self.change(_UNUSED_INSTRUCTION, [{"id": id} for id in ids])

    def add_empty_instruction(self, category: str) -> str:
        """Return the id of a category's instruction without text, which is added unless stored."""
        return self.add_instruction(Instruction("", category=category))

    def _blank_battles(self, own: Mapping[str, Any], now: str) -> int:
        changed = 0
        for row in self.select(_INSTRUCTIONS, own):
            values = {**own, "now": now, "old": row["id"], "empty": self.add_empty_instruction(row["category"])}
            changed += self._connection.execute(
                f"UPDATE battles AS b SET instruction_id = :empty, erased_at = :now"
                f" WHERE {_WITH_WORDS} AND b.instruction_id = :old",
                values,
            ).rowcount
        return changed

    def _blank_live_items(self, own: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Blank the instructions of live studies that no battle shows, and their answers; return what was blanked."""
        found = [dict(row) for row in self.select(UNSEEN, own)]
        for live in found:
            live["empty"] = self.add_empty_instruction(live.pop("category"))
            answers = self.select(_ANSWERS_TO_UNSEEN, {name: live[name] for name in ("instruction_id", "seed")})
            self.blank_generations({row["id"]: live["empty"] for row in answers})
            self.change(_BLANK_LIVE, [live])
            self.change(_END_LIVE, [live])
        return found

    def _blank_generations(self, own: Mapping[str, Any]) -> Sequence[str]:
        """Blank the answers that only erased battles show; return the ids of their instructions."""
        found = self.select(_GENERATIONS, own)
        self.blank_generations({row["id"]: self.add_empty_instruction(row["category"]) for row in found})
        return sorted({row["instruction_id"] for row in found})
