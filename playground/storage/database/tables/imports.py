"""Judged battles that come from a file.

Boundary: reads what is stored under their ids, and adds whole battles; files and their formats are known in `exchange`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256

from playground.records import Generation, JudgedBattle, ModelCard, Vote
from playground.storage.database import rows
from playground.storage.database.tables.battles import BattleReads, BattleWrites
from playground.storage.database.tables.criteria import CriterionWrites
from playground.storage.database.tables.exclusions import ExclusionWrites
from playground.storage.database.tables.votes import VoteWrites

_STORED_IDS = """
SELECT EXISTS (SELECT 1 FROM votes WHERE id = :id) OR EXISTS (SELECT 1 FROM battles WHERE id = :id)"""


class Presence(StrEnum):
    """The relation of a judged battle to the database."""

    NEW = "new"
    THERE = "there"
    CONFLICT = "conflict"  # another record is stored under one of its ids


class ImportReads(BattleReads):
    def presence(self, judged: JudgedBattle, known_as: Sequence[str] = ()) -> tuple[Presence, str]:
        """Return whether a judged battle is stored, and for a conflict the reason.

        Args:
            known_as: more ids of a vote or a battle; if one is stored, the judged battle is there.
        """
        vote = judged.vote
        stored = self.select("SELECT battle_id, choice FROM votes WHERE id = ?", (vote.id,))
        if stored:
            if tuple(stored[0]) == (vote.battle_id, vote.choice):
                return Presence.THERE, ""
            return Presence.CONFLICT, f"vote {vote.id} is stored here with other content"
        if any(id and self.scalar(_STORED_IDS, {"id": id}) for id in known_as):
            return Presence.THERE, ""
        if self.scalar("SELECT 1 FROM battles WHERE id = ?", (vote.battle_id,)):
            return Presence.CONFLICT, f"battle {vote.battle_id} is stored here with another vote, or none"
        for side in judged.battle.sides:
            if side.generation is not None and self._is_other(side.generation):
                return Presence.CONFLICT, f"generation {side.generation.id} is stored here with other content"
        return Presence.NEW, ""

    def _is_other(self, generation: Generation) -> bool:
        """Return True if the id is taken by another answer; an erased one is another too."""
        statement = "SELECT model_id, text, instruction_id FROM generations WHERE id = ?"
        found = self.select(statement, (generation.id,))
        own = (generation.model_id, generation.text, rows.instruction_id(generation.instruction))
        return bool(found) and tuple(found[0]) != own


class ImportWrites(BattleWrites, VoteWrites, CriterionWrites, ExclusionWrites):
    def add_model(self, card: ModelCard) -> bool:
        """Store a card unless one of its id is stored; return True if it was not."""
        if self.scalar("SELECT 1 FROM models WHERE id = ?", (card.id,)):
            return False
        self.insert("models", rows.model_row(card))
        return True

    def insert_judged(self, judged: JudgedBattle, names: Mapping[str, str]) -> None:
        """Add a battle with its answers, its vote, notes and criteria, and the event for the journal.

        Earlier revisions of the vote are not in a file; undos take their place, because a vote's revision is the
        battle's next.

        Args:
            names: the words with which answers name their models, by generation id.
        """
        battle, vote = judged.battle, judged.vote
        for generation in (side.generation for side in battle.sides):
            if generation is not None and not self.scalar("SELECT 1 FROM generations WHERE id = ?", (generation.id,)):
                self.insert_generation(generation)
                if generation.id in names:
                    self.flag_generation(generation.id, "names_itself", names[generation.id])
        self.insert_battle(battle)
        for revision in range(1, vote.revision):
            self.insert_vote(_undo(vote, revision))
        self.insert_vote(vote)
        if judged.capped:
            self.flag_vote(vote.id, "capped")
        self.insert_criteria(vote.id, vote.rater_id, judged.criteria)
        self._insert_notes(judged)

    def _insert_notes(self, judged: JudgedBattle) -> None:
        vote = judged.vote
        comments = (judged.comment,) if judged.comment else ()
        about = {"battle_id": vote.battle_id, "vote_id": vote.id, "rater_id": vote.rater_id}
        for kind, texts in (("reason", judged.reasons), ("comment", comments)):
            for text in texts:
                self.insert("vote_notes", {**about, "kind": kind, "text": text, "created_at": vote.created_at})


def _undo(vote: Vote, revision: int) -> Vote:
    id = sha256(f"revision {revision} before {vote.id}".encode()).hexdigest()[:32]
    return replace(vote, id=id, revision=revision, choice="undo", decision_s=None, strength=None)
