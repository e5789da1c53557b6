"""Examples: tasks in the words of a visitor, with the answer in the words of one card.

Boundary: deterministic in its seed; knows no tokens and no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from playground.pocket.material import Material
from playground.pocket.tasks import DRAWS, Source, Task
from playground.pocket.voices import Voice, fill
from playground.records import Instruction

INPUT_MARK = " ||| "
EXACT = frozenset(
    {"upper", "lower", "past", "future", "negative", "ask", "summary", "feeling", "compare", "translate", "repeat"}
)
"""Kinds whose text is itself what is to be changed, so that nothing is put around it."""


@dataclass(frozen=True, slots=True)
class Example:
    """One instruction and its answer."""

    category: str
    task: Task
    instruction: Instruction
    answer: str


def training_examples(material: Material, card_id: str, count: int, seed: int) -> Iterator[Example]:
    """`count` examples in phrasings of the training, mixed by the weights of `DRAWS`."""
    random = Random(f"{card_id} {seed} training")
    voice, source = Voice(material.voices[card_id]), Source(material, random)
    kinds = [(category, kind) for category, draws in DRAWS.items() for kind in draws]
    weights = [DRAWS[category][kind][0] for category, kind in kinds]
    for category, kind in random.choices(kinds, weights, k=count):
        task = DRAWS[category][kind][1](source)
        phrasing = random.choice(material.phrasings[kind].train)
        asked = _varied(_asked(phrasing, task), kind, material, random)
        yield Example(category, task, asked, voice.answer(task, random))


def held_out_examples(material: Material, card_id: str, per_kind: int, seed: int) -> Iterator[Example]:
    """`per_kind` examples of every kind, in phrasings (and numbers) that the training never shows."""
    random = Random(f"{card_id} {seed} held out")
    voice = Voice(material.voices[card_id])
    for category, draws in DRAWS.items():
        for kind, (_, draw) in draws.items():
            numbers = category == "sums" and kind in ("add", "subtract", "multiply")
            source = Source(material, random, held_out=numbers)
            phrasings = material.phrasings[kind].held_out
            for number in range(per_kind):
                task = draw(source)
                asked = _asked(phrasings[number % len(phrasings)], task)
                yield Example(category, task, asked, voice.answer(task, random))


def _asked(phrasing: str, task: Task) -> Instruction:
    instruction, _, given = phrasing.partition(INPUT_MARK)
    return Instruction(fill(instruction, task.slots), input=fill(given, task.slots))


def _varied(asked: Instruction, kind: str, material: Material, random: Random) -> Instruction:
    """The same instruction as other visitors would type it: politely, hastily, with a system text."""
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
