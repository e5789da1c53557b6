"""Score the pocket models: ``python -m playground.pocket.evaluate [ID…] [--weights DIR] [--per-kind N] [--seed N]``.

Instructions are in phrasings, and sums in numbers, that the training never shows.

Boundary: reads finished folders with transformers, in float32; prints a Markdown table, writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from playground.catalog.card_files import read_card
from playground.catalog.catalog import CARD_FOLDER
from playground.pocket.architectures import ARCHITECTURES
from playground.pocket.corpus import Example, held_out_examples
from playground.pocket.encoding import Encoder
from playground.pocket.material import Material, load_material
from playground.pocket.scoring import is_right
from playground.pocket.train import WEIGHTS_FOLDER
from playground.pocket.voices import Voice
from playground.records import WHEN_SAMPLING

MAX_NEW_TOKENS = 128
ROWS = 50
"""Prompts per batch."""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """A model's answer to an example."""

    example: Example
    text: str
    num_tokens: int
    finished: bool  # by the end id
    right: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of the named models, by default of all."""
    parser = argparse.ArgumentParser(
        prog="python -m playground.pocket.evaluate", description="Score the pocket models."
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"which: {', '.join(ARCHITECTURES)} (default: all)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS_FOLDER, help="folder of the finished models")
    parser.add_argument("--per-kind", type=int, default=12, help="examples of each kind of task (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of examples and of sampling (default: %(default)s)")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N wrong answers of each kind as well")
    options = parser.parse_args(arguments)
    unknown = [card_id for card_id in options.ids if card_id not in ARCHITECTURES]
    if unknown:
        parser.error(f"no pocket model {unknown[0]!r}; there are: {', '.join(ARCHITECTURES)}")
    torch.set_num_threads(1)
    material = load_material()
    columns = {}
    for card_id in options.ids or ARCHITECTURES:
        for sampled in (False, True):
            examples = list(held_out_examples(material, card_id, options.per_kind, options.seed))
            answers = evaluate(card_id, examples, material, options.weights / card_id, sampled, options.seed)
            columns[f"{card_id}{', sampled' if sampled else ''}"] = shares(answers)
            print(wrong_answers(answers, options.show), end="", file=sys.stderr)
    print(table(columns))
    return 0


def evaluate(
    card_id: str, examples: Sequence[Example], material: Material, folder: Path, sampled: bool = False, seed: int = 0
) -> list[ScoredAnswer]:
    """Return the answers of the model in `folder`, greedy or with the sampling parameters of its card."""
    torch.manual_seed(seed)
    encoder = Encoder(card_id, ARCHITECTURES[card_id], folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    voice = Voice(material.voices[card_id])
    options = sampling_options(card_id) if sampled else {"do_sample": False}
    answers = []
    for start in range(0, len(examples), ROWS):
        rows = examples[start : start + ROWS]
        generated = generate(
            model, [encoder.prompt(row).token_ids for row in rows], ARCHITECTURES[card_id].end_id, options
        )
        for row, ids in zip(rows, generated, strict=True):
            finished = ids[-1:] == [ARCHITECTURES[card_id].end_id]
            text = encoder.text(ids[:-1] if finished else ids)
            answers.append(ScoredAnswer(row, text, len(ids), finished, finished and is_right(row, text, voice)))
    return answers


def sampling_options(card_id: str) -> dict[str, Any]:
    """Return the card's sampling parameters as arguments of `generate`."""
    params = read_card(CARD_FOLDER / f"{card_id}.toml").sampling
    options: dict[str, Any] = {"do_sample": params.do_sample, "repetition_penalty": params.repetition_penalty}
    if params.do_sample:
        options |= {name: getattr(params, name) for name in WHEN_SAMPLING}
    return options


def generate(model: Any, prompts: Sequence[Sequence[int]], end_id: int, options: dict[str, Any]) -> list[list[int]]:
    """Return the new ids of each prompt, up to the end id included; prompts are padded on the left."""
    longest = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[end_id] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with torch.inference_mode():
        rows = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=MAX_NEW_TOKENS,
            eos_token_id=end_id,
            pad_token_id=end_id,
            use_cache=True,
            **options,
        )
    return [_until_end(row[longest:].tolist(), end_id) for row in rows]


def _until_end(ids: list[int], end_id: int) -> list[int]:
    return ids[: ids.index(end_id) + 1] if end_id in ids else ids


def shares(answers: Sequence[ScoredAnswer]) -> dict[str, float]:
    """Return percentages of right answers by category and of finished answers, and the mean tokens per answer."""
    by_category: dict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        by_category[answer.example.category].append(answer.right)
    rows = {category: 100 * sum(right) / len(right) for category, right in by_category.items()}
    answers = list(answers)
    rows["ended by itself"] = 100 * sum(answer.finished for answer in answers) / len(answers)
    rows["tokens per answer"] = sum(answer.num_tokens for answer in answers) / len(answers)
    return rows


def wrong_answers(answers: Iterable[ScoredAnswer], per_kind: int) -> str:
    """Return each kind's score and first wrong answers as text; empty if `per_kind` is 0."""
    lines: list[str] = []
    by_kind: dict[str, list[ScoredAnswer]] = defaultdict(list)
    for answer in answers:
        by_kind[answer.example.task.kind].append(answer)
    for kind, given in by_kind.items() if per_kind else ():
        wrong = [answer for answer in given if not answer.right]
        lines.append(f"{kind}: {len(given) - len(wrong)} of {len(given)}")
        for answer in wrong[:per_kind]:
            asked = answer.example.instruction
            lines.append(f"    {asked.instruction!r} {asked.input!r} -> {answer.text!r}")
    return "".join(f"{line}\n" for line in lines)


def table(columns: dict[str, dict[str, float]]) -> str:
    """Return a Markdown table of percentages, with a row per category and a column per model."""
    names = list(columns)
    lines = [f"| held out | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for row in next(iter(columns.values())):
        lines.append(f"| {row} | {' | '.join(f'{columns[name][row]:.0f}' for name in names)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
