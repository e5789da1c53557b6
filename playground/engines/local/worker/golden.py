"""The last gate before a model may answer: what the decode loop writes is what ``model.generate`` writes.

A few short rows that join and leave while others run are written greedily both ways. On a GPU the steps are recorded
where that passes, and computed anew each time where it does not. A model whose rows come out differently then too is
written one row at a time by ``generate`` itself, and says so.

Boundary: worker side; decides how a loaded model is written, never whether a text is good.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from transformers import GenerationConfig

from playground.engines.local.placement import MAX_ROWS
from playground.engines.local.worker.alone import Alone
from playground.engines.local.worker.decode import Decoder, Writer
from playground.engines.local.worker.loading import LoadedModel
from playground.engines.local.worker.memory import OutOfMemory, memory_errors, release
from playground.engines.local.worker.recording import can_be_recorded
from playground.engines.protocol import EngineFacts, Job
from playground.errors import CheckpointError, EngineError
from playground.records import SamplingParams

# Prompt lengths and answer lengths of the rows: the second prompt is longer than all that is there when it joins,
# the first row outlives the others.
ROWS = ((5, 9), (13, 4), (2, 6))
_JOINS_AT = (0, 2, 3)

_NEAR_TIE = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Two tokens this close, as a share of the largest logit, may change places by rounding alone."""

log = logging.getLogger(__name__)

_MODEL_ERRORS = (RuntimeError, TypeError, ValueError, AttributeError, LookupError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Golden:
    """How a model is written, and why."""

    num_tokens: int  # compared
    trouble: str = ""  # why its rows are not written together, in words
    is_recorded: bool = False  # whether a GPU replays the steps

    @property
    def note(self) -> str:
        """What to tell people; empty when there is nothing to tell."""
        return f"answers one visitor at a time: {self.trouble}" if self.trouble else ""

    @property
    def words(self) -> str:
        """What was found, for who checks a model."""
        if self.trouble:
            return f"written one row at a time by generate: {self.trouble}"
        how = ", replayed on the GPU," if self.is_recorded else ""
        return f"{self.num_tokens} tokens of {len(ROWS)} rows that join and leave{how} are those of generate"

    def facts(self, facts: EngineFacts) -> EngineFacts:
        """`facts` with how the model is written."""
        together = "rows together, steps replayed" if self.is_recorded else "rows together"
        how = "one row at a time, by generate" if self.trouble else together
        return replace(facts, versions={**facts.versions, "decoding": how})


def checked_writer(loaded: LoadedModel, max_rows: int = MAX_ROWS, *, recorded: bool = True) -> tuple[Writer, Golden]:
    """The decode loop for so many rows when it writes what ``generate`` writes, else ``generate`` itself.

    Args:
        recorded: its steps may be recorded, where there is a GPU that can.

    Raises:
        CheckpointError: ``generate`` cannot write with this model either.
        OutOfMemory: the model fits, its rows do not.
    """
    golden = check_golden(loaded, recorded=recorded)
    return (Alone(loaded) if golden.trouble else Decoder(loaded, max_rows, recorded=golden.is_recorded)), golden


def check_golden(loaded: LoadedModel, *, recorded: bool = True) -> Golden:
    """Write the rows both ways and compare; raises as `checked_writer`."""
    loaded.model.generation_config = GenerationConfig()  # a card's settings come with each job, and from nowhere else
    jobs = _jobs(loaded)
    with memory_errors("writing the first tokens"):
        expected = [_generate(loaded, job) for job in jobs]
        num_tokens = sum(len(ids) for ids, _ in expected)
        if recorded and can_be_recorded(loaded) and _replays(loaded, jobs, expected):
            return Golden(num_tokens, is_recorded=True)
        return Golden(num_tokens, _trouble(loaded, jobs, expected))


Expected = Sequence[tuple[list[int], torch.Tensor]]
"""What ``generate`` writes for each row, and the logits that it was chosen from."""


def _replays(loaded: LoadedModel, jobs: Sequence[Job], expected: Expected) -> bool:
    """Whether recorded steps can be used: they take some memory of their own, and not every model stands still.

    Raises:
        RuntimeError: recording has left the device in a state in which nothing works; the process is of no use.
    """
    try:
        trouble = _trouble(loaded, jobs, expected, recorded=True)
    except OutOfMemory as error:
        trouble = str(error)
    if trouble:
        release()
        log.warning("steps are computed anew each time: %s", trouble)
    return not trouble


def _trouble(loaded: LoadedModel, jobs: Sequence[Job], expected: Expected, *, recorded: bool = False) -> str:
    """Why the decode loop cannot be used, in words; empty when it can."""
    try:
        written = write_together(loaded, jobs, recorded=recorded)
    except OutOfMemory:
        raise
    except (EngineError, *_MODEL_ERRORS) as error:
        return f"its rows cannot be written together ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
    near_tie = _NEAR_TIE[next(loaded.model.parameters()).dtype]
    right = [
        same_but_for_rounding(ids, *known, near_tie=near_tie) for ids, known in zip(written, expected, strict=True)
    ]
    return "" if all(right) else "rows that are written together differ from what generate writes"


def _jobs(loaded: LoadedModel) -> list[Job]:
    """The rows, with ids from all over the vocabulary."""
    room = loaded.context_length
    return [
        Job(
            row=str(number),
            token_ids=tuple(
                (7 + 131 * (number + 1) * (i + 1)) % loaded.vocab_size for i in range(min(size, room // 2))
            ),
            params=SamplingParams(max_new_tokens=max(1, min(new, room // 2))),
            seed=0,
            stop_ids=(),
            deadline_s=0.0,
        )
        for number, (size, new) in enumerate(ROWS)
    ]


def write_together(loaded: LoadedModel, jobs: Sequence[Job], *, recorded: bool = False) -> list[list[int]]:
    """What the decode loop writes for each job, when they join one after another.

    Raises:
        EngineError: the model cannot be written in rows.
    """
    decoder = Decoder(loaded, recorded=recorded)
    waiting = list(zip(_JOINS_AT, jobs, strict=False))
    written: dict[str, list[int]] = {job.row: [] for job in jobs}
    turn = 0
    while waiting or decoder.rows:
        while waiting and waiting[0][0] <= turn:
            decoder.admit(waiting.pop(0)[1])
        for token in decoder.step():
            if token.token_id is None:
                raise EngineError(str(token.error))
            written[token.row].append(token.token_id)
        turn += 1
    return list(written.values())


def _generate(loaded: LoadedModel, job: Job) -> tuple[list[int], torch.Tensor]:
    """The greedy ids of ``generate``, and the logits that they were chosen from, shape (tokens, vocabulary)."""
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
    except _MODEL_ERRORS as error:
        if "memory" in str(error):
            raise
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise CheckpointError(f"the model loads, but cannot write ({words})") from error
    return out.sequences[0, ids.shape[1] :].tolist(), torch.stack([step[0].float() for step in out.logits])


def same_but_for_rounding(ids: Sequence[int], known: Sequence[int], logits: torch.Tensor, near_tie: float) -> bool:
    """Whether `ids` are `known`, or leave them at a place where two tokens were as good as equal."""
    for ours, theirs, scores in zip(ids, known, logits, strict=False):
        if ours != theirs:
            return float(scores[theirs] - scores[ours]) <= near_tie * float(scores.abs().max())
    return len(ids) == len(known)
