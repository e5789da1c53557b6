"""Views of a battle, blind and open."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import permutations
from pathlib import Path

import pytest

from playground.battles import Moderation
from playground.records import (
    BattleState,
    BattleView,
    ColumnState,
    FinishReason,
    LiveColumn,
)
from playground.storage.database.store import Store
from tests.battles.seen import models_of, refusal_of
from tests.support.cast import (
    ADA,
    BEN,
    EMPTY,
    FAILED,
    GALPACA,
    LICENSES,
    MAMBA,
    MODELS,
    House,
    battle,
    generation,
    house,
)

_, _, VOTED, REVEALED, VOID = BattleState


def sent(view: BattleView) -> str:
    return json.dumps(asdict(view), default=str, sort_keys=True)


IDENTITY = ("pocket-", "org/", "0123abc", "apache", "cc-by", "torch", "ff" * 32)


def test_while_blind_nothing_but_text_and_failure_is_sent(home: House) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED, "c": {"finish_reason": FinishReason.CANCELLED}})
    for _ in range(2):
        view = home.battles.view("battle-1", ADA)
        assert [column.state for column in view.columns] == ["done", "failed", "done"]
        for column in view.columns:
            assert (column.error, column.finish_reason, column.card, column.generation) == (None,) * 4
            assert (column.num_tokens, column.tokens_per_s, column.first_token_s) == (None,) * 3
        assert not [word for word in IDENTITY if word in sent(view)]
        assert models_of(home.battles.vote("battle-1", "a", ADA)) == []
    revealed = (home.battles.reveal("battle-1", ADA), home.battles.view("battle-1", ADA))[1]
    assert [column.state for column in revealed.columns] == ["done", "failed", "stopped"]
    assert [column.card.license for column in revealed.columns if column.card] == [LICENSES[name] for name in MODELS]
    assert revealed.columns[1].error == "it broke"
    assert revealed.columns[0].tokens_per_s == pytest.approx(2.0)


@pytest.mark.parametrize("until", ["generating", "half", "open", "voted", "void"])
def test_blind_view_does_not_depend_on_the_order_of_models(until: str) -> None:
    seen = set()
    for models in permutations(MODELS):
        home = house()
        ends = {"a": FAILED, "b": EMPTY} if until == "void" else {}
        if until in ("generating", "half"):
            home.battles.create(battle(models=models))
            if until == "half":
                slow = models.index(GALPACA)
                for side, model in zip("abc", models, strict=True):
                    if side != "abc"[slow]:
                        home.battles.finish("battle-1", {side: generation(side, model)})
        else:
            home.battle_is_open(models=models, ends=ends)
            if until == "voted":
                home.battles.vote("battle-1", "b", ADA)
        seen.add(sent(home.battles.view("battle-1", ADA)))
    assert len(seen) == 1


def test_running_blind_columns_share_one_state_and_status(home: House) -> None:
    home.battles.create(battle(models=MODELS))
    live = {
        "a": LiveColumn("a", ColumnState.DONE, "all", num_tokens=3, first_token_s=0.1, duration_s=1.0),
        "b": LiveColumn("b", ColumnState.LOADING, "", "loading, about 40 s"),
        "c": LiveColumn("c", ColumnState.WRITING, "so", num_tokens=1),
    }
    view = home.battles.view("battle-1", ADA, live)
    assert [(column.state, column.status, column.text) for column in view.columns] == [
        ("loading", "", "all"), ("loading", "", ""), ("loading", "", "so")
    ]  # fmt: skip
    assert {(column.num_tokens, column.first_token_s, column.error) for column in view.columns} == {(None, None, None)}
    ended = {side: replace(column, state=ColumnState.STOPPED) for side, column in live.items()}
    ended["c"] = LiveColumn("c", ColumnState.FAILED, error="out of memory")
    view = home.battles.view("battle-1", ADA, ended)
    assert [(column.state, column.error) for column in view.columns] == [
        ("done", None), ("done", None), ("failed", None)
    ]  # fmt: skip


def test_a_blind_battle_does_not_show_which_column_was_first_to_end(home: House) -> None:
    home.battles.create(battle())
    home.battles.finish("battle-1", {"a": generation("g", text="the whole answer")})
    live = {"b": LiveColumn("b", ColumnState.WRITING, "the"), "a": LiveColumn("a", ColumnState.WRITING, "the")}
    view = home.battles.view("battle-1", ADA, live)
    assert [(column.state, column.text) for column in view.columns] == [("writing", "the")] * 2
    assert "whole" not in sent(home.battles.view("battle-1", ADA))


def test_reasoning_is_sent_after_the_reveal(home: House) -> None:
    home.battle_is_open(ends={"a": {"reasoning": "Gulls are grey."}})
    for view in (home.battles.view("battle-1", ADA), home.battles.vote("battle-1", "a", ADA)):
        assert [column.reasoning for column in view.columns] == ["", ""]
        assert "Gulls are grey" not in sent(view)
    home.battles.reveal("battle-1", ADA)
    assert [column.reasoning for column in home.battles.view("battle-1", BEN).columns] == ["Gulls are grey.", ""]
    Moderation(home.battles).hide("battle-1")
    assert "Gulls are grey" not in sent(home.battles.view("battle-1", BEN))


def test_in_open_mode_everything_is_sent_as_it_comes(home: House) -> None:
    home.battles.create(battle(blind=False))
    home.battles.finish("battle-1", {"a": generation("g")})
    live = {"b": LiveColumn("b", ColumnState.LOADING, "", "loading, about 4 s")}
    first, second = home.battles.view("battle-1", ADA, live).columns
    assert first.generation == generation("g")
    assert (second.state, second.status, second.card and second.card.id) == ("loading", "loading, about 4 s", MAMBA)
    assert refusal_of(lambda: home.battles.view("battle-1", BEN)) == "foreign"


def test_a_revealed_battle_can_be_visited_without_its_comment(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "b", ADA, final=True, comment="my own words", reasons=["clear"])
    view = home.battles.view("battle-1", BEN)
    assert (view.mine, view.may_vote, view.choice, view.comment, view.reasons) == (False, False, "b", "", ())
    assert view.columns[0].card is not None


def test_view_tells_stored_from_in_memory(tmp_path: Path) -> None:
    for made in (house(tmp_path), house()):
        made.battle_is_open()
        assert made.battles.view("battle-1", ADA).stored is made.store.stored
        made.store.close()


def test_read_only_store_sees_expiry(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    assert home.store.path is not None
    beside = House(Store(home.store.path, read_only=True), home.time)
    home.time.pass_s(6)
    assert beside.battles.view("battle-1", BEN).state is REVEALED
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert stored.state is VOTED
    beside.store.close()
    home.store.close()


def test_void_blind_battle_shows_which_answer_failed_but_no_models(home: House) -> None:
    home.battle_is_open(ends={"a": FAILED})
    view = home.battles.view("battle-1", ADA)
    assert view.state is VOID
    assert [c.error for c in view.columns] == ["This answer failed.", None]
    assert {(c.card, c.generation) for c in view.columns} == {(None, None)}
