"""A card's voice: a task and its answer in the card's own words.

Boundary: fills the templates of `voices.toml`; knows no phrasing and no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from playground.pocket.tasks import Task, capital_first

PLACE = re.compile(r"\{(\w+)\}")
LISTS = {"list": "lists", "tips": "advice"}
"""Kinds whose templates have another name, because theirs says how lists are joined."""


def fill(template: str, slots: Mapping[str, str]) -> str:
    """The template with its slots filled; a slot's name with a capital gives a capital first letter.

    Raises:
        KeyError: a slot that the task does not have.
    """

    def value(place: re.Match[str]) -> str:
        name = place[1]
        if name in slots:
            return slots[name]
        return capital_first(slots[name[0].lower() + name[1:]])

    return PLACE.sub(value, template)


@dataclass(frozen=True, slots=True)
class Voice:
    """How one card answers."""

    templates: Mapping[str, Sequence[str]]

    def answer(self, task: Task, random: Random) -> str:
        """An answer to the task; which of the voice's templates it takes is left to `random`."""
        template = random.choice(self.templates[LISTS.get(task.kind, task.kind)])
        return _end_once(fill(template, {**task.slots, **self._joined(task)}))

    def _joined(self, task: Task) -> dict[str, str]:
        if task.listed:
            return {"items": self._join(task.listed, task.kind)}
        if task.steps:
            return {"steps": self._join(task.steps, "steps")}
        return {}

    def _join(self, items: Sequence[str], marks: str) -> str:
        """The items with the voice's marks: one before each, one between, one before the last."""
        before, between, last = self.templates[marks]
        marked = [before.replace("{k}", str(number)) + item for number, item in enumerate(items, 1)]
        if len(marked) == 1:
            return marked[0]
        return between.join(marked[:-1]) + last + marked[-1]


def _end_once(text: str) -> str:
    """Without the second full stop after an abbreviation such as D.C."""
    return text.replace("D.C..", "D.C.")
