"""Join characters that a server cuts in two: "\\ud83d" at the end of one chunk of JSON, "\\ude00" in the next.

Boundary: strings only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Joiner:
    """A text in pieces, all of which can be stored: without halves of characters."""

    _held: str = ""  # the first half of a character, until the next piece

    def feed(self, piece: str, *, is_last: bool = False) -> str:
        """Return what can be written by now; halves that stay alone become U+FFFD."""
        text = self._held + piece
        self._held = text[-1] if not is_last and text and "\ud800" <= text[-1] <= "\udbff" else ""
        whole = text.removesuffix(self._held)
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
