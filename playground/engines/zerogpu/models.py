"""The models of the ZeroGPU engine: loaded at the start, and the GPU function over all of them.

Boundary: knows cards and states; rows and calls are the engine's.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.engines.protocol import MemoryFit
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.durations import Durations
from playground.engines.zerogpu.gpu_function import gpu_function, import_spaces, on_zerogpu
from playground.engines.zerogpu.request import Write
from playground.engines.zerogpu.sizes import LARGEST, needed_bytes, smallest
from playground.errors import EngineError
from playground.records import ModelCard, ModelStatus

if TYPE_CHECKING:
    from playground.engines.zerogpu.loading import GpuModel

LIBRARIES: Mapping[str, str] = {"DISABLE_SAFETENSORS_CONVERSION": "1", "TOKENIZERS_PARALLELISM": "false"}
"""Variables of the models' libraries: no service converts weights, and no threads are started before a fork."""
DEVICE = "ZeroGPU"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _State:
    card: ModelCard
    error: str = ""  # why it could not be loaded
    is_off: bool = False


class GpuModels:
    """Models by id, in the order in which they were opened."""

    def __init__(self, threads: int, environ: MutableMapping[str, str], flags: CancelFlags) -> None:
        self._threads, self._environ, self._flags = threads, environ, flags
        self._states: dict[str, _State] = {}
        self._loaded: dict[str, GpuModel] = {}  # as every later fork has it
        self._weights_bytes: dict[str, int] = {}
        self.durations = Durations(self._weights_bytes)
        self.write: Write = _nothing

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __contains__(self, model_id: object) -> bool:
        return model_id in self._states

    def card(self, model_id: str) -> ModelCard:
        """Return an opened model's card."""
        return self._states[model_id].card

    @property
    def size(self) -> str:
        """The smallest GPU that holds the loaded models together."""
        return smallest(self._states[model_id].card for model_id in self._loaded)

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        """Return which models fit the largest GPU together, in order; elsewhere than on ZeroGPU all are taken to."""
        if not on_zerogpu(self._environ):
            return {card.id: MemoryFit(True, False, "in the web process") for card in cards}
        free, fits = LARGEST, dict[str, MemoryFit]()
        for card in cards:
            needed = needed_bytes([card])
            fits[card.id] = MemoryFit(needed <= free, True, _words(needed, free))
            free -= needed if needed <= free else 0
        return fits

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Load the models that are not loaded, and switch all of them on.

        Raises:
            EngineError: a model is not loaded, and this is not the main thread.
        """
        new = [card for card in cards if card.id not in self._loaded]
        if new and threading.current_thread() is not threading.main_thread():
            raise EngineError(
                f"{new[0].name} cannot be loaded now: on ZeroGPU models are loaded at the start; name it in "
                "PLAYGROUND_MODELS and restart"
            )
        if new:
            self._load(new)
        for card in cards:
            self._states[card.id].is_off = False

    def switch_off(self, model_id: str) -> None:
        """Leave a model out until it is opened or asked again."""
        self._states[model_id].is_off = True

    def wake(self, model_id: str) -> None:
        """Switch a model on; raise EngineError with the reason if it could not be loaded."""
        state = self._states[model_id]
        if state.error:
            raise EngineError(state.error)
        state.is_off = False

    def status(self, rows: Sequence[tuple[str, bool]]) -> Mapping[str, ModelStatus]:
        """Return the status of each model; `rows` are its rows, and whether each has started."""
        return {model_id: self._status(model_id, rows) for model_id in tuple(self._states)}

    def _status(self, model_id: str, rows: Sequence[tuple[str, bool]]) -> ModelStatus:
        state, loaded = self._states[model_id], self._loaded.get(model_id)
        name = "failed" if state.error else "loading" if loaded is None else "off" if state.is_off else "ready"
        on_gpu = on_zerogpu(self._environ)
        return ModelStatus(
            model_id,
            name,
            detail=state.error or (loaded.checked.note if loaded else ""),
            device=DEVICE if on_gpu else str(loaded.loaded.device) if loaded else "",
            load_s=loaded.loaded.load_s if loaded else None,
            running=rows.count((model_id, True)),
            waiting=rows.count((model_id, False)),
            placement=f"{DEVICE}, {self.size}, beside the others" if on_gpu else "in the web process",
        )

    def _load(self, cards: Sequence[ModelCard]) -> None:
        """Load models one after another; one that fails leaves the others."""
        self._environ.update(LIBRARIES)
        import_spaces(self._environ)
        from playground.engines.zerogpu.loading import load_model, set_threads
        from playground.engines.zerogpu.writing import writer

        for card in cards:
            state = self._states[card.id] = _State(card)
            try:
                self._check_fits(card)
                model = load_model(card, os.cpu_count() or 1)
            except EngineError as error:
                log.error("%s failed: %s", card.id, error)
                state.error = str(error)
            else:
                self._loaded[card.id], self._weights_bytes[card.id] = model, model.weights_bytes
        set_threads(self._threads)
        self.write = gpu_function(writer(self._loaded, self._flags), self.durations.of, self.size, self._environ)

    def _check_fits(self, card: ModelCard) -> None:
        fit = self.plan([*(self._states[model_id].card for model_id in self._loaded), card])[card.id]
        if not fit.fits:
            raise EngineError(f"{card.name} {fit.words}")


def _words(needed: int, free: float) -> str:
    if needed <= free:
        return f"{DEVICE}, beside the others"
    return f"needs {needed / 1e9:.1f} GB, and the models before it leave {free / 1e9:.1f} GB of a GPU"


def _nothing(request: object) -> Iterator[tuple[()]]:
    """Write nothing: no model was opened."""
    yield from ()
