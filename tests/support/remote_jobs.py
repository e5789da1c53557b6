"""Jobs for a remote engine whose servers are `FakeServer`s, and a clock for its timeouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playground.engines.protocol import Engine, Event, Job, Started, Tokens
from playground.engines.remote.engine import RemoteEngine
from playground.engines.remote.timeouts import Timeouts
from playground.records import ModelCard, SamplingParams
from tests.support import columns
from tests.support.cast import card as cast_card
from tests.support.remote_server import STALLS, FakeServer, Fault, greedy

PROMPT = (5, 9, 20)
PARAMS = SamplingParams(max_new_tokens=12)
ANSWER = greedy(PROMPT, 12)
QUICK = Timeouts(retry_s=(0.01, 0.02, 0.03), backoff_s=(0.02, 0.05), retry_after_s=1.0)
STALL_S = 20.0
STALLING = replace(QUICK, first_token_s=STALL_S, next_token_s=STALL_S)
"""Timeouts that only `time_out` lets pass."""


class Column(columns.Column):
    """One job and its events."""

    def start(
        self,
        model_id: str = "far",
        params: SamplingParams = PARAMS,
        *,
        seed: int = 7,
        ids: tuple[int, ...] = PROMPT,
        stop_ids: tuple[int, ...] = (2,),
        deadline_s: float = 60.0,
    ) -> Column:
        self.begin(model_id, Job(self.row, ids, params, seed, stop_ids, deadline_s))
        return self

    def wait_for_ids(self, count: int) -> None:
        while len(self.ids) < count:
            self.wait_for(Tokens)

    @property
    def started(self) -> Started:
        (started,) = (event for event in self.events if isinstance(event, Started))
        return started

    def later_events(self, engine: Engine) -> list[Event]:
        """Close the engine; return events after the job's last one."""
        engine.close()
        return [self._fresh.get() for _ in range(self._fresh.qsize())]


def remote(*servers: FakeServer | str, **changes: object) -> ModelCard:
    """Return the card of a model on these servers."""
    urls = tuple(server if isinstance(server, str) else server.url for server in servers)
    known = cast_card("far", name="Far", repo="org/tiny", engine="remote", servers=urls, context_length=256)
    return replace(known, **changes)


def state(engine: Engine, model_id: str = "far") -> str:
    return engine.status()[model_id].state


def all_up(engine: Engine) -> bool:
    status = engine.status()["far"]
    return (status.state, status.detail) == ("ready", "")


def advance_clock(engine: RemoteEngine, seconds: float) -> None:
    """Advance the clock of the engine's loop."""
    loop = engine._loop
    assert loop is not None
    now = loop.time
    loop.call_soon_threadsafe(lambda: setattr(loop, "time", lambda: now() + seconds))


def time_out(engine: RemoteEngine, server: FakeServer, fault: Fault, times: int = 1) -> None:
    """If the fault stalls an answer, let the engine's timeout pass as soon as it does."""
    for _ in range(times if fault.kind in STALLS else 0):
        assert server.stalled.acquire(timeout=columns.PATIENCE_S)
        advance_clock(engine, STALL_S + 1)


def write_card(folder: Path, card_id: str, repo: str, *lines: str) -> Path:
    """Write a card file with these lines."""
    path = folder / f"{card_id}.toml"
    path.write_text(
        f'id = "{card_id}"\nname = "{card_id.title()}"\nrepo = "{repo}"\nrevision = "local"\nlicense = "Apache-2.0"\n'
        'architecture = "LlamaForCausalLM"\ncontext_length = 256\ndtype = "float16"\ntemplate = "orca-mini"\n'
        'sampling_source = "ours"\n' + "\n".join(lines) + "\n[sampling]\nmax_new_tokens = 12\n"
    )
    return path
