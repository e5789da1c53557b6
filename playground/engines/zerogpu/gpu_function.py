"""The `spaces` package, which gives a function a GPU for as long as it runs.

Boundary: the only module that imports `spaces`, and it does so on ZeroGPU only. The package replaces parts of torch
when it is imported, on the thread that imports it: that has to be the one that loads the models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playground.engines.zerogpu.request import GpuRequest, Write
from playground.errors import EngineError

VARIABLE = "SPACES_ZERO_GPU"


def on_zerogpu(environ: Mapping[str, str]) -> bool:
    """Return True if this process runs on ZeroGPU."""
    return environ.get(VARIABLE, "").lower() in ("1", "t", "true")


def import_spaces(environ: Mapping[str, str]) -> None:
    """Import `spaces` on ZeroGPU, before the first model is loaded.

    Raises:
        EngineError: it is not installed.
    """
    if on_zerogpu(environ):
        _spaces()


def gpu_function(write: Write, duration: Callable[[GpuRequest], int], size: str, environ: Mapping[str, str]) -> Write:
    """Return `write` as a function that runs with a GPU in a forked process; elsewhere `write` itself."""
    if not on_zerogpu(environ):
        return write
    decorated: Write = _spaces()(write, duration=duration, size=size)
    return decorated


def _spaces() -> Callable[..., Write]:
    try:
        import spaces
    except ImportError as error:
        raise EngineError(
            f"{VARIABLE} is set, but the package `spaces` cannot be imported ({error}); add it to requirements.txt"
        ) from error
    found: Callable[..., Write] = spaces.GPU
    return found
