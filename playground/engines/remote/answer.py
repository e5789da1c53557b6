"""The ids of one answer as they come, held against what was asked.

Boundary: values only. It ends where the local engine would end: at the first stop id, or when there is no more room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.engines.protocol import Job
from playground.engines.remote.frames import Frame
from playground.engines.remote.trouble import inexact
from playground.records import FinishReason


@dataclass(slots=True)
class Answer:
    """Checks and cuts; `max_tokens` is what fits both the job and the context."""

    job: Job
    max_tokens: int
    num_tokens: int = 0
    finish_reason: FinishReason | None = field(default=None)

    def take(self, frame: Frame) -> tuple[int, ...]:
        """The ids that belong to the answer; after them `finish_reason` says whether it is complete.

        Raises:
            Trouble: the server was not fed what it was sent, gives no ids, or has ended the answer on its own.
        """
        if frame.prompt_ids is not None and frame.prompt_ids != self.job.token_ids:
            raise inexact("fed its model something else than it was sent", f"{frame.prompt_ids[:20]}")
        if frame.token_ids is None:
            raise inexact("returns no token ids; exact answers need one that does, such as vLLM")
        kept = self._cut((*frame.token_ids, *self._unsent_stop(frame)))
        if frame.finish_reason is not None and self.finish_reason is None:
            words = f"ended the answer after {self.num_tokens} tokens for a reason of its own"
            raise inexact(words, f"{frame.finish_reason!r}, stop id {frame.stop_id}")
        return kept

    def _unsent_stop(self, frame: Frame) -> tuple[int, ...]:
        """The stop id that ended the answer, where the server keeps it to itself."""
        if frame.stop_id not in self.job.stop_ids or frame.stop_id in (frame.token_ids or ()):
            return ()
        return (frame.stop_id,)

    def _cut(self, token_ids: tuple[int, ...]) -> tuple[int, ...]:
        for index, token_id in enumerate(token_ids, 1):
            self.num_tokens += 1
            if token_id in self.job.stop_ids:
                self.finish_reason = FinishReason.STOP
            elif self.num_tokens >= self.max_tokens:
                self.finish_reason = FinishReason.LENGTH
            if self.finish_reason is not None:
                return token_ids[:index]
        return token_ids
