"""A model whose batch decoding equals ``generate`` is written in batches, any other one row at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers

from playground.engines.local.worker.decoding.decoder import BatchDecoder, Decoder
from playground.engines.local.worker.decoding.generate import GenerateDecoder
from playground.engines.local.worker.decoding.self_check import checked_decoder, equal_up_to_rounding, run_self_check
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import EngineFacts, Job
from playground.errors import CheckpointError
from playground.records import FinishReason, SamplingParams

VOCAB_SIZE = 500
SHAPE: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.3,
}
GATED = {"intermediate_size": 128, "max_position_embeddings": 128}

TOGETHER: dict[str, Callable[[], Any]] = {
    "Qwen2 (grouped queries)": lambda: transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(**SHAPE, **GATED, num_key_value_heads=2)
    ),
    "GPT-NeoX (partial rotary)": lambda: transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**SHAPE, **GATED)),
    "GPT-2 (learned positions)": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=VOCAB_SIZE, n_embd=64, n_layer=2, n_head=4, initializer_range=0.3)
    ),
    "Bloom (ALiBi from the mask)": lambda: transformers.BloomForCausalLM(transformers.BloomConfig(**SHAPE)),
    "Mistral (sliding window)": lambda: transformers.MistralForCausalLM(
        transformers.MistralConfig(**SHAPE, **GATED, num_key_value_heads=2, sliding_window=8)
    ),
}
ONE_AT_A_TIME: dict[str, Callable[[], Any]] = {
    "Mamba (state, no keys)": lambda: transformers.MambaForCausalLM(
        transformers.MambaConfig(
            vocab_size=VOCAB_SIZE, hidden_size=64, num_hidden_layers=2, state_size=8, initializer_range=0.3
        )
    ),
    "RecurrentGemma (both)": lambda: transformers.RecurrentGemmaForCausalLM(
        transformers.RecurrentGemmaConfig(
            vocab_size=VOCAB_SIZE,
            hidden_size=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=128,
            lru_width=64,
            head_dim=16,
            attention_window_size=8,
        )
    ),
}


ORIGINAL = 32
"""The original context of models with rotary positions that change beyond it."""
LONG_FACTORS = {"short_factor": [1.0] * 8, "long_factor": [1.0 + i for i in range(8)]}
LENGTH_DEPENDENT: dict[str, Callable[[], Any]] = {
    "Phi-3 (longrope)": lambda: transformers.Phi3ForCausalLM(
        transformers.Phi3Config(
            **SHAPE,
            **GATED,
            pad_token_id=0,
            original_max_position_embeddings=ORIGINAL,
            rope_parameters={
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "original_max_position_embeddings": ORIGINAL,
                **LONG_FACTORS,
            },
        )
    ),
    "Llama (dynamic)": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **SHAPE,
            **{**GATED, "max_position_embeddings": ORIGINAL},
            rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
        )
    ),
}


def loaded(make: Callable[[], Any]) -> LoadedModel:
    torch.manual_seed(0)
    facts = EngineFacts("local", "cpu", "float32", "local", {"torch": "2"})
    return LoadedModel(make().eval(), torch.device("cpu"), 128, VOCAB_SIZE, facts, 0.0)


def job(row: str, ids: tuple[int, ...], params: SamplingParams, stop_ids: tuple[int, ...] = ()) -> Job:
    return Job(row, ids, params, 7, stop_ids, 60.0)


def finish(decoder: Decoder, *jobs: Job) -> dict[str, tuple[list[int], FinishReason]]:
    """Return ids and finish reason of each job, admitted as soon as possible."""
    waiting, ids, ends = list(jobs), {each.row: list[int]() for each in jobs}, dict[str, FinishReason]()
    while len(ends) < len(jobs):
        while waiting and decoder.can_admit:
            decoder.admit(waiting.pop(0))
        for token in decoder.step():
            assert token.token_id is not None
            ids[token.row].append(token.token_id)
            if token.finish_reason is not None:
                ends[token.row] = token.finish_reason
    return {row: (ids[row], ends[row]) for row in ids}


def greedy(model: LoadedModel, ids: tuple[int, ...], new: int) -> list[int]:
    out = model.model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones((1, len(ids)), dtype=torch.long),
        do_sample=False,
        max_new_tokens=new,
        pad_token_id=0,
    )
    return [int(i) for i in out[0, len(ids) :]]


@pytest.mark.parametrize("name", list(TOGETHER))
def test_batch_decoding_of_other_architectures_equals_generate(name: str) -> None:
    model = loaded(TOGETHER[name])
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, BatchDecoder)
    assert found.note == ""
    assert found.num_tokens == 24
    assert found.facts(model.facts).versions == {"torch": "2", "decoding": "rows together"}
    prompts = {f"row-{n}": tuple(range(5 + n, 8 + 5 * n)) for n in range(5)}
    written = finish(decoder, *(job(row, ids, SamplingParams(max_new_tokens=16)) for row, ids in prompts.items()))
    for row, ids in prompts.items():
        assert written[row][0] == greedy(model, ids, 16)


@pytest.mark.parametrize("name", list(ONE_AT_A_TIME))
def test_other_models_are_written_one_row_at_a_time(name: str) -> None:
    model = loaded(ONE_AT_A_TIME[name])
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, GenerateDecoder)
    assert found.note.startswith("answers one visitor at a time: ")
    assert "cannot write rows together, so that generate of transformers writes them" in found.note
    assert found.facts(model.facts).versions["decoding"] == "one row at a time, by generate"
    prompts = {"a": (5, 6, 7), "b": (9, 8, 7, 6, 5)}
    written = finish(decoder, *(job(row, ids, SamplingParams(max_new_tokens=12)) for row, ids in prompts.items()))
    for row, ids in prompts.items():
        assert written[row] == (greedy(model, ids, 12), FinishReason.LENGTH)
    stop = greedy(model, (5, 6, 7), 12)[4]
    ids, reason = finish(decoder, job("c", (5, 6, 7), SamplingParams(max_new_tokens=12), (stop,)))["c"]
    assert (ids[-1], reason) == (stop, FinishReason.STOP)


@pytest.mark.parametrize("name", list(LENGTH_DEPENDENT))
def test_long_row_does_not_change_the_positions_of_another(name: str) -> None:
    model = loaded(LENGTH_DEPENDENT[name])
    decoder, found = checked_decoder(model)
    assert f"change in a row longer than {ORIGINAL} tokens" in found.note
    prompts = {"short": (5, 9, 30, 12), "long": tuple((7 * i) % 380 + 3 for i in range(ORIGINAL + 8))}
    written = finish(decoder, *(job(row, ids, SamplingParams(max_new_tokens=20)) for row, ids in prompts.items()))
    for row, ids in prompts.items():
        assert written[row][0] == greedy(model, ids, 20)


@pytest.mark.parametrize("name", list(LENGTH_DEPENDENT))
def test_rows_within_the_original_context_are_written_together(name: str) -> None:
    model = replace(loaded(LENGTH_DEPENDENT[name]), context_length=ORIGINAL)
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, BatchDecoder)
    assert found.note == ""


def test_generate_decoder_repeats_a_seed_and_drops_rows_at_any_step() -> None:
    decoder = GenerateDecoder(loaded(ONE_AT_A_TIME["Mamba (state, no keys)"]))
    params = SamplingParams(do_sample=True, temperature=1.5, max_new_tokens=10)
    first, second = (finish(decoder, job("r", (5, 6, 7), params))["r"][0] for _ in range(2))
    assert first == second
    for steps in range(3):
        decoder.admit(job("dropped", (5, 6, 7), params))
        assert [decoder.step()[0].token_id for _ in range(steps)] == first[:steps]
        decoder.drop("dropped")
        assert decoder.can_admit
        assert decoder.step() == []


def test_error_of_generate_is_raised_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(ONE_AT_A_TIME["Mamba (state, no keys)"])
    decoder = GenerateDecoder(model)
    decoder.admit(job("r", (5, 6, 7), SamplingParams(max_new_tokens=10)))
    decoder.step()

    def broken(self: object, *args: object, **kwargs: object) -> None:
        raise RuntimeError("device-side assert triggered")

    monkeypatch.setattr(type(model.model), "forward", broken)
    with pytest.raises(RuntimeError, match="device-side assert"):
        decoder.step()
    decoder.drop("r")
    assert decoder.can_admit


def test_wrong_decode_loop_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(TOGETHER["GPT-2 (learned positions)"])
    monkeypatch.setattr(
        BatchDecoder, "_takes_positions", property(lambda self: False, lambda self, value: None), raising=False
    )
    assert "differ from what generate writes" in run_self_check(model).problem


def test_padding_that_reaches_a_prompt_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(TOGETHER["Qwen2 (grouped queries)"])
    forward = type(model.model).forward

    def unmasked(self: object, **inputs: torch.Tensor) -> object:
        if min(inputs["input_ids"].shape) > 1:  # prompts that are read together
            inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
        return forward(self, **inputs)

    with monkeypatch.context() as patch:
        patch.setattr(type(model.model), "forward", functools.wraps(forward)(unmasked))
        assert "differ from what generate writes" in run_self_check(model).problem
    assert run_self_check(model).problem == ""


def test_model_that_cannot_read_in_pieces_reads_long_prompts_whole(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = loaded(TOGETHER["GPT-NeoX (partial rotary)"])
    forward = type(model.model).forward

    def whole(self: object, **inputs: Any) -> object:
        if inputs["input_ids"].shape[1] > 1 and inputs["past_key_values"].get_seq_length():
            raise ValueError("only one token after the prompt")
        return forward(self, **inputs)

    monkeypatch.setattr(type(model.model), "forward", functools.wraps(forward)(whole))
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, BatchDecoder)
    assert (found.problem, found.in_pieces) == ("", False)
    assert found.summary.endswith("; long prompts are read whole")
    assert caplog.messages == [
        "GPTNeoXForCausalLM cannot read a prompt in pieces, so that long ones are read whole "
        "(ValueError: only one token after the prompt)"
    ]


def test_model_that_generate_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(TOGETHER["GPT-2 (learned positions)"])

    def broken(self: object, *args: object, **kwargs: object) -> None:
        raise RuntimeError("The size of tensor a (4) must match the size of tensor b (32)")

    monkeypatch.setattr(type(model.model), "forward", broken)
    with pytest.raises(CheckpointError, match=r"the model loads, but cannot write .*size of tensor a"):
        run_self_check(model)


def test_generation_settings_of_the_checkpoint_are_ignored() -> None:
    model = loaded(TOGETHER["GPT-2 (learned positions)"])
    plain = greedy(model, (5, 6, 7), 12)
    model.model.generation_config.update(no_repeat_ngram_size=1, eos_token_id=plain[3], repetition_penalty=3.0)
    decoder, found = checked_decoder(model)
    assert found.problem == ""
    assert finish(decoder, job("r", (5, 6, 7), SamplingParams(max_new_tokens=12)))["r"][0] == plain


@pytest.mark.parametrize(
    ("ids", "same"), [((1, 2, 3), True), ((1, 0, 3), True), ((1, 3, 3), False), ((1, 2), False), ((3, 2, 3), False)]
)
def test_only_near_ties_may_differ(ids: tuple[int, ...], same: bool) -> None:
    logits = torch.tensor([[0.0, 9.0, 1.0, 2.0], [8.999, 0.0, 9.0, 5.0], [0.0, 0.0, 0.0, 9.0]])
    assert equal_up_to_rounding(ids, (1, 2, 3), logits, near_tie=1e-3) is same
