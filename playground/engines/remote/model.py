"""One model on one or several servers: assign jobs to servers, and retry them when a server fails.

Boundary: every method but `status` runs on the engine's thread; knows neither HTTP nor text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import httpx2

from playground.engines.protocol import Job, Listener
from playground.engines.remote.client import Client, Key
from playground.engines.remote.errors import Effect, ServerError
from playground.engines.remote.probe import served_name
from playground.engines.remote.running_job import RunningJob
from playground.engines.remote.server import RemoteServer
from playground.engines.remote.timeouts import Timeouts
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason, ModelCard, ModelStatus

STATES = {"up": "ready", "probing": "loading", "down": "failed"}
"""State of a server -> state of the model, the best one first."""
WAITING = "waiting for its server"
ABANDONED = "the remote engine did not finish the answer"


class RemoteModel:
    """A model that is off until opened, then loading, ready or failed as its best server is."""

    def __init__(self, card: ModelCard, http: httpx2.AsyncClient, timeouts: Timeouts, key: Key) -> None:
        self.card = card
        self._http, self._timeouts, self._key = http, timeouts, key
        self._servers: tuple[RemoteServer, ...] = ()
        self._watches: tuple[asyncio.Task[None], ...] = ()
        self._jobs: dict[str, RunningJob] = {}
        self._changed = asyncio.Event()  # replaced after each change
        self._opened_at = 0.0  # by the loop's clock
        self._load_s: float | None = None

    def open(self, card: ModelCard) -> None:
        """Probe the servers; if they are open already, probe those that are down now."""
        if self._servers:
            for server in self._servers:
                server.probe_again("down")
            return
        self.card, self._opened_at = card, asyncio.get_running_loop().time()
        self._servers = tuple(self._server(url) for url in card.servers)
        self._watches = tuple(asyncio.create_task(server.watch()) for server in self._servers)

    def _server(self, url: str) -> RemoteServer:
        client = Client(url, served_name(self.card), self._http, self._timeouts, self._key)
        return RemoteServer(client, self.card, self._timeouts, self._on_change)

    def close(self, reason: FinishReason, error: str | None = None) -> None:
        """End every job and forget the servers, until the model is opened again."""
        self._end(self._jobs.values(), reason, error)
        for watch in self._watches:
            watch.cancel()
        self._servers, self._watches, self._load_s = (), (), None

    def start(self, job: Job, listener: Listener) -> None:
        """Accept a job; it ends at once if every server is down."""
        if not self._servers:
            self.open(self.card)
        running = RunningJob(job, listener)
        self._jobs[job.row] = running
        running.task = asyncio.create_task(self._run(running))
        running.task.add_done_callback(lambda _: self._jobs.pop(job.row, None))

    def cancel(self, row: str) -> None:
        """End a job and close its connection."""
        if row in self._jobs:
            self._end([self._jobs[row]], FinishReason.CANCELLED)

    def _end(self, jobs: Iterable[RunningJob], reason: FinishReason, error: str | None = None) -> None:
        for running in tuple(jobs):
            running.end(reason, error)
            if running.task is not None:
                running.task.cancel()

    def status(self) -> ModelStatus:
        """Return the model's state; safe on any thread, because it reads single values and copies."""
        servers, jobs = self._servers, [running for running in tuple(self._jobs.values()) if not running.ended]
        up = [server for server in servers if server.state == "up"]
        num_running = sum(running.started for running in jobs)
        return ModelStatus(
            model_id=self.card.id,
            state=_state(servers),
            detail=self._detail(servers, up),
            device=up[0].facts.device if up else "",
            load_s=self._load_s,
            running=num_running,
            waiting=len(jobs) - num_running,
        )

    def _detail(self, servers: Sequence[RemoteServer], up: Sequence[RemoteServer]) -> str:
        """Return a note for visitors."""
        if not up:
            return _reason(servers) if _state(servers) == "failed" else ""
        shortest = min(server.context_length for server in up)
        notes = [f"{len(up)} of {len(servers)} servers answer"] if len(up) < len(servers) else []
        if shortest < self.card.context_length:
            notes.append(f"its server takes {shortest} tokens; the card says {self.card.context_length}")
        return "; ".join(notes)

    def _on_change(self) -> None:
        if self._load_s is None and _state(self._servers) == "ready":
            self._load_s = asyncio.get_running_loop().time() - self._opened_at
        self._changed.set()
        self._changed = asyncio.Event()

    async def _run(self, running: RunningJob) -> None:
        """Write a job's answer; the job ends whatever happens."""
        try:
            await self._until_ready(running)
            async with asyncio.timeout(running.job.deadline_s):
                await self._write(running)
        except TimeoutError:
            running.end(FinishReason.ERROR, f"the answer was not finished after {running.job.deadline_s:g} s")
        except (EngineError, PromptTooLong) as error:
            running.end(FinishReason.ERROR, str(error))
        finally:
            running.end(FinishReason.ERROR, ABANDONED)

    async def _write(self, running: RunningJob) -> None:
        """Try one server after the other until the first token arrives."""
        not_before: dict[RemoteServer, float] = {}  # times for this job, by the loop's clock
        for pause_s in (*self._timeouts.retry_s, None):
            server = await self._choose(running, not_before)
            try:
                return await server.write(running, self._max_tokens(running.job, server))
            except ServerError as error:
                is_last = pause_s is None or running.started or not self._may_retry(error)
                if error.effect is Effect.LOST or (is_last and error.effect is Effect.FAILED):
                    server.probe_again("up")
                if is_last:
                    raise _failure(error, server, running) from error
                not_before[server] = asyncio.get_running_loop().time() + (error.wait_s or pause_s or 0.0)
        return None

    def _may_retry(self, error: ServerError) -> bool:
        return error.effect is not Effect.REQUEST and (error.wait_s or 0.0) <= self._timeouts.retry_after_s

    async def _until_ready(self, running: RunningJob) -> None:
        """Wait until a server is up.

        Raises:
            EngineError: all are down.
        """
        while (state := _state(self._servers)) != "ready":
            if state in ("failed", "off"):
                raise EngineError(_reason(self._servers))
            running.wait(WAITING)
            await self._changed.wait()

    async def _choose(self, running: RunningJob, not_before: dict[RemoteServer, float]) -> RemoteServer:
        """Return the server with the fewest jobs; one that has just refused this job only if there is no other.

        Await nothing between this choice and writing: jobs that arrive together would all choose the same server.
        """
        await self._until_ready(running)
        now = asyncio.get_running_loop().time()
        up = [server for server in self._servers if server.state == "up"]
        able = [server for server in up if self._num_tokens(running.job) <= server.context_length] or up
        pause_s = {server: max(0.0, not_before.get(server, now) - now) for server in able}
        chosen = min(able, key=lambda server: (pause_s[server], server.num_running, server.num_jobs))
        if not pause_s[chosen]:
            return chosen
        await asyncio.sleep(pause_s[chosen])
        return await self._choose(running, not_before)  # by now another one may be free

    def _num_tokens(self, job: Job) -> int:
        """Return the tokens of prompt and longest answer; the context ends an answer as `max_new_tokens` does."""
        return min(len(job.token_ids) + job.params.max_new_tokens, self.card.context_length)

    def _max_tokens(self, job: Job, server: RemoteServer) -> int:
        """Return the length of the longest answer.

        Raises:
            EngineError: the prompt is empty.
            PromptTooLong: the context holds no token more, or the server's context is shorter than the model's.
        """
        length = len(job.token_ids)
        if not length and not job.text:  # of messages, only the server knows the length
            raise EngineError("the prompt is empty; a model needs at least one token")
        if length >= self.card.context_length:
            raise PromptTooLong(f"the prompt has {length} tokens; the model takes {self.card.context_length} in all")
        if self._num_tokens(job) > server.context_length:
            raise PromptTooLong(
                f"prompt and answer may take {self._num_tokens(job)} tokens; the model's server takes "
                f"{server.context_length}; ask for a shorter answer"
            )
        return self._num_tokens(job) - length


def _state(servers: Sequence[RemoteServer]) -> str:
    """Return the state of a model, as in `ModelStatus`."""
    states = {server.state for server in servers}
    return next((model_state for state, model_state in STATES.items() if state in states), "off")


def _reason(servers: Sequence[RemoteServer]) -> str:
    """Return the reason why no server of a model answers."""
    if not servers:
        return "its card names no server"
    reason = next((server.reason for server in servers if server.reason), "")
    return reason if len(servers) == 1 else f"none of its {len(servers)} servers answers; the first: {reason}"


def _failure(error: ServerError, server: RemoteServer, running: RunningJob) -> EngineError:
    """Return the error that ends a job; if the prompt was not exact, its provenance says so."""
    message = f"{error}; it had begun to answer" if running.started else str(error)
    if error.inexact:
        running.start(replace(server.facts, faithful=False))
    return EngineError(message)
