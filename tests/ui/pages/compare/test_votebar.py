"""The vote bar in every phase."""

from __future__ import annotations

import re
from dataclasses import replace

import gradio as gr
import pytest

from playground.battles import MAX_COMMENT_CHARS, VOTE_REASONS
from playground.ratings.pairing import PairState, WhyDrawn
from playground.records import SIDES, HeadToHead, Standing
from playground.ui.pages.compare.state import TABLE, Bar, Phase
from playground.ui.pages.compare.status import status_html
from playground.ui.pages.compare.votebar import MIN_VOTES, VoteBar
from playground.ui.texts import compare as texts
from playground.validation.texts import COMMENT_CHARS
from tests.support.page_states import page, shown


@pytest.fixture(scope="module")
def bar() -> VoteBar:
    with gr.Blocks():
        return VoteBar.build(COMMENT_CHARS)


@pytest.mark.parametrize(
    ("phase", "face"),
    [
        (Phase.COMPOSE, Bar.ABSENT),
        (Phase.GENERATING, Bar.OFF),
        (Phase.OPEN, Bar.ON),
        (Phase.VOTED, Bar.SAVED),
        (Phase.SHARED, Bar.OFFERED),
        (Phase.REVEALED, Bar.SHOWN),
        (Phase.VOID, Bar.ABSENT),
    ],
)
def test_bar_has_the_face_of_the_state(bar: VoteBar, phase: Phase, face: Bar) -> None:
    updates = bar.render(page(phase))
    assert TABLE[phase].bar is face
    assert shown(updates, bar.bar) == (face is not Bar.ABSENT)
    if face is Bar.ABSENT:
        return
    assert shown(updates, bar.choices["a"]) == (face in (Bar.OFF, Bar.ON))
    assert bool(updates[bar.choices["a"]]["interactive"]) == (face is Bar.ON)
    assert shown(updates, bar.join) == shown(updates, bar.look) == (face is Bar.OFFERED)
    assert shown(updates, bar.undo) == shown(updates, bar.reveal) == (face is Bar.SAVED)
    assert shown(updates, bar.reasons) == shown(updates, bar.comment) == (face in (Bar.SAVED, Bar.SHOWN))


@pytest.mark.parametrize(
    ("count", "question", "bad"),
    [
        (2, "Which answer is better?", "Both bad"),
        (3, "Which answer is best?", "All bad"),
        (6, "Which answer is best?", "All bad"),
    ],
)
def test_choices_are_the_sides_of_the_battle(bar: VoteBar, count: int, question: str, bad: str) -> None:
    offered = bar.render(page(Phase.SHARED, count=count))[bar.words]["value"]
    assert offered == f"<b>{question} Vote without knowing the models.</b>"
    updates = bar.render(page(Phase.OPEN, count=count))
    assert question in updates[bar.words]["value"]
    assert updates[bar.choices["both_bad"]]["value"] == bad
    assert [s for s in SIDES if shown(updates, bar.choices[s])] == list(SIDES[:count])


def test_failed_answer_cannot_be_chosen(bar: VoteBar) -> None:
    updates = bar.render(page(Phase.OPEN, count=3, good_sides=("a", "c")))
    assert [s for s in SIDES[:3] if updates[bar.choices[s]]["interactive"]] == ["a", "c"]


@pytest.mark.parametrize("phase", [Phase.VOTED, Phase.REVEALED])
def test_hint_says_whether_the_vote_counts_and_why_not(bar: VoteBar, phase: Phase) -> None:
    def hint(standing: Standing | None) -> str:
        return str(bar.render(page(phase, standing=standing))[bar.hint]["value"])

    assert "Not counted: decided in under 1 s." in hint(Standing(False, "decided in under 1 s"))
    assert "Counted." in hint(Standing(True))
    assert "ounted" not in hint(None)


def test_hint_says_why_voting_is_off(bar: VoteBar) -> None:
    assert texts.NOT_YET in bar.render(page(Phase.GENERATING))[bar.hint]["value"]
    assert texts.NOT_YOURS in bar.render(page(Phase.OPEN, mine=False, may_vote=False))[bar.hint]["value"]


def test_vote_that_is_not_stored_is_not_called_saved(bar: VoteBar) -> None:
    state = page(Phase.VOTED, stored=False)
    assert "You chose B. Not stored." in bar.render(state)[bar.words]["value"]
    assert texts.STATUS_VOTED_UNSTORED in status_html(state)
    assert "saved" not in (bar.render(state)[bar.words]["value"] + status_html(state)).lower()


def test_reveal_says_how_often_the_chosen_model_beat_the_others_here(bar: VoteBar) -> None:
    met = (HeadToHead("b", "a", 21, 35), HeadToHead("b", "c", 3, MIN_VOTES - 1), HeadToHead("b", "d", 5, 20))
    state = replace(page(Phase.REVEALED, count=3), met=met)
    hint = str(bar.render(state)[bar.hint]["value"])
    assert re.findall("<span class='met'>(.*?)</span>", hint) == [
        "here, B beat A in 60 % of 35 votes, D in 25 % of 20 votes"
    ]


@pytest.mark.parametrize(
    ("met", "is_close", "words"),
    [
        (
            3,
            True,
            "drawn because A and B are close and have met 3 times (chance 20 %; an even draw gives 10 %)",
        ),
        (1, False, "drawn because A and B have met 1 time (chance 20 %; an even draw gives 10 %)"),
        (None, True, "drawn at random (chance 20 %; an even draw gives 10 %)"),
    ],
)
def test_reveal_says_why_these_models_were_drawn(bar: VoteBar, met: int | None, is_close: bool, words: str) -> None:
    revealed = page(Phase.REVEALED)
    assert revealed.view is not None
    first, second = (column.card.id for column in revealed.view.columns if column.card is not None)
    pair = None if met is None else PairState(second, first, met, 0.2, is_close)
    hint = str(bar.render(replace(revealed, why=WhyDrawn(0.2, 0.1, pair)))[bar.hint]["value"])
    assert re.findall("<span class='met why'>(.*?)</span>", hint) == [words]
    even = str(bar.render(replace(revealed, why=WhyDrawn(0.2, 0.2, pair)))[bar.hint]["value"])
    assert re.findall("<span class='met why'>(.*?)</span>", even) == [words.replace("; an even draw gives 10 %", "")]


@pytest.mark.parametrize(
    ("choice", "count", "words"),
    [
        ("b", 2, "Saved. You chose B."),
        ("tie", 2, "Saved. You called it a tie."),
        ("both_bad", 2, "Saved. You found both bad."),
        ("both_bad", 4, "Saved. You found all bad."),
    ],
)
def test_saved_vote_names_no_model(bar: VoteBar, choice: str, count: int, words: str) -> None:
    assert words in bar.render(page(Phase.VOTED, choice=choice, count=count))[bar.words]["value"]


def test_revealed_vote_names_the_model_and_offers_the_link(bar: VoteBar) -> None:
    updates = bar.render(page(Phase.REVEALED))
    assert "You chose B: pocket-openalpaca." in updates[bar.words]["value"]
    assert f"data-battle='{'b' * 32}'" in updates[bar.hint]["value"]
    assert shown(updates, bar.next)


@pytest.mark.parametrize(
    ("choice", "words"), [("a", "The vote went to A: pocket-orca-mini."), ("tie", "The vote: a tie.")]
)
def test_foreign_vote_is_not_called_yours(bar: VoteBar, choice: str, words: str) -> None:
    assert words in bar.render(page(Phase.REVEALED, mine=False, choice=choice))[bar.words]["value"]


def test_timer_runs_only_until_a_vote_is_final(bar: VoteBar) -> None:
    ticking = {phase: bar.render(page(phase))[bar.timer]["active"] for phase in Phase}
    assert [phase for phase, active in ticking.items() if active] == [Phase.VOTED]
    assert bar.render(page(Phase.VOTED))[bar.timer]["value"] == pytest.approx(4.95)


@pytest.mark.parametrize("again", [False, True])
def test_battle_drawn_again_keeps_typed_notes(bar: VoteBar, again: bool) -> None:
    updates = bar.render(replace(page(Phase.REVEALED, reasons=("clear",), comment="Short."), again=again))
    assert ["value" in updates[field] for field in (bar.reasons, bar.comment)] == [not again] * 2
    assert shown(updates, bar.comment)


def test_comment_field_has_the_length_of_a_stored_comment(bar: VoteBar) -> None:
    assert bar.comment.max_length == COMMENT_CHARS == MAX_COMMENT_CHARS


def test_every_reason_has_a_chip() -> None:
    assert tuple(texts.REASON_CHIPS) == VOTE_REASONS


@pytest.mark.parametrize(
    ("blind", "button", "status"), [(True, "Reveal", "The models are shown."), (False, "Keep it", "The vote is final.")]
)
def test_open_battle_has_nothing_to_reveal(bar: VoteBar, blind: bool, button: str, status: str) -> None:
    assert bar.render(page(Phase.VOTED, blind=blind))[bar.reveal]["value"] == button
    assert status in status_html(page(Phase.REVEALED, blind=blind))


@pytest.mark.parametrize(("votes", "said"), [(1, "1 vote today"), (12, "12 votes today"), (None, "")])
def test_votes_of_today_are_said(bar: VoteBar, votes: int | None, said: str) -> None:
    hint = bar.render(page(Phase.VOTED, votes_today=votes))[bar.hint]["value"]
    assert said in hint
    assert ("today" in hint) == bool(said)


def test_battle_in_memory_offers_no_link(bar: VoteBar) -> None:
    assert texts.COPY_LINK in bar.render(page(Phase.REVEALED))[bar.hint]["value"]
    assert texts.COPY_LINK not in bar.render(page(Phase.REVEALED, stored=False))[bar.hint]["value"]
