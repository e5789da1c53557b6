"""A database of many votes of people on pairs that the arena drew, for benchmarks of the leaderboard and of exports.

Boundary: writes rows in large transactions; always the same ones.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from playground.catalog.catalog import Catalog
from playground.records import (
    Battle,
    BattleSide,
    BattleState,
    FinishReason,
    Generation,
    Instruction,
    ModelCard,
    Prompt,
    Vote,
)
from playground.settings import Settings
from playground.storage.database import rows
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store

MODELS = ("pocket-orca-mini", "pocket-galpaca", "pocket-minotaur", "pocket-openalpaca", "pocket-mamba-gpt")
STRENGTHS = (0.4, 0.3, 0.0, -0.1, -0.6)
"""Log-odds of the models."""
INSTRUCTIONS = 4_000
RATERS = 20_000
ROWS = 1_000
"""Answers of one transaction."""
TOGETHER = 20_000
"""Votes of one transaction."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Given:
    """The rows of one vote."""

    battle: Row
    sides: tuple[Row, Row]
    vote: Row


def fill(store: Store, votes: int) -> None:
    """Store votes on shared answers, as raters of one study give them: one every 20 seconds."""
    cards = Catalog.load(Settings().card_folders, Settings().template_folders).cards
    for model in MODELS:
        store.upsert_model(cards[model])
    chance = random.Random(7)
    asked = [
        Instruction(f"Question {i}: {words(chance, 20)}?", category=f"category-{i % 6}") for i in range(INSTRUCTIONS)
    ]
    answers = [answer_of(cards[MODELS[i % 5]], asked[i // 5], i, chance) for i in range(INSTRUCTIONS * len(MODELS))]
    for start in range(0, len(answers), ROWS):
        store.write(partial(_insert_answers, answers[start : start + ROWS]))
    raters = [f"{i:032x}" for i in range(RATERS)]
    store.write(lambda writing: [writing.add_rater(rater, BEGIN.isoformat()) for rater in raters] and None)
    given = _given(answers, votes, chance)
    while some := list(islice(given, TOGETHER)):
        store.write(partial(_insert_votes, some))


def vote_id(number: int) -> str:
    """Return the id of a vote by its place in time."""
    return hashlib.sha256(f"vote {number}".encode()).hexdigest()[:32][::-1]


def _insert_answers(answers: Sequence[Generation], writing: Writing) -> None:
    for answer in answers:
        writing.insert_generation(answer)


def _insert_votes(given: Sequence[_Given], writing: Writing) -> None:
    for table, found in (
        ("battles", [one.battle for one in given]),
        ("battle_sides", [side for one in given for side in one.sides]),
        ("votes", [one.vote for one in given]),
    ):
        marks = ", ".join(f":{name}" for name in found[0])
        writing.change(f"INSERT INTO {table} ({', '.join(found[0])}) VALUES ({marks})", found)


def words(chance: random.Random, number: int) -> str:
    return " ".join(f"word{chance.randrange(1000)}" for _ in range(number))


def answer_of(card: ModelCard, asked: Instruction, number: int, chance: random.Random) -> Generation:
    """Return one answer; the same numbers and chances give the same one."""
    return Generation(
        id=f"answer-{number}",
        model_id=card.id,
        model_revision=card.revision,
        repo=card.public_repo,
        license=card.license,
        instruction=asked,
        prompt=Prompt(f"### Instruction:\n{asked.instruction}", tuple(range(100, 140)), card.template, "0" * 64),
        params=card.sampling,
        seed=number,
        text=words(chance, 40 + number % 40),
        token_ids=tuple(chance.randrange(32000) for _ in range(100)),
        finish_reason=FinishReason.STOP,
        error=None,
        engine="local",
        device="cpu",
        dtype="float32",
        versions={"torch": "2.13.0"},
        faithful=True,
        created_at="2026-01-01T00:00:00.000+00:00",
        first_token_s=0.1,
        duration_s=1.0,
    )


def _given(answers: Sequence[Generation], votes: int, chance: random.Random) -> Iterator[_Given]:
    """Yield the rows of each vote; a record for each would take ten times as long."""
    battle, vote = (dict(row) for row in _templates(answers[:2]))
    sides = [[rows.side_row("", _side(side, answer)) for answer in answers] for side in "ab"]
    instructions = [rows.instruction_id(answer.instruction) for answer in answers]
    for number in range(votes):
        at = (BEGIN + timedelta(seconds=20 * number)).isoformat(timespec="milliseconds")
        id, rater = vote_id(number)[::-1], f"{number % RATERS:032x}"
        start = chance.randrange(INSTRUCTIONS) * len(MODELS)
        a, b = chance.sample(range(len(MODELS)), 2)
        times = {"created_at": at, "opened_at": at, "final_at": at}
        yield _Given(
            battle | times | {"id": id, "comparison_id": id, "owner": rater, "instruction_id": instructions[start]},
            (sides[0][start + a] | {"battle_id": id}, sides[1][start + b] | {"battle_id": id}),
            vote
            | {"id": id[::-1], "battle_id": id, "choice": _choice(a, b, chance), "rater_id": rater}
            | {"created_at": at, "decision_s": 1.0 + number % 30},
        )


def _templates(answers: Sequence[Generation]) -> tuple[Row, Row]:
    """Return the rows of a battle and of a vote."""
    at = BEGIN.isoformat(timespec="milliseconds")
    battle = Battle(
        id="",
        comparison_id="",
        parent_id=None,
        owner="",
        source="page",
        blind=True,
        state=BattleState.REVEALED,
        instruction=answers[0].instruction,
        overrides={},
        sides=tuple(_side(side, answer) for side, answer in zip("ab", answers, strict=True)),
        created_at=at,
        opened_at=at,
        final_at=at,
        draw_probability=0.1,
    )
    return rows.battle_row(battle), rows.vote_row(Vote("", "", 1, "a", "", at, 1.0))


def _side(side: str, answer: Generation) -> BattleSide:
    return BattleSide(side, answer.model_id, answer.seed, answer.params, answer)


def _choice(a: int, b: int, chance: random.Random) -> str:
    if (luck := chance.random()) < 0.2:
        return "tie" if luck < 0.15 else "both_bad"
    return "a" if chance.random() < 1 / (1 + 2.718281828 ** (STRENGTHS[b] - STRENGTHS[a])) else "b"
