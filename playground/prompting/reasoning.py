"""Tell the reasoning before an answer from the answer, while both are being written.

Boundary: text only. Models write their reasoning first, in ``<think>…</think>`` (Qwen3, SmolLM3, the distillations of
DeepSeek-R1) or in channels (gpt-oss); what an answer says of such marks later on is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

THINK, END_OF_THINK = "<think>", "</think>"
CHANNEL, END_OF_CHANNELS = "<|channel|>", "<|channel|>final<|message|>"
ENDS = {THINK: END_OF_THINK, CHANNEL: END_OF_CHANNELS}
"""Marks with which an answer begins if it has reasoning, and the ends of the reasoning."""
MARKS = (THINK, END_OF_THINK, CHANNEL, "<|message|>", "<|start|>", "<|end|>")
"""Marks that are special tokens of some vocabularies; elsewhere they are text."""

_MARKS_WITHIN = re.compile(r"^<think>|<\|channel\|>[^<]*<\|message\|>|<\|end\|>(?:<\|start\|>assistant)?")


def opens_reasoning(prompt: str) -> bool:
    """Return True if a prompt ends with the mark that opens the reasoning, so that the model writes only its end."""
    return prompt.rstrip().endswith(THINK)


class ReasoningSplitter:
    """Passes an answer on without its reasoning; neither depends on how the text is divided into calls.

    Args:
        opened: the prompt has opened the reasoning.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._end = END_OF_THINK if opened else ""  # of the reasoning; empty while it is not known whether there is one
        self._held = ""
        self._parts: list[str] = []
        self._is_fresh = False  # the reasoning has ended, and no character of the answer has come
        self.answering = False
        """True once the answer has begun, with or without reasoning before it."""

    @property
    def reasoning(self) -> str:
        """The reasoning so far, stripped and without its marks."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return _MARKS_WITHIN.sub("", self._parts[0]).strip() if self._parts else ""

    def add_reasoning(self, piece: str) -> None:
        """Take reasoning that a server has already told from the answer."""
        self._parts.append(piece)

    def feed(self, piece: str) -> str:
        """Return the part of the answer in one more piece of text."""
        if self.answering:
            return self._answer(piece)
        text, self._held = self._held + piece, ""
        return self._reason(text) if self._end else self._begin(text)

    def finish(self) -> str:
        """Return the part of the answer that was held back; what was held back of the reasoning joins it."""
        text, self._held = self._held, ""
        if self._end and not self.answering:
            self._parts.append(text)
            return ""
        return text

    def _begin(self, text: str) -> str:
        start = text.lstrip()
        for mark, end in ENDS.items():
            if start.startswith(mark):
                self._end = end
                return self._reason(start)
        if any(mark.startswith(start) for mark in ENDS):  # nothing but space does not tell either
            self._held = text
            return ""
        self.answering = True
        return text

    def _reason(self, text: str) -> str:
        reasoning, end, answer = text.partition(self._end)
        if end:
            self._parts.append(reasoning)
            self.answering = self._is_fresh = True
            return self._answer(answer)
        cut = len(text) - num_held(text, (self._end,))
        self._parts.append(text[:cut])
        self._held = text[cut:]
        return ""

    def _answer(self, piece: str) -> str:
        if self._is_fresh:
            piece = piece.lstrip()
            self._is_fresh = not piece
        return piece


def num_held(text: str, marks: Iterable[str]) -> int:
    """Return the number of characters at the end of `text` with which one of the marks may begin."""
    longest = max(map(len, marks), default=1) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return length
    return 0
