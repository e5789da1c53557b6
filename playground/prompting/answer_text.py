"""Read the text of an answer from its token ids: without reasoning and special ids, stripped, cut where it stops.

Boundary: one answer at a time, in memory; knows the template and the tokenizer, not the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from playground.prompting.reasoning import MARKS, ReasoningSplitter, num_held
from playground.prompting.tokenization import ChatTokenizer, Tokenizer
from playground.records import PromptTemplate


class AnswerReader:
    """Reads an answer while it is written, in linear time; its text only grows.

    Text that may begin a stop string, and white space that may be the end, is held back until more ids or `finish`
    decide. The text does not depend on how the ids are divided into calls.

    Args:
        opened: the prompt has opened the reasoning, see `opens_reasoning`.
    """

    def __init__(self, template: PromptTemplate, tokenizer: Tokenizer, *, opened: bool = False) -> None:
        self._stop_ids, self._drop_ids = frozenset(template.stop_ids), frozenset(template.drop_ids)
        self._marks = _special_marks(tokenizer)
        self._stream = tokenizer.stream()
        self._scanner = StopScanner(template.stop_strings)
        self._splitter = ReasoningSplitter(opened=opened)
        self._stripper = STRIPPERS[template.strip]()
        self._pieces: list[str] = []
        self.stopped = False  # by a stop id or a stop string
        self.finished = False
        self.num_used = 0  # ids read, with the one that completed the stop

    @property
    def text(self) -> str:
        """The answer so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def reasoning(self) -> str:
        """The reasoning before the answer, as far as it is written; empty if there is none."""
        return self._splitter.reasoning

    def feed(self, token_ids: Iterable[int]) -> str:
        """Return the text that these ids add; ids after the stop are not read."""
        return "".join(self._feed(token_id) for token_id in token_ids)

    def feed_text(self, piece: str, reasoning: str = "") -> str:
        """Return the text that a piece from a server adds, which sends text and perhaps the reasoning apart."""
        if self.finished:
            return ""
        if reasoning:
            self._splitter.add_reasoning(reasoning)
        return self._scan(piece)

    def finish(self) -> str:
        """Return the text that was held back, when no more ids come; empty after a stop and when called again."""
        if self.finished:
            return ""
        text = self._scan(self._stream.finish())
        return text if self.finished else text + self._end()

    def _feed(self, token_id: int) -> str:
        if self.finished:
            return ""
        self.num_used += 1
        if token_id in self._stop_ids:
            self.stopped = True
            return self.finish()
        if token_id in self._drop_ids:
            mark = "" if self._splitter.answering else self._marks.get(token_id, "")
            return self._scan(mark) if mark else ""
        return self._scan(self._stream.feed(token_id))

    def _scan(self, piece: str) -> str:
        text = self._add(self._stripper.feed(self._splitter.feed(self._scanner.feed(piece))))
        if not self._scanner.found:
            return text
        self.stopped = True
        return text + self._end()

    def _end(self) -> str:
        self.finished = True
        rest = self._splitter.feed(self._scanner.finish()) + self._splitter.finish()
        return self._add(self._stripper.feed(rest) + self._stripper.finish())

    def _add(self, text: str) -> str:
        if text:
            self._pieces.append(text)
        return text


def _special_marks(tokenizer: Tokenizer) -> Mapping[int, str]:
    """Return the marks of reasoning that are tokens of their own."""
    if not isinstance(tokenizer, ChatTokenizer):
        return {}
    return {token_id: mark for mark in MARKS if (token_id := tokenizer.id_of(mark)) is not None}


class StopScanner:
    """Passes text on up to the first complete stop string; of several, the one that begins first."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.found = False

    def feed(self, piece: str) -> str:
        """Return the text that cannot be part of a stop string; empty once one was found."""
        if self.found or not piece:
            return ""
        text = self._held + piece
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.found, self._held = True, ""
            return text[: min(ends)[1]]
        cut = len(text) - num_held(text, self._stops)
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """Return the text that was held back."""
        held, self._held = self._held, ""
        return held


class KeepEnds:
    """Keeps white space; the interface of all strippers."""

    def feed(self, piece: str) -> str:
        """Return the text that is certain after one more piece."""
        return piece

    def finish(self) -> str:
        """Return the text that was held back."""
        return ""


class StripBoth(KeepEnds):
    """Strips white space at both ends."""

    def __init__(self) -> None:
        self._started = False
        self._held: list[str] = []  # white space, which is text only if more text comes

    def feed(self, piece: str) -> str:
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
    """Strips one leading space."""

    def __init__(self) -> None:
        self._started = False

    def feed(self, piece: str) -> str:
        if self._started or not piece:
            return piece
        self._started = True
        return piece.removeprefix(" ")


STRIPPERS: Mapping[str, Callable[[], KeepEnds]] = {
    "none": KeepEnds,
    "both": StripBoth,
    "one_leading_space": StripOneSpace,
}
