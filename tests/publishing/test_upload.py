"""What an upload sends: only what is new, in bounded commits, and nothing that another program would lose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.errors import DatasetError
from playground.publishing import upload as upload_module
from playground.publishing.hub import Dataset, sha256
from playground.publishing.layout import Listed, Manifest, manifest_path, read_manifest, split_path
from playground.storage.journal.entries import last_event
from playground.storage.journal.journal import Journal
from tests.support.hub_server_datasets import STORE, DatasetServer, Fault
from tests.support.judging import judge
from tests.support.patience import wait_until
from tests.support.synced import battles_with_votes, started


def test_the_manifest_lists_every_segment_with_lines_and_hash(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "a", dataset) as one:
        for number in range(6):
            judge(one.home, f"vote-{number}")
        one.upload()
        with one.store.reading() as reading:
            events = last_event(reading)
    [path] = [path for path in hub.files() if path.endswith("store.json")]
    manifest = read_manifest(hub.files()[path])
    assert manifest is not None
    assert path == manifest_path(manifest.database_id)
    assert manifest.last_event == events
    held = {split_path(path)[1]: data for path, data in hub.files().items() if split_path(path)}
    assert manifest.segments == {
        name: Listed(len(data), data.count(b"\n"), sha256(data)) for name, data in held.items()
    }
    assert manifest.lines - len(held) == events  # each has a header


def test_nothing_new_makes_no_commit(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "a", dataset) as one:
        assert one.upload().commits == 0
        judge(one.home, "vote")
        assert one.upload().commits == 1
        assert one.upload().commits == 0


def test_a_vote_uploads_the_newest_segment_only(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "a", dataset) as one:
        for number in range(40):
            judge(one.home, f"vote-{number}")
        one.upload()
        before = hub.uploaded_bytes
        assert before > 100_000
        judge(one.home, "the-next")
        one.upload()
        assert hub.uploaded_bytes - before < before / 4


def test_a_large_journal_goes_in_several_commits(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "COMMIT_BYTES", 4000)
    with started(tmp_path / "a", dataset) as one:
        for number in range(8):
            judge(one.home, f"vote-{number}")
            one.write_journal()
        hub.faults["commit"] = [Fault(), Fault(500)]
        with pytest.raises(DatasetError):
            one.upload()
        partly = read_manifest(hub.files()[manifest_path(one.uploader._database_id)])
        assert partly is not None
        assert len(partly.segments) == sum(path.endswith(".jsonl") for path in hub.files())
        assert one.upload().commits > 1
    with started(tmp_path / "new", dataset) as new:
        assert len(battles_with_votes(new.store)) == 8


@pytest.mark.proves("hub unreachable, refusing, timing out")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("info", Fault(503)),
        ("tree", Fault(drop=True)),
        ("preupload", Fault(500)),
        ("commit", Fault(412)),
        ("commit", Fault(drop=True)),
        ("commit", Fault(drop=True, after=True)),
        ("commit", Fault(504, after=True)),
    ],
    ids=repr,
)
def test_a_fault_at_any_step_loses_and_doubles_nothing(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, step: str, fault: Fault
) -> None:
    with started(tmp_path / "a", dataset) as one:
        judge(one.home, "before")
        one.upload()
        judge(one.home, "during")
        hub.always[step] = fault
        with pytest.raises(DatasetError):
            one.upload()
        hub.always.clear()
        judge(one.home, "after")
        assert one.upload().others == frozenset()
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["after", "before", "during"]
        assert new.begun.warnings == ()


def test_a_commit_between_look_and_upload_is_a_conflict(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "a", dataset) as one:
        judge(one.home, "vote")

        def commit_first(step: str) -> None:
            if step == "preupload":
                hub.after_step = lambda step: None
                hub.datasets[STORE].add("of another program", {**hub.files(), "note.txt": b"hello"})

        hub.after_step = commit_first
        with pytest.raises(DatasetError, match="another program changed the dataset") as caught:
            one.upload()
        assert not caught.value.is_final
        assert one.upload().commits == 1
    assert "note.txt" in hub.files()


def test_files_that_were_deleted_by_hand_are_uploaded_again(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "a", dataset) as one:
        judge(one.home, "vote")
        one.upload()
        held = dict(hub.files())
        hub.make()
        assert one.upload().commits == 1
        assert hub.files() == held


def test_a_dataset_that_was_made_public_gets_nothing_more(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    with started(tmp_path / "a", dataset) as one:
        hub.datasets[STORE].private = False
        judge(one.home, "vote")
        with pytest.raises(DatasetError, match="is public") as caught:
            one.upload()
        assert caught.value.is_final
    assert set(hub.files()) == {".gitattributes"}


def test_a_long_history_is_replaced_by_one_commit(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "SQUASH_COMMITS", 3)
    with started(tmp_path / "a", dataset) as one:
        for number in range(7):
            judge(one.home, f"vote-{number}")
            one.upload()
    assert len(hub.datasets[STORE].commits) == 2
    with started(tmp_path / "new", dataset) as new:
        assert len(battles_with_votes(new.store)) == 7


def test_a_segment_of_megabytes_is_kept_outside_of_git(hub: DatasetServer, dataset: Dataset, tmp_path: Path) -> None:
    hub.large_from_bytes = 1000
    with started(tmp_path / "a", dataset) as one:
        judge(one.home, "vote")
        one.upload()
        assert one.upload().commits == 0
        judge(one.home, "another")
        assert one.upload().others == frozenset()
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["another", "vote"]
        assert new.upload().commits == 0


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"store": 2}', b'{"store": 1, "database_id": "a"}', b'{"store": 1, "segments": []}']
)
def test_a_manifest_of_another_kind_is_none(data: bytes) -> None:
    assert read_manifest(data) is None


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest("f" * 32, 7, True, {"boot/1.jsonl": Listed(10, 2, "ab")})
    assert read_manifest(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    "path",
    [
        "journal/a/../1.jsonl",
        "journal/../b/1.jsonl",
        "journal/a/b/1.json",
        "journal/a/b/c/1.jsonl",
        "x/journal/a/b/1.jsonl",
        "journal/a/.b/1.jsonl",
        "journal/a/b/x.jsonl",
        "journal/a/b/1.jsonl\n",
    ],
)
def test_other_files_of_a_dataset_are_no_segments(path: str) -> None:
    assert split_path(path) is None
    assert split_path("journal/a/20261129T200000.000000Z-ab/00000001.jsonl") is not None


@pytest.mark.slow
def test_a_longer_segment_stays_until_the_store_has_its_events_elsewhere(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(tmp_path / "disk", dataset) as one:
        journal = Journal(one.store, one.folder)
        for number, name in enumerate(("early", "late"), 1):
            judge(one.home, name)
            wait_until(lambda: not journal.state().lag)
            assert one.uploader.upload(is_whole=True).last_event == number
            if name == "early":
                shutil.copytree(tmp_path / "disk", tmp_path / "image")
        journal.close()
    [path] = [path for path in hub.files() if path.endswith(".jsonl")]
    longer = hub.files()[path]
    with started(tmp_path / "image", dataset) as old:
        assert battles_with_votes(old.store) == ["early", "late"]
        old.uploader.upload(is_whole=False)
        assert hub.files()[path] == longer
        judge(old.home, "later")
        monkeypatch.setattr(upload_module, "COMMIT_BYTES", 1)
        hub.faults["commit"] = [Fault(), Fault(500)]
        with pytest.raises(DatasetError):
            old.upload()
        assert hub.files()[path] == longer
        old.upload()
        assert hub.files()[path] != longer
    with started(tmp_path / "new", dataset) as new:
        assert battles_with_votes(new.store) == ["early", "late", "later"]


def test_files_of_another_database_that_changed_since_they_were_merged_stay(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    with started(tmp_path / "a", dataset) as a, started(tmp_path / "b", dataset) as b:
        for number in range(3):  # the larger of the two
            judge(a.home, f"of-a-{number}")
        judge(b.home, "of-b")
        a.upload()
        b.upload()
        of_b = {path for path in hub.files() if b.uploader._database_id in path}
        with started(tmp_path / "new", dataset) as new:
            judge(b.home, "of-b-too")
            b.upload()
            manifest = manifest_path(b.uploader._database_id)
            held = hub.files()[manifest]
            assert new.upload().others
            assert hub.files()[manifest] == held
            assert of_b - {manifest}
            assert not (of_b - {manifest}) & set(hub.files())
            b.upload()
    with started(tmp_path / "last", dataset) as last:
        assert battles_with_votes(last.store) == ["of-a-0", "of-a-1", "of-a-2", "of-b", "of-b-too"]
