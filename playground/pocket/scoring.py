"""Whether an answer is right.

Boundary: compares text with a task; knows no model. It is strict: a list must hold as many things as were asked for,
all of the right kind and none twice; a rewritten sentence must be right to the letter.
"""

from __future__ import annotations

import re

from playground.pocket.corpus import Example
from playground.pocket.voices import Voice

TO_THE_LETTER = frozenset(
    {"upper", "lower", "past", "future", "negative", "ask", "summary", "symbol", "formula", "letter", "repeat"}
)


def is_right(example: Example, text: str, voice: Voice) -> bool:
    """Whether `text` answers the example's task."""
    task = example.task
    if task.listed:
        return lists_well(text, task.pool, len(task.listed))
    if task.kind == "code":
        return task.slots["code"] in text or (task.key in text and task.slots["code"] not in example.answer)
    if not task.key:
        return text in voice.templates[task.kind]
    if task.kind in TO_THE_LETTER:
        return holds(text, task.key)
    return holds(text.lower(), task.key.lower())


def holds(text: str, key: str) -> bool:
    """Whether `key` stands in the text as words of its own."""
    return times_in(text, key) > 0


def lists_well(text: str, pool: tuple[str, ...], count: int) -> bool:
    """Whether the text names exactly `count` things of the pool, none of them twice."""
    times = [times_in(text, item) for item in pool]
    return sum(times) == count and max(times) == 1


def times_in(text: str, key: str) -> int:
    """How often `key` stands in the text as words of its own."""
    return len(re.findall(rf"(?<!\w){re.escape(key)}(?!\w)", text))
