"""Judgements of the same answers: of several raters, and of one rater again."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from playground.arena.listing import current_agreement, current_analyses
from playground.catalog.catalog import Catalog
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_filter import read_board_filter, with_guests
from playground.ratings.policy import CountingPolicy
from playground.ratings.repeats import RaterAgreement
from playground.records import BattleSide, BattleState, Origin, Vote, VoteFilter
from playground.storage.database.store import Store
from tests.support.cast import MODELS, PARAMS, battle, card, generation
from tests.support.memory import memory_store

NOW = "2026-11-22T00:00:00.000+00:00"
AT = "2026-11-20T00:00:00.000+00:00"
DEFAULT = CountingPolicy()
SETTLED = {"state": BattleState.REVEALED, "opened_at": AT, "final_at": AT, "draw_probability": 0.1}
LETTERS = {"first": "a", "second": "b", "tie": "tie", "both_bad": "both_bad"}


@dataclass(frozen=True)
class Judgement:
    """A vote on the two answers of a comparison."""

    comparison: int
    rater: str
    says: str  # first | second | tie | both_bad, of the answers as they were stored
    swapped: bool = False  # the second answer stood first
    origin: Origin = Origin.PERSON
    changes: tuple[tuple[str, Any], ...] = ()  # of the battle


def stored(judgements: Sequence[Judgement]) -> Store:
    store = memory_store()
    for model in MODELS:
        store.upsert_model(card(model))
    answers = {
        number: tuple(generation(f"{number}-{side}", MODELS[side], "word " * (5 + side)) for side in (0, 1))
        for number in {judgement.comparison for judgement in judgements}
    }
    store.write(lambda writing: [writing.insert_generation(one) for pair in answers.values() for one in pair])
    for number, judged in enumerate(judgements):
        shown = answers[judged.comparison][:: -1 if judged.swapped else 1]
        letter = LETTERS[judged.says]
        choice = {"a": "b", "b": "a"}.get(letter, letter) if judged.swapped else letter
        made = battle(
            f"battle-{number}",
            (),
            sides=tuple(BattleSide(s, one.model_id, 5, PARAMS, one) for s, one in zip("ab", shown, strict=True)),
            owner=judged.rater,
            comparison_id=f"comparison-{judged.comparison}",
            **{**SETTLED, **dict(judged.changes)},
        )
        vote = Vote(f"vote-{number}", made.id, 1, choice, judged.rater, AT, 5.0, origin=judged.origin)
        store.write(lambda writing, made=made, vote=vote: (writing.insert_battle(made), writing.insert_vote(vote)))
    return store


def agreement(judgements: Sequence[Judgement], **asked: str) -> RaterAgreement:
    filter, policy = read_board_filter(asked, DEFAULT)
    options = LeaderboardOptions(policy=policy)
    return current_agreement(stored(judgements), Catalog.load(), {}, NOW, filter, options)


def random_judgements(comparisons: int, seed: int = 3) -> list[Judgement]:
    """Judgements of one to four raters of each comparison, who often agree; the first one is no guest."""
    rng, says = np.random.default_rng(seed), list(LETTERS)
    found = []
    for number in range(comparisons):
        usual = rng.choice(says, p=[0.4, 0.3, 0.2, 0.1])
        for rater in range(int(rng.integers(1, 5))):
            said = usual if rng.random() < 0.6 else rng.choice(says)
            origin = Origin.SHARED if rater else Origin.PERSON
            found.append(Judgement(number, f"rater-{rng.integers(1000)}", str(said), bool(rng.random() < 0.5), origin))
    return found


def test_agreement_of_stored_votes_is_that_of_the_package() -> None:
    oracle = pytest.importorskip("krippendorff")
    judgements = random_judgements(60)
    between = agreement(judgements).between
    codes: dict[str, dict[int, int]] = defaultdict(dict)
    for one in judgements:
        codes[one.rater].setdefault(one.comparison, list(LETTERS).index(one.says))
    table = np.array([[said.get(number, math.nan) for number in range(60)] for said in codes.values()])
    assert between.alpha is not None
    assert between.alpha.value == pytest.approx(oracle.alpha(table, level_of_measurement="nominal"))
    several = [number for number in range(60) if np.count_nonzero(~np.isnan(table[:, number])) > 1]
    assert between.battles == between.alpha.items == len(several)
    assert between.alpha.lower < between.alpha.value < between.alpha.upper


def test_votes_of_guests_are_compared_though_the_default_board_does_not_count_them() -> None:
    judgements = [
        judged
        for number in range(20)
        for judged in (
            Judgement(number, "ada", "first" if number % 2 else "tie"),
            Judgement(number, f"guest-{number}", "first" if number % 4 else "second", origin=Origin.SHARED),
        )
    ]
    between = agreement(judgements).between
    assert (between.battles, between.raters, between.equal) == (20, 21, 0.5)
    assert "Two raters of the same answers judged alike in 50 % of cases" in between.text
    assert agreement(judgements, origin="person").between.battles == 0
    assert agreement(judgements, origin="all").between.battles == 20
    assert agreement(judgements, since="2026-11-21").between.battles == 0


def test_a_policy_counts_guests_unless_the_filter_says_whose_votes() -> None:
    wider = with_guests(DEFAULT, VoteFilter())
    assert (wider.origins, wider.pairs, wider.sampling) == ((Origin.PERSON, Origin.SHARED), "all", "all")
    assert wider.blind_only
    assert with_guests(DEFAULT, VoteFilter(pairs="drawn")).pairs == "drawn"
    assert with_guests(DEFAULT, VoteFilter(origin="person")) == DEFAULT


def test_open_votes_are_not_compared_with_blind_ones() -> None:
    judgements = [Judgement(number, "ada", "first") for number in range(20)]
    judgements += [Judgement(number, "ben", "first", changes=(("blind", False),)) for number in range(20)]
    assert agreement(judgements).between.battles == 0


def test_raters_are_compared_with_themselves_and_only_their_first_vote_with_others() -> None:
    judgements = [
        judged
        for number in range(24)
        for judged in (
            Judgement(number, "ada", "first"),
            Judgement(number, "ada", "first" if number < 18 else "second", swapped=True),
            Judgement(number, "ben", "second" if number % 2 else "first"),
        )
    ]
    found = agreement(judgements)
    assert (found.within.repeats, found.within.raters, found.within.equal) == (24, 1, 0.75)
    assert found.between.equal == 0.5
    assert "judged as before in 75 % of cases" in found.within.text


def test_a_rater_who_always_takes_the_left_one_disagrees_with_themselves() -> None:
    judgements = [
        judged
        for number in range(20)
        for judged in (
            Judgement(number, "ada", "first" if number % 2 else "second", swapped=number % 2 == 0),
            Judgement(number, "ada", "second" if number % 2 else "first", swapped=number % 2 == 1),
        )
    ]
    within = agreement(judgements).within
    assert within.equal == 0
    assert within.kappa is not None
    assert within.kappa.value == -1


def test_judgements_that_are_all_alike_have_no_coefficient() -> None:
    votes = [Judgement(number, rater, "first") for number in range(20) for rater in ("ada", "ben", "ada")]
    found = agreement(votes)
    assert found.between.alpha is found.within.kappa is None
    assert found.between.text.endswith("every judgement is the same.")
    assert found.within.text.endswith("every one is the same.")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "not enough yet. No battle has judgements of several raters; 20 more are needed."),
        (1, "not enough yet. 1 battle has judgements of several raters; 19 more are needed."),
        (19, "not enough yet. 19 battles have judgements of several raters; 1 more is needed."),
    ],
)
def test_few_battles_say_how_many_more_are_needed(number: int, said: str) -> None:
    found = agreement([Judgement(n, rater, "first") for n in range(number) for rater in ("ada", "ben")])
    assert said in found.between.text
    assert found.between.equal is None
    assert "not enough yet. Nobody judged the same answers twice; 20 more" in found.within.text


def test_a_vote_that_can_still_be_undone_is_not_compared() -> None:
    later = (("state", BattleState.VOTED), ("final_at", "2026-11-23T00:00:00.000+00:00"))
    found = agreement([Judgement(0, "ada", "first"), Judgement(0, "ben", "first", changes=later)])
    assert found.between.battles == 0


def test_the_analyses_of_a_board_have_its_agreement_as_json() -> None:
    judgements = random_judgements(60)
    options = LeaderboardOptions(policy=DEFAULT)
    analyses = current_analyses(stored(judgements), Catalog.load(), MODELS, {}, NOW, options=options)
    assert analyses.agreement == agreement(judgements)
    document = json.loads(json.dumps(analyses.as_document(), allow_nan=False))["agreement"]
    assert document["between"]["alpha"]["value"] == analyses.agreement.between.alpha.value
    first = document["sides"][0]
    assert first["earlier"] + first["later"] == sum(
        one.origin is Origin.PERSON and one.says in ("first", "second") for one in judgements
    )
