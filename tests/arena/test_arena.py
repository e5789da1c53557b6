"""The arena over real worker processes with tiny checkpoints."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.arena.arena import Arena
from playground.arena.comparison import Comparison
from playground.battles import Ballot, Battles, Viewer
from playground.clock import Clock
from playground.errors import InvalidValue, PromptTooLong, Refused, StorageError, TokenizerError, Unknown
from playground.exchange import ExportOptions, export
from playground.records import BattleState, BattleView, ColumnState, FinishReason, Generation, Instruction, ModelCard
from playground.settings import Settings
from tests.support.cast import House, ToldTime
from tests.support.chats import small_llama
from tests.support.checkpoints import ROOMY, VOCAB_SIZE, WITHOUT_END, write_checkpoint
from tests.support.patience import wait_until
from tests.support.processes import frozen_models

ADA, BEN = Viewer("a" * 32), Viewer("b" * 32)
ASK = Instruction("What is the capital of France?")
ENDLESS = {"max_new_tokens": WITHOUT_END, "min_new_tokens": WITHOUT_END}


def write_card(folder: Path, card: ModelCard, max_new_tokens: int = 24) -> None:
    """Write the card file of a checkpoint."""
    (folder / f"{card.id}.toml").write_text(
        f'id = "{card.id}"\nname = "{card.name}"\nrepo = "{card.repo}"\nrevision = "local"\nlicense = "CC0-1.0"\n'
        f'architecture = "{card.architecture}"\ncontext_length = {card.context_length}\ndtype = "float32"\n'
        f'template = "plain"\nsampling_source = "ours"\n[sampling]\nmax_new_tokens = {max_new_tokens}\n'
    )


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Settings:
    home = tmp_path_factory.mktemp("arena")
    cards = home / "cards"
    cards.mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(home / kind, kind, context=ROOMY))
    return Settings(db=home / "playground.db", cards=str(cards), models="tiny-llama,tiny-opt", abandon_s=3.0)


@pytest.fixture(scope="module")
def arena(settings: Settings) -> Iterator[Arena]:
    arena = Arena(settings)
    arena.open()
    yield arena
    arena.close()


def ended(arena: Arena, battle_id: str, viewer: Viewer = ADA) -> BattleView:
    """Return the view of a battle once it has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        view = arena.battles.view(battle_id, viewer)
        if view.state is not BattleState.GENERATING:
            return view
        time.sleep(0.02)
    raise AssertionError(f"still being written: {view}")


def count(arena: Arena) -> int:
    """Return the number of battles in the database."""
    with arena.store.reading() as reading:
        return len(reading.battles_in(*BattleState))


def test_running_blind_battle_is_read_without_the_database(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[BattleView] = []
    view = Battles.view

    def noted(battles: Battles, *about: Any, **more: Any) -> BattleView:
        asked.append(view(battles, *about, **more))
        return asked[-1]

    monkeypatch.setattr(Battles, "view", noted)
    assert ended(arena, arena.compare(ASK, ADA, blind=True)) == asked[-1]
    assert [shown.state for shown in asked] == [BattleState.OPEN]


def test_comparison_is_stored_with_its_provenance(arena: Arena) -> None:
    view = ended(arena, arena.compare(ASK, ADA, blind=False))
    assert view.state is BattleState.OPEN
    assert {c.card.id for c in view.columns if c.card} == {"tiny-llama", "tiny-opt"}
    for column in view.columns:
        generation = column.generation
        assert generation is not None
        assert generation.text == column.text
        assert generation.device == "cpu"
        assert generation.versions["torch"]
        assert generation.prompt.token_ids
        assert not Path(generation.repo).is_absolute(), "a folder of this machine is nobody's business"


def test_only_a_starter_has_a_category(arena: Arena) -> None:
    category, (starter, *_) = next(iter(arena.starters.items()))
    typed = replace(starter, category="")
    for instruction, expected in ((typed, category), (Instruction("made up", category="facts"), "")):
        assert ended(arena, arena.compare(instruction, ADA, blind=False)).instruction == replace(
            instruction, category=expected
        )


def test_an_open_order_is_as_asked_and_a_blind_one_is_drawn(arena: Arena) -> None:
    orders = set()
    for _ in range(12):
        view = ended(arena, arena.compare(ASK, ADA, blind=True, models=("tiny-llama", "tiny-opt")))
        assert {c.card for c in view.columns} == {None}
        arena.battles.vote(view.battle_id, ADA, Ballot("tie", view.revision))
        orders.add(tuple(c.card.id for c in arena.battles.reveal(view.battle_id, ADA).columns if c.card))
    assert orders == {("tiny-llama", "tiny-opt"), ("tiny-opt", "tiny-llama")}


def test_more_columns_than_models_repeat_them_evenly(arena: Arena) -> None:
    view = ended(arena, arena.compare(ASK, ADA, blind=False, columns=4))
    assert sorted(c.card.id for c in view.columns if c.card) == ["tiny-llama"] * 2 + ["tiny-opt"] * 2


def test_glance_answers_only_for_running_blind_battles(arena: Arena) -> None:
    with frozen_models(os.getpid()):
        blind, openly = (arena.compare(ASK, ADA, blind=b, overrides=ENDLESS) for b in (True, False))
        wait_until(lambda: arena.battles.glance(blind, ADA) == arena.battles.view(blind, ADA))
        with pytest.raises(Refused):
            arena.battles.glance(blind, BEN)
        assert arena.battles.glance(openly, ADA) is None
        arena.stop(blind, ADA)
        arena.stop(openly, ADA)
    assert ended(arena, blind).state is not BattleState.GENERATING
    assert arena.battles.glance(blind, ADA) is None
    ended(arena, openly)


def test_stop_keeps_text_and_blind_columns_stop_together(arena: Arena) -> None:
    battle_id = arena.compare(ASK, ADA, blind=False, overrides=ENDLESS)
    while not all(c.text for c in arena.battles.view(battle_id, ADA).columns):
        time.sleep(0.01)
    arena.stop(battle_id, ADA, "a")
    arena.stop(battle_id, ADA)
    view = ended(arena, battle_id)
    assert {c.state for c in view.columns} == {ColumnState.STOPPED}
    assert all(c.text for c in view.columns)
    blind = arena.compare(ASK, ADA, blind=True, overrides=ENDLESS)
    with pytest.raises(InvalidValue, match="stopped together"):
        arena.stop(blind, ADA, "a")
    with pytest.raises(Refused, match="somebody else"):
        arena.stop(blind, BEN)
    arena.stop(blind, ADA)
    ended(arena, blind)


@pytest.mark.proves("visitor gone before, while and after")
def test_abandoned_comparison_is_stopped(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, stopped = Comparison.stop, threading.Event()

    def told(self: Comparison, side: str | None = None) -> None:
        stop(self, side)
        stopped.set()

    monkeypatch.setattr(Comparison, "stop", told)
    with frozen_models(os.getpid()):  # it is not over before anybody can miss its reader
        battle_id = arena.compare(ASK, ADA, blind=False, overrides=ENDLESS)
        assert stopped.wait(60)
    assert {c.state for c in ended(arena, battle_id).columns} == {ColumnState.STOPPED}
    deadline = time.monotonic() + 60
    while battle_id in arena.running:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_regenerating_is_a_new_battle_of_the_same_models(arena: Arena) -> None:
    first = ended(arena, arena.compare(ASK, ADA, blind=False, overrides={"seed": 5}))
    again = ended(arena, arena.regenerate(first.battle_id, ADA))
    assert again.battle_id != first.battle_id
    assert sorted(c.card.id for c in again.columns if c.card) == sorted(c.card.id for c in first.columns if c.card)
    stored = arena.store.battle(again.battle_id)
    assert stored is not None
    assert stored.parent_id == first.battle_id
    assert arena.battles.view(first.battle_id, ADA) == first
    with pytest.raises(Refused):
        arena.regenerate(first.battle_id, BEN)


def test_battle_with_more_tokens_than_allowed_by_now_is_not_regenerated(settings: Settings, tmp_path: Path) -> None:
    here = replace(settings, db=tmp_path / "playground.db")
    before, after = Arena(here), Arena(replace(here, max_new_tokens=30))
    before.open()
    battle_id = ended(before, before.compare(ASK, ADA, blind=True, overrides={"max_new_tokens": 31})).battle_id
    before.close()
    after.open()
    try:
        with pytest.raises(InvalidValue, match="'max_new_tokens' is 31; valid here: 1 to 30"):
            after.regenerate(battle_id, ADA)
    finally:
        after.close()


def test_battle_in_memory_is_not_stored_and_not_counted(arena: Arena) -> None:
    battles, votes = count(arena), arena.leaderboard().num_votes
    view = ended(arena, arena.compare(ASK, ADA, blind=True, keep=False))
    assert not view.stored
    arena.battles.vote(view.battle_id, ADA, Ballot("a", view.revision))
    assert arena.battles.reveal(view.battle_id, ADA).columns[0].card is not None
    assert (count(arena), arena.leaderboard().num_votes) == (battles, votes)
    assert arena.store.battle(view.battle_id) is None
    assert not arena.battles.view(ended(arena, arena.regenerate(view.battle_id, ADA)).battle_id, ADA).stored


def test_open_run_in_memory_flags_votes_of_who_saw_it(arena: Arena) -> None:
    asked = Instruction("What is the capital of Peru?")
    cyd, dee = Viewer("c" * 32), Viewer("d" * 32)
    ended(arena, arena.compare(asked, cyd, blind=False, keep=False), cyd)

    def flagged(rater: Viewer) -> bool:
        view = ended(arena, arena.compare(asked, rater, blind=True), rater)
        arena.battles.vote(view.battle_id, rater, Ballot("a", view.revision))
        with arena.store.reading() as reading:
            return next(reading.judged_pairs(battle_id=view.battle_id)).seen_before

    assert flagged(cyd)
    assert not flagged(dee)


def test_regenerating_draws_nothing(arena: Arena) -> None:
    drawn = arena.compare(ASK, ADA, blind=True)
    ended(arena, drawn)
    again = arena.regenerate(drawn, ADA)
    ended(arena, again)
    probabilities = [battle.draw_probability for name in (drawn, again) if (battle := arena.store.battle(name))]
    assert (probabilities[0] is None, probabilities[1]) == (False, None)


def test_oldest_battle_in_memory_of_the_same_owner_is_dropped_first(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.arena.in_memory.KEPT_IN_MEMORY", 2)
    bens = ended(arena, arena.compare(ASK, BEN, blind=False, keep=False), BEN)
    for _ in range(3):
        adas = ended(arena, arena.compare(ASK, ADA, blind=False, keep=False))
    assert arena.battles.view(bens.battle_id, BEN) == bens
    assert arena.battles.view(adas.battle_id, ADA) == adas


@pytest.mark.proves("disk full, and freed again")
def test_answers_are_saved_once_the_disk_has_space_again(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    full, finish = [True], Battles.finish

    def fails_while_full(self: Battles, battle_id: str, ended: Mapping[str, Generation]) -> BattleState:
        if full[0]:
            raise StorageError("no space left; nothing was saved")
        return finish(self, battle_id, ended)

    monkeypatch.setattr(Battles, "finish", fails_while_full)
    battle_id = arena.compare(ASK, ADA, blind=False)
    while {c.state for c in arena.battles.view(battle_id, ADA).columns} != {ColumnState.DONE}:
        time.sleep(0.02)
    assert arena.battles.view(battle_id, ADA).state is BattleState.GENERATING
    full[0] = False
    assert all(c.generation is not None for c in ended(arena, battle_id).columns)


def test_comparison_that_cannot_be_stored_frees_its_capacity(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(*_: object) -> None:
        raise StorageError("no space left; nothing was saved")

    monkeypatch.setattr(Battles, "create", create)
    with pytest.raises(StorageError, match="no space left"):
        arena.compare(ASK, ADA, blind=False)
    assert len(arena.capacity) == 0


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"models": ("gpt-9", "tiny-opt")}, Unknown, "no model 'gpt-9' is running here; there are: tiny-llama"),
        ({"models": ("tiny-opt",)}, InvalidValue, "1 models were chosen; valid: 2 to 6"),
        ({"columns": 7}, InvalidValue, "7 models were chosen; valid: 2 to 6"),
        ({"blind": True, "overrides": {"seed": 1}}, InvalidValue, "seed cannot be given while blind"),
        ({"overrides": {"max_new_tokens": ROOMY}}, PromptTooLong, "at most 4,096 tokens"),
        ({"overrides": {"temperature": 9.0}}, InvalidValue, "'temperature' is 9.0; valid: 0.01 to 5"),
    ],
)
def test_invalid_comparison_is_refused_before_storing(
    arena: Arena, changes: dict, error: type[Exception], words: str
) -> None:
    before = count(arena)
    with pytest.raises(error, match=words):
        arena.compare(ASK, ADA, **{"blind": False, **changes})
    assert count(arena) == before


@pytest.mark.proves("restart in the middle of a battle")
def test_restart_keeps_votes(arena: Arena, settings: Settings, tmp_path: Path) -> None:
    here = replace(settings, db=tmp_path / "restart.db")
    first = Arena(here)
    first.open()
    voted = ended(first, first.compare(ASK, ADA, blind=False))
    first.battles.vote(voted.battle_id, ADA, Ballot("b", voted.revision))
    first.close()
    second = Arena(here)
    second.open()
    try:
        view = second.battles.view(voted.battle_id, ADA)
        assert (view.choice, [c.text for c in view.columns]) == ("b", [c.text for c in voted.columns])
    finally:
        second.close()


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
def test_broken_model_does_not_stop_the_others(settings: Settings, tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    for number, kind in enumerate(("llama", "opt", "mpt")):
        card = write_checkpoint(tmp_path / kind, kind, seed=number)
        write_card(cards, card)
    (tmp_path / "mpt" / "model.safetensors").write_bytes(b"torn")
    arena = Arena(replace(settings, db=tmp_path / "p.db", cards=str(cards), models="tiny-llama,tiny-opt,tiny-mpt"))
    arena.open()
    try:
        shown = ended(arena, arena.compare(ASK, ADA, blind=False, models=("tiny-mpt", "tiny-opt")))
        assert shown.state is BattleState.VOID
        assert shown.columns[0].error
        assert {status.model_id: status.state for status in arena.models.statuses()}["tiny-mpt"] == "failed"
        assert "tiny-mpt failed to load" in arena.sources_line()
        for _ in range(4):
            view = ended(arena, arena.compare(ASK, ADA, blind=False))
            assert {c.card.id for c in view.columns if c.card} == {"tiny-llama", "tiny-opt"}
    finally:
        arena.close()


@pytest.mark.proves("a tokenizer error")
def test_model_with_broken_tokenizer_is_refused_and_others_run(settings: Settings, tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    for number, kind in enumerate(("llama", "opt", "mpt")):
        write_card(cards, write_checkpoint(tmp_path / kind, kind, seed=number))
    (tmp_path / "mpt" / "tokenizer.json").write_text('{"model": {"type": "BPE", "vocab"')
    arena = Arena(replace(settings, db=tmp_path / "p.db", cards=str(cards), models="tiny-llama,tiny-opt,tiny-mpt"))
    arena.open()
    try:
        with pytest.raises(
            TokenizerError, match=r"^tiny-mpt: .*tokenizer\.json cannot be read as a tokenizer"
        ) as caught:
            arena.compare(ASK, ADA, blind=False, models=("tiny-mpt", "tiny-opt"))
        assert str(tmp_path) not in str(caught.value)
        assert count(arena) == 0
        for _ in range(4):
            view = ended(arena, arena.compare(ASK, ADA, blind=True))
            assert view.state is BattleState.OPEN
            assert arena.battles.vote(view.battle_id, ADA, Ballot("a")).choice == "a"
    finally:
        arena.close()


def one_track(folder: Path) -> None:
    """The weights of a llama that has one token on its mind."""
    path = folder / "model.safetensors"
    weights = {name: torch.zeros_like(weight) for name, weight in load_file(path).items()}
    for name in ("model.embed_tokens.weight", "model.norm.weight"):
        weights[name] += 1
    weights["lm_head.weight"][100] += 1
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.proves("endless repetition")
def test_endless_answer_ends_at_its_limit_and_can_be_judged(settings: Settings, tmp_path: Path) -> None:
    write_card(tmp_path, write_checkpoint(tmp_path / "llama", "llama"), max_new_tokens=200)
    one_track(tmp_path / "llama")
    arena = Arena(replace(settings, db=tmp_path / "p.db", cards=str(tmp_path), models="tiny-llama"))
    arena.open()
    try:
        view = ended(arena, arena.compare(ASK, ADA, blind=False))
        assert view.state is BattleState.OPEN
        for column in view.columns:
            assert column.generation is not None
            assert column.generation.finish_reason is FinishReason.LENGTH
            assert column.generation.token_ids == (100,) * 200
        assert arena.battles.vote(view.battle_id, ADA, Ballot("both_bad", view.revision)).choice == "both_bad"
    finally:
        arena.close()


@pytest.mark.proves("an empty answer")
def test_empty_answer_cannot_be_chosen_and_leaves_a_pair_void(settings: Settings, tmp_path: Path) -> None:
    cards, templates = tmp_path / "cards", tmp_path / "templates"
    cards.mkdir()
    templates.mkdir()
    for kind in ("llama", "opt", "mpt"):
        write_card(cards, write_checkpoint(tmp_path / kind, kind))
    text = (cards / "tiny-mpt.toml").read_text()
    (cards / "tiny-mpt.toml").write_text(text.replace('"plain"', '"mute"'))
    (templates / "mute.toml").write_text(
        'id = "mute"\nsource = "whatever it writes first ends its answer"\n'
        'without_input = [{ text = "{instruction}" }]\nwith_input = [{ text = "{instruction} {input}" }]\n'
        f"stop_ids = {list(range(VOCAB_SIZE))}\n"
    )
    here = replace(
        settings,
        db=tmp_path / "p.db",
        cards=str(cards),
        templates=str(templates),
        models="tiny-llama,tiny-opt,tiny-mpt",
    )
    arena = Arena(here)
    arena.open()
    try:
        alone = ended(arena, arena.compare(ASK, ADA, blind=False, models=("tiny-mpt", "tiny-opt")))
        assert (alone.state, alone.void_reason) == (BattleState.VOID, "failed")
        generation = alone.columns[0].generation
        assert generation is not None
        assert (generation.text, generation.finish_reason, generation.error) == ("", FinishReason.STOP, None)
        three = ("tiny-mpt", "tiny-opt", "tiny-llama")
        view = ended(arena, arena.compare(ASK, ADA, blind=False, models=three))
        assert (view.state, view.good_sides) == (BattleState.OPEN, ("b", "c"))
        with pytest.raises(InvalidValue, match="side a has no answer"):
            arena.battles.vote(view.battle_id, ADA, Ballot("a", view.revision))
        assert arena.battles.vote(view.battle_id, ADA, Ballot("b", view.revision)).choice == "b"
    finally:
        arena.close()


def test_a_folder_with_a_chat_template_answers_without_a_card(tmp_path: Path, settings: Settings) -> None:
    folder = small_llama(tmp_path / "Small-Llama")
    arena = Arena(replace(settings, db=tmp_path / "playground.db", models=f"{folder},tiny-opt"))
    arena.open()
    try:
        told = Instruction("What is </s> an alpaca?", system="Be brief.")
        battle_id = arena.compare(told, ADA, blind=False, models=("small-llama", "tiny-opt"), overrides={"seed": 3})
        generation = ended(arena, battle_id).columns[0].generation
        assert generation is not None
        assert generation.prompt == arena.catalog.prompt("small-llama", told)
        assert generation.prompt.text == (
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is </s> an alpaca?<|im_end|>\n"
            "<|im_start|>assistant\n"
        )
        assert generation.text
        assert generation.params.do_sample
        assert (generation.model_id, generation.repo, generation.license) == (
            "small-llama",
            "Small-Llama",
            "Apache-2.0",
        )
        arena.battles.vote(battle_id, ADA, Ballot("a"))
        arena.battles.reveal(battle_id, ADA)
        export(arena.store, "votes", tmp_path / "votes.jsonl", ExportOptions())
        assert "small-llama" in (tmp_path / "votes.jsonl").read_text()
        assert str(tmp_path) not in (tmp_path / "votes.jsonl").read_text()
    finally:
        arena.close()


@pytest.mark.proves("visitor gone before, while and after")
def test_unread_open_battle_expires(settings: Settings, tmp_path: Path) -> None:
    time_told = ToldTime()
    passed = [0.0]
    arena = Arena(replace(settings, db=tmp_path / "playground.db"), clock=Clock(time_told.now, lambda: passed[0]))
    arena.open()
    try:
        House(arena.store, time_told).battle_is_open()
        time_told.pass_s(2 * settings.expire_s)
        passed[0] = 2 * settings.expire_s
        deadline = time.monotonic() + 60
        while (stored := arena.store.battle("battle-1")) and stored.state is BattleState.OPEN:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert stored is not None
        assert (stored.state, stored.void_reason) == (BattleState.VOID, "expired")
    finally:
        arena.close()


def test_second_arena_reads_and_compares_in_memory(
    arena: Arena, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = ended(arena, arena.compare(ASK, ADA, blind=True))
    arena.battles.vote(view.battle_id, ADA, Ballot("a", view.revision))
    arena.battles.reveal(view.battle_id, ADA)
    monkeypatch.setattr("playground.arena.arena.LOCK_WAIT_S", 0.05)
    second, battles = Arena(settings), count(arena)
    second.open()
    try:
        assert second.battles.view(view.battle_id, BEN).choice == "a"
        with pytest.raises(StorageError, match=r"another program writes to playground\.db.*“do not store”"):
            second.compare(ASK, BEN, blind=True)
        shown = ended(second, second.compare(ASK, BEN, blind=True, keep=False), BEN)
        second.battles.vote(shown.battle_id, BEN, Ballot("b", shown.revision))
        assert second.battles.reveal(shown.battle_id, BEN).choice == "b"
        assert count(arena) == battles
    finally:
        second.close()


def test_on_a_nearly_full_disk_nothing_new_is_stored_and_votes_are(settings: Settings, tmp_path: Path) -> None:
    db = tmp_path / "playground.db"
    roomy = Arena(replace(settings, db=db))
    roomy.open()
    view = ended(roomy, roomy.compare(ASK, ADA, blind=False))
    roomy.close()
    full = Arena(replace(settings, db=db, min_free_mb=10**12))
    full.open()
    try:
        with pytest.raises(StorageError, match="nearly full"):
            full.compare(ASK, ADA, blind=False)
        assert count(full) == 1
        assert full.battles.vote(view.battle_id, ADA, Ballot("a")).choice == "a"
        ended(full, full.compare(ASK, ADA, blind=False, keep=False))
    finally:
        full.close()
