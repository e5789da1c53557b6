"""Analyses of stored votes: what is read, what is found, and what is not said of few votes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from playground.arena.listing import board_document, current_analyses, current_leaderboard
from playground.catalog.catalog import Catalog
from playground.ratings import stored_styles
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.answer_style import style_of
from playground.ratings.board import LeaderboardOptions
from playground.ratings.policy import EVERY_VOTE
from playground.ratings.stored_styles import StoredStyles
from playground.records import BattleSide, BattleState, Vote, VoteFilter
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from tests.support.cast import MODELS, PARAMS, House, battle, card, generation
from tests.support.judged import build_leaderboard
from tests.support.memory import memory_store

NOW = "2026-11-22T00:00:00.000+00:00"
AT = "2026-11-20T00:00:00.000+00:00"
OPTIONS = LeaderboardOptions(policy=EVERY_VOTE)


def insert(writing: Writing, number: int, models: list[str], texts: list[str], choice: str, at: str = AT) -> None:
    """Store one vote of a rater of its own."""
    answers = [generation(f"{number}-{side}", m, t) for side, m, t in zip("abc", models, texts, strict=False)]
    for answer in answers:
        writing.insert_generation(answer)
    sides = tuple(BattleSide(s, a.model_id, 5, PARAMS, a) for s, a in zip("abc", answers, strict=False))
    rater = f"rater-{number}"
    made = battle(
        f"battle-{number}", (), sides=sides, owner=rater, state=BattleState.REVEALED, opened_at=at, final_at=at
    )
    writing.insert_battle(made)
    writing.insert_vote(Vote(f"vote-{number}", made.id, 1, choice, rater, at, 5.0))


def stored(num_votes: int, longer_wins: float = 0.5, seed: int = 1) -> Store:
    """Votes on answers of different length, of which the longer one wins with a probability; some have bold words."""
    store, rng = memory_store(), np.random.default_rng(seed)
    for model in MODELS:
        store.upsert_model(card(model))

    def fill(writing: Writing) -> None:
        for number in range(num_votes):
            models = [MODELS[i] for i in rng.permutation(3)[:2]]
            words = [int(n) for n in rng.permutation(np.arange(5, 60))[:2]]
            texts = [f"{'word ' * n}{bold}" for n, bold in zip(words, rng.choice(["", "**x**"], 2), strict=True)]
            longer = "ab"[int(words[1] > words[0])]
            choice = longer if rng.random() < longer_wins else "ab".replace(longer, "")
            insert(writing, number, models, texts, choice)

    store.write(fill)
    return store


def analysed(store: Store, **how: Any) -> Analyses:
    return current_analyses(store, Catalog.load(), MODELS, {}, NOW, options=how.pop("options", OPTIONS), **how)


@pytest.fixture(scope="module")
def preferring() -> Store:
    """Raters who take the longer answer three times out of four."""
    return stored(240, longer_wins=0.75, seed=2)


def test_a_preference_for_length_is_found_in_stored_texts(preferring: Store) -> None:
    style = analysed(preferring).style
    assert style is not None
    assert style.pairs == 240
    assert [effect.feature for effect in style.effects] == ["length", "bold", "position"]
    length, bold, position = style.effects
    assert length.odds_lower > 1.2
    assert bold.odds_lower < 1 < bold.odds_upper
    assert position.odds_lower < 1 < position.odds_upper
    assert length.text.startswith("Twice the length raises an answer's odds of winning: times ")
    assert [model.model for model in style.models] == sorted(
        MODELS, key=lambda model: -next(m.rating for m in style.models if m.model == model)
    )


def test_without_differences_in_style_the_ratings_are_the_board(preferring: Store) -> None:
    style = analysed(preferring).style
    board = current_leaderboard(preferring, Catalog.load(), MODELS, {}, NOW, options=OPTIONS)
    assert style is not None
    assert {row.model: row.rating for row in board.rows} == pytest.approx(
        {model.model: model.rating_without_style for model in style.models}
    )


def test_answers_are_counted_once(preferring: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    monkeypatch.setattr(stored_styles, "style_of", lambda text: counted.append(text) or style_of(text))
    styles = StoredStyles()
    first = analysed(preferring, styles=styles)
    assert len(counted) == 480
    assert analysed(preferring, styles=styles) == first
    assert len(counted) == 480


def test_only_the_newest_texts_are_read(preferring: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ratings.analyses.NEWEST", 150)
    styles = StoredStyles()
    style = analysed(preferring, styles=styles).style
    assert style is not None
    assert (style.pairs, style.newest_only) == (150, True)
    assert style == analysed(preferring).style


def test_an_erased_text_is_left_out() -> None:
    store = stored(120)
    House(store).battles.erase("rater-7")
    style = analysed(store).style
    assert style is not None
    assert style.pairs == 119


@pytest.mark.parametrize("num_votes", [0, 1, 60])
def test_nothing_is_said_of_few_votes(num_votes: int) -> None:
    analyses = analysed(stored(num_votes))
    assert analyses.style is None
    assert "too few" in dict(analyses.sentences())["Style"]


def test_the_document_is_json(preferring: Store) -> None:
    board = current_leaderboard(preferring, Catalog.load(), MODELS, {}, NOW, options=OPTIONS)
    document = json.loads(json.dumps(board_document(board, analysed(preferring)), allow_nan=False))
    effect = document["analyses"]["style"]["effects"][0]
    assert effect["feature"] == "length"
    assert effect["odds"] == pytest.approx(math.exp(effect["coefficient"]["estimate"] / 3))
    assert document["analyses_state"] == "ready"
    missing = {"analyses": None, "analyses_state": "failed", "analyses_why_none": "the disk is full"}
    assert missing.items() <= board_document(board, NoAnalyses("the disk is full")).items()
    assert board_document(board, NoAnalyses())["analyses_state"] == "coming"


def test_battles_of_the_votes_that_carry_first_place_are_named(preferring: Store) -> None:
    carrying = analysed(preferring).carrying
    assert carrying is not None
    assert len(carrying.battles) == carrying.votes < 50
    assert carrying.share == carrying.votes / 240
    board = current_leaderboard(preferring, Catalog.load(), MODELS, {}, NOW, options=OPTIONS)
    assert carrying.leader == board.rows[0].model
    with preferring.reading() as reading:
        pairs = [pair for pair in reading.judged_pairs() if pair.battle_id not in carrying.battles]
    without = build_leaderboard(pairs, {}, options=OPTIONS)
    assert without.num_votes == 240 - carrying.votes
    assert without.rows[0].model == carrying.first


def hide(writing: Writing, battle_id: str) -> None:
    writing.change("UPDATE battles SET hidden_at = :at WHERE id = :id", [{"id": battle_id, "at": AT}])


def erase(writing: Writing, battle_id: str) -> None:
    writing.erase_words(battle_id.replace("battle", "rater"), "page", AT)


@pytest.mark.parametrize("withhold", [hide, erase])
def test_battles_without_words_are_not_named(withhold: Callable[[Writing, str], None]) -> None:
    store = stored(240, longer_wins=0.75, seed=2)
    before = analysed(store).carrying
    assert before is not None
    store.write(lambda writing: withhold(writing, before.battles[0]))
    after = analysed(store).carrying
    assert after is not None
    assert (after.votes, after.battles) == (before.votes, before.battles[1:])


def test_no_vote_carries_a_provisional_ranking(preferring: Store) -> None:
    options = LeaderboardOptions(policy=EVERY_VOTE, min_battles=1000)
    assert analysed(preferring, options=options).carrying is None


def test_the_ranking_is_compared_with_other_choices(preferring: Store) -> None:
    stability = analysed(preferring).stability
    assert stability is not None
    assert set(stability.ranges.compared) == {"half the prior", "twice the prior", "style held equal (240 pairs)"}
    board = current_leaderboard(preferring, Catalog.load(), MODELS, {}, NOW, options=OPTIONS)
    assert [one.model for one in stability.ranges.models] == [row.model for row in board.rows]
    for one in stability.ranges.models:
        assert one.lowest <= one.rank <= one.highest


def test_ratings_over_time_are_those_of_the_votes_until_each_day() -> None:
    """Also of votes that were stored after younger ones."""
    store, rng = memory_store(), np.random.default_rng(7)
    for model in MODELS:
        store.upsert_model(card(model))

    def fill(writing: Writing) -> None:
        for number in range(180):
            models = [MODELS[i] for i in rng.permutation(3)[:2]]
            day = (12, 13, 10, 11)[number // 45]
            insert(writing, number, models, ["x", "y"], str(rng.choice(["a", "b"])), f"2026-11-{day}{AT[10:]}")

    store.write(fill)
    history = analysed(store).history
    assert history is not None
    assert [(point.day, point.votes) for point in history.points] == [
        (f"2026-11-{day}", 45 * number) for number, day in enumerate((10, 11, 12, 13), start=1)
    ]
    for point in history.points:
        board = current_leaderboard(store, Catalog.load(), MODELS, {}, NOW, VoteFilter(until=point.day), OPTIONS)
        rows = {row.model: (row.rating, row.rating_lower, row.rating_upper) for row in board.rows}
        assert point.votes == board.num_votes
        for then in point.ratings:
            assert (then.rating, then.rating_lower, then.rating_upper) == pytest.approx(rows[then.model])


def test_ratings_over_time_are_part_of_the_document(preferring: Store) -> None:
    analyses = analysed(preferring)
    assert analyses.history is None
    assert "Votes of two days" in dict(analyses.sentences())["Over time"]
