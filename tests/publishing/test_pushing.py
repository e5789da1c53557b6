"""Publications on the hub: one commit, nothing twice, a squash when something was withdrawn, faults in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.errors import DatasetError, InvalidValue
from playground.publishing import hub as client
from playground.publishing import parquet_files
from playground.publishing.hub import Dataset
from playground.publishing.publication import publish
from playground.publishing.published import check_publication
from playground.publishing.pushing import AGAIN, Pushed
from playground.settings import Settings
from tests.publishing.publishing import SECRET_WORDS, hide, published, rounds, show, vote
from tests.support.cast import House, house
from tests.support.hub_server_datasets import WRITE, DatasetServer, Fault

REPO = "herd/public-votes"


@pytest.fixture
def home(tmp_path: Path) -> House:
    made = house(tmp_path)
    rounds(made)
    made.time.pass_s(60)
    made.battles.expire()
    return made


def pushed(home: House, hub: DatasetServer, token: str = WRITE) -> Pushed:
    made = published(home, dataset=Dataset(REPO, token, hub.url, AGAIN)).pushed
    assert made is not None
    return made


def downloaded(hub: DatasetServer, to: Path) -> Path:
    """Write the files of the newest commit to a folder."""
    for name, content in hub.files(REPO).items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(content)
    return to


def history(hub: DatasetServer) -> list[str]:
    return [commit.message for commit in hub.datasets[REPO].commits]


def test_first_publication_is_one_commit_to_a_public_dataset(home: House, hub: DatasetServer, tmp_path: Path) -> None:
    made = pushed(home, hub)
    assert (made.changed, made.squashed, made.private) == (True, False, False)
    assert made.commit == hub.datasets[REPO].commits[-1].id
    assert history(hub) == ["initial commit", "6 votes as of 2026-11-20"]
    assert check_publication(downloaded(hub, tmp_path / "down")).differences == ()
    assert 'load_dataset("herd/public-votes"' in hub.files(REPO)["README.md"].decode()


def test_same_votes_are_not_committed_again(home: House, hub: DatasetServer) -> None:
    pushed(home, hub)
    home.time.pass_s(3600)
    assert pushed(home, hub).changed is False
    assert len(history(hub)) == 2


def test_new_votes_are_one_more_commit_and_the_history_stays(home: House, hub: DatasetServer, tmp_path: Path) -> None:
    pushed(home, hub)
    vote(home, "later")
    home.time.pass_s(60)
    assert pushed(home, hub).squashed is False
    assert history(hub) == ["initial commit", "6 votes as of 2026-11-20", "7 votes as of 2026-11-20"]
    assert check_publication(downloaded(hub, tmp_path / "down")).votes == 7


@pytest.mark.parametrize("how", ["erased", "hidden"])
def test_withdrawn_words_are_gone_from_the_history(home: House, hub: DatasetServer, tmp_path: Path, how: str) -> None:
    vote(home, "withdrawn", rater="d" * 32, text="Tell me about the octopus.")
    home.time.pass_s(60)
    home.battles.expire()
    pushed(home, hub)
    assert any(b"octopus" in content for content in hub.files(REPO).values())
    if how == "erased":
        home.battles.erase("d" * 32)
    else:
        hide(home, "withdrawn")
    assert pushed(home, hub).squashed is True
    assert history(hub) == ["6 votes as of 2026-11-20", "Earlier revisions are gone"]
    found = [commit.files for commit in hub.datasets[REPO].commits]
    assert not [name for files in found for name, content in files.items() if b"octopus" in content]
    assert json.loads(hub.files(REPO)["manifest.json"])["squash"] is False
    assert check_publication(downloaded(hub, tmp_path / "down")).differences == ()
    assert pushed(home, hub).changed is False


def test_battle_that_is_shown_again_needs_no_squash(home: House, hub: DatasetServer) -> None:
    vote(home, "hidden")
    vote(home, "kept-hidden")
    home.time.pass_s(60)
    hide(home, "hidden")
    hide(home, "kept-hidden")
    pushed(home, hub)
    show(home, "hidden")
    made = pushed(home, hub)
    assert (made.changed, made.squashed) == (True, False)
    assert len(history(hub)) == 3
    hide(home, "hidden")
    assert pushed(home, hub).squashed is True


def test_manifest_names_no_withdrawn_battle(home: House, hub: DatasetServer) -> None:
    vote(home, "a-hidden-battle")
    home.time.pass_s(60)
    hide(home, "a-hidden-battle")
    pushed(home, hub)
    manifest = hub.files(REPO)["manifest.json"]
    assert len(json.loads(manifest)["withdrawn"]["battles"]) == 1
    assert b"a-hidden-battle" not in manifest


def test_words_that_were_never_published_need_no_squash(home: House, hub: DatasetServer) -> None:
    pushed(home, hub)
    every_kind_later(home)
    assert pushed(home, hub).squashed is False
    assert not [name for name, content in hub.files(REPO).items() for word in SECRET_WORDS if word.encode() in content]


def every_kind_later(home: House) -> None:
    vote(home, "hidden", text="Tell me about the octopus.")
    vote(home, "personal", text="I am ada@analytical.org")
    home.time.pass_s(60)
    home.battles.expire()
    hide(home, "hidden")


def test_failed_squash_is_made_up_for(home: House, hub: DatasetServer) -> None:
    vote(home, "withdrawn", text="Tell me about the octopus.")
    home.time.pass_s(60)
    pushed(home, hub)
    hide(home, "withdrawn")
    hub.faults["squash"] = [Fault(status=403)]
    with pytest.raises(DatasetError, match="cannot be squashed"):
        pushed(home, hub)
    assert pushed(home, hub).squashed is True
    assert history(hub) == ["6 votes as of 2026-11-20", "Earlier revisions are gone"]


def test_stale_files_of_a_publication_go_and_others_stay(
    home: House, hub: DatasetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(parquet_files, "ROWS_PER_FILE", 1)
        small.setattr(parquet_files, "ROWS_AT_ONCE", 1)
        pushed(home, hub)
    assert "data/votes/other-00003.parquet" in hub.files(REPO)
    hub.datasets[REPO].add("a picture", {**hub.files(REPO), "cat.png": b"cat"})
    pushed(home, hub)
    assert sorted(name for name in hub.files(REPO) if name.startswith("data/votes")) == [
        "data/votes/commercial-00000.parquet",
        "data/votes/other-00000.parquet",
    ]
    assert hub.files(REPO)["cat.png"] == b"cat"


def test_dataset_that_holds_something_else_is_refused(home: House, hub: DatasetServer) -> None:
    hub.make(REPO, private=False, files={"segments/00.jsonl": b"{}"})
    with pytest.raises(InvalidValue, match=r"holds something else \(segments/00.jsonl\)"):
        pushed(home, hub)
    assert len(history(hub)) == 1


def test_private_store_is_no_place_to_publish(home: House, hub: DatasetServer) -> None:
    assert home.store.path is not None
    settings = Settings(db=home.store.path, store=REPO)
    with pytest.raises(InvalidValue, match="is the private store"):
        publish(home.store, settings, home.time.now(), dataset=Dataset(REPO, WRITE, hub.url))
    assert hub.steps == []


def test_private_dataset_is_said(home: House, hub: DatasetServer) -> None:
    hub.make(REPO, private=True)
    assert pushed(home, hub).private is True


@pytest.mark.parametrize("step", ["create", "info", "tree", "preupload", "batch", "upload", "commit"])
@pytest.mark.parametrize("fault", [Fault(status=403), Fault(drop=True)], ids=["refused", "dropped"])
def test_failed_step_is_one_line_and_the_next_run_succeeds(
    home: House, hub: DatasetServer, step: str, fault: Fault
) -> None:
    hub.always[step] = fault
    with pytest.raises(DatasetError, match=f"the dataset {REPO} cannot be ") as raised:
        pushed(home, hub)
    assert "\n" not in str(raised.value)
    assert AGAIN in str(raised.value) or "HF_TOKEN" in str(raised.value)
    hub.always.clear()
    assert pushed(home, hub).changed
    assert history(hub) == ["initial commit", "6 votes as of 2026-11-20"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(drop=True, after=True), id="drop"),
        pytest.param(Fault(hang=True, after=True), id="hang", marks=pytest.mark.slow),
    ],
)
def test_commit_that_was_made_without_an_answer_is_not_made_twice(
    home: House, hub: DatasetServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_S", 2.0)
    hub.faults["commit"] = [fault]
    with pytest.raises(DatasetError, match=AGAIN):
        pushed(home, hub)
    hub.go_on.set()
    assert pushed(home, hub).changed is False
    assert len(history(hub)) == 2


def test_change_by_another_program_is_not_overwritten(home: House, hub: DatasetServer) -> None:
    hub.make(REPO, private=False)

    def meanwhile(step: str) -> None:
        if step == "preupload":
            hub.after_step = lambda step: None
            hub.datasets[REPO].add("meanwhile", {**hub.files(REPO), "cat.png": b"cat"})

    hub.after_step = meanwhile
    with pytest.raises(DatasetError, match="at the same moment"):
        pushed(home, hub)
    assert history(hub) == ["initial commit", "meanwhile"]


def test_wrong_token_is_named(home: House, hub: DatasetServer) -> None:
    with pytest.raises(DatasetError, match="HF_TOKEN"):
        pushed(home, hub, token="hf_unknown")
    with pytest.raises(DatasetError, match="may not do this"):
        pushed(home, hub, token="hf_may_read")
