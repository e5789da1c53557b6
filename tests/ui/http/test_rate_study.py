"""The routes of the page Rate in a study, over a real database, sent as an ASGI server would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground.arena.rating import ArenaRating
from playground.arena.studies import ArenaStudies
from playground.battles import Battles
from playground.battles.moderation import Moderation
from playground.clock import Clock
from playground.rater_ids import rater_id
from playground.ratings.policy import CountingPolicy
from playground.ratings.standing import standing_of
from playground.records import Criterion
from playground.settings import Settings
from playground.studies.live import Live
from playground.ui.http.limits import RateLimits
from playground.ui.http.middleware import PageMiddleware
from playground.ui.http.rate import RateRoutes, live_document, study_document
from playground.ui.http.vote import VoteRoute
from tests.support.cast import MODELS, house
from tests.support.paneling import paneled
from tests.support.studying import Studied, studied
from tests.ui.http.test_rate import SECRET, TERMS, Server, elsewhere


class StudyServer(Server):
    """The routes over a study with one link."""

    study: Studied

    def ask(self, *have: str, **changes: Any) -> Any:
        body = {"study": "helpful", "key": self.study.tokens[0], "have": list(have), **changes}
        status, says = self.post("/rate/next", body)
        assert status == 200
        return says


def serve(folder: Path, instructions: int, settings: Settings | None = None, **keys: Any) -> StudyServer:
    """Serve a study that asks for a vote on each of its battles."""
    settings = settings or Settings()
    home, asked = house(folder), {"question": "Which is more helpful?", "strength": True, "repeats": 0.5}
    study = studied(home, instructions, 1, **{**asked, "votes": instructions, **keys})
    policy = CountingPolicy()
    rules = replace(home.battles.rules, standing_of=lambda reading, battle: standing_of(reading, battle, policy))
    battles = Battles(home.store, rules)
    held: Any = SimpleNamespace(stored=battles, vote_soon=battles.vote_soon, undo=battles.undo)
    rating, studies = ArenaRating(held, settings, TERMS), ArenaStudies(held, TERMS)
    arena: Any = SimpleNamespace(settings=settings, battles=held, rating=rating, studies=studies)
    limits = RateLimits(settings, Clock(monotonic=lambda: 0.0))
    server = StudyServer(home, PageMiddleware(VoteRoute(RateRoutes(elsewhere, arena, limits), arena, limits)))
    server.study = study
    return server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StudyServer]:
    server = serve(tmp_path, 3)
    yield server
    server.home.store.close()


def test_link_gives_battles_until_the_study_has_enough(server: StudyServer) -> None:
    first = server.ask()
    assert first["asks"] | {"reasons": []} == {
        "question": "Which is more helpful?",
        "strength": True,
        "reasons": [],
        "criteria": [],
        "instruction_hidden": False,
    }
    assert (first["progress"], first["why_none"]) == ({"done": 0, "of": 3, "left_s": None}, None)
    assert server.ask()["item"] == first["item"]
    second = server.ask(first["item"]["battle"])["item"]
    assert second["battle"] != first["item"]["battle"]
    for item in (first["item"], second):
        assert server.vote(item, strength="much", decision_ms=4000)["accepted"]
    third = server.ask()["item"]
    assert server.vote(third)["accepted"]
    done = server.ask()
    assert (done["item"], done["why_none"]) == (None, "This study has all the ratings that it needs. Thank you.")
    assert done["progress"]["done"] == 3
    rows = server.study.rows("SELECT rater_id, strength FROM votes ORDER BY rowid")
    assert rows == [(rater_id(SECRET), 2.0), (rater_id(SECRET), 2.0), (rater_id(SECRET), None)]


def test_battle_that_is_hidden_while_it_is_open_is_skipped(server: StudyServer) -> None:
    first = server.ask()["item"]
    second = server.ask(first["battle"])
    assert second["gone"] == []
    Moderation(Battles(server.home.store, server.home.battles.rules)).hide(first["battle"])
    third = server.ask(first["battle"], second["item"]["battle"])
    assert third["gone"] == [first["battle"]]
    assert third["item"]["battle"] not in (first["battle"], second["item"]["battle"])
    assert server.ask()["item"]["battle"] == second["item"]["battle"]
    assert server.study.rows("SELECT battle FROM assignments WHERE dropped = 'unusable'") == [(first["battle"],)]


def test_criteria_are_asked_and_stored_with_the_vote(tmp_path: Path) -> None:
    criterion = Criterion("facts", "Whose facts are right?", ("a", "b", "both_bad", "neither"), reason="optional")
    server = serve(tmp_path, 3, criterion=(criterion,))
    said = server.ask()
    assert said["asks"]["criteria"] == [
        {
            "id": "facts",
            "question": "Whose facts are right?",
            "choices": [
                {"id": "a", "words": "A"},
                {"id": "b", "words": "B"},
                {"id": "both_bad", "words": "Both bad"},
                {"id": "neither", "words": "neither"},
            ],
            "required": True,
            "reason": "optional",
        }
    ]
    assert server.vote(said["item"])["error"] == "Answer this first: Whose facts are right?"
    for wrong in ({"facts": "a"}, ["facts"], {"facts": {"choice": 1}}, {"facts": {"choice": "a", "why": ""}}):
        assert "criteria have to be" in server.vote(said["item"], criteria=wrong)["error"]
    given = {"facts": {"choice": "b", "reason": "  It names\u0000 the river.\n"}}
    for _ in range(2):
        assert server.vote(said["item"], criteria=given)["accepted"]
    rows = server.study.rows("SELECT criterion, choice, reason, rater_id FROM vote_criteria")
    assert rows == [("facts", "b", "It names the river.", rater_id(SECRET))]
    server.home.store.close()


def test_end_of_a_panel_says_what_was_asked_each_time(tmp_path: Path) -> None:
    criterion = Criterion("facts", "Whose facts are right?", ("a", "b"), required=False)
    study = paneled(house(tmp_path), 3, criterion=(criterion,), strength=True, question="Which helps?")
    token = study.enter()
    asked = study_document(study.next(token))["asks"]
    assert (asked["question"], asked["strength"], len(asked["criteria"])) == ("Which helps?", True, 1)
    assert study.judge(token) is not None
    for _ in range(2):
        said = study_document(study.next(token))
        assert (said["end"]["code"], said["asks"]) == ("CDONE", asked)
    study.study.home.store.close()


def test_quick_vote_on_an_item_and_a_repeat_says_the_same(tmp_path: Path) -> None:
    server, kinds = serve(tmp_path, 8), dict[str, str]()
    while (item := server.ask()["item"]) is not None:
        [(kind,)] = server.study.rows("SELECT study_kind FROM battles WHERE id = ?", item["battle"])
        kinds[kind] = server.vote(item, decision_ms=400)["why_not"]
    assert kinds == dict.fromkeys(("item", "repeat"), "decided in under 1 s")
    server.home.store.close()


def test_slow_vote_says_nothing_of_counting(server: StudyServer) -> None:
    item = server.ask()["item"]
    server.home.time.pass_s(9)
    assert server.vote(item, decision_ms=4000).keys() == {"accepted", "choice", "revision", "state"}


def test_nothing_that_is_sent_names_a_model(server: StudyServer) -> None:
    said = [server.ask()]
    said += [server.vote(said[0]["item"])]
    said += [server.post("/rate/undo", {"battle": said[0]["item"]["battle"], "revision": 1})]
    said += [server.ask()]
    assert not any(model in json.dumps(said) for model in MODELS)


def test_skipped_battle_is_not_given_again(server: StudyServer) -> None:
    skipped = server.ask()["item"]["battle"]
    assert server.post("/rate/skip", {"battle": skipped})[1]["accepted"]
    given = set()
    while (item := server.ask()["item"]) is not None:
        given.add(item["battle"])
        server.vote(item)
    assert len(given) == 2
    assert skipped not in given


@pytest.mark.parametrize("changes", [{"key": None}, {"key": "0" * 32}, {"study": None}, {"study": "other"}])
def test_unknown_link_is_refused_in_words(server: StudyServer, changes: dict[str, Any]) -> None:
    says = server.ask(**changes)
    assert (says["item"], says["why_none"]) == (None, "This link is not valid. Ask whoever sent it for another one.")


def test_battles_of_a_study_are_not_offered_to_the_public(server: StudyServer) -> None:
    item = server.ask()["item"]
    assert server.next()["item"] is None
    server.vote(item)
    server.home.time.pass_s(100)
    server.home.battles.expire()
    assert server.next(secret="cd" * 16)["item"] is None
    assert server.next()["progress"]["done"] == 0


@pytest.fixture
def live(tmp_path: Path) -> Iterator[StudyServer]:
    server = serve(tmp_path, 0, live=True, repeats=0.0, votes=2)
    yield server
    server.home.store.close()


def test_page_of_ratings_alone_refuses_to_write(live: StudyServer) -> None:
    said = "Instructions of this study are answered by models that do not run here now."
    asked = live.ask()
    assert (asked["item"], asked["live"]) == (None, None)
    assert asked["why_none"].startswith(said)
    body = {"study": "helpful", "key": live.study.tokens[0], "instruction": "Name a sea."}
    status, refused = live.post("/rate/write", body)
    assert (status, refused["error"][: len(said)]) == (400, said)
    assert live.study.rows("SELECT count(*) FROM live_items") == [(0,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instruction": None}, "the body has to be JSON with study, key and instruction"),
        ({"more": "x"}, "the body has to be JSON with study, key and instruction"),
        ({"study": "\ud800"}, "the body has to be JSON with study, key and instruction"),
        ({"key": "\ud800"}, "the body has to be JSON with study, key and instruction"),
        ({"instruction": "\ud800"}, "the instruction is empty"),
        ({"instruction": " "}, "the instruction is empty"),
        ({"instruction": "x" * 4001}, "instruction is 4,001 characters long; at most 4,000"),
        ({"study": "none"}, "This link is not valid"),
    ],
)
def test_instructions_that_cannot_be_taken(live: StudyServer, changes: dict[str, Any], said: str) -> None:
    body = {"study": "helpful", "key": live.study.tokens[0], "instruction": "Name a sea.", **changes}
    status, refused = live.post("/rate/write", body)
    assert (status, refused["error"][: len(said)]) == (400, said)


def test_waiting_for_answers_uses_up_no_notes(tmp_path: Path) -> None:
    server = serve(tmp_path, 2, Settings(votes_per_minute=1, views_per_minute=5))
    body = {"study": "helpful", "key": server.study.tokens[0], "have": []}
    assert [server.post("/rate/next", body)[0] for _ in range(6)] == [200] * 5 + [429]
    assert [server.post("/rate/next", {})[0] for _ in range(2)] == [200, 429], "without a link it counts as a note"
    server.home.store.close()


def test_next_step_of_a_rater_who_writes(live: StudyServer) -> None:
    assert [live_document(one) for one in (None, Live(True), Live(False), Live(False, "Empty."))] == [
        None,
        {"step": "wait", "why_not": None},
        {"step": "write", "why_not": None},
        {"step": "write", "why_not": "Empty."},
    ]
