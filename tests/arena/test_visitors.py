"""Visitors who leave and sessions that are evicted, over a real arena."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.clock import Clock
from playground.rater_ids import rater_id
from playground.records import BattleState
from playground.settings import Settings
from tests.arena.test_arena import write_card
from tests.support.blindness import PageVisitor, read_config
from tests.support.calling import Config, Visitor, battle_in, composed, event, named, press
from tests.support.checkpoints import write_checkpoint
from tests.support.patience import wait_until
from tests.support.serving import address_of, serving


@dataclass(frozen=True)
class Page:
    """A page in this process that keeps the state of one tab only."""

    arena: Arena
    url: str
    config: Config
    told_s: list[float]

    def pass_s(self, seconds: float) -> None:
        """Let time pass; by itself it hardly does, so that a slow visitor is not taken for one who left."""
        self.told_s[0] += seconds

    def battles(self, *states: BattleState) -> list[str]:
        with self.arena.store.reading() as reading:
            return list(reading.battles_in(*states))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[Page]:
    home: Path = tmp_path_factory.mktemp("visitors")
    (home / "cards").mkdir()
    for kind in ("llama", "opt"):
        write_card(home / "cards", write_checkpoint(home / kind, kind))
    settings = Settings(
        db=home / "playground.db", cards=str(home / "cards"), models="tiny-llama,tiny-opt", abandon_s=10.0
    )
    told_s = [0.0]
    arena = Arena(settings, clock=Clock(monotonic=lambda: told_s[0] + time.monotonic() / 1000))
    arena.open()
    with serving(arena, state_session_capacity=1) as demo:
        url = address_of(demo)
        yield Page(arena, url, read_config(url), told_s)
    arena.close()


def begun(page: Page) -> Visitor:
    """Return a visitor who has begun a long comparison and read nothing yet."""
    visitor = Visitor(page.url)
    long = {"sampling_max_new_tokens": "220", "sampling_min_new_tokens": "220", "columns_count": 6}
    data = composed(page.config, instruction="What is the capital of France?", **long)
    visitor.battle_id = battle_in(press(visitor, page.config, "compare_1", data))
    watching = event(page.config, "follow")["id"]
    assert visitor.join(watching, named(page.config, "follow", visitor.battle_id)).status == 200
    return visitor


def never_reads(visitor: Visitor) -> None:
    pass


def reads_half(visitor: Visitor) -> None:
    """Hang up when the battle has begun."""
    query = urlencode({"session_hash": visitor.session})
    with urllib.request.urlopen(f"{visitor.url}/gradio_api/queue/data?{query}", timeout=60) as reply:
        while b"data-beat" not in reply.readline():
            pass


def reads_all(visitor: Visitor) -> None:
    visitor.rest()


@pytest.mark.proves("visitor gone before, while and after")
@pytest.mark.parametrize("reads", [never_reads, reads_half, reads_all])
def test_battle_of_a_gone_visitor_ends_and_can_be_reopened(page: Page, reads: Callable[[Visitor], None]) -> None:
    before = set(page.battles(*BattleState))
    visitor = begun(page)
    reads(visitor)
    wait_until(lambda: set(page.battles(*BattleState)) - before)
    page.pass_s(2 * page.arena.settings.abandon_s)
    wait_until(lambda: not page.arena.running and not page.battles(BattleState.GENERATING))
    (left,) = set(page.battles(*BattleState)) - before
    view = page.arena.battles.view(left, Viewer(rater_id(visitor.secret)))
    if view.state is BattleState.OPEN:
        again = PageVisitor(page.url, page.config, visitor.secret)
        again.load(left)
        again.click("vote-tie")
        assert page.arena.battles.view(left, Viewer(rater_id(visitor.secret))).choice == "tie"
    else:
        assert (view.state, view.void_reason) == (BattleState.VOID, "failed"), "stopped before it had a word"


@pytest.mark.proves("session state evicted")
def test_a_tab_that_was_forgotten_goes_on_from_the_database(page: Page) -> None:
    ada, ben = PageVisitor(page.url, page.config), PageVisitor(page.url, page.config)
    ada.follow(ada.compare("What is the capital of France?"))
    first = ada.battle_id
    ben.follow(ben.compare("What is the capital of Spain?"))  # of two tabs the page keeps the later one
    ada.click("vote-b")
    assert page.arena.battles.view(first, Viewer(rater_id(ada.secret))).choice == "b"
