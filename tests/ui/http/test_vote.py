"""The route ``POST /vote``, over battles of a real database, sent as an ASGI server would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from playground.battles import REFUSALS, Ballot, Battles, Viewer
from playground.battles.rules import Rules
from playground.clock import Clock
from playground.rater_ids import COOKIE, rater_id
from playground.settings import Settings
from playground.ui.http.limits import RateLimits
from playground.ui.http.middleware import PageMiddleware
from playground.ui.http.speaking import Speaking
from playground.ui.http.vote import VoteRoute
from playground.ui.texts.compare import CHANGED_ELSEWHERE
from playground.ui.texts.refusals import VOTE_MALFORMED
from tests.support.cast import FAILED, MODELS, ToldTime, battle, card, generation
from tests.support.memory import memory_store
from tests.support.pseudo import pseudo, pseudo_language

SECRET, OTHER = "ab" * 16, "cd" * 16
RATER = Viewer(rater_id(SECRET))
BATTLE = "0" * 32
PSEUDO = pseudo_language()


@dataclass
class Answer:
    status: int = 0
    text: str = ""
    headers: dict[str, str] | None = None

    @property
    def says(self) -> Any:
        return json.loads(self.text)


class Server:
    """The route over one open battle."""

    def __init__(self, settings: Settings | None = None, ends: dict[str, dict[str, Any]] | None = None) -> None:
        self.time, self.store = ToldTime(), memory_store()
        for model in MODELS:
            self.store.upsert_model(card(model))
        self.battles = Battles(self.store, Rules(self.time.clock, 5, 3600))
        self.battles.create(battle(BATTLE, owner=RATER.rater))
        self.finish(ends or {})
        limits = RateLimits(settings or Settings(), Clock(monotonic=lambda: 0.0))
        arena: Any = SimpleNamespace(battles=self.battles)
        self.app = Speaking(PageMiddleware(VoteRoute(self.elsewhere, arena, limits)), (PSEUDO,))

    def finish(self, ends: dict[str, dict[str, Any]]) -> None:
        for side, model in zip("ab", MODELS, strict=False):
            self.battles.finish(BATTLE, {side: generation(f"g-{side}", model, **ends.get(side, {}))})

    async def elsewhere(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"elsewhere"})

    def posts(self, body: Any = None, secret: str = SECRET, path: str = "/vote", **headers: str) -> Answer:
        sent = {"battle": BATTLE, "choice": "a", "revision": 0} | (body or {}) if not isinstance(body, bytes) else body
        raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        given = {"host": "here", **({"cookie": f"{COOKIE}={secret}"} if secret else {}), **headers}
        return asyncio.run(self._asked(raw, path, given))

    async def _asked(self, body: bytes, path: str, headers: dict[str, str]) -> Answer:
        answer, chunks = Answer(), [body]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": chunks.pop(), "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {key.decode(): value.decode() for key, value in message["headers"]}
            else:
                answer.text += message["body"].decode()

        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": path,
            "client": ("203.0.113.7", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        await self.app(scope, receive, send)
        return answer

    @property
    def choices(self) -> list[str]:
        with self.store.reading() as reading:
            found = reading.select("SELECT choice FROM votes WHERE battle_id = ? ORDER BY revision", (BATTLE,))
            return [row["choice"] for row in found]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.store.close()


def test_vote_is_saved_once(server: Server) -> None:
    saved = {"accepted": True, "choice": "a", "revision": 1, "state": "voted"}
    assert [server.posts().says for _ in range(3)] == [saved] * 3
    assert server.posts({"choice": "b"}).says == saved, "the answer is what is stored"
    assert server.choices == ["a"]


def test_late_vote_after_an_undo_is_not_saved(server: Server) -> None:
    server.posts()
    server.battles.undo(BATTLE, RATER)
    answer = server.posts().says
    assert (answer["accepted"], answer["reason"]) == (False, "changed")
    assert server.choices == ["a", "undo"]
    assert server.posts({"choice": "b", "revision": 2}).says["choice"] == "b"


def test_late_vote_after_the_reveal_gets_the_stored_one(server: Server) -> None:
    server.battles.vote(BATTLE, RATER, Ballot("b"))
    server.battles.reveal(BATTLE, RATER)
    assert server.posts().says == {"accepted": True, "choice": "b", "revision": 1, "state": "revealed"}


@pytest.mark.parametrize("when", ["open", "voted", "revealed"])
def test_answer_says_nothing_about_models(when: str) -> None:
    answers = set()
    for models in (MODELS, MODELS[::-1]):
        server = Server()
        server.battles.create(battle("1" * 32, models[:2], owner=RATER.rater))
        for side, model in zip("ab", models, strict=False):
            server.battles.finish("1" * 32, {side: generation(f"h-{side}", model)})
        if when != "open":
            server.battles.vote("1" * 32, RATER, Ballot("a"))
        if when == "revealed":
            server.battles.reveal("1" * 32, RATER)
        answers.add(server.posts({"battle": "1" * 32}).text)
        server.store.close()
    [answer] = answers
    assert not [name for name in (*MODELS, "pocket", "org/") if name in answer]


@pytest.mark.parametrize(
    ("sent", "secret", "reason"),
    [
        ({"battle": "f" * 32}, SECRET, "unknown"),
        ({"battle": "nonsense"}, SECRET, "unknown"),
        ({}, OTHER, "foreign"),
        ({}, "", "foreign"),
    ],
)
def test_refusals_have_a_reason_and_words(server: Server, sent: dict[str, Any], secret: str, reason: str) -> None:
    answer = server.posts(sent, secret)
    assert (answer.status, answer.says["accepted"], answer.says["reason"]) == (200, False, reason)
    assert answer.says["error"]
    assert server.choices == []


def test_refusals_are_said_in_the_language_of_the_visitor(server: Server) -> None:
    spoken = {"accept_language": PSEUDO.tag}
    assert server.posts(secret=OTHER, **spoken).says["error"] == pseudo(REFUSALS["foreign"])
    assert server.posts({"choice": 1}, **spoken).says["error"] == pseudo(VOTE_MALFORMED)
    server.battles.vote(BATTLE, RATER, Ballot("a"))
    server.battles.undo(BATTLE, RATER)
    assert server.posts(**spoken).says["error"] == pseudo(CHANGED_ELSEWHERE)


def test_expired_battle_takes_no_late_vote(server: Server) -> None:
    server.time.pass_s(3601)
    assert server.posts().says == {"accepted": False, "reason": "expired", "error": REFUSALS["expired"]}
    assert server.choices == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"battle": "x"}',
        b"[" * 900,
        b" " * 1001,
        {"revision": None},
        {"revision": True},
        {"revision": -1},
        {"revision": 2**31},
        {"choice": 1},
        {"choice": "a" * 101},
        {"battle": None},
        {"rater": "somebody"},
    ],
    ids=str,
)
def test_malformed_votes_are_refused(server: Server, body: Any) -> None:
    answer = server.posts(body)
    assert (answer.status, answer.says) == (400, {"error": VOTE_MALFORMED})
    assert server.choices == []


def test_choice_that_cannot_be_made_is_named() -> None:
    server = Server(ends={})
    assert "valid: a, b, tie, both_bad" in server.posts({"choice": "c"}).says["error"]
    server.store.close()


def test_void_battle_takes_no_vote() -> None:
    server = Server(ends={"a": dict(FAILED)})
    assert server.posts().says["reason"] == "void"
    server.store.close()


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}], ids=str
)
def test_other_sites_cannot_vote(server: Server, headers: dict[str, str]) -> None:
    assert server.posts(**headers).status == 403
    assert server.choices == []


def test_votes_count_for_the_limit() -> None:
    server = Server(Settings(votes_per_minute=2))
    answers = [server.posts() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].headers is not None
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many votes" in answers[-1].says["error"]
    server.store.close()


@pytest.mark.parametrize("path", ["/votes", "/gradio_api/call/vote", "/"])
def test_other_addresses_are_passed_on(server: Server, path: str) -> None:
    assert server.posts(path=path).text == "elsewhere"
