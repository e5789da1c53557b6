"""One model on one or several servers: which row goes where, and what follows when a server fails it.

Boundary: every method but `status` runs on the engine's thread; knows servers and rows, neither HTTP nor text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import httpx2

from playground.engines.protocol import Job, Listener
from playground.engines.remote.client import Client
from playground.engines.remote.identity import served_name
from playground.engines.remote.patience import Patience
from playground.engines.remote.row import Row
from playground.engines.remote.server import Server
from playground.engines.remote.trouble import Effect, Trouble
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason, ModelCard, ModelStatus

STATES = {"up": "ready", "asking": "loading", "down": "failed"}
"""A model is what its best server is."""
WAITING = "waiting for its server"
OVER = "the remote engine gave the answer up"


class RemoteModel:
    """Off until opened; then loading, ready or failed, as its servers are."""

    def __init__(self, card: ModelCard, http: httpx2.AsyncClient, patience: Patience) -> None:
        self.card = card
        self._http, self._patience = http, patience
        self._servers: tuple[Server, ...] = ()
        self._watches: tuple[asyncio.Task[None], ...] = ()
        self._rows: dict[str, Row] = {}
        self._news = asyncio.Event()  # replaced when it happens
        self._opened_at = 0.0  # by the loop's clock
        self._load_s: float | None = None

    # -- what the outside asks ------------------------------------------------------------------------------------

    def open(self, card: ModelCard) -> None:
        """Ask the servers what they are; those that are left out are asked again now."""
        if self._servers:
            for server in self._servers:
                server.ask_again()
            return
        self.card, self._opened_at = card, asyncio.get_running_loop().time()
        self._servers = tuple(self._server(url) for url in card.servers)
        self._watches = tuple(asyncio.create_task(server.watch()) for server in self._servers)

    def unload(self) -> None:
        """Have nothing more to do with the servers, until it is opened again."""
        self._leave(FinishReason.ERROR, f"{self.card.name} was unloaded")

    def accept(self, job: Job, listener: Listener) -> None:
        """Take a job; it ends at once when no server can be hoped for."""
        if not self._servers:
            self.open(self.card)
        row = Row(job, listener)
        self._rows[job.row] = row
        row.task = asyncio.create_task(self._see_through(row))
        row.task.add_done_callback(lambda _: self._rows.pop(job.row, None))

    def cancel(self, row: str) -> None:
        """End a row and hang up on its server."""
        if row in self._rows:
            self._end_rows([self._rows[row]], FinishReason.CANCELLED)

    def close(self) -> None:
        """End every row and hang up."""
        self._leave(FinishReason.CANCELLED)

    def status(self) -> ModelStatus:
        """Where it stands; safe on any thread (it reads single values, and copies of what changes)."""
        servers, rows = self._servers, [row for row in tuple(self._rows.values()) if not row.ended]
        up = [server for server in servers if server.state == "up"]
        running = sum(row.begun for row in rows)
        return ModelStatus(
            model_id=self.card.id,
            state=_state(servers),
            detail=self._detail(servers, up),
            device=up[0].facts.device if up else "",
            load_s=self._load_s,
            running=running,
            waiting=len(rows) - running,
        )

    # -- inside ---------------------------------------------------------------------------------------------------

    def _server(self, url: str) -> Server:
        client = Client(url, served_name(self.card), self._http, self._patience)
        return Server(client, self.card, self._patience, self._on_change)

    def _on_change(self) -> None:
        if self._load_s is None and _state(self._servers) == "ready":
            self._load_s = asyncio.get_running_loop().time() - self._opened_at
        self._news.set()
        self._news = asyncio.Event()

    def _detail(self, servers: Sequence[Server], up: Sequence[Server]) -> str:
        """What people should know about it."""
        if not up:
            return _reason(servers) if _state(servers) == "failed" else ""
        lengths = [server.context_length for server in up]
        notes = [f"{len(up)} of {len(servers)} servers answer"] if len(up) < len(servers) else []
        if min(lengths) < self.card.context_length:
            notes.append(f"its server takes {min(lengths)} tokens; the card says {self.card.context_length}")
        return "; ".join(notes)

    def _leave(self, reason: FinishReason, error: str | None = None) -> None:
        self._end_rows(self._rows.values(), reason, error)
        for watch in self._watches:
            watch.cancel()
        self._servers, self._watches, self._load_s = (), (), None

    def _end_rows(self, rows: Iterable[Row], reason: FinishReason, error: str | None = None) -> None:
        for row in tuple(rows):
            row.end(reason, error)
            if row.task is not None:
                row.task.cancel()

    async def _see_through(self, row: Row) -> None:
        """Whatever happens, the row has its end."""
        try:
            await self._until_ready(row)
            async with asyncio.timeout(row.job.deadline_s):
                await self._write(row)
        except TimeoutError:
            row.end(FinishReason.ERROR, f"the answer was not finished after {row.job.deadline_s:g} s")
        except (EngineError, PromptTooLong) as error:
            row.end(FinishReason.ERROR, str(error))
        finally:
            row.end(FinishReason.ERROR, OVER)

    async def _write(self, row: Row) -> None:
        """Try one server after the other, as long as no token has come."""
        resting: dict[Server, float] = {}  # until when, for this row
        for pause_s in (*self._patience.retry_s, None):
            server = await self._choose(row, resting)
            try:
                return await server.write(row, self._room(row.job, server))
            except Trouble as trouble:
                is_last = pause_s is None or row.begun or not self._may_pass(trouble)
                if trouble.effect is Effect.LOST or (is_last and trouble.effect is Effect.FAILED):
                    server.lose()
                if is_last:
                    raise _failure(trouble, server, row) from trouble
                resting[server] = asyncio.get_running_loop().time() + (trouble.wait_s or pause_s or 0.0)
        return None

    def _may_pass(self, trouble: Trouble) -> bool:
        """Whether another attempt may do better, and is not too long to wait for."""
        return trouble.effect is not Effect.REQUEST and (trouble.wait_s or 0.0) <= self._patience.retry_after_s

    async def _until_ready(self, row: Row) -> None:
        """Wait until a server is up.

        Raises:
            EngineError: none is, and of none it is still to be found out.
        """
        while (state := _state(self._servers)) != "ready":
            if state in ("failed", "off"):
                raise EngineError(_reason(self._servers))
            row.wait(WAITING)
            await self._news.wait()

    async def _choose(self, row: Row, resting: dict[Server, float]) -> Server:
        """The server with the fewest rows of ours; one that has just refused this row only when there is no other.

        Nothing may be awaited between the choice and the writing: rows that come together would all choose the same.
        """
        await self._until_ready(row)
        now = asyncio.get_running_loop().time()
        up = [server for server in self._servers if server.state == "up"]
        able = [server for server in up if self._needs(row.job) <= server.context_length] or up
        rest_s = {server: max(0.0, resting.get(server, now) - now) for server in able}
        chosen = min(able, key=lambda server: (rest_s[server], server.rows, server.used))
        if not rest_s[chosen]:
            return chosen
        await asyncio.sleep(rest_s[chosen])
        return await self._choose(row, resting)  # meanwhile another may have become free

    def _needs(self, job: Job) -> int:
        """Tokens that prompt and answer may take together; the context ends an answer as `max_new_tokens` does."""
        return min(len(job.token_ids) + job.params.max_new_tokens, self.card.context_length)

    def _room(self, job: Job, server: Server) -> int:
        """How many tokens the answer may have.

        Raises:
            EngineError: the prompt is empty.
            PromptTooLong: there is no room for one token, or the server ends sooner than the model does.
        """
        length = len(job.token_ids)
        if not length:
            raise EngineError("the prompt is empty; a model needs at least one token")
        if length >= self.card.context_length:
            raise PromptTooLong(f"the prompt has {length} tokens; the model takes {self.card.context_length} in all")
        if self._needs(job) > server.context_length:
            raise PromptTooLong(
                f"prompt and answer may take {self._needs(job)} tokens; the model's server takes "
                f"{server.context_length}; ask for a shorter answer"
            )
        return self._needs(job) - length


def _state(servers: Sequence[Server]) -> str:
    """Of a model, as `ModelStatus` has it."""
    states = {server.state for server in servers}
    return next((words for state, words in STATES.items() if state in states), "off")


def _reason(servers: Sequence[Server]) -> str:
    """Why no server of a model answers."""
    if not servers:
        return "its card names no server"
    reason = next((server.reason for server in servers if server.reason), "")
    return reason if len(servers) == 1 else f"none of its {len(servers)} servers answers; the first: {reason}"


def _failure(trouble: Trouble, server: Server, row: Row) -> EngineError:
    """What the row ends with; its record says so when it was not fed exactly."""
    words = f"{trouble}; it had begun to answer" if row.begun else str(trouble)
    if trouble.inexact:
        row.begin(replace(server.facts, faithful=False))
    return EngineError(words)
