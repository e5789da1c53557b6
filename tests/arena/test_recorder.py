"""The recorder saves answers together, each alone if one is refused, and all again after an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from playground.arena.recorder import Recorder
from playground.battles import Battles
from playground.errors import StorageError
from playground.records import BattleState, FinishReason, Generation
from tests.support.cast import MODELS, House, battle, generation, house
from tests.support.patience import wait_until

ALONE = "\ud800"
"""Half of a character: no database can hold it."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    made.battles.create(battle(models=MODELS))
    yield made
    made.store.close()


def answers(**texts: str) -> dict[str, Generation]:
    return {side: generation(f"g-{side}", MODELS["abc".index(side)], text=text) for side, text in texts.items()}


def stored(home: House) -> dict[str, tuple[str, FinishReason]]:
    with home.store.reading() as reading:
        found = reading.battle("battle-1")
    assert found is not None
    return {s.side: (s.generation.text, s.generation.finish_reason) for s in found.sides if s.generation is not None}


def test_unstorable_answer_fails_and_others_are_kept(home: House) -> None:
    ended: SimpleQueue[str] = SimpleQueue()
    recorder = Recorder(ended.put)
    recorder.submit(home.battles, "battle-1", answers(a="one", b=ALONE, c="three"))
    assert ended.get(timeout=60) == "battle-1"
    recorder.close()
    assert ended.empty()
    stop, error = FinishReason.STOP, FinishReason.ERROR
    assert stored(home) == {"a": ("one", stop), "b": ("", error), "c": ("three", stop)}


def test_error_of_an_answer_is_in_the_log(home: House, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(lambda battle_id: None)
    failed = replace(answers(b="")["b"], finish_reason=FinishReason.ERROR, error="Pocket was unloaded")
    recorder.submit(home.battles, "battle-1", answers(a="one") | {"b": failed})
    recorder.close()
    assert caplog.messages == [f"battle battle-1, side b: {MODELS[1]} failed: Pocket was unloaded"]


def test_refused_generations_are_retried_together(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: SimpleQueue[str] = SimpleQueue()
    tries: SimpleQueue[tuple[str, ...]] = SimpleQueue()
    finish, full = Battles.finish, [True]

    def fails_while_full(self: Battles, battle_id: str, given: dict[str, Generation]) -> BattleState:
        fails = full[0]
        tries.put(tuple(given))
        if fails:
            raise StorageError("no space left; nothing was saved")
        return finish(self, battle_id, given)

    monkeypatch.setattr(Battles, "finish", fails_while_full)
    recorder = Recorder(ended.put)
    recorder.submit(home.battles, "battle-1", answers(a="one", b="two", c="three"))
    assert tries.get(timeout=60) == ("a", "b", "c")
    assert stored(home) == {}
    full[0] = False
    wait_until(lambda: recorder.try_again() or not ended.empty())
    recorder.close()
    assert tries.get(timeout=60) == ("a", "b", "c")
    assert sorted(stored(home)) == ["a", "b", "c"]
