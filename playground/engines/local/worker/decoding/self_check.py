"""Check before a model answers that its decode loop writes exactly the tokens of ``model.generate``.

Short rows that join, two of them at once, and leave while others run are written greedily both ways. On a GPU,
recorded steps are tried first and eager ones second. A model that fails both is written one row at a time by
``generate`` itself, and so is one whose rotary frequencies depend on the longest row of a step: the rows of the check
are too short to show that. A model that attends to later tokens of a prompt reads long prompts whole.

Boundary: chooses the decoder of a loaded model; does not judge its text.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from transformers import GenerationConfig

from playground.engines.local.placement import MAX_ROWS, READ_TOKENS
from playground.engines.local.worker.decoding.cuda_graph import supports_graph
from playground.engines.local.worker.decoding.decoder import BatchDecoder, Decoder
from playground.engines.local.worker.decoding.generate import GenerateDecoder
from playground.engines.local.worker.errors import (
    MODEL_ERRORS,
    OutOfMemory,
    memory_errors,
    one_line,
    release_memory,
)
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import EngineFacts, Job
from playground.errors import CheckpointError, EngineError
from playground.records import SamplingParams

# Prompt and answer lengths: the second prompt is longer than the cache when it joins, the last two are read together,
# the first row ends last.
ROWS = ((5, 9), (13, 4), (2, 6), (7, 5))
_JOINS_AT = (0, 2, 3, 3)
_IN_PIECES = 1  # the row whose prompt is read in pieces too
_PIECE_TOKENS = 5

_TOGETHER = "write rows together, so that generate of transformers writes them; nothing is to be done"
_REPLAY = "replay steps"
_READ_IN_PIECES = "read a prompt in pieces, so that long ones are read whole"

_NEAR_TIE = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Rounding alone may swap two tokens whose logits differ by at most this share of the largest logit."""

_LENGTH_DEPENDENT = ("dynamic", "longrope")
"""Types of rotary positions whose frequencies change once a row is longer than the model's original context."""

log = logging.getLogger(__name__)

Expected = Sequence[tuple[list[int], torch.Tensor]]
"""Ids that ``generate`` writes for each row, and the logits they were chosen from."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """Result of the check."""

    num_tokens: int  # compared
    problem: str = ""  # the reason why rows are not written together
    is_recorded: bool = False  # a GPU replays the steps
    in_pieces: bool = True  # a long prompt may be read in pieces

    @property
    def note(self) -> str:
        """A note for visitors; empty if rows are written together."""
        return f"answers one visitor at a time: {self.problem}" if self.problem else ""

    @property
    def summary(self) -> str:
        """The findings, for the command `check`."""
        if self.problem:
            return f"written one row at a time by generate: {self.problem}"
        how = ", replayed on the GPU," if self.is_recorded else ""
        whole = "" if self.in_pieces else "; long prompts are read whole"
        return f"{self.num_tokens} tokens of {len(ROWS)} rows that join and leave{how} are those of generate{whole}"

    def facts(self, facts: EngineFacts) -> EngineFacts:
        """Return `facts` with the way of decoding added."""
        together = "rows together, steps replayed" if self.is_recorded else "rows together"
        how = "one row at a time, by generate" if self.problem else together
        return replace(facts, versions={**facts.versions, "decoding": how})


def checked_decoder(
    loaded: LoadedModel, max_rows: int = MAX_ROWS, *, recorded: bool = True
) -> tuple[Decoder, SelfCheck]:
    """Return a `BatchDecoder` if the model passes the check, else a `GenerateDecoder`.

    Args:
        recorded: allow recorded steps if there is a GPU.

    Raises:
        CheckpointError: ``generate`` fails with this model too.
        OutOfMemory: the model fits, its rows do not.
    """
    found = run_self_check(loaded, recorded=recorded)
    return decoder_of(loaded, found, max_rows), found


def decoder_of(loaded: LoadedModel, found: SelfCheck, max_rows: int = MAX_ROWS) -> Decoder:
    """Return a decoder without rows for a model that was checked."""
    if found.problem:
        return GenerateDecoder(loaded)
    return BatchDecoder(loaded, max_rows, recorded=found.is_recorded, in_pieces=found.in_pieces)


def run_self_check(loaded: LoadedModel, *, recorded: bool = True) -> SelfCheck:
    """Write the rows both ways and compare; raises as `checked_decoder`."""
    loaded.model.generation_config = GenerationConfig()  # sampling parameters come with each job only
    jobs = _jobs(loaded)
    with memory_errors("writing the first tokens"):
        expected = [_generate(loaded, job) for job in jobs]
        num_tokens = sum(len(ids) for ids, _ in expected)
        if problem := _rotary_problem(loaded):
            return SelfCheck(num_tokens, problem)
        is_recorded = recorded and supports_graph(loaded) and _replays(loaded, jobs, expected)
        if not is_recorded and (problem := _problem(loaded, jobs, expected)):
            return SelfCheck(num_tokens, problem)
        piece = slice(_IN_PIECES, _IN_PIECES + 1)
        in_pieces = not _problem(loaded, jobs[piece], expected[piece], _READ_IN_PIECES, read_tokens=_PIECE_TOKENS)
        return SelfCheck(num_tokens, is_recorded=is_recorded, in_pieces=in_pieces)


def _rotary_problem(loaded: LoadedModel) -> str:
    """Return the reason if a row that is long enough changes the frequencies of the rows beside it; empty if none."""
    config = loaded.model.config.get_text_config()
    given = getattr(config, "rope_parameters", None) or {}
    for parameters in (given, *given.values()):  # some models have them by the type of a layer
        if isinstance(parameters, Mapping) and parameters.get("rope_type") in _LENGTH_DEPENDENT:
            original = parameters.get("original_max_position_embeddings") or config.max_position_embeddings
            if loaded.context_length > original:
                name = type(loaded.model).__name__
                return (
                    f"the positions of {name} change in a row longer than {original:,} tokens, and would for the rows "
                    "beside it, so that generate of transformers writes them; nothing is to be done"
                )
    return ""


def _replays(loaded: LoadedModel, jobs: Sequence[Job], expected: Expected) -> bool:
    """Return True if recorded steps fit into memory and write the same tokens.

    Raises:
        RuntimeError: the recording has left the device unusable; the process must end.
    """
    try:
        problem = _problem(loaded, jobs, expected, _REPLAY, recorded=True)
    except OutOfMemory as error:
        problem = str(error)
    if problem:
        release_memory()
        log.warning("steps are computed anew each time: %s", problem)
    return not problem


def _problem(
    loaded: LoadedModel,
    jobs: Sequence[Job],
    expected: Expected,
    doing: str = _TOGETHER,
    *,
    recorded: bool = False,
    read_tokens: int = READ_TOKENS,
) -> str:
    """Return the reason why the decode loop cannot be used this way; empty if it can.

    Args:
        doing: names what the model cannot do if it fails.
    """
    try:
        written = decode_together(loaded, jobs, recorded=recorded, read_tokens=read_tokens)
    except OutOfMemory:
        raise
    except (EngineError, *MODEL_ERRORS) as error:
        problem = f"{type(loaded.model).__name__} cannot {doing}"
        log.warning("%s (%s: %s)", problem, type(error).__name__, one_line(error, 120))
        return problem
    near_tie = _NEAR_TIE[next(loaded.model.parameters()).dtype]
    pairs = zip(written, expected, strict=True)
    if all(equal_up_to_rounding(ids, *known, near_tie=near_tie) for ids, known in pairs):
        return ""
    return "rows that are written together differ from what generate writes"


def _jobs(loaded: LoadedModel) -> list[Job]:
    """Return the rows, with ids from all over the vocabulary."""
    half = loaded.context_length // 2
    return [
        Job(
            row=str(number),
            token_ids=tuple((7 + 131 * (number + 1) * (i + 1)) % loaded.vocab_size for i in range(min(size, half))),
            params=SamplingParams(max_new_tokens=max(1, min(new, half))),
            seed=0,
            stop_ids=(),
            deadline_s=0.0,
        )
        for number, (size, new) in enumerate(ROWS)
    ]


def decode_together(
    loaded: LoadedModel, jobs: Sequence[Job], *, recorded: bool = False, read_tokens: int = READ_TOKENS
) -> list[list[int]]:
    """Return the tokens that a `BatchDecoder` writes for jobs that join one after another.

    Raises:
        EngineError: the rows cannot be written together.
    """
    decoder = BatchDecoder(loaded, recorded=recorded, read_tokens=read_tokens)
    waiting = list(zip(_JOINS_AT, jobs, strict=False))
    written: dict[str, list[int]] = {job.row: [] for job in jobs}
    step = 0
    while waiting or decoder.rows:
        while waiting and waiting[0][0] <= step:
            decoder.admit(waiting.pop(0)[1])
        for token in decoder.step():
            if token.token_id is None:
                raise EngineError(str(token.error))
            written[token.row].append(token.token_id)
        step += 1
    return list(written.values())


def _generate(loaded: LoadedModel, job: Job) -> tuple[list[int], torch.Tensor]:
    """Return the greedy ids of ``generate``, and their logits, shape (tokens, vocabulary)."""
    ids = torch.tensor([job.token_ids], device=loaded.device)
    try:
        out = loaded.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=job.params.max_new_tokens,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
    except torch.OutOfMemoryError:
        raise
    except MODEL_ERRORS as error:
        if "memory" in str(error):
            raise
        reason = f"{type(error).__name__}: {one_line(error, 200)}"
        raise CheckpointError(f"the model loads, but cannot write ({reason})") from error
    return out.sequences[0, ids.shape[1] :].tolist(), torch.stack([step[0].float() for step in out.logits])


def equal_up_to_rounding(ids: Sequence[int], known: Sequence[int], logits: torch.Tensor, near_tie: float) -> bool:
    """Return True if `ids` equal `known`, or first differ at a near tie."""
    for ours, theirs, scores in zip(ids, known, logits, strict=False):
        if ours != theirs:
            return float(scores[theirs] - scores[ours]) <= near_tie * float(scores.abs().max())
    return len(ids) == len(known)
