"""Files of the Data page: who may have them, their content, and visitors who leave, sent as an ASGI server would."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from playground.clock import Clock
from playground.exchange import FORMATS, ExportOptions, export
from playground.rater_ids import COOKIE
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.ui.http import downloads
from playground.ui.http.downloads import EXPORT, FOLDER, LEFT_OVER_S, MANIFEST, PROGRESS, DownloadRoutes
from playground.ui.http.export_line import ExportLine, ExportProgress
from playground.ui.http.operator import HEADER, OperatorAccess, OperatorGate
from playground.ui.texts.language import present, speaking
from tests.support.cast import ADA, GALPACA, MAMBA, House, house
from tests.support.pseudo import TAG, pseudo_language
from tests.support.storing import file_size_limit, voted

TOKEN = "x" * 32
OPERATOR = {HEADER: TOKEN}
PUBLIC = Settings(data="public", min_free_mb=0)
TICKET = "ab" * 16
VOTES = "format=votes&container=jsonl"
NOW = "2026-11-20T19:00:04.000+00:00"
"""A second after the last vote of `home`."""


@dataclass
class Source:
    """The part of an arena that files are made of."""

    store: Store
    settings: Settings
    policy: CountingPolicy = CountingPolicy()


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False
    longest: int = 0

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.decode().splitlines()]


Send = Callable[[Any], Awaitable[None]]


@dataclass
class Server:
    """The routes behind the operator's gate; passes other requests on to nothing."""

    source: Source
    line: ExportLine | None = None
    stall_s: float = 60.0

    def __post_init__(self) -> None:
        async def nothing(scope: Any, receive: Any, send: Send) -> None:
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body"})

        self.routes = DownloadRoutes(nothing, self.source, self.line, self.stall_s, Clock(lambda: NOW))  # type: ignore[arg-type]
        self.app = OperatorGate(self.routes, OperatorAccess(TOKEN))

    def get(self, path: str, query: str = "", method: str = "GET", **headers: str) -> Reply:
        return asyncio.run(self.getting(path, query, method, **headers))

    async def getting(
        self,
        path: str,
        query: str = "",
        method: str = "GET",
        gone: asyncio.Event | None = None,
        taking: Callable[[], Awaitable[None]] | None = None,
        **headers: str,
    ) -> Reply:
        """Send a request; the visitor leaves at `gone` and waits for `taking` before each piece."""
        reply, leaves = Reply(), gone or asyncio.Event()

        async def receive() -> dict[str, Any]:
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
                return
            if taking is not None:
                await taking()
            reply.body += message.get("body", b"")
            reply.longest = max(reply.longest, len(message.get("body", b"")))
            reply.is_whole = not message.get("more_body", False)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "client": ("203.0.113.7", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await self.app(scope, receive, send)
        return reply


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A store with three revealed battles, one of them with a non-commercial answer, and one that can be undone."""
    home = house(tmp_path)
    for number in (1, 2):
        voted(home, f"battle-{number}")
        home.time.pass_s(1)
    voted(home, "battle-3", "b", models=(MAMBA, GALPACA))
    home.time.pass_s(1)
    home.battle_is_open("battle-4")
    home.battles.vote("battle-4", "a", ADA)
    yield home
    home.store.close()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def server(home: House) -> Server:
    return Server(Source(home.store, PUBLIC))


def left(temporary: Path) -> list[str]:
    return [path.name for path in temporary.iterdir()]


@pytest.mark.parametrize("path", [EXPORT, PROGRESS, MANIFEST])
def test_stranger_is_refused_and_told_where_their_own_data_is(home: House, path: str) -> None:
    server = Server(Source(home.store, Settings()))
    reply = server.get(path, VOTES)
    assert reply.status == 403
    assert "Your own battles and votes are on the page My data" in reply.error
    assert server.get(path, VOTES, Cookie="playground_operator=1").status == 403
    assert server.get(path, VOTES, **OPERATOR).status in (200, 404)


def test_file_is_the_export_of_the_same_filters(server: Server, home: House, tmp_path: Path) -> None:
    query = f"{VOTES}&license=commercial&since=2026-11-01"
    reply = server.get(EXPORT, query)
    assert reply.status == 200
    assert reply.is_whole
    address = downloads.read_order(downloads.read_query(query), False, CountingPolicy(), NOW)
    export(home.store, "votes", tmp_path / "own.jsonl", address.options)
    assert reply.body == (tmp_path / "own.jsonl").read_bytes()
    assert [row["battle_id"] for row in reply.rows] == ["battle-1", "battle-2"]
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["content-disposition"].startswith('attachment; filename="playground-votes-commercial-20')
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_and_container_is_served(server: Server, format: str) -> None:
    for ending in FORMATS[format].containers:
        container = ending.removeprefix(".")
        reply = server.get(EXPORT, f"format={format}&container={container}&models=pocket-mamba-gpt,pocket-galpaca")
        assert (reply.status, reply.is_whole) == (200, True), (container, reply.body)
        assert reply.headers["content-disposition"].endswith(f'.{container}"')


def test_public_file_has_numbers_for_raters_and_no_battle_that_can_be_undone(server: Server) -> None:
    reply = server.get(EXPORT, VOTES)
    assert [row["battle_id"] for row in reply.rows] == ["battle-1", "battle-2", "battle-3"]
    assert ADA not in reply.body.decode()
    for query in (f"{VOTES}&ids=1", f"{VOTES}&rater={ADA}"):
        assert server.get(EXPORT, query).status == 403
    own = server.get(EXPORT, f"{VOTES}&ids=1&rater={ADA}", **OPERATOR)
    assert ADA in own.body.decode()


def test_manifest_names_the_file_by_its_hash(server: Server) -> None:
    reply = server.get(EXPORT, f"{VOTES}&mode=blind")
    sha256 = hashlib.sha256(reply.body).hexdigest()
    assert reply.headers["link"] == f'<manifest?sha256={sha256}>; rel="describedby"; type="application/json"'
    manifest = server.get(MANIFEST, f"sha256={sha256}")
    assert manifest.status == 200
    assert sha256 in manifest.body.decode()
    assert json.loads(manifest.body)
    missing = server.get(MANIFEST, f"sha256={'0' * 64}")
    assert (missing.status, "Download the file again" in missing.error) == (404, True)


def test_names_that_a_host_adds_to_an_address_are_ignored(server: Server) -> None:
    assert server.get(EXPORT, f"{VOTES}&__sign=abc").body == server.get(EXPORT, VOTES).body


def test_progress_is_told_to_the_holder_of_the_ticket(server: Server) -> None:
    assert server.get(PROGRESS, f"ticket={TICKET}").status == 404
    assert server.get(EXPORT, f"{VOTES}&ticket={TICKET}").status == 200
    told = json.loads(server.get(PROGRESS, f"ticket={TICKET}").body)
    assert (told["stage"], told["share"]) == ("sent", 1.0)
    assert told["words"].startswith("Done: 3 rows, ")
    assert told["manifest"].startswith("./data/manifest?sha256=")
    server.get(EXPORT, f"format=nothing&ticket={TICKET}")
    assert json.loads(server.get(PROGRESS, f"ticket={TICKET}").body)["stage"] == "sent"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "names no format"),
        ("format=excel", "valid: format=votes"),
        ("format=votes&container=xlsx", "votes is not written as xlsx; valid: container=jsonl"),
        ("format=votes&origin=alien", "valid: person"),
        ("format=votes&orgin=person", "'orgin' in the address is not a filter; valid: category, origin"),
        ("format=votes&license=apart", "is two files"),
        (f"format=votes&words={'x' * 4000}", "too long"),
    ],
)
def test_invalid_order_is_explained(server: Server, temporary: Path, query: str, words: str) -> None:
    reply = server.get(EXPORT, query)
    assert reply.status == 400
    assert words in reply.error
    assert left(temporary) == []


def test_head_has_the_headers_of_the_file_alone(server: Server, temporary: Path) -> None:
    reply = server.get(EXPORT, VOTES, method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert "attachment" in reply.headers["content-disposition"]
    assert left(temporary) == []


def test_other_requests_are_passed_on(server: Server) -> None:
    assert server.get("/data").status == 299
    assert server.get(EXPORT, VOTES, method="POST").status == 299


def test_folder_is_gone_after_the_last_piece(server: Server, temporary: Path) -> None:
    assert server.get(EXPORT, VOTES).is_whole
    assert left(temporary) == []


def test_visitor_who_leaves_while_the_file_is_sent_leaves_nothing(server: Server, temporary: Path) -> None:
    async def visit() -> None:
        gone, came = asyncio.Event(), asyncio.Event()

        async def taking() -> None:
            came.set()
            await asyncio.Event().wait()

        visit = asyncio.ensure_future(server.getting(EXPORT, VOTES, gone=gone, taking=taking))
        await came.wait()
        assert left(temporary) != []
        gone.set()
        assert not (await visit).is_whole
        assert left(temporary) == []
        assert (await server.getting(EXPORT, VOTES)).is_whole  # the place is free again

    asyncio.run(visit())


def test_visitor_who_leaves_in_the_line_is_forgotten(home: House) -> None:
    async def visit() -> None:
        line = ExportLine(made_at_once=1)
        server = Server(Source(home.store, PUBLIC), line)
        gone = asyncio.Event()
        async with line.turn("other", ExportProgress()):
            waiting = asyncio.ensure_future(server.getting(EXPORT, VOTES, gone=gone))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            gone.set()
            assert (await waiting).status == 0
        assert (await server.getting(EXPORT, VOTES)).is_whole

    asyncio.run(visit())


def test_visitor_who_takes_nothing_is_sent_away(home: House, temporary: Path) -> None:
    server = Server(Source(home.store, PUBLIC), stall_s=0.05)

    async def visit() -> None:
        async def taking() -> None:
            await asyncio.sleep(60)

        reply = await server.getting(EXPORT, f"{VOTES}&ticket={TICKET}", taking=taking)
        assert (reply.status, reply.is_whole) == (200, False)

    asyncio.run(visit())
    told = json.loads(server.get(PROGRESS, f"ticket={TICKET}").body)
    assert (told["stage"], "nothing was received" in told["words"]) == ("failed", True)
    assert left(temporary) == []


def test_second_file_of_a_visitor_has_to_wait(server: Server) -> None:
    async def visit() -> None:
        came, go = asyncio.Event(), asyncio.Event()

        async def taking() -> None:
            came.set()
            await go.wait()

        cookie = {"Cookie": f"{COOKIE}={'cd' * 16}"}
        first = asyncio.ensure_future(server.getting(EXPORT, VOTES, taking=taking, **cookie))
        await came.wait()
        second = await server.getting(EXPORT, VOTES, **cookie)
        assert (second.status, second.headers["retry-after"]) == (429, "5")
        assert "Your last file is still being made or sent" in second.error
        assert (await server.getting(EXPORT, VOTES, Cookie=f"{COOKIE}={'ef' * 16}")).is_whole
        go.set()
        assert (await first).is_whole

    asyncio.run(visit())


@pytest.mark.proves("export target unwritable or full")
def test_full_disk_is_told_to_visitor_and_ticket(home: House, temporary: Path) -> None:
    server = Server(Source(home.store, PUBLIC))
    with file_size_limit(1000):
        reply = server.get(EXPORT, f"{VOTES}&ticket={TICKET}")
    assert reply.status == 507
    assert "the disk for temporary files on the server is full" in reply.error
    told = json.loads(server.get(PROGRESS, f"ticket={TICKET}").body)
    assert (told["stage"], told["words"]) == ("failed", reply.error)
    assert left(temporary) == []
    assert server.get(EXPORT, VOTES).status == 200


def test_file_leaves_the_space_that_votes_need(home: House, temporary: Path) -> None:
    server = Server(Source(home.store, Settings(data="public", min_free_mb=10**9)))
    reply = server.get(EXPORT, VOTES)
    assert (reply.status, "the disk for temporary files" in reply.error) == (507, True)
    assert left(temporary) == []


def test_missing_temporary_folder_is_told_without_its_path(server: Server, temporary: Path) -> None:
    temporary.rmdir()
    reply = server.get(EXPORT, VOTES)
    assert (reply.status, str(temporary) in reply.error) == (503, False)
    assert "the folder for temporary files cannot be used" in reply.error


def test_file_is_written_in_the_language_of_its_visitor(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    written, languages = downloads.write_file, []

    def write(*order: Any) -> Any:
        languages.append(present().tag)
        return written(*order)

    monkeypatch.setattr(downloads, "write_file", write)
    with speaking(pseudo_language()):
        assert server.get(EXPORT, VOTES).status == 200
    assert languages == [TAG]


def test_folder_of_a_killed_process_is_removed_after_a_day(server: Server, temporary: Path) -> None:
    for name, age_s in (("old", LEFT_OVER_S + 60), ("new", 60)):
        folder = temporary / f"{FOLDER}{name}"
        folder.mkdir()
        (folder / "votes.jsonl").write_text("words")
        os.utime(folder, (time.time() - age_s,) * 2)
    server.get(EXPORT, VOTES)
    assert left(temporary) == [f"{FOLDER}new"]


def test_file_is_sent_in_pieces(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PIECE_BYTES", 100)
    reply = Server(Source(home.store, PUBLIC)).get(EXPORT, VOTES)
    assert len(reply.body) > 1000
    assert reply.longest == 100
    assert len(reply.rows) == 3


def test_options_of_an_export_follow_the_address() -> None:
    order = downloads.read_order({"format": "votes", "counted": "1", "winner": "tie"}, False, CountingPolicy(), NOW)
    assert order.options == ExportOptions(
        filter=order.address.filter, counted_only=True, anonymous=True, final_by=NOW, running_studies=False
    )
