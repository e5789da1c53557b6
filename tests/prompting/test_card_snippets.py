"""Stored answers equal those of each card's own code, ids and text.

The reference is the card's code with transformers' own ``generate``; the playground's side is card file, template,
worker process, decode loop and answer reader. Both get small checkpoints in the card's format, and the pocket models.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from playground.arena.column import Column
from playground.arena.column_plan import plan_columns
from playground.arena.comparison import Comparison
from playground.arena.line_up import LineUp
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.clock import Clock
from playground.engines.local.engine import LocalEngine
from playground.engines.local.placement import Device
from playground.engines.local.worker.decoding.gumbel import gumbel
from playground.engines.local.worker.decoding.sampling import Sampler, warp
from playground.engines.local.worker.loading.model import load
from playground.prompting.answer_text import AnswerReader
from playground.prompting.templates import CHAT_ID
from playground.records import FinishReason, Generation, Instruction, SamplingParams
from playground.settings import Settings
from tests.support.card_code import CODE, SNIPPETS, Ids, pairs_of, vocabulary
from tests.support.checkpoints import write_like

DEADLINE_S = 120.0
MAX_NEW_TOKENS = 64
INSTRUCTIONS = [
    Instruction("What is an alpaca?"),
    Instruction("Name three colours.\n\nOne  per line: 羊驼 🦙"),
    Instruction("Rewrite this.", input="It  hums.\nIt is soft."),
]
ENDLESS = Device("cpu", "this CPU", 10**12, 10**12)
"""The cards have the sizes of the real models; the checkpoints here are small."""


def test_every_real_card_with_a_format_of_its_own_has_its_code() -> None:
    real = [card for card in Catalog.load().cards.values() if not card.stands_in_for]
    assert set(SNIPPETS) == {card.id for card in real if card.template != CHAT_ID}


@pytest.mark.parametrize("model_id", SNIPPETS)
def test_card_has_the_sampling_of_its_code(model_id: str) -> None:
    card = Catalog.load().card(model_id)
    asks = SNIPPETS[model_id].asks
    assert {name: getattr(card.sampling, name) for name in asks} == asks
    assert card.sampling_source == ("card" if asks else "ours")


# The two sides


class Noise(LogitsProcessor):
    """Draws with the row's generator, as the playground does."""

    def __init__(self, params: SamplingParams, seed: int, vocab_size: int) -> None:
        self.sampler = Sampler(params, seed, (), (), vocab_size, torch.device("cpu"))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores + gumbel([self.sampler.key()], scores.shape[-1], scores.device)


def drawing(params: SamplingParams, seed: int, vocab_size: int) -> LogitsProcessorList:
    """Return transformers' processors for sampling, in its order, then the row's noise."""
    steps: list[LogitsProcessor] = [TemperatureLogitsWarper(params.temperature)]
    steps += [TopKLogitsWarper(params.top_k)] if params.top_k else []
    steps += [TopPLogitsWarper(params.top_p)] if params.top_p < 1.0 else []
    return LogitsProcessorList([*steps, Noise(params, seed, vocab_size)])


class Models:
    """The small checkpoints, loaded for transformers and served by the playground."""

    def __init__(self, folder: Path) -> None:
        self.catalog = Catalog.load([CARD_FOLDER, folder])
        self.line_up = LineUp(self.catalog, list(CODE))
        self.loaded = {model_id: load(self.catalog.card(model_id), threads=1) for model_id in CODE}
        self._own: dict[tuple[str, Instruction, int | None], tuple[Ids, str]] = {}
        self.engine = LocalEngine(Settings(threads=1), devices=lambda: [ENDLESS])
        self.engine.open(self.line_up.cards)

    def params(self, model_id: str, greedy: bool) -> SamplingParams:
        params = self.catalog.card(model_id).sampling
        shorter = {"max_new_tokens": min(params.max_new_tokens, MAX_NEW_TOKENS)}
        return params.changed(shorter | ({"do_sample": False} if greedy else {}))

    def own(self, model_id: str, asked: Instruction, seed: int | None) -> tuple[Ids, str]:
        """Run the card's code; return all ids of ``generate`` and their text."""
        if (model_id, asked, seed) not in self._own:
            snippet = CODE[model_id]
            reader = vocabulary(snippet)
            new = self.generate(model_id, snippet.prompt(reader, asked), seed)
            self._own[model_id, asked, seed] = new, first_part(snippet.text(reader, new), snippet.ours)
        return self._own[model_id, asked, seed]

    def generate(self, model_id: str, ids: Ids, seed: int | None) -> Ids:
        """Run ``generate``, greedy without a seed."""
        loaded, params = self.loaded[model_id], self.params(model_id, greedy=seed is None)
        out = loaded.model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones((1, len(ids)), dtype=torch.long),
            do_sample=False,
            logits_processor=None if seed is None or not params.do_sample else drawing(params, seed, loaded.vocab_size),
            max_new_tokens=params.max_new_tokens,
            min_new_tokens=params.min_new_tokens,
            repetition_penalty=params.repetition_penalty,
            renormalize_logits=params.renormalize_logits,
            eos_token_id=CODE[model_id].eos,
            pad_token_id=0,
        )
        return [int(token_id) for token_id in out[0, len(ids) :]]

    def ours(self, model_id: str, asked: Instruction, seed: int | None) -> Generation:
        """Return the generation that the playground stores."""
        greedy: dict[str, Any] = {"do_sample": False} if seed is None else {}
        overrides = greedy | {"seed": seed or 0, "max_new_tokens": self.params(model_id, seed is None).max_new_tokens}
        (plan,) = plan_columns(self.catalog, [self.catalog.card(model_id)], asked, overrides)
        reader = AnswerReader(self.catalog.template_of(plan.card), self.catalog.tokenizer_of(plan.card))
        clock, stored = Clock(), queue.SimpleQueue[Generation]()
        column = Column(plan, asked, reader, clock, self.engine.cancel)
        comparison = Comparison("battle", False, [column], clock, lambda ended: stored.put(ended["a"]))
        comparison.start(self.engine, DEADLINE_S)
        return stored.get(timeout=DEADLINE_S)


def first_part(text: str, stops: Sequence[str]) -> str:
    return text[: min([len(text), *(at for stop in stops if (at := text.find(stop)) >= 0)])]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("cards")
    for model_id, snippet in SNIPPETS.items():
        write_like(CARD_FOLDER / f"{model_id}.toml", snippet.tokenizer, folder, follows=pairs_of(snippet))
    both = Models(folder)
    yield both
    both.engine.close()


# Equal


SEEDS = (None, 1, 6)  # None: greedy; what these draw holds everything of OCCURS
RUNS = [(model_id, seed) for model_id in CODE for seed in SEEDS if model_id in SNIPPETS or seed is None]


@pytest.mark.parametrize(
    ("model_id", "seed"),
    [pytest.param(*run, marks=[pytest.mark.slow] if run[1] is not None else []) for run in RUNS],
)
def test_stored_answer_equals_that_of_the_cards_code(models: Models, model_id: str, seed: int | None) -> None:
    for asked in INSTRUCTIONS:
        ids, text = models.own(model_id, asked, seed)
        stored = models.ours(model_id, asked, seed)
        assert list(stored.prompt.token_ids) == CODE[model_id].prompt(vocabulary(CODE[model_id]), asked)
        assert list(stored.token_ids) == ids[: stored.num_tokens]
        assert stored.text == text
        stopped = stored.num_tokens < len(ids) or ids[-1] == CODE[model_id].eos
        assert stored.finish_reason is (FinishReason.STOP if stopped else FinishReason.LENGTH)


def decoded(model_id: str, ids: Ids) -> str:
    return str(vocabulary(CODE[model_id]).decode(ids))


Holds = Callable[[Ids, str], bool]  # of all ids of an answer, and its text
OCCURS: list[tuple[str, str, Holds]] = [
    ("openalpaca-7b-2bt", "<s> first", lambda ids, _: ids[0] == 1),
    ("openalpaca-7b-2bt", "<s> in the middle", lambda ids, _: 1 in ids[3:-3]),
    ("openalpaca-7b-2bt", "</s> at the end", lambda ids, _: ids[-1] == 2),
    ("openalpaca-7b-2bt", "no end", lambda ids, _: ids[-1] != 2),
    ("openalpaca-7b-2bt", "a character of several tokens", lambda _, text: "🦙" in text),
    ("mamba-gpt-3b", "a marker of its own", lambda ids, _: "<|prompt|>" in decoded("mamba-gpt-3b", ids)),
    ("pocket-mamba-gpt", "</s> at the end", lambda ids, _: ids[-1] == 2),
    ("orca-mini-13b", "line breaks", lambda _, text: "\n" in text),
    ("pocket-orca-mini", "</s> at the end", lambda ids, _: ids[-1] == 2),
    ("minotaur-mpt-7b", "a leading space", lambda ids, text: decoded("minotaur-mpt-7b", ids).startswith(f" {text}")),
    ("minotaur-mpt-7b", "the next turn", lambda ids, _: "USER:" in decoded("minotaur-mpt-7b", ids)),
    ("pocket-minotaur", "<|endoftext|> at the end", lambda ids, _: ids[-1] == 0),
    ("galpaca-30b", "a token of its own that is text", lambda _, text: "[START_REF]" in text),
    ("galpaca-30b", "<s> in the middle", lambda ids, _: 0 in ids[:-3]),
    ("galpaca-30b", "white space at the beginning", lambda _, text: text.startswith("\n")),
    ("pocket-galpaca", "</s> at the end", lambda ids, _: ids[-1] == 2),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model_id", "what", "holds"), OCCURS, ids=[f"{row[0]}: {row[1]}" for row in OCCURS])
def test_answers_contain_the_special_cases(models: Models, model_id: str, what: str, holds: Holds) -> None:
    answers = [
        models.own(model_id, asked, seed) for asked in INSTRUCTIONS for seed in SEEDS if (model_id, seed) in RUNS
    ]
    assert any(holds(ids, text) for ids, text in answers), what


@pytest.mark.parametrize("model_id", SNIPPETS)
def test_warped_scores_equal_those_of_generate(models: Models, model_id: str) -> None:
    """Compare on an answer that transformers drew with the card's parameters."""
    snippet, loaded = SNIPPETS[model_id], models.loaded[model_id]
    params = models.params(model_id, greedy=False)
    ids = snippet.prompt(vocabulary(snippet), INSTRUCTIONS[0])
    torch.manual_seed(0)
    out = loaded.model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones((1, len(ids)), dtype=torch.long),
        **(asks_of(params) | snippet.asks | {"max_new_tokens": 24}),
        eos_token_id=snippet.eos,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
    )
    sampler = Sampler(params, 0, ids, (snippet.eos,), loaded.vocab_size, torch.device("cpu"))
    drawn = out.sequences[0, len(ids) :].tolist()
    for logits, scores, token_id in zip(out.logits, out.scores, drawn, strict=True):
        assert torch.equal(warp([sampler], logits), scores)
        sampler.remember(token_id)
    assert drawn


def asks_of(params: SamplingParams) -> dict[str, Any]:
    """Return the playground's choice, for cards without parameters."""
    return {
        "do_sample": params.do_sample,
        "temperature": params.temperature if params.do_sample else None,
        "top_p": params.top_p if params.do_sample else None,
        "top_k": params.top_k if params.do_sample else None,
    }
