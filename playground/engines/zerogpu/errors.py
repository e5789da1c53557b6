"""Errors of a GPU call in words for visitors.

Boundary: `spaces` raises errors of Gradio, told apart by their titles; they are read without importing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ABORTED = "the GPU was taken away before the answer was finished; ask for a shorter answer, or once more"
NO_GPU = "no GPU was free within a minute; ask once more"
NO_THREAD = "too many programs run on this machine to ask for a GPU; ask again in a minute"
NO_TITLE = "the GPU could not be used ({kind}: {message}); ask once more"
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "ZeroGPU quota exceeded": "no GPU time is left: {message}",
        "ZeroGPU pending credits exceeded": "no GPU time is left: {message}",
        "ZeroGPU illegal duration": "the answers would take too much GPU time: {message}; ask for shorter ones",
        "ZeroGPU queue timeout": NO_GPU,
        "ZeroGPU client error": "no GPU could be had: {message}; reload the page and ask once more",
        "ZeroGPU worker error": ABORTED,
    }
)
"""The title of an error of `spaces` -> words."""
NO_GPU_FREE = "No GPU was available"
"""The beginning of the message about a queue that was waited in for too long, whatever the title."""
NO_VISITOR = "Space app has reached its GPU limit"
"""The beginning of the message about a call that belongs to no visitor."""
NO_VISITOR_WORDS = "no GPU time is left for visitors without a Hugging Face login; sign in there, or come back tomorrow"
MOST_CHARS = 300


def words_of(error: Exception) -> str:
    """Return the reason for visitors why a call failed; it names no model."""
    message = " ".join(str(getattr(error, "message", error)).split())[:MOST_CHARS].rstrip(". ")
    if message.startswith(NO_VISITOR):
        return NO_VISITOR_WORDS
    if message.startswith(NO_GPU_FREE):
        return NO_GPU
    template = WORDS.get(str(getattr(error, "title", "")), NO_TITLE)
    return template.format(kind=type(error).__name__, message=message or "no reason was given")
