"""Write the answer to a task in a card's own words.

Boundary: fills the templates of `voices.toml`; knows no phrasing and no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from playground.pocket.task import Task, capital_first

SLOT = re.compile(r"\{(\w+)\}")
LISTS = {"list": "lists", "tips": "advice"}
"""Kinds of task whose templates have another name, because under their own name are the marks of lists."""


def fill(template: str, slots: Mapping[str, str]) -> str:
    """Fill the slots of a template; a slot name with a capital gives a capital first letter.

    Raises:
        KeyError: the task does not have the slot.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in slots:
            return slots[name]
        return capital_first(slots[name[0].lower() + name[1:]])

    return SLOT.sub(value, template)


@dataclass(frozen=True, slots=True)
class Voice:
    """The answer templates of one card."""

    templates: Mapping[str, Sequence[str]]

    def answer(self, task: Task, random: Random) -> str:
        """Return an answer to the task in a random one of the templates."""
        template = random.choice(self.templates[LISTS.get(task.kind, task.kind)])
        return _end_once(fill(template, {**task.slots, **self._joined(task)}))

    def _joined(self, task: Task) -> dict[str, str]:
        if task.listed:
            return {"items": self._join(task.listed, task.kind)}
        if task.steps:
            return {"steps": self._join(task.steps, "steps")}
        return {}

    def _join(self, items: Sequence[str], marks: str) -> str:
        """Join items with the card's marks: one before each, one between, one before the last."""
        before, between, last = self.templates[marks]
        marked = [before.replace("{k}", str(number)) + item for number, item in enumerate(items, 1)]
        if len(marked) == 1:
            return marked[0]
        return between.join(marked[:-1]) + last + marked[-1]


def _end_once(text: str) -> str:
    """Remove a second full stop after the abbreviation D.C."""
    return text.replace("D.C..", "D.C.")
