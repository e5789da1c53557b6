"""Keeps one model up: its worker process, the rows that wait for it and are written by it, its restarts.

    off      unloaded by somebody; the next job brings it up
    asleep   not in memory, because others are; the next job brings it up when they have made room
    queued   to be brought up as soon as may be
    loading, ready
    failed   cannot be brought up, and why

Boundary: every method but `status` runs on the pool's thread; knows launchers and messages, neither torch nor text.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.engines.listening import tell
from playground.engines.local.launch import Launcher
from playground.engines.local.placement import MAX_ROWS, Held, How, Placement
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.local.wire.link import Link
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Tokens
from playground.records import FinishReason, ModelCard, ModelStatus

log = logging.getLogger(__name__)

Clock = Callable[[], float]
Post = Callable[[Callable[[], None]], None]
"""Has something done on the pool's thread."""

_SLOWEST_FLOPS = 1e10  # a CPU below this is not waited for while it reads a prompt
_SLOWEST_BYTES_PER_S = 4e8
_IMPORT_S = 4.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Patience, in seconds."""

    stall_s: float = 60.0  # a worker that has a row to write and says nothing for so long is hung
    load_s: float = 900.0
    drain_s: float = 10.0  # who waits so long for memory has a busy model begin no more rows
    exit_s: float = 30.0  # a killed process that is not gone by then no longer holds up its successor
    # before the 1st, 2nd … restart, and the last one from then on; a model that cannot load fails after all
    backoff_s: tuple[float, ...] = (0.1, 1.0, 5.0, 15.0)


@dataclass(slots=True)
class _Row:
    job: Job
    listener: Listener
    since: float
    sent: bool = False  # to the worker
    started: bool = False
    cancelled: bool = False  # a worker was told so; it may die before it hears of it
    announced: tuple[int, str] | None = None  # the last Queued: rows before, reason

    def tell(self, event: Event) -> None:
        tell(self.listener, event)


class Keeper:
    """One model, in one of the states above."""

    def __init__(
        self, card: ModelCard, threads: int, launcher: Launcher, post: Post, limits: Limits, clock: Clock
    ) -> None:
        self.card = card
        self.state = "queued"
        self.placement: Placement | None = None  # set by who plans, before it is launched
        self.held: Held | None = None  # what its process has taken
        self.used_at = clock()  # the last time that a job came or ended
        self._threads = threads
        self._launcher = launcher
        self._post = post
        self._limits = limits
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._link: Link | None = None
        self._number = 0
        self._exit_words = ""
        self._facts: EngineFacts | None = None
        self._error = ""
        self._trouble = ""  # in words, while it is being started again
        self._note = ""  # what the worker says of a model that is ready
        self._given_up = ""  # why its process was ended, in words
        self._leaving = False  # it was unloaded, and its process is not gone yet
        self._gone_at = 0.0  # when a process that has ended, or was ended, is believed to have given its memory back
        self._wait = ""  # in words, while its rows wait for others to make room
        self._draining = False  # rows that come now wait until it has been brought up again
        self._max_rows = 1  # written together; known once a worker is ready
        self._deaths = 0  # since it last wrote an answer
        self._failed_loads = 0
        self._records = True  # until a worker has died of it, as far as one can tell
        self._gives_way = True  # until one that did was silent for too long
        self._launch_at = clock()
        self._loading_since = clock()
        self._load_s: float | None = None
        self._heard_at = clock()  # the last sign of life

    # -- what the outside asks ------------------------------------------------------------------------------------

    def accept(self, job: Job, listener: Listener) -> None:
        """Take a job: send it, let it wait, or end it at once when the model has failed."""
        row = _Row(job, listener, self._clock())
        self.used_at = self._clock()
        if self.state in ("off", "asleep"):
            self.open(self.card)
        if self.state == "failed":
            row.tell(Ended(job.row, FinishReason.ERROR, self._error))
            return
        if not self._rows:
            self._heard_at = self._clock()
        self._rows[job.row] = row
        if self.state == "ready" and not self._draining:
            self._start(row)
        self._announce()

    def cancel(self, row: str) -> None:
        """End a row: here when no worker has it, else by telling the worker."""
        if row not in self._rows:
            return
        if self._rows[row].sent:
            self._rows[row].cancelled = True
            self._send(messages.cancel(row))
        else:
            self._end(Ended(row, FinishReason.CANCELLED))

    def open(self, card: ModelCard) -> None:
        """Bring up a model that is off; one that failed gets another chance, its files may have been repaired."""
        if self.state in ("failed", "off", "asleep"):
            self.card = card
            if self.state in ("failed", "off"):
                self._records = self._gives_way = True
            self.state, self._failed_loads, self._error = "queued", 0, ""
            self._launch_at = max(self._clock(), self._launch_at) if self._leaving else self._clock()

    def unload(self) -> None:
        """Give the memory back: end every row and the process."""
        self._end_rows(self._rows, FinishReason.ERROR, f"{self.card.name} was unloaded")
        self._let_go("off")

    def sleep(self) -> None:
        """Give the memory back to others; rows that wait bring it up again in their turn."""
        self._let_go("queued" if self._rows else "asleep")

    def drain(self) -> None:
        """Begin no more rows, so that it can sleep soon: somebody has waited long enough."""
        self._draining = True

    def resume(self) -> None:
        """Begin rows again, those first that have waited."""
        self._draining = False
        if self.state == "ready":
            for row in self._rows.values():
                if not row.sent:
                    self._start(row)
            self._announce()

    def refuse(self, error: str) -> None:
        """Not to be brought up at all, and why."""
        self._fail(error)

    def wait_for_room(self, words: str) -> None:
        """Rows wait until others have made room; `words` say for whom."""
        if self._wait != words:
            self._wait = words
            self._announce()

    def close(self) -> None:
        """End every row and hang up."""
        self._end_rows(self._rows, FinishReason.CANCELLED)
        self._let_go("off")

    def _let_go(self, state: str) -> None:
        if self.state in ("loading", "ready") and not self._exit_words:
            self._leaving = True
            self._gone_at = self._launch_at = self._clock() + self._limits.exit_s
        self.state, self._error, self._trouble, self._note, self._wait = state, "", "", "", ""
        if self._link is not None:
            self._link.close()
            self._launcher.end(self._number)

    def status(self) -> ModelStatus:
        """Where it stands; safe on any thread (it reads single values, and one copy of the rows)."""
        rows = tuple(self._rows.values())
        running = sum(row.started for row in rows)
        return ModelStatus(
            model_id=self.card.id,
            state=self.state,
            detail=self._error or self._trouble or self._note or self._wait,
            device=self._facts.device if self._facts else "",
            eta_s=self._eta_s(),
            load_s=self._load_s,
            running=running,
            waiting=len(rows) - running,
            placement=self.placement.words if self.placement else "",
            takes_turns=self.placement is not None and self.placement.how is How.IN_TURNS,
        )

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def wants_launch(self) -> bool:
        """Whether a worker is to be made now."""
        return self.state == "queued" and self._clock() >= self._launch_at

    @property
    def holds_memory(self) -> bool:
        """Whether a process of this model's has its memory, or has not given it back yet."""
        return self.state in ("loading", "ready") or self._clock() < self._gone_at

    @property
    def is_leaving(self) -> bool:
        """Whether its memory is about to be free."""
        return self.holds_memory and self.state not in ("loading", "ready")

    @property
    def is_idle(self) -> bool:
        """Whether it is ready and writes nothing."""
        return self.state == "ready" and not any(row.sent for row in self._rows.values())

    @property
    def devices(self) -> tuple[str, ...]:
        """Where it would go."""
        return self.placement.devices if self.placement else ()

    @property
    def waiting_since(self) -> float:
        """When the first of its rows came; infinity when nobody waits."""
        return min((row.since for row in self._rows.values()), default=math.inf)

    @property
    def restless(self) -> bool:
        """Whether time alone can change something here."""
        return self.state in ("queued", "loading") or bool(self._rows)

    def launch(self, rows: int = MAX_ROWS) -> None:
        """Make a worker and have it load the model, to write so many rows together."""
        self.state, self._loading_since, self._exit_words, self._wait = "loading", self._clock(), "", ""
        self._leaving, self._given_up = False, ""
        self.held = Held(self.placement, rows) if self.placement else None
        try:
            number, channel = self._launcher.launch()
        except OSError as error:  # no descriptors, no memory, no interpreter
            self._exit_words = f"could not be started ({error})"
            self._lose_worker("")
            self._plan_restart()
            return
        self._number = number
        self._link = Link(
            channel,
            on_messages=lambda received: self._post(lambda: self.on_messages(number, received)),
            on_gone=lambda: self._post(lambda: self.on_gone(number)),
        )
        room = self.placement.room if self.placement else {}
        how = {"recorded": self._records, "gives_way": self._gives_way}
        self._send(messages.load(self.card, self._threads, room, rows, **how))
        self._announce()

    def check(self) -> None:
        """End a worker that has been silent for too long."""
        silent_s = self._clock() - (self._loading_since if self.state == "loading" else self._heard_at)
        if self.state == "loading" and silent_s > self._limits.load_s:
            self._give_up(f"did not finish loading in {self._limits.load_s:g} s")
        elif self.state == "ready" and self._rows and silent_s > self._limits.stall_s + self._reading_s():
            self._give_up(f"stopped answering for {silent_s:.0f} s")

    # -- what the worker says -------------------------------------------------------------------------------------

    def on_messages(self, number: int, received: Sequence[Message]) -> None:
        """Take what worker `number` said at once, in order."""
        for message in received:
            self.on_message(number, message)

    def on_message(self, number: int, message: Message) -> None:
        """Take a message of worker `number`; one that was given up is no longer believed."""
        if number != self._number or self.state not in ("loading", "ready"):
            return
        self._heard_at = self._clock()
        kind = message["kind"]
        if kind == "ready":
            self._become_ready(message)
        elif kind == "failed":
            self._fail(message["error"])
        elif message["row"] in self._rows:
            self._on_row_message(kind, message)

    def on_gone(self, number: int) -> None:
        """Worker `number` has hung up; in order when it has said why or was told to, else it is replaced."""
        if number == self._number and self.state in ("loading", "ready"):
            self._lose_worker("the model's process ended while it was writing; it is being started again")
            self._plan_restart()

    def on_exit(self, number: int, words: str) -> None:
        """The process of worker `number` is gone, its memory free; what it has said may still be on its way.

        Memory that was given back is free only now: a successor waits for it.
        """
        if number == self._number:
            self._gone_at = self._clock()
            if self._leaving:
                self._leaving, self._launch_at = False, self._clock()
                return
            self._exit_words = self._given_up or words
            if self.state == "queued":
                self._plan_restart()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _on_row_message(self, kind: str, message: Message) -> None:
        row = self._rows[message["row"]]
        if kind == "started" and self._facts is not None:
            row.started = True
            row.tell(Started(row.job.row, self._facts))
            self._announce()
        elif kind == "tokens":
            row.tell(messages.read(Tokens, message))
        elif kind == "ended":
            ended = messages.read(Ended, message)
            if ended.finish_reason is not FinishReason.ERROR:
                self._deaths = 0
            self._end(ended)
            self._announce()

    def _become_ready(self, message: Message) -> None:
        self.state, self._trouble, self._failed_loads, self._draining = "ready", "", 0, False
        self._facts, self._load_s = messages.read(EngineFacts, message["facts"]), message["load_s"]
        self._max_rows, self._note = message["max_rows"], message["note"]
        for row in self._rows.values():
            self._start(row)
        self._announce()

    def _start(self, row: _Row) -> None:
        row.sent = True
        self._send(messages.start(row.job))

    def _fail(self, error: str) -> None:
        log.error("%s failed: %s", self.card.id, error)
        if self.state in ("loading", "ready"):  # its process may still hold the weights
            self._gone_at = self._clock() + self._limits.exit_s
            self._launcher.end(self._number)
        self.state, self._error, self._trouble, self._note = "failed", error, "", ""
        if self._link is not None:
            self._link.close()
        self._end_rows(self._rows, FinishReason.ERROR, error)

    def _give_up(self, words: str) -> None:
        log.warning("the process of %s %s", self.card.id, words)
        self._given_up, self._gives_way = words, False
        self._lose_worker(f"the model's process {words}; it is being started again")

    def _lose_worker(self, error: str) -> None:
        """End the worker and what it was writing; rows that it had not begun wait for the next one."""
        self._records &= self.state == "ready" and not self._deaths
        self._failed_loads += self.state == "loading"
        self._deaths += 1
        self.state = "queued"
        self._gone_at = self._launch_at = self._clock() + self._limits.exit_s  # sooner when its exit is reported
        if self._link is not None:
            self._link.close()
        self._launcher.end(self._number)
        self._end_rows({name: row for name, row in self._rows.items() if row.cancelled}, FinishReason.CANCELLED)
        self._end_rows({name: row for name, row in self._rows.items() if row.started}, FinishReason.ERROR, error)
        for row in self._rows.values():
            row.sent = False
        self._announce()

    def _plan_restart(self) -> None:
        """Choose the time of the next attempt, once the exit of the last worker is known; or give the model up."""
        if not self._exit_words:
            return
        self._gone_at = min(self._gone_at, self._clock())
        log.warning("the process of %s %s", self.card.id, self._exit_words)
        delays = self._limits.backoff_s
        if self._failed_loads > len(delays):
            self._fail(
                f"{self.card.name} could not be loaded: its process {self._exit_words}, {self._failed_loads} times"
            )
            return
        self._trouble = f"its process {self._exit_words}; it is being started again"
        self._launch_at = self._clock() + delays[min(max(1, self._deaths), len(delays)) - 1]

    def _end(self, ended: Ended) -> None:
        self.used_at = self._clock()
        self._rows.pop(ended.row).tell(ended)

    def _end_rows(self, rows: dict[str, _Row], reason: FinishReason, error: str | None = None) -> None:
        for name in list(rows):
            self._end(Ended(name, reason, error))

    def _announce(self) -> None:
        """Tell every waiting row how many have to end before it begins, when that has changed."""
        reason = "" if self.state == "ready" else self._wait or "loading"
        ahead = sum(row.started for row in self._rows.values())
        for row in list(self._rows.values()):
            if row.started:
                continue
            place = (max(0, ahead + 1 - self._max_rows), reason)
            if row.announced != place and (any(place) or row.announced):
                row.announced = place
                row.tell(Queued(row.job.row, *place))
            ahead += 1

    def _send(self, message: Message) -> None:
        if self._link is not None:
            self._link.send(message)

    def _reading_s(self) -> float:
        """How long the prompts that are being read may take on a slow CPU, where reading is a step without a sign."""
        tokens = sum(len(row.job.token_ids) for row in self._rows.values() if row.started)
        return 2 * self.card.num_parameters * tokens / _SLOWEST_FLOPS

    def _eta_s(self) -> float | None:
        """A guess of the seconds until it is ready; None when that is not a question."""
        if self.state not in ("queued", "loading"):
            return None
        guess_s = self._load_s if self._load_s is not None else _IMPORT_S + self.card.size_bytes / _SLOWEST_BYTES_PER_S
        gone_s = self._clock() - self._loading_since if self.state == "loading" else 0.0
        return max(1.0, guess_s - gone_s)
