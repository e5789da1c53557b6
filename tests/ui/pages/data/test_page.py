"""The Data page over a real store: who sees what, which battles are listed, what an address costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from playground.battles import Moderation
from playground.clock import Clock
from playground.ratings.policy import CountingPolicy
from playground.settings import Settings
from playground.storage.database import store as store_module
from playground.storage.database.store import Store
from playground.ui.http.operator import HEADER, OperatorStatus
from playground.ui.pages.data import view
from playground.ui.pages.data.page import DataPage
from playground.ui.pages.data.panels import DataPanels, DataState, progress_html
from playground.ui.pages.data.view import DataReader
from playground.ui.texts import data as texts
from tests.conftest import OPERATOR_TOKEN, LiveApp
from tests.support.cast import ADA, BEN, GALPACA, HAIKU, MAMBA, House, house
from tests.support.page_events import send
from tests.support.storing import voted

NOW = "2026-11-20T19:00:31.000+00:00"


@dataclass
class Source:
    """The part of an arena that the page reads."""

    store: Store
    settings: Settings = field(default_factory=lambda: Settings(data="public"))
    policy: CountingPolicy = CountingPolicy()
    starters = {"code": (), "creative": ()}  # noqa: RUF012


@contextmanager
def judged(folder: Path) -> Iterator[House]:
    """30 revealed battles, newest "battle-30"; one that can be undone, one erased, one not judged."""
    home = house(folder)
    voted(home, "erased", owner=BEN)
    home.battles.erase(BEN)
    for number in range(1, 31):
        models = (MAMBA, GALPACA) if number == 30 else ("pocket-openalpaca", MAMBA)
        voted(home, f"battle-{number}", models=models)
        home.time.pass_s(1)
    home.battle_is_open("secret", instruction=HAIKU)
    home.battles.vote("secret", "a", ADA)
    home.battle_is_open("open")
    yield home
    home.store.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Battles for all tests that only read."""
    with judged(tmp_path_factory.mktemp("data")) as home:
        yield home


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[House]:
    """Battles for one test that adds or takes some."""
    with judged(tmp_path) as home:
        yield home


def page_of(home: House, settings: Settings | None = None) -> DataPage:
    source = Source(home.store, settings or Settings(data="public"))
    with gr.Blocks():
        page = DataPage(source)  # type: ignore[arg-type]
    page._reader = DataReader(source, Clock(lambda: NOW))  # type: ignore[arg-type]
    return page


def drawn(page: DataPage, query: str = "", is_operator: bool = False) -> dict[str, str]:
    """Return the HTML of the panels by name."""
    scope = {"playground.operator": OperatorStatus(is_operator)}
    updates = asyncio.run(page.draw(query, "1", SimpleNamespace(scope=scope)))  # type: ignore[arg-type]
    panels = page.panels
    return {name: updates[getattr(panels, name)] for name in ("lead", "filters", "said", "formats", "battles")}


def test_stranger_sees_a_sentence_and_no_data(home: House) -> None:
    page = page_of(home, Settings())
    html = drawn(page, "?format=votes")
    assert "Here only the operator sees it. If you want the data, ask the person or group who gave" in html["lead"]
    assert "<a href='./yours'>My data</a>" in html["lead"]
    told = drawn(page_of(home, Settings(contact="data@example.org <b>")))["lead"]
    assert "If you want the data, ask the operator: data@example.org &lt;b&gt;" in told
    assert [html[name] for name in ("filters", "formats", "battles")] == ["", "", ""]
    assert "battle-30" in drawn(page, is_operator=True)["battles"]


def test_only_the_operator_is_told_of_the_setting(home: House) -> None:
    assert "PLAYGROUND_DATA=public" in drawn(page_of(home, Settings()), is_operator=True)["lead"]
    assert "PLAYGROUND_DATA" not in drawn(page_of(home))["lead"]


def test_list_has_only_final_battles_with_words(home: House) -> None:
    html = drawn(page_of(home))
    assert "30 judged battles." in html["lead"]
    older = drawn(page_of(home), f"?before={_cursor(html['battles'])}")["battles"]
    listed = html["battles"] + older
    assert all(f"battle=battle-{number}&amp;" in listed for number in range(1, 31))
    assert not any(f"battle={hidden}&amp;" in listed for hidden in ("secret", "erased", "open"))
    assert "Older" not in older


def _cursor(html: str) -> str:
    return html.rpartition("before=")[2].partition("'")[0]


def test_newest_battle_comes_first_and_filters_choose(home: House) -> None:
    page = page_of(home)
    assert drawn(page)["battles"].index("battle=battle-30&amp;") < drawn(page)["battles"].index("battle=battle-29&amp;")
    html = drawn(page, f"?models={GALPACA}")
    assert "1 judged battle with these filters." in html["lead"]
    assert html["battles"].count("<li>") == 1
    assert f"value='{GALPACA}'" in html["filters"]
    none = drawn(page, "?words=zebra")
    assert texts.LEAD_NONE[True] in none["lead"]
    assert texts.NO_BATTLES in none["battles"]


@pytest.mark.parametrize("name", ["wrods", "study", "container"])
def test_unknown_name_in_the_address_is_an_error_that_names_it(home: House, name: str) -> None:
    html = drawn(page_of(home), f"?{name}=zebra&__theme=dark")
    assert f"{name}&#x27; in the address is not a filter; valid: category, origin" in html["said"]
    assert html["battles"] == ""
    assert "30 judged battles." in drawn(page_of(home), "?__theme=dark&__sign=abc")["lead"]


def test_format_in_the_address_is_looked_into(home: House) -> None:
    html = drawn(page_of(home), "?format=votes")["formats"]
    assert "30 rows, about " in html
    assert "Licenses: 29 rows for commercial use, 1 row non-commercial or unknown." in html
    assert ADA not in html
    assert "<table>" not in drawn(page_of(home))["formats"]


def test_rater_ids_are_for_the_operator(home: House) -> None:
    page = page_of(home)
    assert ADA in drawn(page, "?format=votes&ids=1", is_operator=True)["formats"]
    html = drawn(page, "?format=votes&ids=1")
    assert texts.RATERS_ARE_HIDDEN in html["said"]
    assert html["battles"] == ""


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?origin=alien", "valid: person"),
        ("?format=excel", "valid: format=votes"),
        ("?since=today", "a day such as"),
        (None, "too long"),
        (["?words=a"], "too long"),
        ("?words=" + "x" * 5000, "too long"),
    ],
    ids=str,
)
def test_odd_address_is_explained(home: House, query: object, words: str) -> None:
    html = drawn(page_of(home), query)  # type: ignore[arg-type]
    assert words in html["said"]
    assert "class='error'" in html["said"]
    assert html["battles"] == ""
    assert html["filters"] != ""


def test_address_that_was_drawn_is_named(home: House) -> None:
    assert "data-query='?words=&lt;b&gt;'" in drawn(page_of(home), "?words=<b>")["said"]


def test_format_of_two_models_says_which_met(home: House) -> None:
    assert "models=A,B" in drawn(page_of(home), "?format=llm-comparator")["formats"]


def test_counts_and_looks_are_reused_and_the_list_is_not(changing: House) -> None:
    page = page_of(changing)
    drawn(page, "?format=votes")
    voted(changing, "new")
    html = drawn(page, "?format=votes")
    assert "battle=new&amp;" in html["battles"]
    assert "30 judged battles" in html["lead"]
    assert "30 rows" in html["formats"]


@pytest.mark.parametrize("most_s", [60.0, -1.0], ids=["brief", "long"])
def test_page_of_a_mounted_database_reads_a_copy_where_votes_would_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_s: float
) -> None:
    monkeypatch.setattr(view, "BRIEF_S", most_s)
    monkeypatch.setattr(store_module, "STEPS", 1)
    home = House(Store(tmp_path / "mounted.db", exclusive=True))
    for name in ("one", "two", "three"):
        voted(home, name)
    html = drawn(page_of(home), "?format=votes&origin=person")
    assert "3 judged battles with these filters." in html["lead"]
    assert html["battles"].count("<li>") == 3
    assert "3 rows, about " in html["formats"]
    Moderation(home.battles).hide("two")
    assert drawn(page_of(home), "?format=votes&origin=person")["battles"].count("<li>") == 2
    home.store.close()


@pytest.mark.slow
def test_words_that_were_erased_or_hidden_leave_a_look_at_once(changing: House) -> None:
    page = page_of(changing)
    for name in ("hidden-later", "erased-later"):
        voted(changing, name, owner=BEN)
    changing.time.pass_s(10)
    page._reader = DataReader(page._reader._arena, Clock(lambda: "2026-11-21T19:00:00.000+00:00"))
    assert "32 rows" in drawn(page, "?format=votes")["formats"]
    Moderation(changing.battles).hide("hidden-later")
    assert "31 rows" in drawn(page, "?format=votes")["formats"]
    changing.battles.erase(BEN)
    assert "30 rows" in drawn(page, "?format=votes")["formats"]


def test_form_stays_as_it_is_unless_the_address_changed_elsewhere() -> None:
    with gr.Blocks():
        panels = DataPanels.build()
    kept = panels.render(DataState("?words=a", redraws_form=False))[panels.filters]
    assert kept == gr.skip()
    assert set(panels.render(DataState(""))) == set(panels.outputs)


def test_progress_is_hidden_and_labelled_until_a_download() -> None:
    html = progress_html()
    assert "<div id='data-progress' hidden" in html
    assert "<progress max='1' aria-label='Download'>" in html


def test_forged_event_of_a_stranger_gets_no_data(live_app: LiveApp) -> None:
    reply = send(live_app, "data-show", "click", "?format=votes", "1")
    assert "Here only the operator sees it." in reply
    assert "data-form" not in reply
    as_operator = send(live_app, "data-show", "click", "", "1", **{HEADER: OPERATOR_TOKEN})
    assert "data-form" in as_operator
