"""The engine cancels, unloads and closes; the fleet and the arena use it as any other engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.catalog.card_files import read_card
from playground.engines.fleet import Fleet, engines_of
from playground.engines.protocol import Ended, Event, Job, Queued, Tokens
from playground.engines.remote.engine import RemoteEngine
from playground.errors import EngineError, InvalidCard, Unknown
from playground.records import BattleState, FinishReason, Instruction
from playground.settings import Settings
from tests.engines.remote.conftest import Open
from tests.support.cast import card as cast_card
from tests.support.columns import PATIENCE_S
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.remote_jobs import (
    ANSWER,
    PARAMS,
    PROMPT,
    Column,
    remote,
    state,
    write_card,
)
from tests.support.remote_server import FakeServer, Fault, likeliest


@pytest.mark.parametrize("after", [0, 5], ids=["while waiting", "while writing"])
def test_cancel_closes_the_connection_and_keeps_the_tokens(opened: Open, server: FakeServer, after: int) -> None:
    server.faults.append(Fault("hold", after))
    engine = opened(remote(server))
    column = Column(engine).start()
    wait_until(lambda: server.writing == 1 and bool(server.asked))
    column.wait_for_ids(after)
    engine.cancel("row")
    assert column.finish() == Ended("row", FinishReason.CANCELLED)
    assert column.ids == ANSWER[:after]
    assert server.closed.acquire(timeout=PATIENCE_S)
    engine.cancel("row")
    engine.cancel("unknown")
    wait_until(lambda: engine.status()["far"].running == 0)
    assert column.later_events(engine) == []


def test_queued_job_can_be_cancelled(opened: Open, server: FakeServer) -> None:
    server.always = Fault("hold")
    engine = opened(remote(server))
    column = Column(engine).start()
    assert column.wait_for(Queued) == Queued("row", 0, "waiting for its server")
    assert engine.status()["far"].waiting == 1
    engine.cancel("row")
    assert column.finish() == Ended("row", FinishReason.CANCELLED)


def test_unload_ends_jobs_and_the_next_job_opens_the_model_again(opened: Open, server: FakeServer) -> None:
    server.faults.append(Fault("hold", 3))
    engine = opened(remote(server))
    column = Column(engine).start()
    column.wait_for_ids(3)
    engine.unload("far")
    assert column.finish() == Ended("row", FinishReason.ERROR, "Far was unloaded")
    assert server.closed.acquire(timeout=PATIENCE_S)
    assert state(engine) == "off"
    assert Column(engine).start().finish().error is None
    assert state(engine) == "ready"


def test_close_ends_jobs_and_is_idempotent(opened: Open, server: FakeServer) -> None:
    server.faults.extend([Fault("hold", 3), Fault("hold", 0)])
    engine = opened(remote(server))
    columns = [Column(engine, "r0").start()]
    columns[0].wait_for(Tokens)
    columns.append(Column(engine, "r1").start())
    wait_until(lambda: server.writing == 2)
    engine.close()
    assert [column.finish().finish_reason for column in columns] == [FinishReason.CANCELLED] * 2
    engine.close()
    engine.cancel("r0")
    with pytest.raises(EngineError, match="closed"):
        columns[0].start()
    with pytest.raises(EngineError, match="closed"):
        engine.open([remote(server)])
    RemoteEngine(Settings()).close()


def test_failing_listener_does_not_stop_the_engine(
    opened: Open, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("not my day")

    engine = opened(remote(server))
    engine.start("far", Job("broken", PROMPT, PARAMS, 0, (), 60.0), broken)
    assert Column(engine).start().finish().error is None
    assert "a listener failed" in caplog.text


def test_remote_card_names_its_servers(tmp_path: Path) -> None:
    lines = ('engine = "remote"', 'servers = ["http://a:8000/v1", "https://b/x/v1"]', 'served_name = "n"')
    card = read_card(write_card(tmp_path, "far", "org/tiny", *lines))
    assert (card.engine, card.servers, card.served_name) == ("remote", ("http://a:8000/v1", "https://b/x/v1"), "n")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (['engine = "remote"'], "'servers' is missing; a remote card needs one or more"),
        (['servers = ["http://a/v1"]'], "'servers' is for remote cards"),
        (['served_name = "x"'], "'served_name' is for remote cards"),
        (['engine = "remote"', 'servers = ["a:8000"]'], "'servers' holds 'a:8000'; valid: 'http://host:port/v1'"),
        (['engine = "remote"', 'servers = ["http://u:p@a/v1"]'], "without a password or a query"),
        (['engine = "remote"', 'servers = ["http://a/v1?key=1"]'], "without a password or a query"),
    ],
)
def test_invalid_remote_card_is_refused(tmp_path: Path, lines: list[str], error: str) -> None:
    with pytest.raises(InvalidCard, match=error.replace("?", r"\?")):
        read_card(write_card(tmp_path, "far", "org/tiny", *lines))


@pytest.mark.usefixtures("models_of_one_process")
def test_fleet_sends_each_card_to_its_engine(opened: Open, server: FakeServer) -> None:
    engines = engines_of(Settings(), {})
    fleet = Fleet(Settings(), {name: engines[name] for name in ("local", "remote")})
    try:
        with pytest.raises(EngineError, match="no engine 'zerogpu' yet; valid: local, remote; change 'engine'"):
            fleet.open([remote(server), cast_card("cloud", engine="zerogpu")])
        assert fleet.status() == {}
        fleet.open([remote(server), cast_card("near", name="Near", repo="/nowhere")])
        assert Column(fleet).start().finish().error is None
        assert Column(fleet).start("near").finish().error == "Near: there is no folder /nowhere"
        assert {model_id: status.state for model_id, status in fleet.status().items()} == {
            "far": "ready",
            "near": "failed",
        }
        with pytest.raises(Unknown, match="no model 'gpt-9' was opened; there are: far, near"):
            Column(fleet).start("gpt-9")
        fleet.cancel("row")
        fleet.unload("far")
        wait_until(lambda: state(fleet) == "off")
    finally:
        fleet.close()


@pytest.fixture
def arena(tmp_path: Path, server: FakeServer, second: FakeServer) -> Iterator[Arena]:
    """Two remote models; only their tokenizer is local."""
    for name in ("tokenizer.model", "tokenizer_config.json"):
        (tmp_path / "tiny").mkdir(exist_ok=True)
        shutil.copy(ROOT / "playground" / "pocket" / "weights" / "pocket-orca-mini" / name, tmp_path / "tiny")
    (tmp_path / "cards").mkdir()
    for card_id, one in (("far", server), ("away", second)):
        lines = ('engine = "remote"', f'servers = ["{one.url}"]', 'served_name = "org/tiny"')
        write_card(tmp_path / "cards", card_id, "../tiny", *lines)
    arena = Arena(Settings(db=tmp_path / "playground.db", cards=str(tmp_path / "cards"), models="far,away"))
    arena.open()
    yield arena
    arena.close()


@pytest.mark.slow
def test_battle_of_remote_models_is_stored_without_an_address(arena: Arena, server: FakeServer, tmp_path: Path) -> None:
    viewer = Viewer("a" * 32)
    battle_id = arena.compare(Instruction("What is an alpaca?"), viewer, blind=False)
    wait_until(lambda: arena.battles.view(battle_id, viewer).state is BattleState.OPEN)
    for column in arena.battles.view(battle_id, viewer).columns:
        generation = column.generation
        assert generation is not None
        assert generation.token_ids == tuple(likeliest(generation.prompt.token_ids, i) for i in range(12))
        assert (generation.engine, generation.device) == ("remote", "remote: vLLM 0.32.0")
        assert (generation.dtype, generation.faithful, generation.repo) == ("float16", True, "tiny")
        tokenizer = arena.catalog.tokenizer_of(arena.models.line_up[0])
        assert generation.text == tokenizer.decode(generation.token_ids).strip()
        assert "né…" not in generation.text, "text is decoded from ids here"
    arena.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("playground.db*"))
    assert str(server.server_address[1]).encode() not in stored
    assert b"127.0.0.1" not in stored
    assert json.dumps(generation.text)[1:-1].encode() in stored or generation.text.encode() in stored
