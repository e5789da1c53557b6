"""The ledger has every model that was tested, by variant, and no battle whose models somebody may not know yet."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from playground.arena.ledger import draw_probabilities, read_ledger
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.ratings.pairing import Pairing
from playground.records import Ledger, LedgerEntry
from playground.ui.pages.models.ledger import ledger_html, state_words
from tests.support.cast import ADA, FAILED, GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.judged import table_of

CATALOG = Catalog.load()
DAY_S = 86400.0


def ledger_of(home: House, *models: str, catalog: Catalog = CATALOG) -> Ledger:
    return read_ledger(home.store, catalog, models, home.time.now(), None)


def told(ledger: Ledger) -> list[tuple[str, int, int, bool]]:
    return [
        (entry.model, *((entry.variant.battles, entry.variant.drawn) if entry.variant else (0, 0)), entry.is_here)
        for entry in ledger.entries
    ]


def reveal(home: House, name: str, models: tuple[str, ...] = (OPENALPACA, MAMBA), **changes: object) -> None:
    home.battle_is_open(name, models, **changes)
    home.battles.vote(name, "a", ADA, final=True)


def test_ledger_counts_battles_of_models_here_gone_and_new() -> None:
    home = house()
    reveal(home, "drawn", draw_probability=0.5)
    home.time.pass_s(2 * DAY_S)
    reveal(home, "chosen", created_at=home.time.now())
    ledger = ledger_of(home, OPENALPACA, GALPACA)
    assert told(ledger) == [(OPENALPACA, 2, 1, True), (GALPACA, 0, 0, True), (MAMBA, 2, 1, False)]
    assert (ledger.models_here, ledger.models_ever) == (2, 3)
    assert [entry.draw_probability for entry in ledger.entries] == [1.0, 1.0, None]
    variant = ledger.entries[0].variant
    assert variant is not None
    assert (variant.first_day, variant.last_day) == ("2026-11-20", "2026-11-22")


def test_another_revision_is_another_variant() -> None:
    home = house()
    reveal(home, "old")
    reveal(home, "new", ends={"b": {"model_revision": "4567def"}})
    entries = [entry for entry in ledger_of(home, MAMBA).entries if entry.model == MAMBA]
    assert [entry.variant.battles for entry in entries if entry.variant] == [1, 1]
    assert len({entry.variant.revision for entry in entries if entry.variant}) == 2


def test_models_of_a_battle_are_counted_after_its_reveal() -> None:
    home = house()
    home.battle_is_open("open")
    home.battle_is_open("voted")
    home.battles.vote("voted", "a", ADA)
    home.battle_is_open("failed", ends={"a": FAILED, "b": FAILED})
    assert told(ledger_of(home)) == []
    home.battles.reveal("voted", ADA)
    assert told(ledger_of(home)) == [(MAMBA, 1, 0, False), (OPENALPACA, 1, 0, False)]
    home.time.pass_s(DAY_S)
    assert {battles for _, battles, *_ in told(ledger_of(home))} == {2}, "a void battle of yesterday"


def test_retired_card_says_why_and_is_in_no_default_line_up(tmp_path: Path) -> None:
    text = (CARD_FOLDER / f"{MAMBA}.toml").read_text().replace("[sampling]", 'retired = "too slow"\n[sampling]', 1)
    (tmp_path / f"{MAMBA}.toml").write_text(text.replace("weights/", f"{CARD_FOLDER.parents[1]}/pocket/weights/"))
    catalog = Catalog.load((CARD_FOLDER, tmp_path))
    assert catalog.card(MAMBA).retired == "too slow"
    assert MAMBA not in {card.id for card in catalog.line_up()}
    home = house()
    reveal(home, "drawn")
    gone = next(entry for entry in ledger_of(home, OPENALPACA, catalog=catalog).entries if not entry.is_here)
    assert state_words(gone) == "retired: too slow"


def test_draw_probabilities_follow_the_chances_of_pairs() -> None:
    models = (OPENALPACA, MAMBA, GALPACA)
    assert draw_probabilities(models, None) == dict.fromkeys(models, pytest.approx(2 / 3))
    often = [(OPENALPACA, MAMBA, "tie", 40), (OPENALPACA, GALPACA, "tie", 4), (MAMBA, GALPACA, "tie", 4)]
    chances = draw_probabilities(models, Pairing.of(table_of(*often)))
    assert sum(chances.values()) == pytest.approx(2)
    assert chances[GALPACA] > 2 / 3 > chances[MAMBA]


def test_page_lists_the_ledger() -> None:
    home = house()
    reveal(home, "drawn", draw_probability=0.5)
    html = ledger_html(ledger_of(home, OPENALPACA, GALPACA))
    assert "Models ever tested here: 3 (2 variants). Answering now: 2." in html
    assert "answers here; no battle yet" in html
    assert "does not answer here; its card gives no reason" in html
    assert "being read" in ledger_html(None)
    named = LedgerEntry("x", "<b>", None, False, None, "<i>")
    assert "&lt;b&gt;" in ledger_html(Ledger((named,), 0, 1))
    assert "retired: &lt;i&gt;" in ledger_html(Ledger((named,), 0, 1))
    assert dataclasses.asdict(named)["why_retired"] == "<i>"
