"""Restores from the store: an empty disk, an older one, several databases, and stores that are not whole."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from playground.errors import DatasetError
from playground.publishing.hub import Dataset
from playground.publishing.restore import FromStore, restore_at_start, restore_from_store
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import verify
from tests.support.cast import House
from tests.support.hub_server_datasets import STORE, WRITE, DatasetServer, Fault
from tests.support.judging import ADA, BEN, SECRET, afternoon, hashes, judge, settled
from tests.support.synced import battles_with_votes, lose_disk, started


def test_an_empty_disk_gets_every_vote_once(dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        afternoon(first.home)
        first.upload()
        before, home, pairs = hashes(first.store), first.home, list(first.store.judged_pairs())
    lose_disk(tmp_path / "first")
    with started(tmp_path / "first", dataset) as again:
        assert again.begun.votes_added == 9
        assert again.begun.warnings == ()
        assert list(again.store.judged_pairs()) == pairs
        assert settled(again.store, home) == before
        assert verify(again.store, again.folder) == []
    assert [path.name for path in (tmp_path / "first").iterdir() if "restor" in path.name] == []


def test_a_restored_playground_uploads_only_what_is_new(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        afternoon(first.home)
        first.upload()
    held = dict(hub.files())
    lose_disk(tmp_path / "first")
    with started(tmp_path / "first", dataset) as again:
        assert again.upload().commits == 0
        judge(again.home, "the-next")
        assert again.upload().others == frozenset()
    changed = {path for path, data in hub.files().items() if held.get(path) != data}
    assert len([path for path in changed if path.endswith(".jsonl")]) == 1
    assert held.keys() <= hub.files().keys()


@pytest.mark.slow
def test_many_lives_on_empty_disks_lose_and_double_nothing(dataset: Dataset, tmp_path: Path) -> None:
    for life in range(4):
        with started(tmp_path / "disk", dataset) as one:
            judge(one.home, f"vote-{life}-a")
            judge(one.home, f"vote-{life}-b", "b")
            one.upload()
        lose_disk(tmp_path / "disk")
    with started(tmp_path / "disk", dataset) as last:
        assert battles_with_votes(last.store) == sorted(f"vote-{life}-{side}" for life in range(4) for side in "ab")
        assert last.begun.warnings == ()


def test_an_older_disk_is_completed(dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "disk", dataset) as first:
        judge(first.home, "early")
        first.upload()
    shutil.copytree(tmp_path / "disk", tmp_path / "image")
    with started(tmp_path / "disk", dataset) as second:
        judge(second.home, "late")
        second.upload()
    with started(tmp_path / "image", dataset) as old:
        assert battles_with_votes(old.store) == ["early", "late"]
        assert old.begun.votes_added == 1
        judge(old.home, "later")
        assert old.upload().others == frozenset()
    lose_disk(tmp_path / "image")
    with started(tmp_path / "image", dataset) as last:
        assert battles_with_votes(last.store) == ["early", "late", "later"]
        assert verify(last.store, last.folder) == []


@pytest.mark.slow
def test_two_playgrounds_on_one_store_lose_nothing_and_are_noticed(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "a", dataset) as a, started(tmp_path / "b", dataset) as b:
        for number in range(3):
            judge(a.home, f"a-{number}")
            judge(b.home, f"b-{number}", "b")
            a.upload()
            seen_by_b = b.upload().others
        seen_by_a = a.upload().others
        assert seen_by_a
        assert seen_by_b
    everything = sorted(f"{who}-{number}" for who in "ab" for number in range(3))
    sizes = []
    for life in range(3):  # their journals have different events under one number
        with started(tmp_path / f"new-{life}", dataset) as new:
            assert battles_with_votes(new.store) == everything
            assert sorted(pair.battle_id for pair in new.store.judged_pairs()) == everything
            assert new.upload().others == frozenset()
        sizes.append(sum(len(data) for path, data in hub.files().items() if path.endswith(".jsonl")))
    assert sizes[1] == sizes[2]  # merged once, not again at each start


def test_votes_of_another_database_are_not_added_to_one_that_has_votes(dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "a", dataset) as a:
        judge(a.home, "of-a")
        a.upload()
    with started(tmp_path / "b", dataset, asks=False) as b:
        judge(b.home, "of-b")
    with started(tmp_path / "b", dataset) as b:
        assert battles_with_votes(b.store) == ["of-b"]
        assert "votes of another database too" in b.begun.warnings[0]
        assert b.upload().others


def test_other_files_of_the_dataset_stay_as_they_are(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "kept")
        first.upload()
        database = next(path for path in hub.files() if path.endswith("store.json")).split("/")[1]
    notes = {"README.md": b"# Votes\n", f"journal/{database}/note.txt": b"mine"}
    hub.datasets[STORE].add("by hand", {**hub.files(), **notes})
    for life in range(2):
        lose_disk(tmp_path / "first")
        with started(tmp_path / "first", dataset) as again:
            judge(again.home, f"vote-{life}")
            again.upload()
    assert notes.items() <= hub.files().items()


@pytest.mark.slow
def test_two_lives_of_one_database_at_once_lose_nothing(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "common")
        first.upload()
    with started(tmp_path / "a", dataset) as a, started(tmp_path / "b", dataset) as b:
        judge(a.home, "of-a")
        judge(b.home, "of-b", "b")
        a.upload()
        assert b.upload().others
        assert a.upload().others
    sizes = []
    for life in range(3):
        with started(tmp_path / f"new-{life}", dataset) as new:
            assert battles_with_votes(new.store) == ["common", "of-a", "of-b"]
            new.upload()
            assert verify(new.store, new.folder) == []
        sizes.append(sum(len(data) for path, data in hub.files().items() if path.endswith(".jsonl")))
    assert sizes[1] == sizes[2]


def test_a_restore_that_is_interrupted_is_continued(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(tmp_path / "first", dataset) as first:
        afternoon(first.home)
        first.upload()
        before = len(battles_with_votes(first.store))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("playground.publishing.restore._settle", fail)
        with pytest.raises(OSError, match="No space"), started(tmp_path / "new", dataset):
            pass
    hub.always["info"] = Fault(503)
    with pytest.raises(DatasetError, match="nothing is started without them"), started(tmp_path / "new", dataset):
        pass  # it may lack votes, although its database is not empty any more
    hub.always.clear()
    with started(tmp_path / "new", dataset) as new:
        assert len(battles_with_votes(new.store)) == before
        assert new.upload().commits == 0


def test_a_restore_that_is_continued_brings_no_erased_text_back(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    secret = SECRET.split("\u2028")[0].encode()
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "plain", "a", BEN, SECRET)
        first.upload()
        before = {path: data for path, data in hub.files().items() if path.endswith(".jsonl")}
        first.home.battles.erase(BEN)
        judge(first.home, "kept")
        first.upload()
    [old] = before
    rewritten, other = hub.files()[old], old.replace("/00000001.", "/00000009.")
    hub.datasets[STORE].add("renamed", {**{k: v for k, v in hub.files().items() if k != old}, other: rewritten})
    left = tmp_path / "new" / "playground.db.restoring" / old
    left.parent.mkdir(parents=True)
    left.write_bytes(before[old])
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["kept", "plain"]
        new.upload()
        assert not any(secret in path.read_bytes() for path in segments.segments(new.folder))
    assert not any(secret in data for data in hub.files().values())


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_an_empty_database_does_not_start_without_the_store(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    waits: list[float] = []
    hub.always["info"] = Fault(503)
    with Store(tmp_path / "playground.db") as store:
        with pytest.raises(DatasetError, match="or unset PLAYGROUND_STORE to begin a new history"):
            restore_at_start(store, dataset, wait_s=30, sleep=waits.append)
        assert waits == [2, 4, 8, 16]
        hub.always["info"] = Fault(429, retry_after="25")
        with pytest.raises(DatasetError, match="fewer requests"):
            restore_at_start(store, dataset, wait_s=30, sleep=waits.append)
        assert waits[4:] == [25, 30]


def test_a_hub_that_comes_back_ends_the_wait(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "kept")
        first.upload()
    hub.faults = {"info": [Fault(503), Fault(drop=True)], "resolve": [Fault(500)] * 3}
    with Store(tmp_path / "playground.db") as store:
        restore_at_start(store, dataset, sleep=lambda seconds: None)
        assert battles_with_votes(store) == ["kept"]


def test_a_token_that_may_not_read_ends_the_wait_at_once(hub: DatasetServer, tmp_path: Path) -> None:
    hub.make()
    stranger = Dataset(STORE, "hf_of_nobody", hub.url)
    with Store(tmp_path / "playground.db") as store, pytest.raises(DatasetError, match="set HF_TOKEN"):
        restore_at_start(store, stranger, sleep=lambda seconds: pytest.fail("waited"))


def test_a_store_that_does_not_exist_is_created_private(hub: DatasetServer, tmp_path: Path) -> None:
    with started(tmp_path / "first", Dataset(STORE, WRITE, hub.url)) as first:
        judge(first.home, "kept")
        first.upload()
    assert hub.datasets[STORE].private


def test_a_public_dataset_is_refused(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    hub.make(private=False)
    with pytest.raises(DatasetError, match=r"is public.*make it private"), started(tmp_path / "first", dataset):
        pass
    assert set(hub.files()) == {".gitattributes"}


def test_a_database_with_votes_starts_without_the_hub(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "disk", dataset) as first:
        judge(first.home, "kept")
    hub.always["info"] = Fault(503)
    with started(tmp_path / "disk", dataset) as again:
        judge(again.home, "more")
        assert again.begun.votes_added == 0
        with pytest.raises(DatasetError):
            again.upload()
        hub.always.clear()
        again.upload()
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["kept", "more"]


@pytest.mark.parametrize("step", ["info", "tree"])
def test_a_database_with_votes_does_not_wait_for_a_hub_that_is_silent(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr("playground.publishing.restore.LISTING_S", 0.1)
    with started(tmp_path / "disk", dataset, asks=False) as first:
        judge(first.home, "kept")
    hub.always[step] = Fault(hang=True)
    try:
        with started(tmp_path / "disk", dataset) as again:
            assert again.begun == FromStore()
            assert not hub.go_on.is_set()
            judge(again.home, "more")
    finally:
        hub.always.clear()
        hub.go_on.set()
        for thread in threading.enumerate():  # the one that still asks would disturb the next test
            if thread.name == "store":
                thread.join()


def test_an_older_disk_that_started_without_the_hub_replaces_nothing(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "disk", dataset) as first:
        judge(first.home, "early")
        first.upload()
        shutil.copytree(tmp_path / "disk", tmp_path / "image")
        judge(first.home, "late")
        first.upload()
    with started(tmp_path / "image", dataset, asks=False) as old:
        judge(old.home, "later")
        assert old.upload().others
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["early", "late", "later"]


def test_a_segment_that_is_missing_or_short_is_said(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        afternoon(first.home)
        first.upload()
        judge(first.home, "the-next")
        first.upload()
    *_, short, gone = sorted(path for path in hub.files() if path.endswith(".jsonl"))
    lines = hub.files()[short].splitlines(keepends=True)
    dataset.commit({short: b"".join(lines[:-1])}, [gone], "by hand")
    with started(tmp_path / "new", dataset) as new:
        assert any(gone in warning and "is missing" in warning for warning in new.begun.warnings)
        assert any(f"has {len(lines) - 1} of {len(lines)} lines" in warning for warning in new.begun.warnings)


def test_a_file_with_another_content_than_the_hub_lists_is_refused(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "kept")
        first.upload()
    files = dataset.files()
    wrong = {path: type(file)(file.size_bytes, "0" * 40) for path, file in files.items()}
    monkeypatch.setattr(Dataset, "files", lambda self, commit="main": wrong)
    with pytest.raises(DatasetError, match="came with another hash"), started(tmp_path / "new", dataset):
        pass


def test_erased_text_leaves_the_store_and_its_history(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        afternoon(first.home)
        first.upload()
        secret = SECRET.split("\u2028")[0].encode()
        assert any(secret in data for data in hub.files().values())
        first.home.battles.erase(BEN)
        first.upload()
        commits = hub.datasets[STORE].commits
        assert not [commit for commit in commits for data in commit.files.values() if secret in data]
        before, home = hashes(first.store), first.home
    with started(tmp_path / "new", dataset) as new:
        assert settled(new.store, home) == before
        assert not any(secret in path.read_bytes() for path in segments.segments(new.folder))


def test_the_squash_that_failed_is_made_after_a_restart(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "plain", "a", BEN, SECRET)
        first.upload()
        first.home.battles.erase(BEN)
        hub.always["squash"] = Fault(500)
        with pytest.raises(DatasetError, match="squashed"):
            first.upload()
    hub.always.clear()
    assert len(hub.datasets[STORE].commits) > 1
    with started(tmp_path / "new", dataset) as new:
        judge(new.home, "after", "a", ADA)
        new.upload()
    assert len(hub.datasets[STORE].commits) == 1


def test_a_restore_by_command_into_a_database_with_votes_merges(dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "stored")
        first.upload()
    with Store(tmp_path / "other.db") as store:
        judge(House(store), "local")
        for added in (1, 0):
            assert restore_from_store(store, dataset).votes_added == added
        assert battles_with_votes(store) == ["local", "stored"]
        assert not journal_folder(tmp_path / "other.db").exists()


def test_votes_of_a_segment_that_comes_back_stay_in_the_store(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "first", dataset) as first:
        for name in ("early", "gone", "late"):
            judge(first.home, name)
            first.upload()
    whole = dict(hub.files())
    gone = sorted(path for path in whole if path.endswith(".jsonl"))[1]
    hub.datasets[STORE].add("by hand", {path: data for path, data in whole.items() if path != gone})
    with started(tmp_path / "second", dataset) as second:
        assert battles_with_votes(second.store) == ["early", "late"]
    hub.datasets[STORE].add("by hand", whole)
    with started(tmp_path / "second", dataset) as second:
        assert battles_with_votes(second.store) == ["early", "gone", "late"]
        second.upload()
        assert verify(second.store, second.folder) == []
    lose_disk(tmp_path / "second")
    with started(tmp_path / "second", dataset) as last:
        assert battles_with_votes(last.store) == ["early", "gone", "late"]
        assert last.begun.warnings == ()
