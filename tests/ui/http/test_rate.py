"""The routes of the page Rate, over battles of a real database, sent as an ASGI server would."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground.arena.rating import ArenaRating
from playground.battles import Battles
from playground.clock import Clock
from playground.rater_ids import COOKIE
from playground.settings import Settings
from playground.studies.assignment import MOST_AHEAD
from playground.ui.http.limits import NETWORK_TIMES, RateLimits
from playground.ui.http.middleware import PageMiddleware
from playground.ui.http.rate import RateRoutes
from playground.ui.http.vote import VoteRoute
from tests.support.cast import ADA, MAMBA, OPENALPACA, House, house

SECRET, OTHER = "ab" * 16, "cd" * 16
TERMS = "2026-12-01"


@dataclass
class Server:
    """Both routes over battles that Ada has judged."""

    home: House
    app: Any

    @staticmethod
    def of(
        folder: Path,
        settings: Settings | None = None,
        models: tuple[str, ...] = (OPENALPACA, MAMBA),
        texts: tuple[str, ...] = ("**Grey** waves.", "A gull."),
    ) -> Server:
        home, settings = house(folder), settings or Settings()
        for number in range(2):
            battle_id = f"{number}" * 32
            ends = {side: {"text": f"{text} {number}"} for side, text in zip("ab", texts, strict=True)}
            made = home.battle_is_open(battle_id, models, ends)
            home.store.write(lambda writing: writing.agree(ADA, TERMS, made.created_at))  # noqa: B023
            home.battles.vote(battle_id, "a", ADA, final=True)
        battles = Battles(home.store, home.battles.rules)
        held: Any = SimpleNamespace(stored=battles, vote_soon=battles.vote_soon, undo=battles.undo)
        arena: Any = SimpleNamespace(battles=held, rating=ArenaRating(held, settings, TERMS))
        limits = RateLimits(settings, Clock(monotonic=lambda: 0.0))
        return Server(home, PageMiddleware(VoteRoute(RateRoutes(elsewhere, arena, limits), arena, limits)))

    def post(self, path: str, body: Any, secret: str = SECRET) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, text = asyncio.run(self._asked(raw, path, secret))
        return status, json.loads(text)

    def next(self, *have: str, secret: str = SECRET) -> Any:
        status, says = self.post("/rate/next", {"study": None, "key": None, "have": list(have)}, secret)
        assert status == 200
        return says

    def vote(self, item: Any, **more: Any) -> Any:
        sent = {"battle": item["battle"], "choice": "a", "revision": item["revision"], **more}
        return self.post("/vote", sent)[1]

    async def _asked(self, body: bytes, path: str, secret: str) -> tuple[int, str]:
        chunks, said = [body], list[Any]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": chunks.pop(), "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        cookie = [(b"cookie", f"{COOKIE}={secret}".encode())] if secret else []
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": path,
            "client": ("203.0.113.7", 1),
            "headers": [(b"host", b"here"), *cookie],
        }
        await self.app(scope, receive, send)
        return said[0]["status"], b"".join(message["body"] for message in said[1:]).decode()


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b'"elsewhere"'})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server.of(tmp_path)
    yield server
    server.home.store.close()


def test_item_has_the_texts_and_what_is_asked(server: Server) -> None:
    says = server.next()
    item = says["item"]
    assert item["instruction"] == "Write a haiku about the sea."
    assert [side["side"] for side in item["sides"]] == ["a", "b"]
    grey = next(side for side in item["sides"] if "Grey" in side["text"])
    assert grey["html"].startswith("<p><strong>Grey</strong> waves.")
    assert says["progress"] == {"done": 0, "of": None, "left_s": None}
    assert says["asks"]["question"] == "Which answer is better?"
    assert says["why_none"] is None


def test_rater_judges_one_after_another(server: Server) -> None:
    first = server.next()["item"]
    assert server.next()["item"] == first
    second = server.next(first["battle"])["item"]
    assert second["battle"] != first["battle"]
    assert server.next(first["battle"], second["battle"])["item"] is None
    for item in (first, second):
        assert server.vote(item) == {"accepted": True, "choice": "a", "revision": 1, "state": "voted"}
    ended = server.next()
    assert (ended["item"], ended["progress"]["done"]) == (None, 2)
    assert ended["why_none"].startswith("There is nothing to judge")


def test_strength_and_reasons_are_stored_with_the_vote_once(server: Server) -> None:
    item = server.next()["item"]
    server.home.time.pass_s(9)
    how = {"strength": "much", "reasons": ["clear", "correct"], "decision_ms": 4200}
    assert server.vote(item, **how) == server.vote(item, **how)
    with server.home.store.reading() as reading:
        [vote] = reading.select("SELECT * FROM votes WHERE battle_id = ?", (item["battle"],))
        assert (vote["strength"], vote["decision_s"], vote["origin"]) == (2.0, 4.2, "person")
        assert reading.notes(item["battle"], "reason", vote["id"]) == ["correct", "clear"]


@pytest.mark.parametrize(
    "how",
    [
        {"strength": "very"},
        {"strength": 2},
        {"strength": "much", "choice": "tie"},
        {"reasons": ["nice"]},
        {"reasons": "clear"},
        {"decision_ms": -1},
        {"decision_ms": 1.5},
    ],
    ids=str,
)
def test_wrong_strength_or_reasons_store_nothing(server: Server, how: dict[str, Any]) -> None:
    item = server.next()["item"]
    assert server.vote(item, **how)["error"]
    assert server.next()["item"] == item


def test_undo_opens_the_battle_again(server: Server) -> None:
    item = server.next()["item"]
    server.vote(item)
    says = server.post("/rate/undo", {"battle": item["battle"], "revision": 1})
    assert says == (200, {"accepted": True, "battle": item["battle"], "revision": 2})
    assert server.next()["item"] == item | {"revision": 2}


def test_undo_of_a_final_vote_is_refused(server: Server) -> None:
    item = server.next()["item"]
    server.vote(item)
    server.home.time.pass_s(61)
    says = server.post("/rate/undo", {"battle": item["battle"], "revision": 1})[1]
    assert (says["accepted"], says["reason"]) == (False, "final")


def test_skipped_battle_does_not_come_back(server: Server) -> None:
    item = server.next()["item"]
    assert server.post("/rate/skip", {"battle": item["battle"]})[1]["accepted"]
    other = server.next()["item"]
    assert other["battle"] != item["battle"]
    assert server.next(other["battle"])["item"] is None
    assert server.vote(item)["accepted"] is False


def test_battle_that_is_hidden_while_it_is_open_is_skipped(server: Server) -> None:
    first = server.next()["item"]["battle"]
    second = server.next(first)["item"]["battle"]
    server.home.store.write(lambda writing: writing.decide(first, server.home.time.now(), True))
    says = server.next(first)
    assert (says["gone"], says["item"]["battle"]) == ([first], second)
    assert server.next()["item"]["battle"] == second


def test_differences_of_a_battle_are_for_its_rater(server: Server) -> None:
    item = server.next()["item"]
    status, says = server.post("/rate/differences", {"battle": item["battle"]})
    assert (status, says["battle"]) == (200, item["battle"])
    for side in item["sides"]:
        assert "<mark>" in says["sides"][side["side"]]
        assert re.sub("</?mark>", "", says["sides"][side["side"]]) == side["text"]
    assert server.post("/rate/differences", {"battle": item["battle"]}, OTHER)[1]["reason"] == "foreign"
    assert server.post("/rate/differences", {"battle": "f" * 32})[1]["reason"] == "unknown"


def test_rating_can_be_switched_off(tmp_path: Path) -> None:
    server = Server.of(tmp_path, Settings(rate="off"))
    assert (server.next()["item"], server.next()["why_none"]) == (None, "Rating is switched off here.")
    server.home.store.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rate/next", b"[]"),
        ("/rate/next", {"have": "x"}),
        ("/rate/next", {"have": ["x"] * (MOST_AHEAD + 1)}),
        ("/rate/next", {"have": ["\ud800"]}),
        ("/rate/next", {"study": 1}),
        ("/rate/next", {"study": "\ud800"}),
        ("/rate/next", {"key": "\ud800"}),
        ("/rate/next", {"rater": "x"}),
        ("/rate/undo", {"battle": "x"}),
        ("/rate/undo", {"battle": "x", "revision": True}),
        ("/rate/skip", {}),
        ("/rate/skip", {"battle": 1}),
        ("/rate/differences", {}),
        ("/rate/differences", {"battle": 1}),
    ],
    ids=str,
)
def test_malformed_requests_are_refused(server: Server, path: str, body: Any) -> None:
    status, says = server.post(path, body)
    assert status == 400
    assert says["error"]


def test_battles_of_others_are_foreign(server: Server) -> None:
    item = server.next()["item"]
    assert server.post("/rate/skip", {"battle": item["battle"]}, OTHER)[1]["reason"] == "foreign"
    assert server.post("/rate/undo", {"battle": item["battle"], "revision": 0}, OTHER)[1]["reason"] == "foreign"


def test_battles_votes_and_skips_have_the_limits_of_votes(tmp_path: Path) -> None:
    server = Server.of(tmp_path, Settings(votes_per_minute=1))
    item = server.next()["item"]
    assert server.post("/rate/skip", {"battle": item["battle"]})[0] == 200
    assert server.post("/rate/skip", {"battle": item["battle"]})[0] == 429
    assert server.post("/rate/next", {})[0] == 429
    server.home.store.close()


def test_nothing_that_is_sent_depends_on_which_model_is_which(tmp_path: Path) -> None:
    sent = set()
    for number, models in enumerate(((OPENALPACA, MAMBA), (MAMBA, OPENALPACA))):
        folder = tmp_path / str(number)
        folder.mkdir()
        server = Server.of(folder, models=models, texts=("Grey waves.", "A gull."))
        item = server.next()["item"]
        server.home.time.pass_s(1)  # the first one is the oldest
        heard = [server.next(), server.vote(item), server.next()]
        heard += [server.post("/rate/undo", {"battle": item["battle"], "revision": 1}), server.next()]
        item = heard[-1]["item"]
        heard += [server.vote(item), server.next()]
        server.home.time.pass_s(61)
        heard += [server.vote(item), server.post("/rate/undo", {"battle": item["battle"], "revision": 3})]
        sent.add(_without_chance(json.dumps(heard)))
        server.home.store.close()
    [said] = sent
    assert not [name for name in (OPENALPACA, MAMBA, "org/", "Apache") if name in said]


def _without_chance(said: str) -> str:
    """Replace random ids and the texts, whose order and number are random too."""
    said = re.sub(r"[0-9a-f]{32}", "ID", said)
    return re.sub(r"(Grey waves|A gull)\. [01]", "TEXT", said)


def test_invented_cookies_open_as_many_battles_as_their_network_may_vote(tmp_path: Path) -> None:
    server = Server.of(tmp_path, Settings(votes_per_minute=1))
    codes = [server.post("/rate/next", {}, secret=f"{number:032x}")[0] for number in range(NETWORK_TIMES + 2)]
    assert codes == [200] * NETWORK_TIMES + [429] * 2
    server.home.store.close()
