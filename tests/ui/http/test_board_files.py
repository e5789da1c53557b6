"""Files of the Leaderboard page."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.settings import Settings
from playground.ui.http.board_files import EXPORT, BoardFiles, csv_of
from tests.support.stub_arena import StubArena


@pytest.fixture
def client() -> TestClient:
    arena = StubArena(Settings())
    app = Starlette()
    app.add_middleware(BoardFiles, arena=arena)  # type: ignore[arg-type]
    return TestClient(app)


def test_json_is_the_document_of_the_board(client: TestClient) -> None:
    reply = client.get(EXPORT)
    assert reply.headers["content-disposition"] == 'attachment; filename="playground-leaderboard.json"'
    expected = StubArena(Settings()).leaderboard().as_document()
    assert reply.json() == json.loads(json.dumps(expected))


def test_csv_has_a_line_for_each_row(client: TestClient) -> None:
    reply = client.get(f"{EXPORT}?container=csv")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))
    rows = StubArena(Settings()).leaderboard().rows
    assert [line["model"] for line in lines] == [row.model for row in rows]
    assert [float(line["rating"]) for line in lines] == [row.rating for row in rows]


def test_csv_is_safe_in_spreadsheets() -> None:
    board = StubArena(Settings()).leaderboard()
    hostile = replace(
        board, rows=(replace(board.rows[0], name='=HYPERLINK("x")', rating=-20.0, rating_with_flagged=None),)
    )
    text = csv_of(hostile)
    assert text.startswith("\ufeff")
    [line] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert line["name"] == '\'=HYPERLINK("x")'
    assert line["rating"] == "-20.0"
    assert line["rating_with_flagged"] == ""
    assert line["provisional"] == str(board.rows[0].provisional).lower()


def test_file_is_of_the_filter_in_its_address(client: TestClient) -> None:
    assert client.get(f"{EXPORT}?category=list").json()["num_votes"] == 0


def test_file_has_the_intervals_that_its_address_asks_for(client: TestClient) -> None:
    wide, usual = (client.get(f"{EXPORT}?level={level}").json() for level in ("0.99", "0.95"))
    assert (wide["options"]["level"], usual["options"]["level"]) == (0.99, 0.95)
    assert (wide["options"]["filtered"], usual["options"]["filtered"]) == (True, False)
    assert wide["rows"][0]["rating"] == usual["rows"][0]["rating"]
    assert wide["rows"][0]["rating_lower"] < usual["rows"][0]["rating_lower"]


@pytest.mark.parametrize("query", ["container=xlsx", "bootstrap=5000", "orgin=person", "mine=1", "since=yesterday"])
def test_wrong_address_is_refused_in_words(client: TestClient, query: str) -> None:
    reply = client.get(f"{EXPORT}?{query}")
    assert reply.status_code == 400
    assert len(reply.json()["error"]) > 20


def test_head_has_no_body_and_other_addresses_are_passed_on(client: TestClient) -> None:
    assert client.head(EXPORT).content == b""
    assert client.get("/leaderboard/other").status_code == 404
