"""Decide whether an answer is right.

Scores are strict: a list must have the requested number of items, all of the right kind and none twice; a rewritten
sentence must be right to the letter.

Boundary: compares text with a task; knows no model.
"""

from __future__ import annotations

import re

from playground.pocket.corpus import Example
from playground.pocket.voices import Voice

TO_THE_LETTER = frozenset(
    {"upper", "lower", "past", "future", "negative", "ask", "summary", "symbol", "formula", "letter", "repeat"}
)


def is_right(example: Example, text: str, voice: Voice) -> bool:
    """Return True if `text` is a right answer to the example's task."""
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
    """Return True if the text contains `key` as whole words."""
    return times_in(text, key) > 0


def lists_well(text: str, pool: tuple[str, ...], count: int) -> bool:
    """Return True if the text names exactly `count` items of the pool, none twice."""
    times = [times_in(text, item) for item in pool]
    return sum(times) == count and max(times) == 1


def times_in(text: str, key: str) -> int:
    """Count `key` as whole words in the text."""
    return len(re.findall(rf"(?<!\w){re.escape(key)}(?!\w)", text))
