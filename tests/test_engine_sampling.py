"""The next token is chosen as transformers would choose it, with noise of the row's own."""

from __future__ import annotations

import math

import pytest
import torch

from playground.engines.local.loading import LoadedModel, load
from playground.engines.local.sampling import Sampler
from playground.errors import EngineError
from playground.records import SamplingParams
from tests.checkpoints import tiny_line_up

CPU = torch.device("cpu")
PROMPT = (1, 17, 44, 17, 300)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load(tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")[0], threads=1)


def sampler(params: SamplingParams, *, seed: int = 0, vocab_size: int = 6, stop_ids: tuple[int, ...] = ()) -> Sampler:
    return Sampler(params, seed, (1,), stop_ids, vocab_size, CPU)


SETTINGS = [
    SamplingParams(do_sample=True, temperature=0.7, top_k=50, max_new_tokens=12),
    SamplingParams(do_sample=True, top_k=50, top_p=0.9, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=1.7, top_p=0.3, repetition_penalty=1.3, max_new_tokens=12),
    SamplingParams(do_sample=True, repetition_penalty=0.7, renormalize_logits=True, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=0.01, top_k=1000, top_p=0.999, max_new_tokens=12),
    SamplingParams(do_sample=True, min_new_tokens=6, max_new_tokens=12, top_k=5),
    SamplingParams(repetition_penalty=1.2, min_new_tokens=2, renormalize_logits=True, max_new_tokens=12),
    SamplingParams(max_new_tokens=12),
]


@pytest.mark.parametrize("params", SETTINGS, ids=range(len(SETTINGS)))
def test_every_step_is_warped_exactly_as_generate_does(llama: LoadedModel, params: SamplingParams) -> None:
    torch.manual_seed(1)
    stops = [2, 7, 9]
    out = llama.model.generate(
        torch.tensor([PROMPT]),
        attention_mask=torch.ones((1, len(PROMPT)), dtype=torch.long),
        do_sample=params.do_sample,
        repetition_penalty=params.repetition_penalty,
        min_new_tokens=params.min_new_tokens,
        max_new_tokens=params.max_new_tokens,
        renormalize_logits=params.renormalize_logits,
        eos_token_id=stops,
        pad_token_id=0,
        output_scores=True,
        output_logits=True,
        return_dict_in_generate=True,
        **(
            {"temperature": params.temperature, "top_k": params.top_k, "top_p": params.top_p}
            if params.do_sample
            else {}
        ),
    )
    ours = Sampler(params, 0, PROMPT, stops, llama.vocab_size, CPU)
    for logits, scores, token_id in zip(out.logits, out.scores, out.sequences[0, len(PROMPT) :], strict=True):
        assert torch.equal(ours.warp(logits[0]), scores[0])
        ours.remember(int(token_id))


def test_draws_follow_the_softmax_of_the_scores() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -math.inf, 0.5])
    draw = sampler(SamplingParams(do_sample=True))
    n = 20_000
    counts = torch.bincount(torch.tensor([draw.next_id(logits) for _ in range(n)]), minlength=6)
    expected = logits.softmax(-1)
    assert counts[4] == 0
    assert torch.all((counts / n - expected).abs() < 4 * (expected * (1 - expected) / n).sqrt() + 1e-9)


def test_a_seed_gives_the_same_draws_whatever_else_is_drawn() -> None:
    logits = torch.randn(400, generator=torch.Generator().manual_seed(3))
    params = SamplingParams(do_sample=True, temperature=2.0)

    def draws(seed: int, disturb: bool) -> list[int]:
        row, neighbour = sampler(params, seed=seed, vocab_size=400), sampler(params, seed=99, vocab_size=400)
        ids = []
        for _ in range(20):
            if disturb:
                torch.rand(3)
                neighbour.next_id(logits)
            ids.append(row.next_id(logits))
        return ids

    assert draws(5, disturb=False) == draws(5, disturb=True)
    assert draws(5, disturb=False) != draws(6, disturb=False)


def test_greedy_takes_the_best_and_needs_no_seed() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 3.0, -1.0, 2.0])
    assert sampler(SamplingParams(), seed=1).next_id(logits) == 1


@pytest.mark.parametrize("do_sample", [True, False])
@pytest.mark.parametrize("logits", [[math.nan] * 6, [0.0, math.nan, 1.0, 0.0, 0.0, 0.0], [-math.inf] * 6])
def test_numbers_that_are_no_scores_end_the_row(logits: list[float], do_sample: bool) -> None:
    with pytest.raises(EngineError, match="no usable numbers"):
        sampler(SamplingParams(do_sample=do_sample)).next_id(torch.tensor(logits))


def test_stop_ids_cannot_be_drawn_before_the_minimum() -> None:
    logits = torch.tensor([0.0, 0.0, 9.0, 1.0, 0.0, 0.0])
    row = sampler(SamplingParams(min_new_tokens=2), stop_ids=(2,))
    assert [row.next_id(logits) for _ in range(3)] == [3, 3, 2]
