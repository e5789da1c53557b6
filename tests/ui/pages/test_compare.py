"""Handlers of the Compare page over a stub arena, without a browser."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.datastructures import Headers

from playground.errors import InvalidValue, PlaygroundError, Refused, StorageError
from playground.records import Instruction, ModelStatus
from playground.settings import Settings
from playground.ui.http.middleware import COOKIE
from playground.ui.pages.compare.page import ComparePage
from playground.ui.pages.compare.shown import Shown
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from tests.support.browsing import RATER, SECRET
from tests.support.stub_arena import ALPACA, StubArena


class Tab:
    """One tab on a room, as the handlers see it."""

    def __init__(self) -> None:
        self.arena = StubArena(Settings(), chars_per_s=1e6, loading_s=-1.0)
        with gr.Blocks():
            self.page = ComparePage(self.arena)  # type: ignore[arg-type]
        self.request: Any = SimpleNamespace(
            client=None, headers=Headers({"cookie": f"{COOKIE}={SECRET}"}), query_params={}, session_hash="tab"
        )
        self.shown: dict[str, Any] = {}

    def begins(self, instruction: str = ALPACA, **how: Any) -> Tab:
        blind = how.pop("blind", True)
        words = Instruction(instruction, system=how.pop("system", ""))
        battle_id = self.arena.compare(words, owner=RATER, source="page", blind=blind, **how)
        view = self.arena.view(battle_id, RATER)
        self.shown = {"battle": battle_id, "revision": view.revision, "step": 1, "said": "", "again": True}
        return self

    def handler(self, name: str) -> Any:
        page = self.page
        owners = (page.starting, page.following, page.voting, page.notes)
        return next(getattr(owner, name) for owner in owners if hasattr(owner, name))

    def votes(self, choice: str = "a") -> dict[Any, Any]:
        return self.does(self.page.voting.vote, choice)

    def does(self, handler: Any, *values: Any) -> dict[Any, Any]:
        """Call a handler, and take from the status line what the page's script would send next."""
        updates: dict[Any, Any] = handler(self.shown, self.request, *values)
        found = re.search("data-battle='(.+?)' data-revision='(.+?)'", str(updates.get(self.page.panels.status.line)))
        if found:
            self.shown |= {"battle": found[1], "revision": int(found[2])}
        elif "data-phase='compose'" in str(updates.get(self.page.panels.status.line)):
            self.shown |= {"battle": "", "revision": None}
        return updates

    def status(self, updates: dict[Any, Any]) -> str:
        return str(updates[self.page.panels.status.line])

    @property
    def view(self) -> Any:
        return self.arena.view(self.shown["battle"], RATER)


@pytest.fixture
def tab() -> Tab:
    return Tab()


def fails(error: PlaygroundError) -> Any:
    def failing(*_args: Any, **_named: Any) -> Any:
        raise error

    return failing


# One battle at a time


@pytest.mark.proves("hidden and disabled fields overwritten")
@pytest.mark.parametrize("handler", ["compare", "regenerate"])
def test_no_second_battle_begins_while_the_answers_are_being_written(tab: Tab, handler: str) -> None:
    tab.arena._chars_per_s = 1.0
    tab.begins("Tell me slowly. slow")
    before = dict(tab.shown)
    updates = tab.does(
        tab.handler(handler), *[None] * (len(tab.page.panels.composer.inputs) if handler == "compare" else 0)
    )
    assert escape(texts.STILL_WRITING) in tab.status(updates)
    assert set(updates) == {tab.page.panels.status.line}
    assert tab.shown == before
    assert len(tab.arena._battles) == 1


@pytest.mark.parametrize("same", [True, False])
def test_the_latest_call_follows_for_a_tab_and_ends_the_earlier_ones(tab: Tab, same: bool) -> None:
    tab.arena._chars_per_s = 1.0
    first = dict(tab.begins("slow").shown)
    second = first if same else dict(tab.begins("slow").shown)

    async def run() -> int:
        earlier, later = (aiter(tab.page.following.follow(shown, tab.request)) for shown in (first, second))
        for followed in (earlier, later):
            for _ in range(2):
                await anext(followed)
        left = len([drawn async for drawn in earlier])
        await later.aclose()
        return left

    assert asyncio.run(asyncio.wait_for(run(), 60)) == 0
    assert tab.page.following._followers == {}


def test_following_is_heard_while_nothing_changes(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.pages.compare.following.BEAT_S", 0.0)
    tab.arena._loading_s = 1e6
    tab.begins()

    async def run() -> list[str]:
        followed = aiter(tab.page.following.follow(tab.shown, tab.request))
        beats = [(await anext(followed))[tab.page.panels.pulse] for _ in range(4)]
        await followed.aclose()
        return beats

    assert len(set(asyncio.run(asyncio.wait_for(run(), 60)))) == 4


def test_following_never_waits_for_the_database_on_the_event_loop(tab: Tab) -> None:
    tab.begins()
    threads: list[threading.Thread] = []
    seen = tab.arena.view

    def view(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return seen(*args)

    tab.arena.view = view  # type: ignore[method-assign]

    async def run() -> None:
        async for _ in tab.page.following.follow(tab.shown, tab.request):
            pass

    asyncio.run(run())
    assert threads
    assert threading.main_thread() not in threads


def test_following_goes_on_after_trouble_that_passes(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.pages.compare.following.RETRY_S", 0.0)
    tab.begins()
    seen, troubles = tab.arena.view, [StorageError("busy")] * 2

    def view(*args: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return seen(*args)

    tab.arena.view = view  # type: ignore[method-assign]

    async def run() -> list[Any]:
        return [drawn async for drawn in tab.page.following.follow(tab.shown, tab.request)]

    assert "soft wool" in str(asyncio.run(run())[-1])


# Judging


def test_what_is_typed_beside_a_vote_stays_through_reveal_and_refresh(tab: Tab) -> None:
    bar, form = tab.page.panels.votebar, tab.page.panels.report
    assert tab.begins().votes()[bar.comment]["value"] == ""
    for handler in (tab.page.following.refresh, tab.page.voting.reveal):
        updates = tab.does(handler)
        assert "value" not in updates[bar.comment]
        assert "value" not in updates[bar.reasons]
        assert set(form.outputs).isdisjoint(updates)


def test_a_reason_and_a_comment_never_overwrite_each_other(tab: Tab) -> None:
    tab.begins().votes()
    assert texts.NOTED in tab.status(tab.page.notes.note_reasons(tab.shown, ["clear"], tab.request))
    assert texts.NOTED in tab.status(tab.page.notes.note_comment(tab.shown, "Short.", tab.request))
    assert tab.arena.notes == [{"reasons": ("clear",), "comment": None}, {"reasons": None, "comment": "Short."}]
    assert (tab.view.reasons, tab.view.comment) == (("clear",), "Short.")
    tab.page.notes.note_reasons(tab.shown, ["clear"], tab.request)
    tab.page.notes.note_comment(tab.shown, "Short.", tab.request)
    assert len(tab.arena.notes) == 2


def test_a_vote_on_what_another_tab_has_changed_is_asked_for_again(tab: Tab) -> None:
    tab.begins()
    tab.arena.vote(tab.shown["battle"], RATER, "b")
    tab.arena.undo(tab.shown["battle"], RATER)
    updates = tab.votes()
    assert texts.CHANGED_ELSEWHERE in tab.status(updates)
    assert tab.shown["revision"] == tab.view.revision == 2
    assert texts.CHANGED_ELSEWHERE not in tab.status(tab.votes())
    assert tab.view.choice == "a"


def test_a_button_that_means_another_choice_by_now_saves_nothing(tab: Tab) -> None:
    tab.begins()
    tab.shown["choice"] = "b"
    assert texts.PAGE_CHANGED in tab.status(tab.votes("tie"))
    assert tab.view.choice is None
    assert texts.PAGE_CHANGED not in tab.status(tab.votes("b"))
    assert tab.view.choice == "b"


# Trouble


@pytest.mark.parametrize("handler", ["refresh", "undo", "reveal", "vote", "regenerate", "note_comment", "send_report"])
def test_trouble_that_may_pass_leaves_the_page_and_the_address(tab: Tab, handler: str) -> None:
    tab.begins().votes()
    before = dict(tab.shown)
    for name in ("view", "vote", "undo", "reveal", "note", "regenerate"):
        setattr(tab.arena, name, fails(StorageError("the database is busy; try again")))
    if handler == "note_comment":
        updates = tab.page.notes.note_comment(tab.shown, "Short.", tab.request)
    elif handler == "send_report":
        updates = tab.page.notes.send_report(tab.shown, "a", "Short.", tab.request)
    else:
        updates = tab.does(tab.handler(handler), *["b"] * (handler == "vote"))
    assert "the database is busy" in tab.status(updates)
    assert "data-" not in tab.status(updates)  # no news of the battle, so the script leaves the address
    assert set(updates) == {tab.page.panels.status.line}
    assert tab.shown == before


def test_trouble_on_opening_an_address_leaves_the_address(tab: Tab) -> None:
    tab.arena.view = fails(StorageError("the database is busy"))  # type: ignore[method-assign]
    updates = tab.page.following.restore({"battle": "b" * 32}, tab.request)
    assert set(updates) == {tab.page.panels.status.line}
    assert "the database is busy" in tab.status(updates)


@pytest.mark.parametrize("reason", ["unknown", "foreign"])
def test_a_battle_that_is_gone_leaves_the_empty_page(tab: Tab, reason: str) -> None:
    tab.begins().arena.view = fails(Refused(reason, "It is gone."))  # type: ignore[method-assign]
    gone = tab.shown["battle"]
    updates = tab.does(tab.page.following.refresh)
    assert tab.shown["battle"] == ""
    assert f"data-phase='compose' data-step='1' data-gone='{gone}'" in tab.status(updates)
    assert "It is gone." in tab.status(updates)


# Names of battles


@pytest.mark.parametrize("handler", ["vote", "undo", "reveal", "refresh"])
def test_a_call_needs_nothing_but_the_name_of_its_battle(tab: Tab, handler: str) -> None:
    tab.begins()
    if handler in ("undo", "reveal"):
        tab.votes()
    tab.request.session_hash = "a tab that nobody knows"
    with gr.Blocks():
        tab.page = ComparePage(tab.arena)  # type: ignore[arg-type]  # as after a restart
    updates = tab.does(tab.handler(handler), *["b"] * (handler == "vote"))
    phase = {"vote": "voted", "undo": "open", "reveal": "revealed", "refresh": "open"}[handler]
    assert f"data-phase='{phase}'" in tab.status(updates)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("0" * 32, "unknown data"),
        ({"owner": "me"}, "unknown data"),
        ({"battle": 7}, "battle"),
        ({"battle": "0" * 101}, "at most 100"),
        ({"revision": -1}, "revision"),
        ({"step": True}, "step"),
        ({"step": 2**31}, "step"),
        ({"said": ["x"]}, "said"),
    ],
    ids=str,
)
def test_what_no_page_sends_is_refused(sent: Any, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        Shown.read(sent)


def test_a_page_that_shows_nothing_names_nothing() -> None:
    assert Shown.read(None) == Shown.read({}) == Shown()


# The first second


@pytest.mark.parametrize(("open_for_s", "said"), [(0.0, "1.000"), (0.75, "0.250"), (1.0, ""), (3600.0, "")])
def test_votes_open_after_the_first_second(tab: Tab, open_for_s: float, said: str) -> None:
    tab.arena.time.hold()
    tab.begins()
    assert tab.view.state == "open"
    tab.arena._battles[tab.shown["battle"]].opened_s = tab.arena.time.now() - open_for_s
    found = re.search("data-opens-in='(.+?)'", tab.status(tab.does(tab.page.following.refresh)))
    assert (found[1] if found else "") == said


# Words


def test_system_text_that_was_not_used_is_said_once_the_model_is_known(tab: Tab) -> None:
    def told(updates: dict[Any, Any]) -> list[bool]:
        feet = [updates[panel.foot]["value"] for panel in tab.page.panels.columns.panels[:2]]
        return [escape(texts.NO_SYSTEM) in foot for foot in feet]

    models = ("pocket-orca-mini", "pocket-galpaca")
    tab.begins(system="Be brief.", models=models)
    assert told(tab.does(tab.page.following.refresh)) == [False, False]
    assert told(tab.votes()) == [False, False]
    assert told(tab.does(tab.page.voting.reveal)) == [False, True]
    assert told(tab.begins(system="Be brief.", models=models, blind=False).does(tab.page.following.refresh)) == [
        False,
        True,
    ]
    assert told(tab.begins(models=models, blind=False).does(tab.page.following.refresh)) == [False, False]


@pytest.mark.parametrize(("keep", "words"), [(True, texts.REPORTED), (False, texts.REPORTED_UNSTORED)])
def test_where_a_report_is_kept_is_said_as_it_is(tab: Tab, keep: bool, words: str) -> None:
    tab.begins(keep=keep)
    assert words in tab.status(tab.page.notes.send_report(tab.shown, "a", "It is rude.", tab.request))


@pytest.mark.parametrize("side", ["", "g", None, ["a"]])
def test_a_report_about_no_answer_is_refused(tab: Tab, side: Any) -> None:
    tab.begins()
    assert texts.REPORT_NO_SIDE in tab.status(tab.page.notes.send_report(tab.shown, side, "It is rude.", tab.request))
    assert tab.arena.notes == []


# Models that come and go


def test_the_pickers_offer_the_models_that_answer_here_now(tab: Tab) -> None:
    joined = replace(tab.arena.line_up[0], id="new-here", name="New here")
    tab.arena.line_up = (*tab.arena.line_up, joined)
    offered = tab.page.composing.offer_models()
    assert set(offered) == set(tab.page.panels.composer.settings.models)
    for update in offered.values():
        assert update["choices"] == [(card.name, card.id) for card in tab.arena.line_up]
        assert "value" not in update, "what is chosen stays"


@pytest.mark.parametrize("blind", [True, False])
def test_how_long_a_model_will_be_loading_is_said_in_open_mode_only(tab: Tab, blind: bool) -> None:
    tab.arena._loading_s = 1e6
    slow, quick = (card.id for card in tab.arena.line_up[:2])
    tab.arena.known = {slow: ModelStatus(slow, "loading", eta_s=41.7), quick: ModelStatus(quick, "loading", eta_s=3.0)}
    view = tab.page.following._estimated(tab.begins(blind=blind, models=(slow, quick)).view)
    words = [column.status for column in view.columns]
    assert words == (["loading, about 1 s"] * 2 if blind else ["loading, about 42 s", "loading, about 3 s"])


@pytest.mark.parametrize("words", ["", "  \n", None])
def test_a_report_without_words_is_not_sent(tab: Tab, words: Any) -> None:
    tab.begins()
    updates = tab.page.notes.send_report(tab.shown, "a", words, tab.request)
    assert tab.arena.notes == []
    assert tab.page.panels.report.box not in updates, "the form stays open"
