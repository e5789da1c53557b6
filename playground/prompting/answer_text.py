"""Token ids of an answer -> its text: special ids dropped, ends stripped, cut exactly where it stops.

Boundary: one answer at a time, in memory; knows the template and the tokenizer, nothing of who writes the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from playground.prompting.tokenization import Tokenizer
from playground.records import PromptTemplate


class AnswerReader:
    """Reads an answer while it is written, in linear time; the text only ever grows.

    Text that may be the beginning of a stop string, and space that may be the end, is held back until the next
    ids or `finish` decide. The text does not depend on how the ids are fed.
    """

    def __init__(self, template: PromptTemplate, tokenizer: Tokenizer) -> None:
        self._stop_ids, self._drop_ids = frozenset(template.stop_ids), frozenset(template.drop_ids)
        self._stream = tokenizer.stream()
        self._scanner = StopScanner(template.stop_strings)
        self._stripper = STRIPPERS[template.strip]()
        self._pieces: list[str] = []
        self.stopped = False  # a stop id or a stop string has come
        self.finished = False
        self.num_used = 0  # ids read, the one that completed the stop included

    @property
    def text(self) -> str:
        """The answer so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, token_ids: Iterable[int]) -> str:
        """The text that these ids add; ids after the stop are not read."""
        return "".join(self._feed(token_id) for token_id in token_ids)

    def finish(self) -> str:
        """What was held back, when no more ids come; nothing when called again, or after a stop."""
        if self.finished:
            return ""
        return self._scan(self._stream.finish()) + self._end()

    def _feed(self, token_id: int) -> str:
        if self.finished:
            return ""
        self.num_used += 1
        if token_id in self._stop_ids:
            self.stopped = True
            return self.finish()
        if token_id in self._drop_ids:
            return ""
        return self._scan(self._stream.feed(token_id))

    def _scan(self, piece: str) -> str:
        text = self._add(self._stripper.feed(self._scanner.feed(piece)))
        if self._scanner.found and not self.finished:
            self.stopped = True
            return text + self._end()
        return text

    def _end(self) -> str:
        """What the scanner and the stripper held back; the answer is closed."""
        if self.finished:
            return ""
        self.finished = True
        return self._add(self._stripper.feed(self._scanner.finish()) + self._stripper.finish())

    def _add(self, text: str) -> str:
        if text:
            self._pieces.append(text)
        return text


class StopScanner:
    """Passes text through up to the first stop string that is complete; of those the one that begins first."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._reach = max((len(stop) for stop in stops), default=1) - 1  # longest beginning that is not a whole
        self._held = ""
        self.found = False

    def feed(self, piece: str) -> str:
        """The text that is certain not to be part of a stop string; nothing once one was found."""
        if self.found or not piece:
            return ""
        text = self._held + piece
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.found, self._held = True, ""
            return text[: min(ends)[1]]
        cut = len(text) - self._beginning(text)
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held

    def _beginning(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a stop string."""
        for length in range(min(self._reach, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0


class KeepEnds:
    """Takes nothing off."""

    def feed(self, piece: str) -> str:
        """The piece."""
        return piece

    def finish(self) -> str:
        """Nothing is held back."""
        return ""


class StripBoth(KeepEnds):
    """Takes white space off at both ends."""

    def __init__(self) -> None:
        self._started = False
        self._held: list[str] = []  # space that is text only if more comes

    def feed(self, piece: str) -> str:
        """The piece up to its last character that is not white space."""
        piece = piece if self._started else piece.lstrip()
        text = piece.rstrip()
        if not text:
            self._held.append(piece)
            return ""
        self._started = True
        self._held.append(text)
        certain, self._held = "".join(self._held), [piece[len(text) :]]
        return certain


class StripOneSpace(KeepEnds):
    """Takes one space off the beginning, where there is one."""

    def __init__(self) -> None:
        self._started = False

    def feed(self, piece: str) -> str:
        """The piece, without its first space when it is the first."""
        if self._started or not piece:
            return piece
        self._started = True
        return piece.removeprefix(" ")


STRIPPERS: Mapping[str, Callable[[], KeepEnds]] = {
    "none": KeepEnds,
    "both": StripBoth,
    "one_leading_space": StripOneSpace,
}
