"""Several engines as one: each card goes to the engine that it names.

Boundary: knows which engines there are; the rest is theirs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager

from playground.engines.local.engine import LocalEngine
from playground.engines.protocol import Engine, FilePoint, Job, Listener, MemoryFit
from playground.engines.remote.engine import RemoteEngine
from playground.engines.zerogpu.engine import ZeroGpuEngine
from playground.engines.zerogpu.gpu_function import on_zerogpu
from playground.errors import EngineError, Unknown
from playground.records import ModelCard, ModelStatus
from playground.settings import Settings


class Fleet:
    """Implements `Engine` by all engines that are there; nothing is started before `open`."""

    def __init__(
        self,
        settings: Settings,
        engines: Mapping[str, Engine] | None = None,
        environ: MutableMapping[str, str] = os.environ,
    ) -> None:
        self._engines = engines or engines_of(settings, environ)
        self._opened: dict[str, Engine] = {}  # by model

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        """Say how each card's model would fit; one whose engine is not there does not."""
        fits = {
            card.id: MemoryFit(False, False, self._no_engine(card))
            for card in cards
            if card.engine not in self._engines
        }
        for name, engine in self._engines.items():
            fits |= engine.plan([card for card in cards if card.engine == name])
        return fits

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        return self._engines[card.engine].check(card) if card.engine in self._engines else iter(())

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Begin to load the models; if a card names an engine that is not there, none of them."""
        for card in cards:
            if card.engine not in self._engines:
                raise EngineError(f"{card.id}: {self._no_engine(card)}; change 'engine' in its card")
        for name, engine in self._engines.items():
            own = [card for card in cards if card.engine == name]
            if own:
                engine.open(own)
            self._opened |= {card.id: engine for card in own}

    def unload(self, model_id: str) -> None:
        self._engine_of(model_id).unload(model_id)

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        self._engine_of(model_id).start(model_id, job, listener)

    @contextmanager
    def together(self) -> Iterator[None]:
        with ExitStack() as stack:
            for engine in self._engines.values():
                stack.enter_context(engine.together())
            yield

    def cancel(self, row: str) -> None:
        for engine in self._engines.values():
            engine.cancel(row)

    def status(self) -> Mapping[str, ModelStatus]:
        return {model_id: status for engine in self._engines.values() for model_id, status in engine.status().items()}

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()

    def _no_engine(self, card: ModelCard) -> str:
        return f"there is no engine {card.engine!r} yet; valid: {', '.join(self._engines)}"

    def _engine_of(self, model_id: str) -> Engine:
        if model_id not in self._opened:
            valid = ", ".join(sorted(self._opened)) or "none yet"
            raise Unknown(f"no model {model_id!r} was opened; there are: {valid}")
        return self._opened[model_id]


def engines_of(settings: Settings, environ: MutableMapping[str, str]) -> dict[str, Engine]:
    """Return the engines by the name in a card; on ZeroGPU there is no GPU for worker processes."""
    zerogpu = ZeroGpuEngine(settings, environ=environ)
    local = zerogpu if on_zerogpu(environ) else LocalEngine(settings)
    return {"local": local, "remote": RemoteEngine(settings), "zerogpu": zerogpu}
