"""A panel on loopback and the real program: signed links in, one code out for every outcome."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from playground.studies.panel import Redirect
from playground.studies.study_file import Attention, Check
from tests.conftest import PATIENCE_S, LiveApp, free_port, start_app, stop_app, without_models
from tests.support.cast import house
from tests.support.panel_server import KEYS, PanelServer, new_key, paneling
from tests.support.paneling import CODES, PROLIFIC, paneled

pytestmark = pytest.mark.slow

SHARE, ITEMS = 2, 7


@dataclass
class Rater:
    """A person whom the panel sends, with a browser of their own."""

    app: LiveApp
    panel: PanelServer
    id: str
    session: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_S))
    key: str = ""

    @property
    def page(self) -> str:
        return f"{self.app.url}/rate?study=helpful"

    def open(self, **changes: Any) -> httpx.Response:
        """Follow the panel's link."""
        reply = self.http.get(self.panel.link(self.page, self.id, self.session, **changes))
        if reply.status_code == 303:
            address = urlsplit(str(reply.headers["location"]))
            assert self.id not in reply.headers["location"]
            self.key = parse_qs(address.fragment)["key"][0]
            self.http.get(f"{self.app.url}/{address.path.lstrip('./')}?{address.query}").raise_for_status()
        return reply

    def next(self, *have: str) -> Any:
        asked = {"study": "helpful", "key": self.key, "have": list(have)}
        return self.http.post(f"{self.app.url}/rate/next", json=asked).raise_for_status().json()

    def vote(self, item: Any, right: bool = True) -> None:
        good = next((side["side"] for side in item["sides"] if side["text"].startswith("good")), "a")
        bad = "b" if good == "a" else "a"
        ballot = {"battle": item["battle"], "choice": good if right else bad, "revision": item["revision"]}
        assert self.http.post(f"{self.app.url}/vote", json=ballot).json()["accepted"]

    def work(self, check: bool = True, attention: bool = True) -> str | None:
        """Judge until there is no more, and go back to the panel; return the code that the page shows."""
        while (given := self.next())["item"] is not None:
            item = given["item"]
            self.vote(item, check if "Check check" in item["instruction"] else attention)
        if given["end"]["address"] is not None:
            self.http.get(given["end"]["address"]).raise_for_status()
        return given["end"]["code"]


@dataclass(frozen=True)
class Place:
    """A running playground with a study of a panel."""

    app: LiveApp
    panel: PanelServer

    def rater(self, number: int, session: int | None = None) -> Rater:
        return Rater(self.app, self.panel, f"{number:024x}", f"{session or 1000 + number:024x}")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("panel")
    with paneling() as panel:
        port = free_port()
        back = Redirect(**dict.fromkeys(CODES, f"{panel.url}/complete?cc={{code}}"))
        keys = {"jwks": panel.url + KEYS, "audience": f"http://127.0.0.1:{port}"}
        own = replace(PROLIFIC, attention_items=1, redirect=back, **keys)
        home = house(folder)
        paneled(
            home,
            ITEMS,
            own,
            votes_per_rater=SHARE,
            check=Check("check.jsonl"),
            checks=1,
            attention=Attention("attention.jsonl", every=1),
            attentions=4,
        )
        home.store.close()
        app = start_app(folder, *without_models(folder), port=port)
        yield Place(app, panel)
        stop_app(app)


def test_every_outcome_has_its_code(place: Place) -> None:
    """Seven battles are enough for three shares of two; the fourth rater gets one, the fifth none."""
    done, out, missed, again, late, later = (place.rater(number) for number in range(1, 7))
    for rater in (done, out, missed, again, late, later):
        assert rater.open().status_code == 303
    assert done.work() == "CDONE"
    assert out.work(check=False) == "COUT"
    assert missed.work(attention=False) == "CMISSED"
    assert again.work() == "CDONE"
    assert late.work() == "COURS"
    assert later.work() == "COURS"
    assert place.panel.codes == ["CDONE", "COUT", "CMISSED", "CDONE", "COURS", "COURS"]
    replayed = Rater(place.app, place.panel, done.id, done.session)
    assert replayed.open().status_code == 303
    assert replayed.work() == "CDONE"
    outcomes = place.rows("SELECT outcome FROM panel_raters ORDER BY number")
    assert [outcome for (outcome,) in outcomes] == [
        "complete",
        "screened_out",
        "attention_failed",
        "complete",
        "our_fault",
        "our_fault",
    ]
    assert place.panel.keys_asked == 1
    stored = [
        path for path in place.app.db.parent.rglob("*") if path.is_file() and not path.name.startswith("playground.db")
    ]
    assert place.app.log in stored
    assert not any(rater.id.encode() in path.read_bytes() for rater in (done, out, late) for path in stored)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": new_key("one")}, "The signature of this link is not valid"),
        ({"exp": 1_700_000_000}, "This link has expired"),
        ({"aud": "https://elsewhere.example.org"}, "The signature of this link is not valid"),
        ({"ids": {"STUDY_ID": "0" * 24}}, "The signature of this link is not valid"),  # beside another one in the link
        ({"ids": {"PROLIFIC_PID": "f" * 24}}, "The signature of this link is not valid"),
    ],
)
def test_forged_link_opens_a_page_that_says_so(place: Place, changes: dict[str, Any], said: str) -> None:
    before = place.rows("SELECT count(*) FROM study_raters")
    reply = place.rater(70).open(**changes)
    assert (reply.status_code, said in reply.text) == (403, True)
    assert place.rows("SELECT count(*) FROM study_raters") == before


@pytest.mark.parametrize(
    "query", ["PROLIFIC_PID=%00", "PROLIFIC_PID=a%27b&STUDY_ID=c&SESSION_ID=d", "rater=%F0%9F%90%B3&sig=x"]
)
def test_ids_with_odd_characters_open_a_page_that_says_so(place: Place, query: str) -> None:
    reply = httpx.get(f"{place.app.url}/rate?study=helpful&{query}", timeout=PATIENCE_S)
    assert (reply.status_code, "This link does not open the study" in reply.text) == (403, True)


def test_second_session_of_a_rater_is_refused_and_a_second_browser_is_not(place: Place) -> None:
    first = place.rater(90)
    assert first.open().status_code == 303
    item = first.next()["item"]
    other = place.rater(90, session=77).open()
    assert (other.status_code, "in another session of your panel" in other.text) == (403, True)
    phone = place.rater(90)
    assert phone.open().status_code == 303
    assert phone.key == first.key
    assert phone.next()["item"]["battle"] != item["battle"]
    assert place.rows(f"SELECT state FROM battles WHERE id = '{item['battle']}'") == [("void",)]
