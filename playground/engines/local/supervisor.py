"""Keep one model up: its state, the rows that wait for it, its worker process and the restarts.

Boundary: every method but `status` runs on the engine's thread; knows launchers and messages, neither torch nor text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.engines.local.backoff import Backoff
from playground.engines.local.launch import Launcher
from playground.engines.local.model_states import TABLE, ModelEvent, ModelState
from playground.engines.local.placement import MAX_ROWS, Held, How, Placement
from playground.engines.local.process import Post, Process
from playground.engines.local.rows import Rows
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.protocol import Ended, EngineFacts, Job, Listener, Tokens
from playground.records import FinishReason, ModelCard, ModelStatus

log = logging.getLogger(__name__)


_SLOWEST_FLOPS = 1e10  # a slower CPU is taken for hung while it reads a long prompt
_SLOWEST_BYTES_PER_S = 4e8
_IMPORT_S = 4.0


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Times in seconds."""

    stall_s: float = 60.0  # a worker with a row that is silent for longer is hung
    load_s: float = 900.0
    drain_s: float = 10.0  # a row that waits longer for memory makes a busy model drain
    exit_s: float = 30.0  # a killed process that is not gone by then no longer delays its successor
    # before the 1st, 2nd … restart; the last one from then on, but a model that cannot load fails after all
    backoff_s: tuple[float, ...] = (0.1, 1.0, 5.0, 15.0)


class Supervisor:
    """One model, in one of the states of `model_states`."""

    def __init__(
        self,
        card: ModelCard,
        threads: int,
        launcher: Launcher,
        post: Post,
        limits: WorkerLimits,
        now_s: Callable[[], float],
    ) -> None:
        self.card = card
        self.state = ModelState.QUEUED
        self.rows = Rows(now_s)
        self.placement: Placement | None = None  # set before the first launch
        self.process: Process | None = None  # the last one that was launched
        self._threads = threads
        self._launcher = launcher
        self._post = post
        self._limits = limits
        self._now_s = now_s
        self._launch_at = now_s()
        self._backoff = Backoff(limits.backoff_s)
        self._facts: EngineFacts | None = None
        self._load_s: float | None = None
        self._detail = ""  # for people: why it failed or restarts, or what the worker said when it was ready
        self._wait = ""  # for people: why it is not launched now

    # -- requests -------------------------------------------------------------------------------------------------

    def accept(self, job: Job, listener: Listener) -> None:
        """Take a job: send it, let it wait, or end it at once if the model has failed."""
        if self.process is not None and self.state.answers and not self.rows:
            self.process.heard_at = self._now_s()  # silence counts from the first row
        self.rows.add(job, listener)
        if not self.handle(ModelEvent.JOB):
            self.rows.end(Ended(job.row, FinishReason.ERROR, self._detail))

    def open(self, card: ModelCard) -> None:
        """Load a model that is off; one that failed is tried again, its files may have been repaired."""
        if self.handle(ModelEvent.OPEN):
            self.card = card

    def unload(self, reason: FinishReason, error: str | None = None) -> None:
        """End every row and the process."""
        self.rows.end_all(reason, error)
        self.handle(ModelEvent.UNLOAD)

    def sleep(self) -> None:
        """Give the memory to other models; rows that wait have it loaded again in their turn."""
        self.handle(ModelEvent.PAUSE if self.rows else ModelEvent.SLEEP)

    def wait(self, reason: str) -> None:
        """Tell the rows why the model is not loaded now."""
        if self._wait != reason:
            self._wait = reason
            self._update_rows()

    def status(self) -> ModelStatus:
        """Describe the model; safe on any thread."""
        running, rows = len(self.rows.started()), len(self.rows)
        guess_s = self._load_s or _IMPORT_S + self.card.size_bytes / _SLOWEST_BYTES_PER_S
        process = self.process if self.state is ModelState.LOADING else None
        loading_s = self._now_s() - process.heard_at if process else 0.0
        return ModelStatus(
            model_id=self.card.id,
            state=self.state.shown,
            detail=self._detail or self._wait,
            device=self._facts.device if self._facts else "",
            eta_s=max(1.0, guess_s - loading_s) if self.state.shown in ("queued", "loading") else None,
            load_s=self._load_s,
            running=running,
            waiting=max(0, rows - running),
            placement=self.placement.words if self.placement else "",
            takes_turns=self.placement is not None and self.placement.how is How.IN_TURNS,
            silent_s=_silent_s(self, self._now_s()),
            restarts=self.state.shown in ("queued", "loading") and self._backoff.deaths > 0,
        )

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def wants_launch(self) -> bool:
        """Return True if a worker should be launched now."""
        is_free = self.process is None or self.process.is_gone
        return TABLE[ModelEvent.LAUNCH][self.state] is not None and is_free and self._now_s() >= self._launch_at

    @property
    def held(self) -> Held | None:
        """The memory that the model's process takes now."""
        return self.process.held if self.process else None

    def launch(self, rows: int = MAX_ROWS) -> None:
        """Launch a worker that loads the model and writes up to `rows` rows together."""
        self._wait = ""
        self.handle(ModelEvent.LAUNCH)
        try:
            launched = self._launcher.launch()
        except OSError as error:  # no descriptors, no memory, no interpreter
            self.process = None
            self.handle(ModelEvent.LOSE)
            self._restart(f"could not be started ({error})")
            return
        held = Held(self.placement, rows) if self.placement else None
        self.process = Process(launched, held, self._limits.exit_s, self._now_s)
        self.process.connect(self._post, self.on_messages, self.on_gone, self.on_exit)
        weights = self.placement.weights if self.placement else {}
        self.process.send(messages.load(self.card, self._threads, weights, rows, recorded=self._backoff.records))

    def check(self) -> None:
        """End a worker that has been silent for too long."""
        if self.process is None:
            return
        silent_s, words = self._now_s() - self.process.heard_at, ""
        if self.state is ModelState.LOADING and silent_s > self._limits.load_s:
            words = f"did not finish loading in {self._limits.load_s:g} s"
        elif self.state.answers and self.rows and silent_s > self._limits.stall_s + _reading_s(self.card, self.rows):
            words = f"stopped answering for {silent_s:.0f} s"
        if words:
            log.warning("the process of %s %s", self.card.id, words)
            self.process.hung = words
            self.handle(ModelEvent.LOSE, f"the model's process {words}; it is being started again")

    # -- the worker -----------------------------------------------------------------------------------------------

    def on_messages(self, process: Process, received: Sequence[Message]) -> None:
        """Take messages of a worker, in order; those of one that was ended are ignored."""
        for message in received:
            if process is self.process and self.state.has_worker:
                process.heard_at = self._now_s()
                self._on_message(message)

    def on_gone(self, process: Process) -> None:
        """Replace a worker that hung up, unless it was told to or has said why."""
        if process is self.process:
            self.handle(ModelEvent.LOSE, "the model's process ended while it was writing; it is being started again")

    def on_exit(self, process: Process, words: str) -> None:
        """Record that a process has ended; its last messages may still be on their way."""
        process.exited(words)
        if process is self.process and self.state is ModelState.LOST:
            self._restart(process.exit_words)

    def _on_message(self, message: Message) -> None:
        if message["kind"] == "ready":
            self._facts, self._load_s = messages.read(EngineFacts, message["facts"]), message["load_s"]
            self._detail, self.rows.max_started = message["note"], message["max_rows"]
            self._backoff.failed_loads = 0
            self.handle(ModelEvent.LOADED)
        elif message["kind"] == "failed":
            self.handle(ModelEvent.REFUSE, message["error"])
        elif self._facts is not None:
            event = self.rows.take(message, self._facts)
            if isinstance(event, Ended) and event.finish_reason is not FinishReason.ERROR:
                self._backoff.deaths = 0
            if not isinstance(event, Tokens):
                self._update_rows()

    # -- inside ---------------------------------------------------------------------------------------------------

    def handle(self, event: ModelEvent, words: str = "") -> bool:
        """Enter the state that the table names; return False if the event means nothing in this one.

        Args:
            words: the error of the rows that end (`LOSE`, `REFUSE`, `GIVE_UP`), or why the model restarts (`EXIT`).
        """
        to, before = TABLE[event][self.state], self.state
        if to is None:
            return False
        self.state = to
        if self.process is not None and before.has_worker and not to.has_worker:
            self.process.end()
        if to is not before:
            self._enter(to, before, words)
        self._update_rows()
        return True

    def _enter(self, to: ModelState, before: ModelState, words: str) -> None:
        match to:
            case ModelState.OFF | ModelState.ASLEEP:
                self._detail = self._wait = ""
            case ModelState.QUEUED:
                self._queue(before, words)
            case ModelState.LOST:
                self._detail = ""
                self._backoff.add(while_loading=before is ModelState.LOADING)
                self.rows.lose_process(words)
                if self.process is not None and self.process.exit_words:
                    self._restart(self.process.exit_words)
            case ModelState.FAILED:
                log.error("%s failed: %s", self.card.id, words)
                self._detail = words
                self.rows.end_all(FinishReason.ERROR, words)

    def _queue(self, before: ModelState, words: str) -> None:
        self._detail, self._wait, self._launch_at = words, "", self._now_s()
        if before is ModelState.LOST:
            self._launch_at += self._backoff.delay_s
        elif before is ModelState.ASLEEP:
            self._backoff.failed_loads = 0
        elif not before.has_worker:  # off or failed: a new beginning
            self._backoff = Backoff(self._limits.backoff_s)

    def _restart(self, words: str) -> None:
        """Have a lost worker replaced now that its exit is known, or give the model up."""
        log.warning("the process of %s %s", self.card.id, words)
        if self._backoff.are_over:
            failed = f"{self.card.name} could not be loaded: its process {words}, {self._backoff.failed_loads} times"
            self.handle(ModelEvent.GIVE_UP, failed)
        else:
            self.handle(ModelEvent.EXIT, f"its process {words}; it is being started again")

    def _update_rows(self) -> None:
        """Send the rows that wait to a worker that takes them; tell the others their place."""
        if self.state is ModelState.READY and self.process is not None:
            self.rows.send(self.process)
        self.rows.announce("" if self.state.answers else self._wait or "loading")


def _silent_s(model: Supervisor, now_s: float) -> float:
    """The time for which a worker with rows has said nothing, without the time that it may take to read a prompt."""
    process = model.process
    if process is None or not model.state.answers or not model.rows:
        return 0.0
    return max(0.0, now_s - process.heard_at - _reading_s(model.card, model.rows))


def _reading_s(card: ModelCard, rows: Rows) -> float:
    """The time in which a slow CPU reads the prompts of the running rows, a step without a sign of life."""
    tokens = sum(len(row.job.token_ids) for row in rows.started())
    return 2 * card.num_parameters * tokens / _SLOWEST_FLOPS
