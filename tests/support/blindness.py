"""The bytes that a visitor of a blind battle is sent, and a normal form in which two battles can be compared.

Boundary: speaks HTTP through a `Wire`; whatever a reply holds is kept but answers, random ids and times, which have
placeholders. ``python -m tests.support.blindness --battles 500`` listens to many battles of the pocket models.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import sqlite3
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gradio_client.utils import apply_diff

from playground.catalog.catalog import Catalog
from playground.rater_ids import COOKIE
from playground.records import ModelCard
from playground.settings import Settings
from playground.ui.rendering import answer_markdown
from playground.ui.texts import formats
from tests.conftest import LiveApp, models_are_up, start_app, stop_app
from tests.support.wire import Exchange, Reply, Wire, recording

API = "/gradio_api"
ANSWER, ID, TIME, PACE = "<answer>", "<id>", "<time>", "<pace>"
ANSWER_SLOT = re.compile(r"(?:answer|raw)-[a-f]")
TIMES = ("duration", "average_duration", "eta", "rank_eta", "avg_time", "cache_duration", "time_limit")
SECONDS_LEFT = re.compile(r"(?<=data-final-in=')[0-9.]+(?=')")
OPENS_IN = re.compile(r" data-opens-in='[0-9.]+'")
"""Gone a second after the answers are complete: whether a reload comes sooner is its visitor's chance."""
TOO_QUICK = "<span class='standing'>Not counted: decided in under 1 s.</span>"
"""Whether a vote comes within a second of the answers is its visitor's chance."""
COUNTED, REVEALED = "<span class='standing'>Counted.</span>", "data-phase='revealed'"
"""Where a slower vote has these words: they are said after the reveal only."""
BEAT = re.compile(r"(?<=data-beat=')[0-9]+(?=')")
STATE = re.compile(r"(?<=<span class='state'>)[^<]*(?=</span>)")
RUNNING = re.compile(r"waiting|writing…|loading.*|waiting for memory.*|\d+ before you")
RUNNING_STATES = ("waiting", "loading", "writing")
RANDOM = re.compile(r"[0-9a-f]{20,}")
BATTLE = re.compile(r"(?:data-battle='|battle_id\\?\": \\?\"|\?battle=)([0-9a-f]{32})")
BEING_STORED = re.compile(r'"msg": "process_generating".*<span class=.state.>|"state": "generating"')
PATIENCE_S = 120
UNLIMITED = {f"PLAYGROUND_{name}_PER_MINUTE": "0" for name in ("COMPARES", "VOTES", "VIEWS")}


# Visitors


class PageVisitor:
    """The requests of the page in a browser, one after another."""

    def __init__(self, url: str, config: Mapping[str, Any], secret: str = "") -> None:
        self.secret, self.sessions = secret or secrets.token_hex(16), [secrets.token_hex(6)]
        self._url, self._config = url, config
        self._ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self._values = {c["id"]: c["props"].get("value") for c in config["components"] if c["type"] != "state"}
        self.battle_id = ""

    @property
    def session(self) -> str:
        """The tab's."""
        return self.sessions[-1]

    @property
    def own_words(self) -> dict[str, str]:
        """Placeholders for the visitor's random values."""
        return {self.secret: "<secret>", **dict.fromkeys(self.sessions, "<session>")}

    def event(self, elem_id: str, kind: str = "click") -> int:
        target = [self._ids[elem_id], kind]
        return next(d["id"] for d in self._config["dependencies"] if target in d["targets"])

    def after(self, event: int) -> int:
        return next(d["id"] for d in self._config["dependencies"] if d.get("trigger_after") == event)

    def load(self, battle_id: str = "") -> int:
        """A new tab on a battle, or an empty one; the event that follows it."""
        self.battle_id = battle_id
        self.sessions.append(secrets.token_hex(6))
        query = f"?battle={battle_id}" if battle_id else ""
        for path in (f"/{query}", f"/config{query}"):
            self._open(path)
        loads = [d for d in self._config["dependencies"] if any(event == "load" for _, event in d["targets"])]
        restore = next(d["id"] for d in loads if self._ids["shown"] in d["inputs"])
        for dependency in loads:
            if dependency["id"] <= restore:  # later ones are other rooms'
                self.run(dependency["id"])
        return self.event("watch")

    def compare(
        self, instruction: str, models: Sequence[str] = (), columns: int = 2, elem_id: str = "compare", **typed: Any
    ) -> int:
        """Make a blind battle; the event that follows it."""
        count = len(models) or columns
        chosen = {f"model-{place}": model for place, model in enumerate(models, 1)}
        who = "mine" if models else "any"
        fields = {"instruction": instruction, "mode": "blind", "columns-count": count, "who-chooses": who}
        self.battle_id = ""
        self.run(self.event(elem_id), fields | chosen | typed)
        return self.event("watch")

    def follow(self, watching: int) -> None:
        """Read the answers to their end."""
        self.run(watching)
        self.run(self.after(watching))

    def click(self, elem_id: str) -> None:
        self.run(self.event(elem_id))

    def refresh(self) -> None:
        """Refresh, as the bar's timer does once a vote is final."""
        ticks = [d for d in self._config["dependencies"] if d["targets"] and d["targets"][0][1] == "tick"]
        self.run(max(ticks, key=lambda d: len(d["outputs"]))["id"])

    def run(self, event: int, typed: Mapping[str, Any] = {}) -> None:
        dependency = next(d for d in self._config["dependencies"] if d["id"] == event)
        named = {self._ids[name]: value for name, value in {"shown": {"battle": self.battle_id}, **typed}.items()}
        values = [named.get(c, self._values.get(c)) for c in dependency["inputs"]]
        asked = {"data": values, "fn_index": event, "session_hash": self.session}
        query = f"?battle={self.battle_id}" if self.battle_id else ""
        if not dependency["queue"]:
            said = self._open(f"{API}/run/predict{query}", asked)
        else:
            self._open(f"{API}/queue/join{query}", asked)
            said = self._open(f"{API}/queue/data?session_hash={self.session}")
        found = BATTLE.findall(said)
        self.battle_id = found[-1] if found else self.battle_id

    def _open(self, path: str, asked: Mapping[str, Any] | None = None) -> str:
        headers = {"Content-Type": "application/json", "Cookie": f"{COOKIE}={self.secret}"}
        body = None if asked is None else json.dumps(asked).encode()
        request = urllib.request.Request(self._url + path, body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            return str(reply.read().decode())


def ask_api(url: str, endpoint: str, **asked: Any) -> list[Any]:
    """Return the documents that ``/call/v2`` streams."""
    base = f"{url}{API}/call/v2/{endpoint}"
    request = urllib.request.Request(base, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{base}/{event}", timeout=PATIENCE_S) as reply:
        lines = reply.read().decode().splitlines()
    return [json.loads(line.removeprefix("data: "))[0] for line in lines if line.startswith("data: [")]


def read_config(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/config", timeout=PATIENCE_S) as reply:
        return dict(json.load(reply))


def at_rest(exchanges: Sequence[Exchange]) -> bool:
    """Return True if the latest tab has all its answers; what it begins then is its visitor's doing."""
    joined = [exchange for exchange in exchanges if exchange.path.endswith("/queue/join")]
    if not joined:  # nothing was compared yet
        return bool(exchanges) and all(exchange.ended.is_set() for exchange in exchanges)
    session = json.loads(joined[-1].sent)["session_hash"].encode()
    tab = [e for e in exchanges if session in e.request and "/heartbeat/" not in e.path]
    if not all(exchange.ended.is_set() for exchange in tab):
        return False
    replies = [(exchange, Reply.read(bytes(exchange.response)).body) for exchange in tab]
    begun = {json.loads(body)["event_id"] for exchange, body in replies if exchange in joined}
    said = [message for exchange, body in replies if "/queue/data" in exchange.path for message in _messages(body)]
    return begun <= {message["event_id"] for message in said if message["msg"] == "process_completed"}


# What was heard


@dataclass
class Heard:
    """One battle's events in canonical lines, and apart from them every value that stood in an answer's place."""

    lines: list[str] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)  # slot or side, value
    battle_ids: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def sound(self) -> str:
        """The lines without what is the machine's chance: how often a poll found the same, and whether one fell between
        the last answer's end and its being stored."""
        lines = [line for line in self.lines if not BEING_STORED.search(line) or not _all_ended(line)]
        return "\n".join(line for n, line in enumerate(lines) if n == 0 or line != lines[n - 1])

    def split(self) -> tuple[list[str], list[str]]:
        """Split the messages into those sent while the answers were written, and those after."""
        ends = (
            n
            for n, line in enumerate(self.lines)
            if re.search(r"'state'>(done|failed)<|\"state\": \"(open|void)", line)
        )
        end = next(ends, len(self.lines))
        return self.lines[:end], self.lines[end:]


class Listener:
    """Reads exchanges by the page's own table of events.

    `exact` keeps every message as it was sent. Otherwise two things that follow the common pace are taken out, because
    how often a poll finds something new is the machine's chance: the words for a battle that is being written become
    one placeholder, if they are the same in all its columns, and changes are put together to what they make.
    """

    def __init__(self, config: Mapping[str, Any], exact: bool = False) -> None:
        self._exact = exact
        names = {c["id"]: c["props"].get("elem_id") or c["type"] for c in config["components"]}
        self._slots = {d["id"]: tuple(names[c] for c in d["outputs"]) for d in config["dependencies"]}
        self._api = {d["id"] for d in config["dependencies"] if d["api_visibility"] == "public"}
        self._bystanders = {d for d, slots in self._slots.items() if d not in self._api and _quiet(slots)}
        self._events: dict[str, int] = {}
        self._shown: dict[str, list[Any]] = {}

    def is_page(self, exchange: Exchange) -> bool:
        """A part of the page, which is the same for whoever asks; or the sign of life of an open tab."""
        path = exchange.path
        return exchange.method == "GET" and (not path.startswith(API) or "/heartbeat/" in path or "/startup" in path)

    def is_bystander(self, exchange: Exchange) -> bool:
        """An event that draws no battle: the chip, the models to choose from."""
        return exchange.path.endswith("/run/predict") and json.loads(exchange.sent)["fn_index"] in self._bystanders

    def heard(self, exchanges: Iterable[Exchange], known: Mapping[str, str]) -> Heard:
        """The battle events among the exchanges; `known` are the visitor's own random words."""
        heard = Heard()
        battling = [e for e in exchanges if not self.is_page(e) and not self.is_bystander(e)]
        for (
            exchange
        ) in battling:  # a stream that was opened earlier carries messages of events that were asked for later
            self._learn(exchange)
        for exchange in battling:
            heard.lines += self._lines(exchange, heard)
        heard.battle_ids = list(dict.fromkeys(BATTLE.findall(heard.text)))
        names = {**known, **dict.fromkeys([*heard.battle_ids, *self._events], ID)}
        heard.lines = [_named(line, names) for line in heard.lines]
        return heard

    def plain(self, exchange: Exchange, known: Mapping[str, str]) -> str:
        """A reply that no battle should show in, whole."""
        reply = Reply.read(bytes(exchange.response))
        body = re.sub(rf'"({"|".join(TIMES)})": ?[0-9.]+', f'"{TIME}": 0', reply.body.decode("utf-8", "replace"))
        return _named("\n".join([reply.status, *_headers(reply), body]), known)

    def _lines(self, exchange: Exchange, heard: Heard) -> Iterator[str]:
        reply = Reply.read(bytes(exchange.response))
        yield f"{exchange.method} {exchange.target} {reply.status}"
        yield from _headers(reply)
        if "/queue/data" in exchange.path:
            for message in _messages(reply.body):
                if message["msg"] != "heartbeat":
                    yield self._message(message, heard)
        elif "/call/v2/" in exchange.path and exchange.method == "GET":
            for frame in _frames(reply.body):
                yield self._call(frame, heard)
        else:
            yield self._answer(exchange, json.loads(reply.body), heard)

    def _learn(self, exchange: Exchange) -> None:
        """Which event a request began."""
        if exchange.method == "POST" and (exchange.path.endswith("/queue/join") or "/call/" in exchange.path):
            said = json.loads(Reply.read(bytes(exchange.response)).body)
            if isinstance(said, dict) and "event_id" in said:
                self._events[said["event_id"]] = json.loads(exchange.sent).get("fn_index", 0)

    def _answer(self, exchange: Exchange, said: Any, heard: Heard) -> str:
        if isinstance(said, dict) and "data" in said:
            said["data"] = self._data(json.loads(exchange.sent)["fn_index"], said["data"], heard)
        return _written(said)

    def _message(self, message: dict[str, Any], heard: Heard) -> str:
        output, event = message.get("output") or {}, message.get("event_id", "")
        if output.get("data"):
            number = self._events[event]
            diffed = message["msg"] == "process_generating" and event in self._shown
            data = self._kept(event, output["data"]) if diffed and not self._exact else output["data"]
            self._shown.setdefault(event, data)
            output["data"] = self._data(number, data, heard, diffed and self._exact)
        return _written(message)

    def _kept(self, event: str, diffs: list[Any]) -> list[Any]:
        """The values after a message that says what has changed."""
        shown = self._shown[event]
        self._shown[event] = [apply_diff(old, diff) for old, diff in zip(shown, diffs, strict=True)]
        return list(self._shown[event])

    def _call(self, frame: str, heard: Heard) -> str:
        kind, _, data = frame.partition("\n")
        return f"{kind if self._exact else 'event: <any>'} {_written([self._document(json.loads(data[6:])[0], heard)])}"

    def _data(self, event: int, data: list[Any], heard: Heard, diffed: bool = False) -> Any:
        slots = self._slots[event]
        if event in self._api:
            return [self._changes(d) if diffed else self._document(d, heard) for d in data]
        shown = [self._slot(name, value, heard, diffed) for name, value in zip(slots, data, strict=True)]
        return shown if self._exact else _at_pace(slots, shown)

    def _slot(self, name: str, value: Any, heard: Heard, diffed: bool) -> Any:
        if ANSWER_SLOT.fullmatch(name):
            text = value.get("value") if isinstance(value, dict) else value
            if isinstance(text, str) and not diffed:
                heard.answers.append((name, text))
            hidden = {"value": ANSWER} if isinstance(value, dict) and "value" in value else {}
            return {**value, **hidden} if isinstance(value, dict) else ANSWER
        if name == "pulse" and isinstance(value, str):  # one for each time that something is sent
            return BEAT.sub(TIME, value)
        if name == "timer" and isinstance(value, dict) and "value" in value:
            return {**value, "value": TIME}
        return value

    def _document(self, said: Any, heard: Heard) -> Any:
        """A battle as the API shows it."""
        if not isinstance(said, dict) or "columns" not in said:
            return said
        states = {column["state"] for column in said["columns"]}
        paced = not self._exact and len(states) == 1 and states < set(RUNNING_STATES)
        heard.answers += [(f"api-{column['side']}", column["text"]) for column in said["columns"]]
        columns = [c | {"text": ANSWER} | ({"state": PACE} if paced else {}) for c in said["columns"]]
        return said | {"columns": columns}

    def _changes(self, diff: list[Any]) -> list[Any]:
        return [ANSWER, *(edit for edit in diff if edit[1][-1:] != ["text"])]


def _all_ended(line: str) -> bool:
    """Return True if every column has ended in a message that offers no action on them yet."""
    states = [*STATE.findall(line), *re.findall(r'"side": "[a-f]", "state": "(\w+)"', line)]
    return "data-tool=" not in line and all(state in ("done", "failed") for state in states)


def _quiet(slots: Sequence[str]) -> bool:
    """Return True for the chip with its timer and the link beside it, or the models to choose from and their number."""
    return bool(slots) and all(
        slot in ("chip", "timer", "operator-link", "intro") or slot.startswith("model-") for slot in slots
    )


def _at_pace(slots: Sequence[str], data: list[Any]) -> list[Any]:
    """The words for a battle that is being written, taken out where all columns say the same."""
    heads = {n: STATE.findall(_value(data[n])) for n, name in enumerate(slots) if re.fullmatch("head-[a-f]", name)}
    words = {found[0] for found in heads.values() if found}
    if len(words) != 1 or not RUNNING.fullmatch(next(iter(words))):
        return data
    return [_repaced(value) if n in heads else value for n, value in enumerate(data)]


def _value(value: Any) -> str:
    return str(value.get("value", "")) if isinstance(value, dict) else str(value or "")


def _repaced(value: Any) -> Any:
    if isinstance(value, dict):
        return value | ({"value": STATE.sub(PACE, value["value"])} if isinstance(value.get("value"), str) else {})
    return STATE.sub(PACE, value) if isinstance(value, str) else value


def _headers(reply: Reply) -> list[str]:
    """All of them; of the moment's there are the names."""
    sizes = [value for name, value in reply.headers if name == "content-length"]
    assert sizes in ([], [str(len(reply.body))]), "a length is that of the body"
    moment = ("date", "content-length", "etag", "last-modified")
    return [f"{name}: {TIME if name in moment else value}" for name, value in reply.headers]


def _frames(body: bytes) -> list[str]:
    """Without one that has not been sent to its end."""
    return [frame.decode() for frame in body.split(b"\n\n")[:-1] if frame.strip()]


def _messages(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(frame.removeprefix("data: ")) for frame in _frames(body)]


def _written(said: Any) -> str:
    written = OPENS_IN.sub("", json.dumps(_timeless(said), ensure_ascii=False))
    return SECONDS_LEFT.sub(TIME, written.replace(TOO_QUICK, COUNTED if REVEALED in written else ""))


def _timeless(said: Any) -> Any:
    if isinstance(said, dict):
        return {
            key: TIME if key in TIMES and isinstance(value, int | float | None) else _timeless(value)
            for key, value in said.items()
        }
    return [_timeless(value) for value in said] if isinstance(said, list) else said


def _named(text: str, names: Mapping[str, str]) -> str:
    for word, name in names.items():
        text = text.replace(word, name)
    return text


# What must not be heard


@dataclass(frozen=True)
class Side:
    """One answer as the database has it."""

    side: str
    seed: int
    stored: Mapping[str, Any]  # the row of `generations`

    @property
    def model_id(self) -> str:
        return str(self.stored["model_id"])

    @property
    def text(self) -> str:
        return str(self.stored["text"])

    @property
    def token_ids(self) -> tuple[int, ...]:
        return tuple(json.loads(self.stored["token_ids"]))

    @property
    def outcome(self) -> str:
        """The outcome, which everybody may know."""
        return "failed" if self.stored["finish_reason"] == "error" else "good" if self.text.strip() else "empty"


def sides_of(db: Path, battle_id: str) -> tuple[Side, ...]:
    query = "SELECT s.side, s.seed AS drawn, g.* FROM battle_sides s JOIN generations g ON g.id = s.generation_id "
    with closing(sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(query + "WHERE s.battle_id = ? ORDER BY s.side", (battle_id,)).fetchall()
    return tuple(Side(row["side"], row["drawn"], dict(row)) for row in rows)


SAID_BY_ALL = frozenset(
    {"side", "drawn", "text", "instruction_id", "finish_reason", "good", "chars", "faithful", "created_at", "params"}
)
"""Columns of a generation that are no identity, or whose values are words and digits that stand everywhere."""


def told_by(card: ModelCard) -> Iterator[str]:
    """Words and numbers that would tell which model it is."""
    yield from (card.id, card.name, card.repo, card.public_repo, card.license, card.architecture, card.template)
    yield from (card.dtype, card.stands_in_for, card.id.removeprefix("pocket-"), Path(card.repo).name)
    yield from (str(card.num_parameters), f"{card.num_parameters:,}", formats.parameters(card.num_parameters))
    yield from (str(card.size_bytes), f"{card.size_bytes:,}", f"{card.size_bytes / 1e6:.1f} MB", card.revision)


def told_by_answer(side: Side) -> Iterator[str]:
    """Yield the values that only one answer's row has."""
    yield str(side.seed)
    known = (str(value) for name, value in side.stored.items() if name not in SAID_BY_ALL and value is not None)
    yield from (word for word in known if word.isalpha() or len(word) > 4)  # 1.5 stands in every drawing
    yield from (str(len(side.token_ids)) + words for words in (" tokens", " tok"))


def named_in(lines: Iterable[str], cards: Iterable[ModelCard], sides: Iterable[Side]) -> set[str]:
    """Which of them stand in what was heard, as whole words, in any case."""
    told = {word for card in cards for word in told_by(card)} | {
        word for side in sides for word in told_by_answer(side)
    }
    said = "\n".join(lines).lower()
    return {word for word in told if word and re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", said)}


def is_beginning(shown: str, text: str) -> bool:
    """Return True if the value may be an answer or a part of it, as the page draws it."""
    return text.startswith(shown) or any(answer_markdown(text[:end]) == shown for end in range(len(text) + 1))


def check(heard: Heard, cards: Iterable[ModelCard], sides: Sequence[Side]) -> None:
    """Nothing but answers in the answers' places, and no identity beside them.

    Raises:
        AssertionError: what was told.
    """
    said = {side.side: side.text for side in sides}
    found = {
        "identity": named_in(heard.lines, cards, sides),
        "random words that are nobody's": RANDOM.findall(heard.text),
        "not the beginning of an answer": [
            (slot, shown) for slot, shown in heard.answers if not is_beginning(shown, said.get(slot[-1], ""))
        ],
    }
    if any(found.values()):
        raise AssertionError(found)


# Many battles


QUESTIONS = (
    "What is rust?",
    "What is the capital of France?",
    "What is an alpaca?",
    "Who are you and who made you?",
    "List three colours.",
    "Write a haiku about the sea.",
    "Why is the sky blue?",
    "What is 7 times 8?",
)


@dataclass
class Survey:
    """Battles of real models, each heard by itself; those of one kind have to sound the same."""

    app: LiveApp
    wire: Wire
    cards: Sequence[ModelCard]
    config: Mapping[str, Any]
    sounds: dict[tuple[str, ...], Counter[str]] = field(default_factory=dict)
    pairs: set[tuple[str, ...]] = field(default_factory=set)
    plain: dict[str, str] = field(default_factory=dict)  # of the page's parts that are no battle, by request
    num_bytes: int = 0
    battles: int = 0

    @classmethod
    def of(cls, app: LiveApp, wire: Wire, cards: Sequence[ModelCard]) -> Survey:
        return cls(app, wire, cards, read_config(wire.url))

    def load_before(self) -> None:
        """The page and its bystanders before there is any battle: later they have to be the same."""
        visitor = PageVisitor(self.wire.url, self.config)
        models_are_up(self.app.url)
        visitor.load()
        self.plain |= self._plain(self.wire.exchanges, visitor.own_words)
        self.wire.exchanges.clear()

    def _plain(self, exchanges: Iterable[Exchange], known: Mapping[str, str]) -> dict[str, str]:
        listener = Listener(self.config)
        found: dict[str, str] = {}
        for exchange in exchanges:
            if listener.is_page(exchange) or listener.is_bystander(exchange):
                address = urlsplit(exchange.target)  # a battle's page has a preview of its own
                name = address.path + "?battle" * ("battle=" in address.query)
                name += exchange.sent.decode().split('"session_hash"')[0]
                found[name] = listener.plain(exchange, known)
        return found

    def page_battle(self, visitor: PageVisitor, number: int) -> None:
        """Answers, vote, undo, another vote; a reload in every fourth battle."""
        began = len(self.wire.exchanges)
        question, columns, reloads = QUESTIONS[number % len(QUESTIONS)], 2 + number // 3 % 3, number % 4 == 0
        visitor.follow(visitor.compare(question, columns=columns))
        if reloads:
            visitor.follow(visitor.load(visitor.battle_id))
        for press in ("vote-tie", "undo", "vote-bad"):
            visitor.click(press)
        kind = f"page, {columns} columns{', reloaded' if reloads else ''}"
        self.hear(began, kind, visitor.battle_id, visitor.own_words | {question: "<instruction>"})
        visitor.click("reveal")

    def api_battle(self, number: int) -> None:
        began = len(self.wire.exchanges)
        said = ask_api(self.wire.url, "compare", instruction=QUESTIONS[number % len(QUESTIONS)], blind=True)
        self.hear(began, "api", said[-1]["battle_id"], {})
        ask_api(self.wire.url, "vote", battle_id=said[-1]["battle_id"], choice="tie")

    def hear(self, began: int, kind: str, battle_id: str, known: Mapping[str, str]) -> None:
        exchanges = self.wire.since(began)
        heard, sides = Listener(self.config).heard(exchanges, known), sides_of(self.app.db, battle_id)
        check(heard, self.cards, sides)
        assert heard.battle_ids == [battle_id]
        outcome = (kind, *(side.outcome for side in sides))
        plain = self._plain(exchanges, dict.fromkeys([battle_id, *known], ID))
        self.plain = plain | self.plain
        changed = {
            name: first_difference(self.plain[name], text) for name, text in plain.items() if text != self.plain[name]
        }
        if changed:
            raise AssertionError(f"a part of the page that is no battle knows of one: {changed}")
        self.sounds.setdefault(outcome, Counter())[heard.sound] += 1
        self.pairs.add(tuple(side.model_id for side in sides))
        self.num_bytes += sum(len(exchange.response) for exchange in exchanges)
        self.battles += 1

    def verdict(self) -> None:
        """Raises AssertionError when two battles of one kind and outcome can be told apart."""
        several = {kind: list(found) for kind, found in self.sounds.items() if len(found) > 1}
        if several:
            raise AssertionError({kind: first_difference(*sounds[:2]) for kind, sounds in several.items()})

    def __str__(self) -> str:
        kinds = "\n".join(
            f"  {sum(found.values()):4d} × {', '.join(kind)}: {len(found)} form" for kind, found in self.sounds.items()
        )
        return (
            f"{self.battles} blind battles of {len(self.cards)} models in {len(self.pairs)} orders, "
            f"{self.num_bytes:,} bytes before the reveal\n{kinds}"
        )


def first_difference(one: str, other: str) -> tuple[str, str]:
    """The first lines that are not the same, around the place where they differ."""
    lines = zip([*one.split("\n"), ""], [*other.split("\n"), ""], strict=False)
    a, b = next((a, b) for a, b in lines if a != b)
    at = max(0, next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0) - 60)
    return a[at : at + 200], b[at : at + 200]


def survey(app: LiveApp, battles: int) -> Survey:
    """Listen to so many battles, two of three on the page and one over the API; nobody is limited, each is new."""
    catalog = Catalog.load(Settings().card_folders, Settings().template_folders)
    with recording(app.url) as wire:
        made = Survey.of(app, wire, catalog.line_up(()))
        made.load_before()
        for number in range(battles):
            if number % 3 == 2:
                made.api_battle(number)
            else:
                made.page_battle(PageVisitor(wire.url, made.config), number)
            wire.exchanges.clear()
    made.verdict()
    return made


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("tests.support.blindness", description="Listen to many blind battles.")
    parser.add_argument("--battles", type=int, default=500)
    with tempfile.TemporaryDirectory() as folder:
        app = start_app(Path(folder), **UNLIMITED)
        try:
            print(survey(app, parser.parse_args(argv).battles))
        finally:
            stop_app(app)
    return 0


if __name__ == "__main__":
    sys.exit(main())
