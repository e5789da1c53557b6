"""The thread: it uploads by itself, says how far it is, and ends in bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from playground.clock import Clock
from playground.publishing import sync as sync_module
from playground.publishing.hub import Dataset
from playground.publishing.sync import StoreSync, SyncState
from playground.storage.journal.journal import Journal
from tests.support.hub_server_datasets import STORE, DatasetServer, Fault
from tests.support.judging import judge
from tests.support.patience import wait_until
from tests.support.synced import SEGMENT_BYTES, Playground, battles_with_votes, started

EVERY_S = 0.02
LONG_S = 3600.0


@contextmanager
def syncing(folder: Path, dataset: Dataset, every_s: float = EVERY_S) -> Iterator[tuple[Playground, StoreSync]]:
    with started(folder, dataset) as one:
        journal = Journal(one.store, one.folder, SEGMENT_BYTES)
        sync = StoreSync(dataset, one.store, journal, every_s, one.begun, Clock())
        try:
            yield one, sync
        finally:
            journal.close()
            sync.close()


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_module, "FIRST_RETRY_S", 0.02)


@pytest.mark.slow
def test_votes_are_uploaded_while_others_are_given(dataset: Dataset, tmp_path: Path) -> None:
    with syncing(tmp_path / "a", dataset) as (one, sync):
        for number in range(5):
            judge(one.home, f"vote-{number}")
            wait_until(lambda: sync.state().waiting == 0)
        state = sync.state()
    assert (state.repo, state.votes, state.error, state.warnings) == (STORE, 5, "", ())
    with started(tmp_path / "new", dataset) as new:
        assert len(battles_with_votes(new.store)) == 5


def test_the_last_votes_are_uploaded_at_the_end(dataset: Dataset, tmp_path: Path) -> None:
    with syncing(tmp_path / "a", dataset, LONG_S) as (one, sync):
        wait_until(lambda: sync.state().age_s is not None)
        judge(one.home, "the-last")
        assert sync.state().waiting == 1
        sync._journal.close()
        assert sync.close()
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["the-last"]


@pytest.mark.slow
def test_a_hub_that_hangs_delays_no_vote_and_the_end_only_for_a_time(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "SILENT_S", 0.2)
    hung = threading.Event()
    with syncing(tmp_path / "a", dataset) as (one, sync):
        hub.after_step = lambda step: hung.set() if step == "commit" else None
        hub.always["commit"] = Fault(hang=True, after=True)
        judge(one.home, "during")
        assert hung.wait(60)
        judge(one.home, "meanwhile")
        assert sync.state().waiting == 2
        sync._journal.close()
        began_s = time.monotonic()
        assert not sync.close()
        assert time.monotonic() - began_s < sync_module.CLOSE_S / 2
        hub.always.clear()
        hub.go_on.set()
        sync._thread.join(60)
    with started(tmp_path / "a", dataset) as again:
        again.upload()
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["during", "meanwhile"]


@pytest.mark.proves("hub unreachable, refusing, timing out")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(401), "does not accept the token"),
        pytest.param(Fault(403), "may not do this", marks=pytest.mark.slow),
        pytest.param(Fault(404), "no such dataset", marks=pytest.mark.slow),
        pytest.param(Fault(429), "fewer requests", marks=pytest.mark.slow),
        (Fault(502), "status 502"),
        pytest.param(Fault(drop=True), "broke off", marks=pytest.mark.slow),
        (Fault(drop=True, after=True), "broke off"),
        (Fault(412), "another program changed"),
    ],
    ids=repr,
)
def test_a_failure_is_said_and_ends_by_itself(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, fault: Fault, words: str
) -> None:
    with syncing(tmp_path / "a", dataset) as (one, sync):
        wait_until(lambda: sync.state().age_s is not None)
        hub.always["commit"] = fault
        judge(one.home, "during")
        wait_until(lambda: words in sync.state().error)
        hub.always.clear()
        wait_until(lambda: not sync.state().error and not sync.state().waiting)
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["during"]


def test_the_hub_decides_when_it_is_asked_again(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with syncing(tmp_path / "a", dataset) as (one, sync):
        hub.always["commit"] = Fault(429, retry_after="1000")
        judge(one.home, "during")
        wait_until(lambda: "fewer requests" in sync.state().error)
        tries = hub.steps.count("commit")
        judge(one.home, "meanwhile")
        sync._journal.close()
        sync.close()
        assert hub.steps.count("commit") == tries + 1  # the last one, at the end


@pytest.mark.slow
def test_two_syncs_on_one_store_are_noticed_by_both(dataset: Dataset, tmp_path: Path) -> None:
    with syncing(tmp_path / "a", dataset) as (a, of_a), syncing(tmp_path / "b", dataset) as (b, of_b):
        for number in range(3):
            judge(a.home, f"a-{number}")
            judge(b.home, f"b-{number}")
            wait_until(lambda: not of_a.state().waiting and not of_b.state().waiting)
        wait_until(lambda: bool(of_a.state().warnings and of_b.state().warnings))
        assert "another one uses the same store" in of_a.state().warnings[-1]
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == sorted(f"{who}-{number}" for who in "ab" for number in range(3))


STATE = SyncState("herd/votes", 5, 2, 599.0, 9000.0, "", (), 60.0)


@pytest.mark.parametrize(
    ("state", "late"),
    [
        (STATE, False),
        (replace(STATE, age_s=601.0), True),
        (replace(STATE, age_s=601.0, waiting=0), False),
        (replace(STATE, age_s=None), True),
        (replace(STATE, age_s=None, since_s=10.0), False),
    ],
)
def test_votes_that_wait_for_ten_intervals_are_late(state: SyncState, late: bool) -> None:
    assert state.is_late is late
