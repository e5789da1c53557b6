"""The sampler warps scores as transformers does, and draws with noise from the row's own generator."""

from __future__ import annotations

import math

import pytest
import torch

from playground.engines.local.worker.decoding.sampling import Sampler, keep_top_p, next_ids, warp
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.records import WHEN_SAMPLING, SamplingParams
from tests.support.checkpoints import tiny_line_up

CPU = torch.device("cpu")
PROMPT = (1, 17, 44, 17, 300)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load(tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")[0], threads=1)


def sampler(params: SamplingParams, *, seed: int = 0, vocab_size: int = 6, stop_ids: tuple[int, ...] = ()) -> Sampler:
    return Sampler(params, seed, (1,), stop_ids, vocab_size, CPU)


def draw(row: Sampler, logits: torch.Tensor) -> int | None:
    """Draw the row's next token alone."""
    return next_ids([row], logits.unsqueeze(0))[0]


SETTINGS = [
    SamplingParams(do_sample=True, temperature=0.7, top_k=50, max_new_tokens=12),
    SamplingParams(do_sample=True, top_k=50, top_p=0.9, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=1.7, top_p=0.3, repetition_penalty=1.3, max_new_tokens=12),
    SamplingParams(do_sample=True, repetition_penalty=0.7, renormalize_logits=True, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=0.01, top_k=1000, top_p=0.999, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=1.5, min_p=0.05, max_new_tokens=12),
    SamplingParams(do_sample=True, temperature=0.8, top_k=40, top_p=0.95, min_p=0.2, max_new_tokens=12),
    SamplingParams(do_sample=True, min_p=1.0, renormalize_logits=True, max_new_tokens=12),
    SamplingParams(do_sample=True, min_new_tokens=6, max_new_tokens=12, top_k=5),
    SamplingParams(repetition_penalty=1.2, min_new_tokens=2, renormalize_logits=True, max_new_tokens=12),
    SamplingParams(max_new_tokens=12),
]


@pytest.mark.parametrize("params", SETTINGS, ids=range(len(SETTINGS)))
def test_scores_equal_those_of_generate(llama: LoadedModel, params: SamplingParams) -> None:
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
        **({name: getattr(params, name) for name in WHEN_SAMPLING} if params.do_sample else {}),
    )
    ours = Sampler(params, 0, PROMPT, stops, llama.vocab_size, CPU)
    for logits, scores, token_id in zip(out.logits, out.scores, out.sequences[0, len(PROMPT) :], strict=True):
        assert torch.equal(warp([ours], logits), scores)
        ours.remember(int(token_id))


@pytest.mark.parametrize("logits", [[1.0, 3.0, 2.0], [0.0, 0.0, 0.0]], ids=["one best token", "a tie"])
def test_smallest_top_p_keeps_one_of_the_best_tokens(logits: list[float]) -> None:
    scores = torch.tensor([logits])
    kept = torch.isfinite(keep_top_p(scores, 1e-8))
    assert kept.sum() == 1
    assert scores[kept] == scores.max()
    params = SamplingParams(do_sample=True, top_p=1e-8)
    assert draw(sampler(params, vocab_size=3), scores[0]) is not None


def test_draws_follow_the_softmax_of_the_scores() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -math.inf, 0.5])
    rows = [sampler(SamplingParams(do_sample=True), seed=seed) for seed in range(200)]
    n = 20_000
    draws = [next_ids(rows, logits.repeat(len(rows), 1)) for _ in range(n // len(rows))]
    counts = torch.bincount(torch.tensor(draws).flatten(), minlength=6)
    expected = logits.softmax(-1)
    assert counts[4] == 0
    assert torch.all((counts / n - expected).abs() < 4 * (expected * (1 - expected) / n).sqrt() + 1e-9)


def test_draws_depend_on_the_seed_alone() -> None:
    logits = torch.randn(400, generator=torch.Generator().manual_seed(3))
    params = SamplingParams(do_sample=True, temperature=2.0)

    def draws(seed: int, disturb: bool) -> list[int]:
        row, neighbour = sampler(params, seed=seed, vocab_size=400), sampler(params, seed=99, vocab_size=400)
        ids = []
        for _ in range(20):
            if disturb:
                torch.rand(3)
                draw(neighbour, logits)
            ids.append(draw(row, logits))
        return ids

    assert draws(5, disturb=False) == draws(5, disturb=True)
    assert draws(5, disturb=False) != draws(6, disturb=False)


def test_greedy_takes_the_first_best_token() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 3.0, -1.0, 2.0])
    assert draw(sampler(SamplingParams(), seed=1), logits) == 1


@pytest.mark.parametrize("do_sample", [True, False])
@pytest.mark.parametrize("logits", [[math.nan] * 6, [0.0, math.nan, 1.0, 0.0, 0.0, 0.0], [-math.inf] * 6])
def test_row_without_finite_scores_gets_no_token(logits: list[float], do_sample: bool) -> None:
    params = SamplingParams(do_sample=do_sample, top_k=1 if do_sample else 0)
    rows = [sampler(params) for _ in range(3)]
    good = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert next_ids(rows, torch.stack([good, torch.tensor(logits), good])) == [1, None, 1]


def test_stop_ids_are_suppressed_before_min_new_tokens() -> None:
    logits = torch.tensor([0.0, 0.0, 9.0, 1.0, 0.0, 0.0])
    row = sampler(SamplingParams(min_new_tokens=2), stop_ids=(2,))
    assert [draw(row, logits) for _ in range(3)] == [3, 3, 2]


def test_rows_with_different_parameters_draw_as_alone() -> None:
    generator = torch.Generator().manual_seed(8)
    logits = torch.randn(len(SETTINGS), 400, generator=generator) * 3

    def rows() -> list[Sampler]:
        return [Sampler(params, seed, (seed, 5, 7), (2, 9), 400, CPU) for seed, params in enumerate(SETTINGS)]

    together, alone = rows(), rows()
    for _ in range(8):
        assert next_ids(together, logits) == [draw(row, scores) for row, scores in zip(alone, logits, strict=True)]
        logits = logits.roll(1, dims=1)
    assert torch.equal(warp(together, logits), torch.cat([warp([row], logits[[i]]) for i, row in enumerate(alone)]))


def test_logits_are_not_modified() -> None:
    logits = torch.randn(2, 6, generator=torch.Generator().manual_seed(1))
    before = logits.clone()
    next_ids(
        [sampler(SamplingParams(do_sample=True, top_k=2)), sampler(SamplingParams(repetition_penalty=1.5))], logits
    )
    assert torch.equal(logits, before)
