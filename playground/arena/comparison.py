"""N token streams, one per column, read as snapshots of all columns at once.

Boundary: gets events from an engine and hands finished generations to whoever records them; knows neither the
database nor the page. What a blind battle shows of its columns, and when, follows `pace`; what may be *said* about
them is decided in `battles`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from playground.arena.pace import Pace, Written
from playground.arena.words import WordEnds
from playground.catalog.catalog import without_folders
from playground.clock import Clock
from playground.engines.protocol import Ended, Engine, EngineFacts, Event, Job, Queued, Started, Tokens
from playground.errors import PlaygroundError
from playground.prompting.answer_text import AnswerReader
from playground.records import (
    BattleSide,
    ColumnState,
    FinishReason,
    Generation,
    Instruction,
    LiveColumn,
    ModelCard,
    Prompt,
)

ENDED = (ColumnState.DONE, ColumnState.STOPPED, ColumnState.FAILED)


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What one column is to write, fixed before anything starts."""

    side: BattleSide
    card: ModelCard
    prompt: Prompt
    stop_ids: tuple[int, ...]
    generation_id: str


@dataclass(slots=True)
class _Progress:
    """What has happened to a column so far; guarded by the column's lock."""

    state: ColumnState = ColumnState.WAITING
    status: str = ""
    facts: EngineFacts | None = None
    token_ids: list[int] = field(default_factory=list)
    num_chars: int = 0
    chars_after: list[int] = field(default_factory=list)  # length of the text after each token
    first_token_s: float | None = None
    duration_s: float | None = None
    error: str | None = None


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
        self._instruction = instruction
        self._reader = reader
        self._clock = clock
        self._cancel = cancel
        self._created_at = clock.now()
        self._began_s = clock.monotonic()
        self._progress = _Progress()
        self._words = WordEnds()  # of the text as far as a blind battle has looked at it
        self._lock = threading.Lock()

    def job(self, deadline_s: float) -> Job:
        """The row to start; its id is the generation's."""
        side = self.plan.side
        return Job(
            self.plan.generation_id, self.plan.prompt.token_ids, side.params, side.seed, self.plan.stop_ids, deadline_s
        )

    def listen(self, event: Event) -> Generation | None:
        """Take one event of the engine; the last one makes the generation."""
        with self._lock:
            finished = self._take(event)
            past_stop = self._reader.stopped and finished is None
        if past_stop:
            self._cancel(self.plan.generation_id)  # a stop string is complete: what follows is not part of the answer
        return finished

    def stop(self) -> None:
        """Ask the engine to end this column; what is written stays."""
        if self.live().state not in ENDED:
            self._cancel(self.plan.generation_id)

    def live(self) -> LiveColumn:
        """What is known now."""
        with self._lock:
            p = self._progress
            return LiveColumn(
                self.plan.side.side,
                p.state,
                self._reader.text,
                self._status(self._clock.monotonic()),
                p.error,
                len(p.token_ids),
                p.first_token_s,
                p.duration_s,
            )

    def look(self, now_s: float) -> tuple[Written, LiveColumn]:
        """How far it is, and what a blind battle may say of it apart from its text; both from one moment."""
        with self._lock:
            p = self._progress
            written = Written(len(self._counted().ends), len(p.token_ids), p.state in ENDED)
            return written, LiveColumn(self.plan.side.side, p.state, "", self._status(now_s), p.error)

    def text_of(self, num_words: int) -> str:
        """The text up to the end of its n-th word; all of it when there are fewer and it has ended."""
        with self._lock:
            ends = self._counted().ends[:num_words]
            return self._reader.text[: ends[-1]] if ends else ""

    def tokens_of(self, num_chars: int) -> tuple[int, ...]:
        """The fewest first tokens whose text has so many characters; the last of them may have more."""
        with self._lock:
            count = bisect_left(self._progress.chars_after, num_chars) + 1 if num_chars else 0
            return tuple(self._progress.token_ids[:count])

    def _counted(self) -> WordEnds:
        """The words of the text as it is now."""
        self._words.feed(self._reader.text[self._words.num_chars :])
        if self._progress.state in ENDED:
            self._words.finish()
        return self._words

    def _status(self, now_s: float) -> str:
        """Why nothing comes yet, and for how long it has not."""
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
            case Ended(finish_reason=reason, error=error):
                return self._end(reason, error and without_folders(error, self.plan.card))
        return None

    def _write(self, token_ids: Sequence[int]) -> None:
        p = self._progress
        if p.first_token_s is None:
            p.first_token_s = self._clock.monotonic() - self._began_s
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
            versions=dict(p.facts.versions) if p.facts else {},
            faithful=p.facts.faithful if p.facts else True,
            created_at=self._created_at,
            first_token_s=p.first_token_s,
            duration_s=duration_s,
        )


class Comparison:
    """All columns of one battle while they are being written.

    `record` gets the finished generations by side: in open mode each at once, while blind all together when the last
    has ended, because Stop must keep what was on the screen and no more: how far a model was ahead would tell which
    one it is.

    A blind battle changes at its ticks only. What it shows is made once per tick, of what had come by then, and is the
    same for every reader, however often each one reads.
    """

    def __init__(
        self,
        battle_id: str,
        blind: bool,
        columns: Sequence[Column],
        clock: Clock,
        record: Callable[[Mapping[str, Generation]], None],
    ) -> None:
        self.battle_id = battle_id
        self._blind = blind
        self._columns = tuple(columns)
        self._clock = clock
        self._record = record
        self._read_s = clock.monotonic()
        self._pace = Pace(self._read_s)
        self._shown = {column.plan.side.side: column.look(self._read_s)[1] for column in self._columns}
        self._finished: dict[str, Generation] = {}
        self._guard = threading.Lock()  # of the three above

    def start(self, engine: Engine, deadline_s: float) -> None:
        """Hand every column to the engine; one that it does not take has failed."""
        for column in self._columns:
            job = column.job(deadline_s)
            try:
                engine.start(column.plan.card.id, job, partial(self._listen, column))
            except PlaygroundError as error:
                self._listen(column, Ended(job.row, FinishReason.ERROR, str(error)))

    def stop(self, side: str | None = None) -> None:
        """End one column, or all of them."""
        if self._blind:
            with self._guard:
                self._tick()
                if not self._is_complete:
                    self._pace.stop()
        for column in self._columns:
            if side is None or column.plan.side.side == side:
                column.stop()

    @property
    def is_waiting(self) -> bool:
        """Whether none of its columns has begun."""
        return all(column.live().state in (ColumnState.WAITING, ColumnState.LOADING) for column in self._columns)

    @property
    def unread_s(self) -> float:
        """How long nobody has read a snapshot."""
        return self._clock.monotonic() - self._read_s

    def snapshot(self) -> Mapping[str, LiveColumn]:
        """All columns now; those of a blind battle as of its last tick, or whole once all have ended."""
        self._read_s = self._clock.monotonic()
        if not self._blind:
            return {column.plan.side.side: column.live() for column in self._columns}
        with self._guard:
            self._tick()
            return self._shown

    @property
    def _is_complete(self) -> bool:
        return len(self._finished) == len(self._columns)

    def _tick(self) -> None:
        """Show what is due; called with the guard, and before each event, so that a tick knows nothing later."""
        now_s = self._clock.monotonic()
        if self._is_complete or not self._pace.is_due(now_s):
            return
        looks = [column.look(self._pace.tick_s(now_s)) for column in self._columns]
        if all(written.ended for written, _ in looks):
            return  # what they said last is about to be recorded, and then shown as a whole
        self._pace.advance(now_s, [written for written, _ in looks])
        self._show([live for _, live in looks])

    def _show(self, live: Sequence[LiveColumn]) -> None:
        words = self._pace.shown
        texts = [column.text_of(words) for column in self._columns]
        self._shown = {said.side: replace(said, text=text) for said, text in zip(live, texts, strict=True)}

    def _listen(self, column: Column, event: Event) -> None:
        if self._blind:
            with self._guard:
                self._tick()
        generation = column.listen(event)
        if generation is None:
            return
        if not self._blind:
            self._record({column.plan.side.side: generation})
            return
        with self._guard:
            self._finished[column.plan.side.side] = generation
            ended = self._ended() if self._is_complete else None
        if ended is not None:
            self._record(ended)

    def _ended(self) -> Mapping[str, Generation]:
        """All generations, cut where the battle was stopped; from now on the snapshot shows them whole."""
        ended = {column.plan.side.side: self._finished[column.plan.side.side] for column in self._columns}
        if self._pace.stopped:
            ended = {c.plan.side.side: _cut(c, ended[c.plan.side.side], self._pace.shown) for c in self._columns}
        live = [column.look(self._clock.monotonic())[1] for column in self._columns]
        self._shown = {said.side: replace(said, text=ended[said.side].text) for said in live}
        return ended


def _cut(column: Column, generation: Generation, num_words: int) -> Generation:
    """What was on the screen of an answer when its blind battle was stopped.

    The text is exactly that. The tokens are the fewest whose text holds it: where a word ends inside a token, as a
    full stop and a line break may be one, they say a little more than the text.
    """
    text = column.text_of(num_words)
    if text == generation.text:
        return generation
    failed = generation.finish_reason is FinishReason.ERROR
    reason = generation.finish_reason if failed else FinishReason.CANCELLED
    return replace(generation, text=text, token_ids=column.tokens_of(len(text)), finish_reason=reason)
