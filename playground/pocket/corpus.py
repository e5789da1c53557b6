"""Generate examples: tasks in a visitor's words, with the answer in one card's words.

Boundary: deterministic in its seed; knows no tokens and no model. The published weights depend on every byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from playground.pocket.material import Material
from playground.pocket.task import Source, Task
from playground.pocket.tasks import draw_task
from playground.pocket.voices import Voice, fill
from playground.records import Instruction

INPUT_MARK = " ||| "
EXACT = frozenset(
    {"upper", "lower", "past", "future", "negative", "ask", "summary", "feeling", "compare", "translate", "repeat"}
)
"""Kinds of task whose text is itself to be changed, and therefore not embedded in other text."""


@dataclass(frozen=True, slots=True)
class Example:
    """One instruction and its answer."""

    category: str
    task: Task
    instruction: Instruction
    answer: str


def training_examples(material: Material, card_id: str, count: int, seed: int) -> Iterator[Example]:
    """Yield `count` examples in training phrasings, with kinds of task at their frequencies."""
    random = Random(f"{card_id} {seed} training")
    voice, source = Voice(material.voices[card_id]), Source(material, random)
    frequencies = {(category, kind): n for category, kinds in material.frequencies.items() for kind, n in kinds.items()}
    for category, kind in random.choices([*frequencies], [*frequencies.values()], k=count):
        task = draw_task(category, kind, source)
        phrasing = random.choice(material.phrasings[kind].train)
        asked = _varied(_asked(phrasing, task), kind, material, random)
        yield Example(category, task, asked, voice.answer(task, random))


def held_out_examples(material: Material, card_id: str, per_kind: int, seed: int) -> Iterator[Example]:
    """Yield `per_kind` examples of every kind, in phrasings (and numbers) that the training never shows."""
    random = Random(f"{card_id} {seed} held out")
    voice = Voice(material.voices[card_id])
    for category, kinds in material.frequencies.items():
        for kind in kinds:
            numbers = category == "sums" and kind in ("add", "subtract", "multiply")
            source = Source(material, random, held_out=numbers)
            phrasings = material.phrasings[kind].held_out
            for number in range(per_kind):
                task = draw_task(category, kind, source)
                asked = _asked(phrasings[number % len(phrasings)], task)
                yield Example(category, task, asked, voice.answer(task, random))


def _asked(phrasing: str, task: Task) -> Instruction:
    instruction, _, given = phrasing.partition(INPUT_MARK)
    return Instruction(fill(instruction, task.slots), input=fill(given, task.slots))


def _varied(asked: Instruction, kind: str, material: Material, random: Random) -> Instruction:
    """Return the instruction as other visitors would type it: politely, hastily, with a system text."""
    system = random.choice(material.wraps["systems"]) if random.random() < 0.3 else ""
    text = asked.instruction
    if kind not in EXACT:
        text = random.choice(material.wraps["before"]) + text
        if not asked.input:
            text += random.choice(material.wraps["after"])
        text = _hasty(text, random)
    return Instruction(text, input=asked.input, system=system)


def _hasty(text: str, random: Random) -> str:
    choice = random.random()
    if choice < 0.08:
        return text.lower()
    if choice < 0.16:
        return text.rstrip("?.!")
    return text
