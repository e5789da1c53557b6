"""A built ZeroGPU Space, started as the hub starts one, with a CPU in the GPU's place; `spaces` itself runs."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from gradio_client import Client

from playground.catalog.catalog import Catalog
from playground.engines.protocol import Job
from playground.engines.zerogpu.engine import ZeroGpuEngine
from playground.records import SamplingParams
from playground.settings import Settings
from playground.spaces.recipe import ZEROGPU
from tests.support import zerogpu_machine
from tests.support.calling import Visitor, compare
from tests.support.checkpoints import ROOMY, WITHOUT_END, write_checkpoint
from tests.support.columns import Column
from tests.support.device_api import SPENT, DeviceApi, lending, token_of
from tests.support.hosted_space import USER, HostedSpace, hosted_space
from tests.support.patience import wait_until

ORCA, GALPACA, TINY = "pocket-orca-mini", "pocket-galpaca", "tiny-llama"
QUESTION = "What is the capital of France?"
START_S = 400.0
"""Imports torch and loads every model before it serves; minutes on a busy machine."""
ENDLESS = {"max_new_tokens": WITHOUT_END, "min_new_tokens": WITHOUT_END}
OF_BATTLE = "FROM generations g JOIN battle_sides s ON s.generation_id = g.id WHERE s.battle_id = ? ORDER BY s.side"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("spaces") is None, reason="the package spaces is not installed"),
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can start it as another user"),
]


@dataclass(frozen=True)
class Lent:
    """A running Space and the service that lends it GPUs."""

    space: HostedSpace
    api: DeviceApi

    def client(self, user: str = "ada") -> Client:
        return Client(self.space.url, verbose=False, headers={"X-IP-Token": token_of(user)})

    def rows(self, query: str, *values: str) -> list[Any]:
        """Read the database, which the Space holds open."""
        with closing(sqlite3.connect(f"file:{self.space.folder}/data/playground.db?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def lent() -> Iterator[Lent]:
    with TemporaryDirectory(prefix="zerogpu-") as folder:  # pytest's folders are closed to other users
        home = Path(folder)
        home.chmod(0o755)
        yield from lent_in(home)


def lent_in(home: Path) -> Iterator[Lent]:
    card = write_checkpoint(home / TINY, "llama", context=ROOMY)
    for file in (home / TINY).iterdir():  # safetensors writes files that only their owner reads
        file.chmod(0o644)
    (home / f"{TINY}.toml").write_text(
        f'id = "{TINY}"\nname = "Tiny"\nrepo = "{card.repo}"\nrevision = "local"\nlicense = "CC0-1.0"\n'
        f'architecture = "{card.architecture}"\ncontext_length = {ROOMY}\ndtype = "float32"\ntemplate = "plain"\n'
        'sampling_source = "ours"\n[sampling]\nmax_new_tokens = 24\n'
    )
    (home / "cgroup").write_text("0::/\n")
    (home / "user").mkdir()
    os.chown(home / "user", USER, USER)
    with lending() as api:
        environ = {
            "HOME": str(home / "user"),
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": api.url,
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(home / "cgroup"),
            "PLAYGROUND_CARDS": str(home),
            "PLAYGROUND_MODELS": f"{ORCA},{GALPACA},{TINY}",
            "PLAYGROUND_ABANDON_S": "1",
            "PLAYGROUND_UNDO_S": "1",
        }
        with hosted_space(ZEROGPU, zerogpu_machine.__file__, START_S, **environ) as space:
            yield Lent(space, api)


def last_of(client: Client, **asked: Any) -> dict[str, Any]:
    job = client.submit(QUESTION, api_name="/compare", **asked)
    result: dict[str, Any] = job.result(timeout=120)
    return result


def test_columns_are_written_in_one_call_of_the_visitor_with_the_ids_of_one_process(lent: Lent) -> None:
    before = len(lent.api.of("/schedule"))
    asked = {"do_sample": True, "seed": 7}
    last = last_of(lent.client(), models=[ORCA, GALPACA], params=asked)
    assert [column["state"] for column in last["columns"]] == ["done", "done"], last
    (call,) = lent.api.of("/schedule")[before:]
    assert call["token"] == token_of("ada"), "whose quota it takes"
    assert 0 < int(call["durationSeconds"]) <= 120
    assert call["gpuSize"] == "large"
    stored = lent.rows(
        f"SELECT g.model_id, g.prompt_ids, g.params, g.seed, g.token_ids, g.engine {OF_BATTLE}", last["battle_id"]
    )
    assert [row[5] for row in stored] == ["zerogpu", "zerogpu"]
    assert [tuple(json.loads(row[4])) for row in stored] == written_here(stored)


def written_here(stored: list[Any]) -> list[tuple[int, ...]]:
    """Write stored answers again, in this process."""
    settings = Settings()
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    engine = ZeroGpuEngine(settings, environ={})
    engine.open([catalog.card(row[0]) for row in stored])
    try:
        columns = []
        for number, (model_id, prompt_ids, params, seed, *_) in enumerate(stored):
            stop_ids = catalog.template_of(catalog.card(model_id)).stop_ids
            columns.append(Column(engine, str(number)))
            sampling = SamplingParams(**json.loads(params))
            columns[-1].begin(model_id, Job(str(number), tuple(json.loads(prompt_ids)), sampling, seed, stop_ids, 60.0))
        for column in columns:
            column.finish()
        return [column.ids for column in columns]
    finally:
        engine.close()


def test_page_sends_the_visitors_token_too(lent: Lent) -> None:
    with urllib.request.urlopen(f"{lent.space.url}/config", timeout=60) as reply:
        config = json.load(reply)
    visitor = Visitor(lent.space.url, headers={"X-IP-Token": token_of("ben")})
    battle = compare(visitor, config)
    wait_until(lambda: lent.rows("SELECT state FROM battles WHERE id = ?", battle) == [("open",)])
    assert lent.api.of("/schedule")[-1]["token"] == token_of("ben")


def test_visitor_without_quota_is_told_in_each_column(lent: Lent) -> None:
    last = last_of(lent.client(SPENT), models=[ORCA, GALPACA])
    assert {column["state"] for column in last["columns"]} == {"failed"}
    for column in last["columns"]:
        assert column["error"].startswith("no GPU time is left: You have exceeded your free ZeroGPU quota")
        assert "Try again in 1:00:00" in column["error"]


def test_stop_reaches_the_fork_which_gives_the_gpu_back(lent: Lent) -> None:
    client = lent.client()
    job = client.submit(QUESTION, models=[TINY, TINY], params=ENDLESS, api_name="/compare")
    battle = next(snapshot for snapshot in job if all(c["state"] == "writing" for c in snapshot["columns"]))
    job.cancel()  # nobody reads it any more
    query = (
        "SELECT g.finish_reason FROM generations g JOIN battle_sides s ON s.generation_id = g.id WHERE s.battle_id = ?"
    )
    wait_until(lambda: lent.rows(query, battle["battle_id"]) == [("cancelled",), ("cancelled",)])
    wait_until(lambda: len(lent.api.of("/release")) == len(lent.api.of("/allow")))
    assert {call["fail"] for call in lent.api.of("/release")} == {"false"}


def test_vote_that_is_given_while_a_fork_writes_survives_a_kill(lent: Lent) -> None:
    client = lent.client()
    judged = last_of(client, models=[ORCA, GALPACA])["battle_id"]
    job = client.submit(QUESTION, models=[TINY, TINY], params=ENDLESS, api_name="/compare")
    writing = next(snapshot for snapshot in job if snapshot["columns"][0]["state"] == "writing")
    assert client.predict(judged, "a", api_name="/vote")["accepted"] is True
    lent.space.kill()
    assert lent.rows("SELECT choice FROM votes WHERE battle_id = ?", judged) == [("a",)]
    lent.space.start()
    again = lent.client().predict(judged, "a", api_name="/vote")
    assert (again["accepted"], again["choice"]) == (True, "a")
    assert lent.rows("SELECT state FROM battles WHERE id = ?", writing["battle_id"]) != [("generating",)]
    log = Path(lent.space.log).read_text()
    assert "GRADIO_HOT_RELOAD" not in log
