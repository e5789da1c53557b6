"""The cast of the tests about battles: three models, two raters, one instruction, a clock set by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from playground.battles import Ballot, Battles, RaterData, Viewer
from playground.battles.asking import Asking
from playground.battles.networks import Networks
from playground.battles.rules import Rules
from playground.clock import Clock
from playground.records import (
    SIDES,
    Battle,
    BattleSide,
    BattleState,
    BattleView,
    Belongings,
    Erased,
    FinishReason,
    Generation,
    Instruction,
    ModelCard,
    Prompt,
    SamplingParams,
)
from playground.storage.database.store import Store
from playground.storage.journal.entries import database_id
from tests.support.memory import memory_store

OPENALPACA, MAMBA, GALPACA = "pocket-openalpaca", "pocket-mamba-gpt", "pocket-galpaca"
MODELS = (OPENALPACA, MAMBA, GALPACA)
ADA, BEN = "rater-ada", "rater-ben"
HAIKU = Instruction("Write a haiku about the sea.", category="creative")
PARAMS = SamplingParams(do_sample=True, temperature=0.7)
LICENSES = {OPENALPACA: "Apache-2.0", MAMBA: "Apache-2.0", GALPACA: "CC-BY-NC-4.0"}


@dataclass
class ToldTime:
    """A clock that moves when told to."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 19, 0, tzinfo=UTC))

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def now(self) -> str:
        return self.at.isoformat(timespec="milliseconds")

    @property
    def clock(self) -> Clock:
        return Clock(self.now)


def card(model_id: str = OPENALPACA, **changes: Any) -> ModelCard:
    known = ModelCard(
        id=model_id,
        name=model_id.title(),
        repo=f"org/{model_id}",
        revision="0123abc",
        license=LICENSES.get(model_id, "Apache-2.0"),
        architecture="LlamaForCausalLM",
        num_parameters=10,
        size_bytes=20,
        context_length=2048,
        dtype="float32",
        template="openalpaca",
        sampling=PARAMS,
        sampling_source="ours",
        limitations=("small",),
        metrics={"MMLU": 0.25},
    )
    return replace(known, **changes)


def generation(
    generation_id: str,
    model_id: str = OPENALPACA,
    text: str = "Grey waves, and a gull.",
    finish_reason: FinishReason = FinishReason.STOP,
    instruction: Instruction = HAIKU,
    **changes: Any,
) -> Generation:
    known = Generation(
        id=generation_id,
        model_id=model_id,
        model_revision="0123abc",
        repo=f"org/{model_id}",
        license=LICENSES.get(model_id, "Apache-2.0"),
        instruction=instruction,
        prompt=Prompt(f"### Instruction:\n{instruction.instruction}", (1, 2, 3), "openalpaca", "ff" * 32),
        params=PARAMS,
        seed=2**32 - 1,
        text=text,
        token_ids=(7, 8, 2),
        finish_reason=finish_reason,
        error="it broke" if finish_reason is FinishReason.ERROR else None,
        engine="local",
        device="cpu",
        dtype="float32",
        versions={"torch": "2.13.0"},
        faithful=True,
        created_at="2026-11-20T18:59:00.000+00:00",
        first_token_s=0.1,
        duration_s=1.1,
    )
    return replace(known, **changes)


def battle(battle_id: str = "battle-1", models: Iterable[str] = (OPENALPACA, MAMBA), **changes: Any) -> Battle:
    known = Battle(
        id=battle_id,
        comparison_id=f"comparison-of-{battle_id}",
        parent_id=None,
        owner=ADA,
        source="page",
        blind=True,
        state=BattleState.GENERATING,
        instruction=HAIKU,
        overrides={},
        sides=tuple(BattleSide(side, model, 5, PARAMS) for side, model in zip(SIDES, models, strict=False)),
        created_at="2026-11-20T18:59:00.000+00:00",
    )
    return replace(known, **changes)


class RatersBattles(Battles):
    """Battles whose steps take the id of a rater, of the page if no source is given."""

    def vote(
        self,
        battle_id: Any,
        choice: Any,
        rater: str,
        revision: int | None = None,
        final: bool = False,
        *,
        source: str = "page",
        address: str = "",
        **notes: Any,
    ) -> BattleView:
        return super().vote(battle_id, Viewer(rater, source, address), Ballot(choice, revision, final, **notes))

    def undo(self, battle_id: Any, rater: str, revision: int | None = None, *, source: str = "page") -> BattleView:
        return super().undo(battle_id, Viewer(rater, source), revision)

    def skip(self, battle_id: Any, rater: str, *, source: str = "page") -> None:
        super().skip(battle_id, Viewer(rater, source))

    def guess(self, battle_id: Any, named: str, rater: str, *, source: str = "page") -> BattleView:
        return super().guess(battle_id, Viewer(rater, source), named)

    def reveal(self, battle_id: Any, rater: str, *, source: str = "page") -> BattleView:
        return super().reveal(battle_id, Viewer(rater, source))

    def note(
        self,
        battle_id: Any,
        rater: str,
        *,
        source: str = "page",
        report_side: str | None = None,
        report: str = "",
        **notes: Any,
    ) -> None:
        if notes or report_side is None:
            super().note(battle_id, Viewer(rater, source), **notes)
        if report_side is not None:
            self.report(battle_id, Viewer(rater, source), report_side, report)

    def view(self, battle_id: Any, rater: str, live: Any = MappingProxyType({}), *, source: str = "page") -> BattleView:
        return super().view(battle_id, Viewer(rater, source), live)

    def owned(self, battle_id: Any, rater: str, source: str = "page") -> Battle:
        return super().owned(battle_id, Viewer(rater, source))

    def belongings(self, rater: str, source: str = "page") -> Belongings:
        return RaterData(Battles(self.store, self.rules)).totals(rater, source)

    def erase(self, rater: str, source: str = "page") -> Erased:
        return RaterData(Battles(self.store, self.rules)).erase(rater, source)


@dataclass
class House:
    """A store with the three models, its battles and their clock."""

    store: Store
    time: ToldTime = field(default_factory=ToldTime)

    def __post_init__(self) -> None:
        self.battles = RatersBattles(self.store, Rules(self.time.clock, 5, 3600, networks=Networks(self.time.clock)))
        if self.store.writable:
            for model in MODELS:
                self.store.upsert_model(card(model))

    def asks(self, share: float = 1.0) -> None:
        """Ask from now on which model wrote an answer, on a share of the drawn battles."""
        self.battles.rules = replace(self.battles.rules, asking=Asking(share, lambda: MODELS))

    def battle_is_open(
        self,
        battle_id: str = "battle-1",
        models: Iterable[str] = (OPENALPACA, MAMBA),
        ends: Mapping[str, Mapping[str, Any]] | None = None,
        **changes: Any,
    ) -> Battle:
        """Create a battle whose columns have ended; `ends` changes generations, by side."""
        made = self.battles.create(battle(battle_id, models, **changes))
        for side in made.sides:
            how = {"instruction": made.instruction} | dict((ends or {}).get(side.side, {}))
            self.battles.finish(battle_id, {side.side: generation(f"{battle_id}-{side.side}", side.model_id, **how)})
        stored = self.store.battle(battle_id)
        assert stored is not None
        return stored


FAILED: Mapping[str, Any] = {"finish_reason": FinishReason.ERROR, "text": "half an ans"}
EMPTY: Mapping[str, Any] = {"text": " \n"}


@dataclass(frozen=True)
class Mould:
    """The database of a house, from which others are made in less time than migrations and votes take."""

    database: bytes
    database_id: bytes
    at: datetime

    @staticmethod
    def of(make: Callable[[Path], House]) -> Mould:
        with TemporaryDirectory() as folder:
            home = make(Path(folder))
            with home.store.reading() as reading:
                own = database_id(reading).encode()
            home.store.close()
            return Mould((Path(folder) / "playground.db").read_bytes(), own, home.time.at)

    def house(self, folder: Path) -> House:
        """Make a house with a database of its own."""
        path = folder / "playground.db"
        path.write_bytes(self.database.replace(self.database_id, secrets.token_hex(16).encode()))
        return House(Store(path), ToldTime(self.at))


@cache
def _empty() -> Mould:
    return Mould.of(lambda folder: House(Store(folder / "playground.db")))


def house(folder: Path | None = None) -> House:
    """Make a house, in memory or in a file, or open that of a folder."""
    if folder is None:
        return House(memory_store())
    if (folder / "playground.db").exists() or not folder.is_dir():
        return House(Store(folder / "playground.db"))
    return _empty().house(folder)
