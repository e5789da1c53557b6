"""Models in a few words and as documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.arena.listing import current_leaderboard, model_rows, public_statuses, sources_line
from playground.catalog.catalog import Catalog
from playground.catalog.model_folders import without_folders
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_filter import on_rows, read_board_filter
from playground.ratings.policy import CountingPolicy
from playground.records import ModelStatus
from tests.support.cast import ADA, BEN, GALPACA, HAIKU, MAMBA, OPENALPACA, House, card, house

POCKET = [card(model_id, stands_in_for="the real one") for model_id in (OPENALPACA, MAMBA, GALPACA)]


def statuses(*states: str, device: str = "") -> list[ModelStatus]:
    return [ModelStatus(c.id, state, device=device) for c, state in zip(POCKET, states, strict=True)]


@pytest.mark.parametrize(
    ("states", "device", "words"),
    [
        (("queued", "loading", "loading"), "", "pocket models · 0 of 3 loaded · votes saved"),
        (("ready", "loading", "ready"), "cpu", "pocket models · this CPU · 2 of 3 loaded · votes saved"),
        (("ready", "ready", "ready"), "cpu", "pocket models · this CPU · votes saved"),
        (("ready", "failed", "ready"), "cpu", f"pocket models · this CPU · {MAMBA} failed to load · votes saved"),
        (("failed", "failed", "ready"), "cpu", "pocket models · this CPU · 2 failed to load · votes saved"),
        (("ready",) * 3, "cuda:0 NVIDIA H200", "pocket models · cuda:0 NVIDIA H200 · votes saved"),
    ],
)
def test_the_chip_says_where_answers_come_from(states: tuple[str, ...], device: str, words: str) -> None:
    assert sources_line(POCKET, statuses(*states, device=device)) == words


def test_other_models_are_counted() -> None:
    assert sources_line([card(), card(MAMBA)], []) == "2 models · votes saved"
    assert sources_line([card()], []) == "1 model · votes saved"
    assert sources_line([], []) == "no models · votes saved"


def test_a_row_says_where_a_model_stands_and_off_where_nothing_runs() -> None:
    rows = model_rows(POCKET[:2], [ModelStatus(OPENALPACA, "failed", "no such folder")])
    assert [(row["state"], row["detail"]) for row in rows] == [("failed", "no such folder"), ("off", "")]


def test_row_names_the_feed() -> None:
    remote = card(engine="remote", servers=("http://far/v1",), feed="text")
    assert [row["feed"] for row in model_rows([card(), remote], [])] == ["ids", "text"]


def test_where_models_take_turns_nobody_is_told_who_is_up() -> None:
    up = ModelStatus("a", "ready", device="cpu", load_s=1.0, placement="this CPU, beside b")
    waits = ModelStatus("b", "asleep", placement="this CPU in turns", takes_turns=True)
    broken = ModelStatus("c", "failed", detail="its weights are missing")
    assert public_statuses([up, broken]) == [up, broken]
    hidden = public_statuses([up, waits, broken])
    assert [status.state for status in hidden] == ["in turns", "in turns", "failed"]
    assert (hidden[0].device, hidden[0].load_s) == ("", None)
    assert public_statuses([waits, replace(up, state="asleep"), broken])[0].state == hidden[0].state


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/srv/my models/Alpaca 3B/config.json is missing", "Alpaca 3B/config.json is missing"),
        ("/srv/my models/shared.bin cannot be read", "shared.bin cannot be read"),
        ("no such file: '/data of ann/x y/z.bin'", "no such file: 'z.bin'"),
        ("/opt/libs/torch.so: broken", "torch.so: broken"),
        ("9 of 10 and/or https://example.org/a/b", "9 of 10 and/or https://example.org/a/b"),
    ],
)
def test_of_folders_only_the_last_name_is_told(words: str, expected: str) -> None:
    assert without_folders(words, card(repo="/srv/my models/Alpaca 3B")) == expected


@pytest.fixture
def voted(tmp_path: Path) -> Iterator[House]:
    """Ada's and Ben's blind votes, one of them on a later day, and an open one of Ada's."""
    home = house(tmp_path)
    for number, (rater, blind) in enumerate([(ADA, True), (BEN, True), (ADA, False), (ADA, True)]):
        battle_id = f"{number:032x}"
        asked = replace(HAIKU, input=str(number))  # a repeated instruction shows answers seen before
        models = (OPENALPACA, (MAMBA, GALPACA)[number % 2])
        home.battle_is_open(battle_id, models, owner=rater, blind=blind, instruction=asked)
        home.battles.vote(battle_id, "a", rater, final=True)
        home.time.pass_s(60 * 60 * 24 if number == 2 else 60)
    yield home
    home.store.close()


@pytest.mark.parametrize(
    ("asked", "num_votes", "others"),
    [
        ({}, 3, 1),
        ({"rater": ADA}, 2, 1),
        ({"rater": "nobody"}, 0, 0),
        ({"mode": "open"}, 1, 0),
        ({"mode": "all"}, 4, 0),
        ({"since": "2026-11-21"}, 1, 0),
        ({"until": "2026-11-20", "rater": BEN}, 1, 0),
        ({"license": "other"}, 2, 0),
        ({"license": "commercial"}, 1, 1),
        ({"models": f"{MAMBA},{OPENALPACA}", "category": "creative"}, 1, 1),
        ({"imported": "only"}, 0, 0),
    ],
)
def test_a_filter_chooses_the_votes_of_a_board(
    voted: House, asked: dict[str, str], num_votes: int, others: int
) -> None:
    filter, policy = read_board_filter(asked, CountingPolicy(pairs="all", min_decision_s=0.0))
    options = LeaderboardOptions(policy=policy)
    catalog = Catalog.load()
    board = current_leaderboard(voted.store, catalog, (), {}, voted.time.now(), filter, options)
    assert (board.num_votes, sum(left_out.votes for left_out in board.exclusions)) == (num_votes, others)
    assert board.filter == filter.as_mapping()
    for name, value in on_rows(filter).as_mapping().items():
        assert f" · {name} {value} · " in board.basis
