"""One server of one model: asked what it is, used while it answers, left out and asked again while it does not.

Boundary: on the engine's thread only; chooses nothing, retries nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import aclosing

from playground.engines.protocol import EngineFacts
from playground.engines.remote.answer import Answer
from playground.engines.remote.client import Client
from playground.engines.remote.identity import Identity, identify
from playground.engines.remote.patience import Patience
from playground.engines.remote.row import Row
from playground.engines.remote.trouble import Trouble, lost
from playground.records import ModelCard

OVER = "the model's server is no longer watched"

log = logging.getLogger(__name__)


class Server:
    """Asking, up or down; `rows` are ours that it is writing, `used` all that it ever got."""

    def __init__(self, client: Client, card: ModelCard, patience: Patience, on_change: Callable[[], None]) -> None:
        self.state = "asking"
        self.reason = ""  # in words, while it is down
        self.identity: Identity | None = None
        self.rows = 0
        self.used = 0
        self._client, self._card, self._patience, self._on_change = client, card, patience, on_change
        self._ask_now = asyncio.Event()

    async def watch(self) -> None:
        """Keep its state true, until cancelled; nobody waits for one that is no longer watched."""
        try:
            await self._keep_asking()
        finally:
            self._become("down", OVER)

    async def _keep_asking(self) -> None:
        failures = 0
        while True:
            self._ask_now.clear()
            try:
                self.identity = await self._ask()
                failures = 0
                self._become("up")
                await self._ask_now.wait()
            except Trouble as trouble:
                self._report(trouble)
                self._become("down", str(trouble))
                delays = self._patience.backoff_s
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ask_now.wait(), delays[min(failures, len(delays) - 1)])
                failures += 1

    def lose(self) -> None:
        """It has failed somebody: find out whether it answers before it is used again."""
        if self.state == "up":
            self._ask_at_once()

    def ask_again(self) -> None:
        """If it is left out, find out now whether it still has to be."""
        if self.state == "down":
            self._ask_at_once()

    async def write(self, row: Row, max_tokens: int) -> None:
        """Have it write `row` to its end. Raises as `Client.write`."""
        answer = Answer(row.job, max_tokens)
        self.rows += 1
        self.used += 1
        try:
            async with aclosing(self._client.write(row.job, answer)) as pieces:
                async for token_ids in pieces:
                    row.begin(self.facts)
                    row.write(token_ids)
                    if answer.finish_reason is not None:
                        row.end(answer.finish_reason)
        except Trouble as trouble:
            log.warning("row %s at %s of %s: %s %s", row.job.row, self._client.host, *self._said(trouble))
            raise
        finally:
            self.rows -= 1

    @property
    def facts(self) -> EngineFacts:
        """What its answers record; it has been up."""
        identity = self.identity or Identity("unnamed server", "", None)
        return identity.facts(self._card)

    @property
    def context_length(self) -> int:
        """Tokens that it takes, prompt and answer together."""
        known = self.identity.context_length if self.identity else None
        return self._card.context_length if known is None else known

    def _ask_at_once(self) -> None:
        self._become("asking")
        self._ask_now.set()

    async def _ask(self) -> Identity:
        try:
            async with asyncio.timeout(self._patience.probe_s):
                return await identify(self._client, self._card)
        except TimeoutError as error:
            raise lost("does not answer in time") from error

    def _become(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self._on_change()

    def _report(self, trouble: Trouble) -> None:
        """Say why it is left out, once per reason."""
        if str(trouble) != self.reason:
            log.warning("%s of %s is left out: %s %s", self._client.host, *self._said(trouble))

    def _said(self, trouble: Trouble) -> tuple[str, str, str]:
        return self._card.id, str(trouble), f"({self._client.masked(trouble.detail)})" if trouble.detail else ""
