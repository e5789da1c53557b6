"""Studies of stored answers for tests: made without models, with links and raters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from playground.battles import Viewer
from playground.records import CheckState, Instruction, StoredStudy, StudyItem
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Writing
from playground.studies.links import new_token, token_hash
from playground.studies.reservation import Reservations, Turn
from playground.studies.study_file import StudyFile, as_document
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House, generation

STUDY = StudyFile(id="helpful", instructions="questions.jsonl", models=(OPENALPACA, MAMBA), votes=1000, seed=7)
HASH = "5a" * 32
FINAL_S = 70.0
"""After this time a vote on a rated battle cannot be undone."""
KNOWN = {OPENALPACA: "Grey waves.", MAMBA: "The sea, the sea.", GALPACA: "Salt."}


@dataclass(frozen=True)
class Studied:
    """A stored study, and what is done with it."""

    home: House
    file: StudyFile
    reservations: Reservations
    tokens: Sequence[str]  # of the links, from number 1 on

    def next(self, link: int, have: Sequence[str] = (), browser: str = "") -> Turn:
        viewer = Viewer(browser or f"rater-{link}")
        return self.reservations.next(self.file.id, self.tokens[link - 1], viewer, have)

    def vote(self, link: int, battle_id: str, choice: str = "a") -> None:
        self.home.battles.vote(battle_id, choice, f"rater-{link}")

    def judge(self, link: int, choice: str = "a") -> str | None:
        """Take the next battle and vote; return its id, or None if there is none."""
        turn = self.next(link)
        if turn.battle_id is not None:
            self.vote(link, turn.battle_id, choice)
            self.home.time.pass_s(FINAL_S)
        return turn.battle_id

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.home.store.reading() as reading:
            return [tuple(row) for row in reading.select(statement, values)]

    def votes_by_item(self) -> dict[int, int]:
        """Return the votes that count for each item that has some."""
        return dict(
            self.rows(
                "SELECT s.item, count(*) FROM assignments s JOIN battles b ON b.id = s.battle"
                " WHERE b.study_kind = 'item' AND b.state IN ('voted', 'revealed') GROUP BY 1"
            )
        )

    def outcome(self, battle_id: str) -> str:
        """Return the vote's winner by the order of the item: a or b."""
        [(outcome,)] = self.rows(
            "SELECT CASE WHEN v.choice = x.side THEN 'a' ELSE 'b' END FROM assignments s"
            " JOIN study_items t ON t.study = s.study AND t.number = s.item JOIN votes v ON v.battle_id = s.battle"
            " JOIN battle_sides x ON x.battle_id = s.battle AND x.generation_id = t.generation_a WHERE s.battle = ?",
            battle_id,
        )
        return str(outcome)

    def side_of(self, battle_id: str, first: bool) -> str:
        """Return the side on which the item's first, or second, answer stands."""
        column = "generation_a" if first else "generation_b"
        [(side,)] = self.rows(
            f"SELECT x.side FROM assignments s JOIN study_items t ON t.study = s.study AND t.number = s.item"
            f" JOIN battle_sides x ON x.battle_id = s.battle AND x.generation_id = t.{column} WHERE s.battle = ?",
            battle_id,
        )
        return str(side)


def studied(home: House, instructions: int, links: int, **keys: Any) -> Studied:
    """Store a study of the first instructions, each pair of models once, with links."""
    checks, attention = keys.pop("checks", 0), keys.pop("attentions", 0)
    file = replace(STUDY, **({"instructions": None} if keys.get("live") else {}), **keys)
    tokens = [new_token() for _ in range(links)]
    at = home.time.now()

    def work(writing: Writing) -> None:
        items = []
        for number in range(instructions):
            answers = _answers(writing, f"q{number}", file.models)
            items += [(answers[first], answers[second]) for first, second in file.model_pairs]
        numbered = [StudyItem(number, "item", *pair) for number, pair in enumerate(items, start=1)]
        for kind, count in (("check", checks), ("attention", attention)):
            for number in range(count):
                good, bad = _hand_written(writing, f"{kind}{number}")
                numbered.append(StudyItem(len(numbered) + 1, kind, good, bad, "a"))
        study = StoredStudy(file.id, HASH, to_json(as_document(file)), "ab" * 16, at)
        writing.insert_study(study, numbered)
        state = CheckState.WAITING if checks else CheckState.NONE
        for token in tokens:
            writing.insert_link(file.id, token_hash(token), state, at)

    home.store.write(work)
    return Studied(home, file, Reservations(home.battles), tokens)


def _answers(writing: Writing, name: str, models: Sequence[str]) -> dict[str, str]:
    asked = Instruction(f"Say {name}.")
    for model in models:
        text = f"{KNOWN[model]} {name}"
        writing.insert_generation(generation(f"{name}-{model}", model, text, instruction=asked))
    return {model: f"{name}-{model}" for model in models}


def _hand_written(writing: Writing, name: str) -> tuple[str, str]:
    asked = Instruction(f"Check {name}.")
    for which in ("good", "bad"):
        writing.insert_generation(generation(f"{name}-{which}", OPENALPACA, f"{which} {name}", instruction=asked))
    return f"{name}-good", f"{name}-bad"
