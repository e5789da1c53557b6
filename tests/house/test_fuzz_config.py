"""Random calls made from the app's own ``/config`` get a message and affect no other rater.

PLAYGROUND_FUZZ_CALLS=20000 sets their number and makes them different in each run; by default a few are the same in
each.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from playground.rater_ids import new_secret
from playground.records import BattleState
from playground.storage.database.store import Store
from playground.ui.http.limits import RequestKind, kind_of
from tests.conftest import LiveApp
from tests.support.calling import Config, Reply, Visitor, compare, ended, press

CALLS = int(os.environ.get("PLAYGROUND_FUZZ_CALLS", "0"))
MARK = "fuzzed-words"
"""A word in every text that is sent; the log must not have it."""
PAIR = ["pocket-orca-mini", "pocket-galpaca"]


@dataclass
class Playground:
    """A running app with a visitor who has a judged battle and an open one."""

    app: LiveApp
    config: Config
    victim: Visitor
    judged: str
    open: str

    @property
    def events(self) -> list[Config]:
        return list(self.config["dependencies"])

    def inputs(self, event: Config) -> list[Config]:
        known = {component["id"]: component for component in self.config["components"]}
        return [known[number] for number in event["inputs"]]

    def stored(self) -> list[Any]:
        """Return the battles and notes of the victim in the database."""
        with Store(self.app.db, read_only=True) as store, store.reading() as reading:
            battles = [reading.battle(battle_id) for battle_id in (self.judged, self.open)]
            kinds = ("reason", "comment", "report")
            notes = [list(reading.notes(battle_id, kind)) for battle_id in (self.judged, self.open) for kind in kinds]
        return [battles, notes]


@pytest.fixture(scope="module")
def playground(live_app: LiveApp) -> Playground:
    config, victim = Visitor(live_app.url).get("config").document, Visitor(live_app.url)
    judged = compare(victim, config)
    ended(live_app, judged)
    for name in ("vote_1", "reveal"):
        assert press(victim, config, name).status == 200
    still_open = compare(victim, config)
    ended(live_app, still_open)
    playground = Playground(live_app, config, victim, judged, still_open)
    assert [battle.state for battle in playground.stored()[0]] == [BattleState.REVEALED, BattleState.OPEN]
    return playground


NUMBERS = st.integers() | st.integers(-(10**400), 10**400) | st.floats()
TEXTS = st.one_of(
    st.text(st.characters(), max_size=30).map(lambda text: MARK + text),
    st.sampled_from(["\ud800", "\x00", "x" * 5000, "=1+1", "<script>", "../../etc/passwd", "0" * 32]).map(MARK.__add__),
)
FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}, "orig_name": MARK}
JUNK = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.just(FILE) | st.just({"__type__": "update", "visible": True}),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=6,
)


def values(component: Config, playground: Playground) -> st.SearchStrategy[Any]:
    """Values that fit a component, and any others."""
    props, kind = component["props"], component["type"]
    fitting: st.SearchStrategy[Any] = {"checkbox": st.booleans(), "dataset": st.integers(-2, 9)}.get(kind, TEXTS)
    if props.get("choices"):
        fitting = st.sampled_from([value for _, value in props["choices"]])
    if kind == "checkboxgroup":
        fitting = st.lists(fitting, max_size=3)
    if props.get("elem_id") == "shown":
        forged = {"battle": playground.open, "revision": 0, "step": 1, "said": MARK, "again": True}
        fitting = st.none() | st.just(forged)
    if kind == "api":
        fitting = TEXTS | st.sampled_from([playground.open, playground.judged, "a", PAIR, False, {"seed": 1}])
    return fitting | JUNK


@st.composite
def requests(draw: st.DrawFn, playground: Playground) -> tuple[str, Any]:
    """A route and a body: mostly those of the page, with any part forged."""
    event = draw(st.sampled_from(playground.events))
    data: Any = [draw(values(component, playground)) for component in playground.inputs(event)]
    way = draw(st.sampled_from(["queue/join", "run/predict", "run/{}", "api/{}", "call/{}", "call/v2/{}", "run/none"]))
    twist = draw(st.sampled_from(["", "", "", "", "", "count", "index", "data", "session", "extras", "bytes"]))
    body: dict[str, Any] = {"fn_index": event["id"], "data": data, "session_hash": new_secret()}
    if draw(st.booleans()):
        body["session_hash"] = playground.victim.session
    if twist == "count":
        body["data"] = draw(st.lists(JUNK, max_size=30))
    if twist in ("index", "data", "session"):
        body[{"index": "fn_index", "data": "data", "session": "session_hash"}[twist]] = draw(JUNK)
    if twist == "extras":
        names = ["event_data", "trigger_id", "batched", "event_id", "simple_format", "oauth_token", "request", "battle"]
        body |= draw(st.dictionaries(st.sampled_from(names), JUNK))
    if way == "call/v2/{}":
        names = ["instruction", "battle_id", "choice", "models", "model", "params", "category", MARK]
        body = draw(st.dictionaries(st.sampled_from(names), JUNK, max_size=4))
    if twist == "bytes":
        whole = json.dumps(body).encode()
        return way.format(event["api_name"]), draw(
            st.sampled_from([whole[:-3], whole + b"\xff", b"[" * 9000, b"NaN", b""])
        )
    return way.format(event["api_name"]), body


def complaint(reply: Reply, said: str) -> str:
    """Return the fault of a response; "" if it is a success or a refusal with a message."""
    if reply.status not in (200, 400, 404):
        return f"status {reply.status}"
    if reply.status != 200 and not reply.document["error"]:
        return "no message"
    for line in said.splitlines():
        message = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        if message.get("msg") == "process_completed" and not message["success"] and not message["output"].get("error"):
            return "an error without a message"
    return "Traceback" if b"Traceback" in reply.body or "Traceback" in said else ""


@pytest.mark.slow
def test_random_calls_affect_no_other_rater(playground: Playground) -> None:
    before, attacker = playground.stored(), Visitor(playground.app.url)

    @settings(
        max_examples=CALLS or 150,
        derandomize=not CALLS,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],  # the app's state is not what it was: nothing to shrink
    )
    @given(requests(playground))
    def send(request: tuple[str, Any]) -> None:
        path, body = request
        reply = attacker.post(path, body)
        session = body.get("session_hash") if isinstance(body, dict) else None
        joined = path == "queue/join" and reply.status == 200 and session != playground.victim.session
        said = Visitor(playground.app.url, session=str(session)).rest() if joined else ""
        assert complaint(reply, said) == "", (path, reply.body[:500], said[-500:])

    send()
    log = playground.app.log.read_text()
    assert "Traceback" not in log
    assert MARK not in log
    assert playground.stored() == before
    honest = Visitor(playground.app.url)
    ended(playground.app, compare(honest, playground.config))


def test_votes_and_notes_are_not_queued(live_app: LiveApp) -> None:
    events = Visitor(live_app.url).get("config").document["dependencies"]
    judging = [event for event in events if kind_of(event["api_name"]) in (RequestKind.VOTE, RequestKind.NOTE)]
    assert len(judging) > 10
    assert [event["api_name"] for event in judging if event["queue"]] == []
