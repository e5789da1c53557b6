"""One server of a model: probed, used while it answers, and probed again while it does not.

Boundary: on the engine's thread only; chooses no server and retries no job.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import aclosing

from playground.engines.protocol import EngineFacts
from playground.engines.remote.client import Client
from playground.engines.remote.errors import ServerError, lost
from playground.engines.remote.feeds import ROUTES
from playground.engines.remote.probe import ServerInfo, probe
from playground.engines.remote.running_job import RunningJob
from playground.engines.remote.timeouts import Timeouts
from playground.records import ModelCard

UNLOADED = "the model of this server was unloaded"

log = logging.getLogger(__name__)


class RemoteServer:
    """A server whose `state` is probing, up or down."""

    def __init__(self, client: Client, card: ModelCard, timeouts: Timeouts, on_change: Callable[[], None]) -> None:
        self.state = "probing"
        self.reason = ""  # while it is down
        self.num_running = 0  # jobs of this engine
        self.num_jobs = 0  # ever
        self._info: ServerInfo | None = None
        self._client, self._card, self._timeouts, self._on_change = client, card, timeouts, on_change
        self._probe_now = asyncio.Event()

    async def watch(self) -> None:
        """Keep the state current until cancelled; then it is down, so that no job waits for it."""
        try:
            await self._keep_probing()
        finally:
            self._become("down", UNLOADED)

    async def _keep_probing(self) -> None:
        failures = 0
        while True:
            self._probe_now.clear()
            try:
                self._info = await self._probe()
                failures = 0
                self._become("up")
                await self._probe_now.wait()
            except ServerError as error:
                if str(error) != self.reason:
                    log.warning("%s of %s is down: %s %s", self._client.host, *self._describe(error))
                self._become("down", str(error))
                delays = self._timeouts.backoff_s
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._probe_now.wait(), delays[min(failures, len(delays) - 1)])
                failures += 1

    def probe_again(self, state: str) -> None:
        """Probe now if the server is in this state."""
        if self.state == state:
            self._become("probing")
            self._probe_now.set()

    async def write(self, running: RunningJob, max_tokens: int) -> None:
        """Write the whole answer of a job; raises as `Client.write`."""
        answer = ROUTES[self._card.feed].answer(running.job, max_tokens)
        self.num_running += 1
        self.num_jobs += 1
        running.is_sent = True
        try:
            async with aclosing(self._client.write(running.job, self._card, answer, max_tokens)) as pieces:
                async for piece in pieces:
                    running.start(self.facts)
                    running.write(piece)
                    if answer.complete and answer.finish_reason is not None:
                        running.end(answer.finish_reason, num_tokens=answer.counted)
            if answer.finish_reason is not None:  # an answer may be empty, and the number of its tokens come last
                running.start(self.facts)
                running.end(answer.finish_reason, num_tokens=answer.counted)
        except ServerError as error:
            running.is_sent = False
            log.warning("row %s at %s of %s: %s %s", running.job.row, self._client.host, *self._describe(error))
            raise
        finally:
            self.num_running -= 1

    @property
    def facts(self) -> EngineFacts:
        """Provenance of its answers."""
        return (self._info or ServerInfo()).facts(self._card)

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer together."""
        known = self._info.context_length if self._info else None
        return self._card.context_length if known is None else known

    async def _probe(self) -> ServerInfo:
        try:
            patience_s = self._timeouts.probe_s if ROUTES[self._card.feed].is_exact else self._timeouts.first_token_s
            async with asyncio.timeout(patience_s):  # Ollama loads a model when it is asked
                return await probe(self._client, self._card)
        except TimeoutError as error:
            raise lost("does not answer in time") from error

    def _become(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self._on_change()

    def _describe(self, error: ServerError) -> tuple[str, str, str]:
        words = error.log_words(self._client.masked)
        return self._card.id, str(error), f"({words})" if words else ""
