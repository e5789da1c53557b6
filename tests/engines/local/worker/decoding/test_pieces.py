"""A long prompt that is read in pieces gives the tokens of ``generate``, and others go on between its pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engines.local.worker.decoding.decoder import BatchDecoder
from playground.engines.local.worker.decoding.self_check import checked_decoder
from playground.engines.local.worker.loading.model import LoadedModel
from tests.engines.local.worker.decoding.conftest import NO_MEMORY
from tests.engines.local.worker.decoding.test_joint_read import (
    GREEDY,
    SAMPLED,
    Forward,
    expected,
    finish,
    job,
    replaced,
)
from tests.engines.local.worker.decoding.test_self_check import LENGTH_DEPENDENT, ORIGINAL, TOGETHER, greedy, loaded
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH

PIECE = 40


def decoder_of(model: LoadedModel, **options: Any) -> BatchDecoder:
    return BatchDecoder(model, read_tokens=PIECE, **options)


def collect(decoder: BatchDecoder, written: dict[str, list[int | None]]) -> set[str]:
    """Make one step; add its tokens, and return the rows that got one."""
    tokens = decoder.step()
    for token in tokens:
        written.setdefault(token.row, []).append(token.token_id)
    return {token.row for token in tokens}


@pytest.mark.parametrize("length", [PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 5 * PIECE + 7, CONTEXT_LENGTH - 8])
def test_prompt_in_pieces_equals_generate(model: LoadedModel, length: int) -> None:
    request = job(length)
    decoder = decoder_of(model)
    decoder.admit(request)
    assert finish(decoder) == {request.row: expected(model, request)}


def test_running_rows_write_between_the_pieces(model: LoadedModel) -> None:
    shapes: list[tuple[int, ...]] = []

    def watch(own: Forward, inputs: dict[str, Any]) -> Any:
        shapes.append(tuple(inputs["input_ids"].shape))
        out = own(**inputs)
        assert out.logits.shape[1] == 1, "the logits of a whole piece may take gigabytes"
        return out

    running, long, short = job(5), job(3 * PIECE + 10), job(8)
    decoder, written = decoder_of(model), dict[str, list[int | None]]()
    decoder.admit(running)
    collect(decoder, written)
    with replaced(model, watch):
        decoder.admit(long)
        assert collect(decoder, written) == {running.row}
        decoder.admit(short)
        assert [collect(decoder, written) for _ in range(4)] == [
            {running.row, short.row},
            {running.row, short.row},
            {running.row, short.row},
            {running.row, short.row, long.row},
        ]
    step = (2, 1)
    assert shapes == [(1, 1), (1, PIECE), (1, 1), (1, 8), step, (1, PIECE), step, (1, PIECE), step, (1, 10)]
    for row, ids in finish(decoder).items():
        written[row] += ids
    assert written == {request.row: expected(model, request) for request in (running, long, short)}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(ARCHITECTURES)),
    rows=st.lists(
        st.tuples(
            st.integers(1, CONTEXT_LENGTH - 8),
            st.sampled_from([GREEDY, SAMPLED]),
            st.integers(0, 6),  # the step at which it joins
            st.one_of(st.none(), st.integers(0, 12)),  # and leaves
        ),
        min_size=2,
        max_size=8,
    ),
    piece=st.integers(3, 90),
    recorded=st.booleans(),
)
def test_pieces_of_any_size_at_any_time_equal_prompts_alone(
    models: dict[str, LoadedModel],
    kind: str,
    rows: list[tuple[int, Any, int, int | None]],
    piece: int,
    recorded: bool,
) -> None:
    requests = [job(length, params, f"row-{row}") for row, (length, params, _, _) in enumerate(rows)]
    decoder = BatchDecoder(models[kind], recorded=recorded, read_tokens=piece)
    written: dict[str, list[int | None]] = {request.row: [] for request in requests}
    turn = 0
    while turn <= 20 or decoder.rows:
        for request, (_, _, joins, leaves) in zip(requests, rows, strict=True):
            if turn == joins:
                decoder.admit(request)
            if leaves is not None and turn == joins + leaves:
                decoder.drop(request.row)
        collect(decoder, written)
        turn += 1
    for request, (_, _, _, leaves) in zip(requests, rows, strict=True):
        ids = written[request.row]
        assert ids == expected(models[kind], request)[: len(ids)]
        assert len(ids) == GREEDY.max_new_tokens or leaves is not None


@pytest.mark.parametrize("name", [*TOGETHER, *LENGTH_DEPENDENT])
def test_pieces_of_other_architectures_equal_generate(name: str) -> None:
    """Windows that slide past a piece, learned positions, ALiBi, rotary positions within the original context."""
    context = ORIGINAL if name in LENGTH_DEPENDENT else 128
    model = replace(loaded({**TOGETHER, **LENGTH_DEPENDENT}[name]), context_length=context)
    ids = tuple((7 * i) % 380 + 3 for i in range(context - 12))
    decoder = BatchDecoder(model, read_tokens=7)
    decoder.admit(replace(job(1), row="short", token_ids=ids[:3]))
    decoder.admit(replace(job(1), row="long", token_ids=ids))
    assert finish(decoder) == {"short": greedy(model, ids[:3], 8), "long": greedy(model, ids, 8)}


def test_row_without_neighbours_is_read_whole(model: LoadedModel) -> None:
    """`PLAYGROUND_EXACT` promises the rounding of ``generate``, and nobody waits for the row."""
    assert first_shapes(decoder_of(model, max_rows=1), model) == [(1, 3 * PIECE)]


def first_shapes(decoder: BatchDecoder, model: LoadedModel) -> list[tuple[int, ...]]:
    """Return the shapes of the forwards up to the first token of a long prompt."""
    shapes: list[tuple[int, ...]] = []

    def watch(own: Forward, inputs: dict[str, Any]) -> Any:
        shapes.append(tuple(inputs["input_ids"].shape))
        return own(**inputs)

    decoder.admit(job(3 * PIECE))
    with replaced(model, watch):
        while not decoder.step():
            pass
    return shapes


def test_model_that_attends_to_later_tokens_reads_prompts_whole() -> None:
    def attend_to_the_last(own: Forward, inputs: dict[str, Any]) -> Any:
        ids = inputs["input_ids"].clone()
        ids[:, :-1] = (ids[:, :-1] + ids[:, -1:]) % model.vocab_size
        return own(**{**inputs, "input_ids": ids})

    model = loaded(TOGETHER["GPT-NeoX (partial rotary)"])
    with replaced(model, attend_to_the_last):
        decoder, found = checked_decoder(model)
        assert (found.problem, found.in_pieces) == ("", False)
        assert found.summary.endswith("are those of generate; long prompts are read whole")
        assert isinstance(decoder, BatchDecoder)
    assert checked_decoder(model)[1].in_pieces


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.parametrize("piece", range(3))
def test_piece_that_does_not_fit_ends_its_row_alone(model: LoadedModel, piece: int) -> None:
    def short_of_memory(own: Forward, inputs: dict[str, Any]) -> Any:
        if inputs["input_ids"].shape[1] > 1 and inputs["attention_mask"].shape[1] > piece * PIECE + 20:
            own(**inputs)  # some layers have taken the piece
            raise RuntimeError(NO_MEMORY)
        return own(**inputs)

    running, long = job(5), job(3 * PIECE)
    decoder, written = decoder_of(model), dict[str, list[int | None]]()
    decoder.admit(running)
    collect(decoder, written)
    decoder.admit(long)
    with replaced(model, short_of_memory):
        for _ in range(piece):
            collect(decoder, written)
        tokens = {token.row: token for token in decoder.step()}
    assert (tokens[long.row].token_id, tokens[long.row].error) == (None, "out of memory while reading the prompt")
    assert decoder.rows == (running.row,)
    written[running.row] += [tokens[running.row].token_id, *finish(decoder)[running.row]]
    assert written == {running.row: expected(model, running)}
    decoder.admit(long)
    assert finish(decoder) == {long.row: expected(model, long)}


def test_row_dropped_between_its_pieces_leaves_nothing(model: LoadedModel) -> None:
    decoder = decoder_of(model)
    decoder.admit(job(3 * PIECE))
    assert decoder.step() == []
    (row,) = decoder._waiting.rows
    assert row.prefix is not None
    decoder.drop(row.job.row)
    assert (decoder.rows, decoder.step()) == ((), [])
    decoder.admit(job(3 * PIECE))
    assert finish(decoder) == {row.job.row: expected(model, job(3 * PIECE))}


def test_pieces_leave_the_logits_of_a_whole_prompt(model: LoadedModel) -> None:
    """Equal ids may hide a wrong mask; numbers do not."""
    found = []

    def keep(own: Forward, inputs: dict[str, Any]) -> Any:
        out = own(**inputs)
        found.append(out.logits[0, -1])
        return out

    for piece in (PIECE, CONTEXT_LENGTH):
        decoder = BatchDecoder(model, read_tokens=piece)
        decoder.admit(job(4 * PIECE + 3))
        with replaced(model, keep):
            while not decoder.step():
                pass
    assert torch.allclose(found[-1], found[-2], rtol=1e-4, atol=1e-4 * float(found[-1].abs().max()))
