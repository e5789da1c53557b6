"""The publication on the Operator page: checked, decided battle by battle, published to a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from playground.arena.arena import Arena
from playground.arena.publisher import Publisher
from playground.publishing.hub import Dataset
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.ui.http.operator import OperatorStatus
from playground.ui.pages.operator.publication import PublicationPanel
from playground.ui.texts import operator as texts
from tests.publishing.publishing import every_kind
from tests.support.cast import House
from tests.support.hub_server_datasets import WRITE, DatasetServer, datasets_for
from tests.support.patience import wait_until

REPO = "herd/public-votes"
OPERATOR, OTHER = (
    SimpleNamespace(scope={"playground.operator": OperatorStatus(is_operator)}) for is_operator in (True, False)
)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetServer]:
    with datasets_for(monkeypatch, tmp_path) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with Store(tmp_path / "playground.db") as store:
        made = House(store)
        every_kind(made)
        yield made


@pytest.fixture(scope="module")
def empty() -> Arena:
    """An arena that opens no models."""
    return Arena(Settings())


@pytest.fixture
def arena(empty: Arena, home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    """The same with a database and a dataset."""
    monkeypatch.setattr(empty, "settings", Settings(db=tmp_path / "playground.db", publication=REPO))
    empty.battles.open(home.store)
    yield empty
    empty.battles.close()


@pytest.fixture
def publisher(arena: Arena, hub: DatasetServer) -> Publisher:
    return Publisher(arena, lambda repo: Dataset(repo, WRITE, hub.url))


@pytest.fixture
def panel(arena: Arena, publisher: Publisher) -> PublicationPanel:
    with gr.Blocks():
        return PublicationPanel(arena, publisher)


def ended(panel: PublicationPanel, publisher: Publisher) -> tuple[str, str]:
    """Wait for the end of what is running; return what the page says, and its list."""
    wait_until(lambda: not publisher.state.running)
    drawn = panel.follow(OPERATOR)
    return drawn[panel.said], drawn[panel.found]


def press(panel: PublicationPanel, do: object, battle: object, by: Any = OPERATOR) -> dict[Any, Any]:
    return panel.press_held_back(gr.EventData(None, {"do": do, "battle": battle}), by)


def test_operator_checks_decides_and_publishes(
    panel: PublicationPanel, publisher: Publisher, hub: DatasetServer, home: House
) -> None:
    panel.begin_check(OPERATOR)
    said, found = ended(panel, publisher)
    assert "votes would be published. Left out: " in said
    assert "2 held back because of what looks like personal data" in said
    assert "instruction: phone number +4…21" in found
    assert "7654321" not in found
    assert found.count("<li>") == 2
    press(panel, "release", "personal")
    assert ended(panel, publisher)[1].count("<li>") == 1
    press(panel, "hide", "signed")
    assert ended(panel, publisher)[1] == ""
    assert home.store.battle("signed").withheld == "hidden"  # type: ignore[union-attr]
    panel.begin_publishing(OPERATOR)
    said, _ = ended(panel, publisher)
    assert f"Published to {REPO}: " in said
    assert "manifest.json" in hub.files(REPO)
    panel.begin_publishing(OPERATOR)
    assert f"{REPO} has the same " in ended(panel, publisher)[0]


def test_refusal_of_the_hub_is_said(arena: Arena, hub: DatasetServer) -> None:
    publisher = Publisher(arena, lambda repo: Dataset(repo, "hf_wrong", hub.url))
    with gr.Blocks():
        panel = PublicationPanel(arena, publisher)
    panel.begin_publishing(OPERATOR)
    said, _ = ended(panel, publisher)
    assert "Nothing was published: " in said
    assert "class='error'" in said


def test_nobody_else_sees_or_starts_anything(panel: PublicationPanel, publisher: Publisher) -> None:
    publisher.check()
    wait_until(lambda: not publisher.state.running)
    before = publisher.state
    updates = [panel.begin_check(OTHER), panel.begin_publishing(OTHER), panel.follow(OTHER)]
    updates += [press(panel, do, "personal", OTHER) for do in ("hide", "release")]
    assert all(texts.NOT_YOURS in update[panel.said] for update in updates)
    drawn = panel.draw(OTHER)
    assert (drawn[panel.said], drawn[panel.found]) == ("", "")
    assert not [word for word in ("personal", "phone", "+4") if word in str(updates) + str(drawn)]
    assert publisher.state is before


def test_forged_press_is_explained(panel: PublicationPanel) -> None:
    forged: tuple[tuple[object, object, str], ...] = (
        ("delete", "personal", texts.NO_SUCH_RELEASE),
        ("release", ["personal"], texts.NO_SUCH_RELEASE),
        (None, None, texts.NO_SUCH_RELEASE),
        ("release", "round-1", "round-1 is not held back"),
        ("hide", "nowhere", "There is no such battle here"),
    )
    for do, battle, words in forged:
        assert words in press(panel, do, battle)[panel.said], (do, battle)


def test_playground_without_a_publication_only_checks(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "settings", Settings(db=arena.settings.db))
    with gr.Blocks():
        panel = PublicationPanel(arena)
    assert panel.publish.visible is False
    assert "PLAYGROUND_PUBLICATION names no dataset" in panel.begin_publishing(OPERATOR)[panel.said]


@pytest.mark.parametrize("repo", ["", REPO])
def test_page_without_a_dataset_says_how_to_publish(
    empty: Arena, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repo: str
) -> None:
    monkeypatch.setattr(empty, "settings", Settings(db=tmp_path / "playground.db", publication=repo))
    with gr.Blocks() as demo:
        panel = PublicationPanel(empty)
    said = "".join(str(block.value) for block in demo.blocks.values() if isinstance(block, gr.HTML))
    assert ("set PLAYGROUND_PUBLICATION" in said) is not panel.publish.visible
