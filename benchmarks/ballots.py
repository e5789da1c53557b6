"""Open battles on stored answers, for benchmarks whose load is the votes.

Boundary: real records in a real store; all battles share two stored answers of 200 words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from playground.battles import Battles
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.records import Battle, BattleSide, BattleState, FinishReason, Generation, Instruction, ModelCard, Prompt
from playground.settings import Settings
from playground.storage.database.store import Store

MODELS = ("pocket-orca-mini", "pocket-galpaca")
INSTRUCTION = Instruction("Which of these two is better?", category="")
LAYERS = 16
CHOICES = ("a", "b", "tie", "both_bad")


@dataclass(frozen=True, slots=True)
class Ballot:
    """An open battle and the vote to come."""

    battle_id: str
    rater: str
    choice: str


def ballots(number: int, raters: int) -> Iterator[Ballot]:
    """Yield `number` ballots, spread over the raters; always the same ones."""
    for i in range(number):
        battle_id = hashlib.sha256(f"ballot {i}".encode()).hexdigest()[:32]
        yield Ballot(battle_id, f"rater-{i % raters}", CHOICES[i * 7 % 11 % 4])


def lay_out(store: Store, given: list[Ballot], source: str) -> Battles:
    """Store an open battle for each ballot."""
    cards = Catalog.load(Settings().card_folders, Settings().template_folders).cards
    for model in MODELS:
        store.upsert_model(cards[model])
    battles = Battles(store)
    now = Clock().now()
    answers = [answer(cards[model], f"answer-{model}", now) for model in MODELS]
    with ThreadPoolExecutor(LAYERS) as pool:  # many battles share a commit
        list(pool.map(lambda ballot: battles.create(_battle(ballot, answers, source, now)), given))
    return battles


def _battle(ballot: Ballot, answers: list[Generation], source: str, now: str) -> Battle:
    sides = (
        BattleSide(side, answer.model_id, answer.seed, answer.params, answer)
        for side, answer in zip("ab", answers, strict=True)
    )
    return Battle(
        id=ballot.battle_id,
        comparison_id=ballot.battle_id,
        parent_id=None,
        owner=ballot.rater,
        source=source,
        blind=True,
        state=BattleState.GENERATING,
        instruction=INSTRUCTION,
        overrides={},
        sides=tuple(sides),
        created_at=now,
    )


def answer(card: ModelCard, generation_id: str, now: str) -> Generation:
    words = " ".join(f"word{i}" for i in range(200))
    return Generation(
        id=generation_id,
        model_id=card.id,
        model_revision=card.revision,
        repo=card.public_repo,
        license=card.license,
        instruction=INSTRUCTION,
        prompt=Prompt(INSTRUCTION.instruction, tuple(range(60)), card.template, "0" * 64),
        params=card.sampling,
        seed=1,
        text=words,
        token_ids=tuple(range(400)),
        finish_reason=FinishReason.STOP,
        error=None,
        engine="local",
        device="cpu",
        dtype="float32",
        versions={},
        faithful=True,
        created_at=now,
        first_token_s=0.1,
        duration_s=1.0,
    )
