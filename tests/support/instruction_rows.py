"""The ten kinds of instruction file that people have, with their keys, each of a dozen rows of our own sentences.

Boundary: makes bytes; the expected instructions stand beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.records import Instruction

Row = Mapping[str, Any]

ASKED: tuple[tuple[str, str, str], ...] = (
    ("Name three uses of a paper clip.", "", "writing"),
    ("Rewrite the sentence in the past tense.", "The llama walks to the lake.", "editing"),
    ("Explain to a child why the sky is blue.", "", "science"),
    ("Which word does not belong?", "pear, plum, spoon, fig", "reasoning"),
    ("Write a haiku about wool.\nUse no adjectives.", "", "writing"),
    ("Sort these numbers.", "12\n7\n30", "math"),
    ("What is the capital of Peru?", "", "facts"),
    ("Translate into English.", "Das Lama schläft „tief“.", "editing"),
    ("Give a polite reply that declines.", "Can you work on Sunday?", "roleplay"),
    ("A box has 3 rows of 4 eggs. How many eggs are left after 5 break?", "", "math"),
    ("Write a regular expression for dates such as 2026-11-30.", "", "coding"),
    ('Finish: "Slow and steady …"', "", "writing"),
)
"""Instruction, input and category of each row."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file."""

    name: str  # of the file
    row: Callable[[int, str, str, str], Row]
    has_input: bool = False
    has_category: bool = False
    ids: str = ""  # of the first row; empty: it has none
    turns_left_out: int = 0  # in each row

    def content(self) -> bytes:
        """Return the file."""
        rows = [self.row(number, *asked) for number, asked in enumerate(ASKED)]
        if self.name.endswith(".json"):
            return json.dumps(rows, indent=2).encode()
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

    def expected(self) -> list[Instruction]:
        """Return the instructions that are in it."""
        return [
            Instruction(asked, input if self.has_input else "", "", category if self.has_category else "")
            for asked, input, category in ASKED
        ]


def _mt_bench(number: int, asked: str, input: str, category: str) -> Row:
    turns = [asked, "Now say it in one word."]
    return {"question_id": 81 + number, "category": category, "turns": turns, "reference": ["", "x"]}


def _vicuna_bench(number: int, asked: str, input: str, category: str) -> Row:
    return {"question_id": 1 + number, "text": asked, "category": category}


def _alpaca_seed(number: int, asked: str, input: str, category: str) -> Row:
    instances = [{"input": input, "output": "An answer."}]
    return {
        "id": f"seed_task_{number}",
        "name": "a_task",
        "instruction": asked,
        "instances": instances,
        "is_classification": False,
    }


def _self_instruct_seed(number: int, asked: str, input: str, category: str) -> Row:
    instances = [{"input": input, "output": "An answer."}, {"input": "Another.", "output": "Another one."}]
    return {**_alpaca_seed(number, asked, input, category), "instances": instances}


def _user_oriented(number: int, asked: str, input: str, category: str) -> Row:
    instances = [{"input": input, "output": ""}]
    id = f"user_oriented_task_{number}"
    return {"id": id, "motivation_app": "Notes", "instruction": asked, "instances": instances}


def _wizard(number: int, asked: str, input: str, category: str) -> Row:
    return {"idx": number, "Skill": category, "Difficulty": 3, "Instruction": asked}


def _gsm8k(number: int, asked: str, input: str, category: str) -> Row:
    return {"question": asked, "answer": "3*4=<<3*4=12>>12\n#### 7"}


def _koala(number: int, asked: str, input: str, category: str) -> Row:
    return {"id": f"koala_{number}", "prompt": asked}


def _alpaca_eval(number: int, asked: str, input: str, category: str) -> Row:
    return {"dataset": "helpful_base", "instruction": asked, "output": "An answer.", "generator": "a_model"}


def _alpaca_farm(number: int, asked: str, input: str, category: str) -> Row:
    answers = {"output_1": "One.", "output_2": "Two.", "preference": 1 + number % 2}
    return {"instruction": asked, "input": input, **answers, "raw_preference": 1}


KINDS: Mapping[str, Kind] = {
    "MT-bench": Kind("question.jsonl", _mt_bench, has_category=True, ids="81", turns_left_out=1),
    "vicuna-bench": Kind("question.jsonl", _vicuna_bench, has_category=True, ids="1"),
    "alpaca seed tasks": Kind("seed_tasks.jsonl", _alpaca_seed, has_input=True, ids="seed_task_0"),
    "self-instruct seed tasks": Kind("seed_tasks.jsonl", _self_instruct_seed, has_input=True, ids="seed_task_0"),
    "self-instruct user-oriented tasks": Kind(
        "user_oriented_instructions.jsonl", _user_oriented, has_input=True, ids="user_oriented_task_0"
    ),
    "WizardLM test set": Kind("WizardLM_testset.jsonl", _wizard),
    "GSM8K test": Kind("test.jsonl", _gsm8k),
    "koala test set": Kind("koala_test_set.jsonl", _koala, ids="koala_0"),
    "AlpacaEval outputs": Kind("model_outputs.json", _alpaca_eval),
    "AlpacaFarm pairs": Kind("alpaca_human_preference.json", _alpaca_farm, has_input=True),
}
"""The kinds, by the name of the project that a file comes from."""
