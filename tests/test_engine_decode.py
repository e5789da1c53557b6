"""The decode loop writes what ``model.generate`` writes, on all three architectures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from playground.engines.local.decode import Decoder
from playground.engines.local.loading import LoadedModel, load
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason, SamplingParams
from tests.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, VOCAB_SIZE, tiny_line_up

PROMPTS = [(1,), (1, 5, 9), tuple(range(10, 60)), (7, 7, 7, 7), (300, 2, 1, 40, 2, 1)]
PARAMS = [
    SamplingParams(max_new_tokens=24),
    SamplingParams(max_new_tokens=24, repetition_penalty=1.2, min_new_tokens=2, renormalize_logits=True),
    SamplingParams(max_new_tokens=24, repetition_penalty=0.6),
    SamplingParams(max_new_tokens=24, min_new_tokens=10),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return {kind: load(card, threads=1) for kind, card in zip(ARCHITECTURES, cards, strict=True)}


@pytest.fixture(params=list(ARCHITECTURES))
def model(request: pytest.FixtureRequest, models: dict[str, LoadedModel]) -> LoadedModel:
    return models[request.param]


def job(ids: Sequence[int], params: SamplingParams, stop_ids: tuple[int, ...] = (), seed: int = 0) -> Job:
    return Job("row", tuple(ids), params, seed, stop_ids, deadline_s=60.0)


def write(model: LoadedModel, request: Job) -> tuple[list[int], FinishReason]:
    decoder = Decoder(model)
    decoder.admit(request)
    ids: list[int] = []
    while True:
        (token,) = decoder.step()
        ids.append(token.token_id)
        if token.finish_reason is not None:
            assert decoder.rows == ()
            return ids, token.finish_reason


def generate(model: LoadedModel, ids: Sequence[int], params: SamplingParams, stop_ids: Sequence[int]) -> list[int]:
    out = model.model.generate(
        torch.tensor([list(ids)]),
        attention_mask=torch.ones((1, len(ids)), dtype=torch.long),
        do_sample=False,
        max_new_tokens=params.max_new_tokens,
        min_new_tokens=params.min_new_tokens,
        repetition_penalty=params.repetition_penalty,
        renormalize_logits=params.renormalize_logits,
        eos_token_id=list(stop_ids) or None,
        pad_token_id=0,
    )
    return [int(i) for i in out[0, len(ids) :]]


@pytest.mark.parametrize("params", PARAMS, ids=range(len(PARAMS)))
def test_greedy_ids_equal_those_of_generate(model: LoadedModel, params: SamplingParams) -> None:
    for prompt in PROMPTS:
        free, _ = write(model, job(prompt, params))
        assert free == generate(model, prompt, params, ())
        stops = (free[5], free[12])  # ids that this answer does reach
        stopped, _ = write(model, job(prompt, params, stops))
        assert stopped == generate(model, prompt, params, stops)


def test_a_stop_id_is_the_last_token_and_the_reason(model: LoadedModel) -> None:
    free, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20)))
    assert (len(free), reason) == (20, FinishReason.LENGTH)
    stop = free[7]
    ids, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20), (stop,)))
    assert reason is FinishReason.STOP
    assert ids == free[: free.index(stop) + 1]


def test_the_end_of_the_context_ends_the_answer(model: LoadedModel) -> None:
    prompt = tuple(range(3, 203))
    ids, reason = write(model, job(prompt, SamplingParams(max_new_tokens=200)))
    assert reason is FinishReason.LENGTH
    assert len(prompt) + len(ids) == CONTEXT_LENGTH
    assert ids == generate(model, prompt, SamplingParams(max_new_tokens=len(ids)), ())


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((), "empty"),
        ((1, VOCAB_SIZE), "outside the model's 384 rows"),
        ((-1, 3), "outside"),
        ((5,) * 256, "256 tokens"),
    ],
)
def test_a_prompt_that_cannot_be_fed_is_refused_in_words(model: LoadedModel, ids: tuple[int, ...], words: str) -> None:
    decoder = Decoder(model)
    with pytest.raises((EngineError, PromptTooLong), match=words):
        decoder.admit(job(ids, SamplingParams()))
    assert decoder.has_room


def test_a_sampled_answer_repeats_with_its_seed(model: LoadedModel) -> None:
    params = SamplingParams(do_sample=True, temperature=1.5, top_p=0.95, max_new_tokens=30)
    first, second, other = (write(model, job((1, 5, 9), params, seed=seed))[0] for seed in (11, 11, 12))
    assert first == second != other
