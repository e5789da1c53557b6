from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.errors import DatasetError, InvalidValue
from playground.publishing import hub as client
from playground.publishing.hub import Dataset, RemoteFile, git_sha1, sha256
from tests.support.hub_server_datasets import READ, STORE, WRITE, DatasetServer, Fault, running_datasets

LINE = b'{"seq":1}\n'


def test_committed_files_are_listed_with_their_hashes_and_read_back(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "votes.parquet").write_bytes(LINE * 1000)
    commit = dataset.commit({"a/1.jsonl": LINE, "votes.parquet": tmp_path / "votes.parquet"}, [], "first")
    files = dataset.files()
    assert files["a/1.jsonl"] == RemoteFile(len(LINE), git_sha1(LINE))
    assert files["votes.parquet"].sha256 == sha256(LINE * 1000)
    assert all((files["a/1.jsonl"].holds(LINE), files["votes.parquet"].holds(LINE * 1000)))
    assert not files["a/1.jsonl"].holds(LINE[::-1])
    for name, data in (("a/1.jsonl", LINE), ("votes.parquet", LINE * 1000)):
        dataset.download(name, tmp_path / "back" / "file", commit)
        assert (tmp_path / "back" / "file").read_bytes() == data
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["file"]  # no leftovers of the library
    assert dataset.head().commit == commit == hub.datasets[STORE].commits[-1].id


def test_one_commit_writes_and_deletes(hub: DatasetServer, dataset: Dataset) -> None:
    dataset.commit({"old": LINE, "kept": LINE}, [], "first")
    dataset.commit({"new": LINE}, ["old"], "second")
    assert set(hub.files()) == {".gitattributes", "kept", "new"}
    assert [commit.message for commit in hub.datasets[STORE].commits] == ["initial commit", "first", "second"]


def test_files_that_have_not_changed_make_no_commit(hub: DatasetServer, dataset: Dataset) -> None:
    first = dataset.commit({"a": LINE, "b.parquet": LINE}, [], "first")
    assert dataset.commit({"a": LINE, "b.parquet": LINE}, [], "again") == first
    assert len(hub.datasets[STORE].commits) == 2


def test_a_listing_of_many_pages_is_complete(hub: DatasetServer, dataset: Dataset) -> None:
    hub.page_entries = 3
    dataset.commit({f"{number}.jsonl": b"%d" % number for number in range(10)}, [], "ten")
    assert len(dataset.files()) == 11


def test_an_earlier_commit_can_be_listed(dataset: Dataset) -> None:
    first = dataset.commit({"a": LINE}, [], "first")
    dataset.commit({"b": LINE}, [], "second")
    assert "b" not in dataset.files(first)


def test_squash_leaves_the_files_and_one_commit(hub: DatasetServer, dataset: Dataset) -> None:
    dataset.commit({"a": b"erased text"}, [], "first")
    dataset.commit({"a": LINE}, [], "second")
    dataset.squash("without what was erased")
    assert [commit.files["a"] for commit in hub.datasets[STORE].commits] == [LINE]


@pytest.mark.parametrize("private", [True, False])
def test_create_makes_a_dataset_once(hub: DatasetServer, private: bool) -> None:
    made = Dataset("herd/new", WRITE, hub.url)
    made.create(private=private)
    made.commit({"a": LINE}, [], "first")
    made.create(private=not private)
    assert made.head().private is private
    assert "a" in made.files()


def test_a_stale_parent_is_refused_and_changes_nothing(hub: DatasetServer, dataset: Dataset) -> None:
    head = dataset.head().commit
    dataset.commit({"a": LINE}, [], "of another program")
    with pytest.raises(DatasetError, match="another program changed the dataset") as caught:
        dataset.commit({"b": LINE}, [], "late", parent=head)
    assert (caught.value.status, caught.value.is_final) == (412, False)
    assert "b" not in hub.files()


@pytest.mark.parametrize(
    ("token", "private", "words"),
    [
        (None, True, "or there is none; set HF_TOKEN"),
        ("hf_of_nobody", True, "does not accept the token, or there is none; set HF_TOKEN"),
        (READ, True, "the token may not do this; set HF_TOKEN"),
    ],
)
def test_a_token_without_rights_is_named_and_not_tried_again(
    hub: DatasetServer, token: str | None, private: bool, words: str
) -> None:
    hub.make(private=private)
    with pytest.raises(DatasetError, match=words) as caught:
        Dataset(STORE, token, hub.url).commit({"a": LINE}, [], "first")
    assert caught.value.is_final
    assert STORE in str(caught.value)


def test_a_dataset_that_does_not_exist_is_named(hub: DatasetServer) -> None:
    for work in (lambda one: one.files(), lambda one: one.head(), lambda one: one.download("a", Path("/tmp/none/a"))):
        with pytest.raises(DatasetError, match=r"herd/none.*there is no such dataset") as caught:
            work(Dataset("herd/none", WRITE, hub.url))
        assert caught.value.status == 404


@pytest.mark.parametrize(("status", "retry_after"), [(429, "7"), (500, ""), (503, "30")])
def test_a_hub_that_refuses_may_be_asked_again(
    hub: DatasetServer, dataset: Dataset, status: int, retry_after: str
) -> None:
    hub.faults["commit"] = [Fault(status, retry_after)]
    with pytest.raises(DatasetError, match="a later try may succeed") as caught:
        dataset.commit({"a": LINE}, [], "first")
    assert not caught.value.is_final
    assert caught.value.retry_after_s == float(retry_after or 0)
    dataset.commit({"a": LINE}, [], "first")
    assert hub.files()["a"] == LINE


@pytest.mark.parametrize("step", ["preupload", "batch", "upload", "verify", "tree", "resolve", "info"])
def test_every_step_that_fails_is_an_error_with_its_status(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path, step: str
) -> None:
    dataset.commit({"a": LINE}, [], "first")
    hub.always[step] = Fault(502)
    works = {
        "tree": dataset.files,
        "resolve": lambda: dataset.download("a", tmp_path / "a"),
        "info": dataset.head,
    }
    work = works.get(step, lambda: dataset.commit({"b.parquet": LINE}, [], "second"))
    with pytest.raises(DatasetError, match="status 502; a later try may succeed"):
        work()
    assert not (tmp_path / "a").exists()


def test_a_commit_whose_answer_is_lost_is_there_and_repeating_it_changes_nothing(
    hub: DatasetServer, dataset: Dataset
) -> None:
    hub.faults["commit"] = [Fault(drop=True, after=True)]
    with pytest.raises(DatasetError, match="the connection broke off"):
        dataset.commit({"a": LINE}, [], "first")
    assert dataset.files()["a"].holds(LINE)
    assert dataset.commit({"a": LINE}, [], "again") == hub.datasets[STORE].commits[-1].id
    assert len(hub.datasets[STORE].commits) == 2


def test_a_hub_that_does_not_answer_is_left(
    hub: DatasetServer, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_S", 0.05)
    for step, work in (
        ("commit", lambda: dataset.commit({"a": LINE}, [], "first")),
        ("tree", dataset.files),
    ):
        hub.always = {step: Fault(hang=True)}
        with pytest.raises(DatasetError, match="did not answer in time"):
            work()


def test_a_hub_that_is_slow_is_waited_for(
    hub: DatasetServer, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[dict[str, float]] = []
    set_limits = client._Limit.__call__

    def record(self: object, request: Any) -> None:
        set_limits(self, request)
        limits.append(request.extensions["timeout"])

    monkeypatch.setattr(client._Limit, "__call__", record)
    dataset.commit({"a": LINE}, [], "first")
    dataset.files()
    assert [limit["read"] for limit in limits] == [client.ANSWER_S] * 3  # not a client's default of 5 s


def test_a_hub_that_cannot_be_reached_is_named() -> None:
    with running_datasets() as gone:
        gone.make()
        url = gone.url
    with pytest.raises(DatasetError, match="cannot be reached") as caught:
        Dataset(STORE, WRITE, url).head()
    assert not caught.value.is_final


@pytest.mark.parametrize("repo", ["", "votes", "a/b/c", "herd/vo tes", "../votes", "https://hub/herd/votes", "a/b--c"])
def test_a_name_that_no_dataset_has_is_refused(repo: str) -> None:
    with pytest.raises(InvalidValue, match="one looks like 'org/name'"):
        Dataset(repo)
