"""One column of a comparison: a stream of tokens that becomes text, and at its end a generation.

Boundary: takes events from an engine; knows neither the database nor the page.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playground.arena.column_plan import ColumnPlan
from playground.arena.pace import WrittenSoFar
from playground.arena.word_ends import WordEnds
from playground.catalog.catalog import Catalog
from playground.catalog.model_folders import without_folders
from playground.clock import Clock
from playground.engines.protocol import Ended, Engine, EngineFacts, Event, Job, Listener, Queued, Started, Text, Tokens
from playground.errors import PlaygroundError
from playground.prompting.answer_text import AnswerReader
from playground.prompting.reasoning import opens_reasoning
from playground.records import (
    ColumnState,
    FinishReason,
    Generation,
    Instruction,
    LiveColumn,
)

USUAL_CHARS_PER_TOKEN = 4
"""For the pace of an answer whose server sends no ids."""
ENDED = (ColumnState.DONE, ColumnState.STOPPED, ColumnState.FAILED)


@dataclass(slots=True)
class _Progress:
    """The events of a column so far; guarded by the column's lock."""

    state: ColumnState = ColumnState.WAITING
    status: str = ""
    facts: EngineFacts | None = None
    token_ids: list[int] = field(default_factory=list)
    num_chars: int = 0
    chars_after: list[int] = field(default_factory=list)  # length of the text after each token
    first_token_s: float | None = None
    duration_s: float | None = None
    error: str | None = None
    counted: int | None = None  # tokens of prompt and answer, of a server that sends no ids
    written_together: int | None = None  # as in `Generation`

    @property
    def pace_tokens(self) -> int:
        """The length in tokens, as far as it is known."""
        return len(self.token_ids) or self.num_chars // USUAL_CHARS_PER_TOKEN


class Column:
    """One side's stream: events come on the engine's thread, `live` is read on any other."""

    def __init__(
        self,
        plan: ColumnPlan,
        instruction: Instruction,
        reader: AnswerReader,
        clock: Clock,
        cancel: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self.side = plan.side.side
        self._instruction = instruction
        self._reader = reader
        self._clock = clock
        self._cancel = cancel
        self._created_at = clock.now()
        self._began_s = clock.monotonic()
        self._progress = _Progress()
        self._words = WordEnds()  # of the text, as far as a blind battle has read it
        self._lock = threading.Lock()

    def start(self, engine: Engine, deadline_s: float, listen: Listener) -> None:
        """Hand the column to the engine; if it is refused, `listen` gets the end at once."""
        job = self.job(deadline_s)
        try:
            engine.start(self.plan.card.id, job, listen)
        except PlaygroundError as error:
            listen(Ended(job.row, FinishReason.ERROR, str(error)))

    def job(self, deadline_s: float) -> Job:
        """Return the job for the engine; its id is the generation's."""
        side, prompt = self.plan.side, self.plan.prompt
        return Job(
            self.plan.generation_id,
            prompt.token_ids,
            side.params,
            side.seed,
            self.plan.stop_ids,
            deadline_s,
            "" if self.plan.card.feed == "ids" else prompt.text,
        )

    def listen(self, event: Event) -> Generation | None:
        """Take one event of the engine; return the generation at the last one."""
        with self._lock:
            finished = self._take(event)
            past_stop = self._reader.stopped and finished is None
        if past_stop:
            self._cancel(self.plan.generation_id)  # a stop string is complete
        return finished

    def stop(self) -> None:
        """Ask the engine to end this column; its text stays."""
        if self.live().state not in ENDED:
            self._cancel(self.plan.generation_id)

    def live(self) -> LiveColumn:
        """Return the column as of now."""
        with self._lock:
            p = self._progress
            status = self._status(self._clock.monotonic())
            return LiveColumn(
                self.side,
                p.state,
                self._reader.text,
                status,
                p.error,
                len(p.token_ids),
                p.first_token_s,
                p.duration_s,
                self._reader.reasoning,
            )

    def blind_live(self, now_s: float) -> tuple[WrittenSoFar, LiveColumn]:
        """Return how much is written, and the column without its text; both from one moment."""
        with self._lock:
            p = self._progress
            written = WrittenSoFar(len(self._counted().ends), p.pace_tokens, p.state in ENDED)
            return written, LiveColumn(self.side, p.state, "", self._status(now_s), p.error)

    def text_of(self, num_words: int) -> str:
        """Return the text up to the end of its n-th word, or all of it if it has ended with fewer."""
        with self._lock:
            ends = self._counted().ends[:num_words]
            return self._reader.text[: ends[-1]] if ends else ""

    def tokens_of(self, num_chars: int) -> tuple[int, ...]:
        """Return the fewest first tokens whose text has `num_chars` characters; the last may have more."""
        with self._lock:
            count = bisect_left(self._progress.chars_after, num_chars) + 1 if num_chars else 0
            return tuple(self._progress.token_ids[:count])

    def _counted(self) -> WordEnds:
        """Return the words of the text as of now."""
        self._words.feed(self._reader.text[self._words.num_chars :])
        if self._progress.state in ENDED:
            self._words.finish()
        return self._words

    def _status(self, now_s: float) -> str:
        """Return why the column waits, and for how long it has."""
        waited_s = int(now_s - self._began_s)
        if self._progress.state is ColumnState.LOADING and waited_s >= 1:
            return f"{self._progress.status}, {waited_s} s so far"
        return self._progress.status

    def _take(self, event: Event) -> Generation | None:
        p = self._progress
        match event:
            case Queued(before=before, reason=reason):
                p.state = ColumnState.LOADING if reason else ColumnState.WAITING
                p.status = reason or f"{before} before you"
            case Started(facts=facts):
                p.facts, p.state, p.status = facts, ColumnState.WRITING, ""
            case Tokens(token_ids=token_ids):
                self._write(token_ids)
            case Text(text=text, reasoning=reasoning):
                self._take_text(text, reasoning)
            case Ended(finish_reason=reason, error=error, num_tokens=counted, written_together=together):
                p.counted, p.written_together = counted, together
                return self._end(reason, error and without_folders(error, self.plan.card))
        return None

    def _time_first(self) -> None:
        if self._progress.first_token_s is None:
            self._progress.first_token_s = self._clock.monotonic() - self._began_s

    def _take_text(self, text: str, reasoning: str) -> None:
        self._time_first()
        self._progress.num_chars += len(self._reader.feed_text(text, reasoning))

    def _write(self, token_ids: Sequence[int]) -> None:
        p = self._progress
        self._time_first()
        for token_id in token_ids:
            if self._reader.stopped:
                return
            p.num_chars += len(self._reader.feed((token_id,)))
            p.token_ids.append(token_id)
            p.chars_after.append(p.num_chars)

    def _end(self, reason: FinishReason, error: str | None) -> Generation:
        p = self._progress
        self._reader.finish()
        if self._reader.stopped and reason is not FinishReason.ERROR:
            reason = FinishReason.STOP
        p.duration_s = self._clock.monotonic() - self._began_s
        p.error = error
        p.status = ""
        p.state = {
            FinishReason.ERROR: ColumnState.FAILED,
            FinishReason.CANCELLED: ColumnState.STOPPED,
        }.get(reason, ColumnState.DONE)
        return self._generation(reason, p.duration_s)

    def _generation(self, reason: FinishReason, duration_s: float) -> Generation:
        p, card, side = self._progress, self.plan.card, self.plan.side
        return Generation(
            id=self.plan.generation_id,
            model_id=card.id,
            model_revision=p.facts.revision if p.facts else card.revision,
            repo=card.public_repo,
            license=card.license,
            instruction=self._instruction,
            prompt=self.plan.prompt,
            params=side.params,
            seed=side.seed,
            text=self._reader.text,
            token_ids=tuple(p.token_ids),
            finish_reason=reason,
            error=p.error,
            engine=p.facts.engine if p.facts else card.engine,
            device=p.facts.device if p.facts else "",
            dtype=p.facts.dtype if p.facts else card.dtype,
            versions=self._versions(),
            faithful=p.facts.faithful if p.facts else card.feed == "ids",
            created_at=self._created_at,
            first_token_s=p.first_token_s,
            duration_s=duration_s,
            reasoning=self._reader.reasoning,
            written_together=p.written_together,
        )

    def _versions(self) -> dict[str, str]:
        """Return the versions, and the tokens of an answer without ids: `DailyTokens` counts them."""
        p = self._progress
        versions = dict(p.facts.versions) if p.facts else {}
        return versions if p.counted is None else versions | {"tokens": str(p.counted)}


def column_of(
    plan: ColumnPlan, instruction: Instruction, catalog: Catalog, clock: Clock, cancel: Callable[[str], None]
) -> Column:
    """Return the column of a plan, which reads the answer as the model's template and tokenizer say."""
    reader = AnswerReader(
        catalog.template_of(plan.card), catalog.tokenizer_of(plan.card), opened=opens_reasoning(plan.prompt.text)
    )
    return Column(plan, instruction, reader, clock, cancel)
