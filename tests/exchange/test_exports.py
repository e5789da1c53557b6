"""Exports: their selection, what they leave out, their manifest, and files that cannot be written."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import playground
from playground.battles import Moderation
from playground.errors import InvalidValue, StorageError
from playground.exchange import FORMATS, ExportOptions, export
from playground.exchange.containers import to_json
from playground.exchange.exports import BATCH, RowFile, container
from playground.exchange.files import HashedFile
from playground.exchange.formats import Values
from playground.exchange.selection import Selection
from playground.records import FinishReason, Instruction, VoteFilter
from playground.storage.database.migrations import schema_version
from tests.support.cast import ADA, BEN, GALPACA, MAMBA, MODELS, House, card, house
from tests.support.exporting import exported, first_container, options, read
from tests.support.storing import file_size_limit, unprivileged

EACH = pytest.mark.parametrize("format", FORMATS)


def words(rows: object) -> str:
    return to_json(rows).decode()


@EACH
def test_only_judged_answers_are_exported(home: House, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out{first_container(format)}"
    assert exported(home, format, path)
    text = path.read_text()
    for word in ("half an ans", "undone", "unjudged", "void", "error"):
        assert word not in text


@EACH
def test_filter_selects_rows(home: House, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out{first_container(format)}"
    everything = exported(home, format, path)
    blind = exported(home, format, path, VoteFilter(mode="blind"))
    assert blind == everything[: len(blind)]  # the last vote was given in open mode, on a both-bad
    rows_of_it = {"trl-preference": 0, "alpaca": 0, "trl-unpaired": 2}
    assert len(everything) - len(blind) == rows_of_it.get(format, 1)
    assert exported(home, format, path, VoteFilter(category="no such")) == []


@EACH
def test_raters_can_be_numbers(home: House, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out{first_container(format)}"
    hidden = words(exported(home, format, path, anonymous=True))
    assert ADA not in hidden
    assert BEN not in hidden


def test_numbered_raters_keep_their_number(home: House, tmp_path: Path) -> None:
    rows = exported(home, "votes", tmp_path / "out.jsonl", anonymous=True)
    assert [(row["rater_id"], row["owner"]) for row in rows] == [("1", "1"), ("2", "2"), ("1", "1")]


@EACH
def test_counted_only_leaves_out_other_votes(home: House, tmp_path: Path, format: str) -> None:
    for battle_id, ends in (("slow", {}), ("leak", {"a": {"text": "I am OpenAlpaca."}})):
        home.battle_is_open(battle_id, owner=BEN, ends=ends)
        home.time.pass_s(5)
        home.battles.vote(battle_id, "a", BEN, final=True)
    path = tmp_path / f"out{first_container(format)}"
    all_done = export(home.store, format, path, options(format))
    done = export(home.store, format, path, options(format, counted_only=True))
    per_vote = 2 if format == "trl-unpaired" else 1
    assert (done.rows, all_done.rows > done.rows) == (per_vote, True)
    assert {one.reason for one in done.left_out} - {"filter"} == {"too_quick", "open_mode", "names_itself"}


@EACH
def test_erased_and_hidden_words_are_not_exported_and_said_to_be_left_out(
    home: House, tmp_path: Path, format: str
) -> None:
    path = tmp_path / f"out{first_container(format)}"
    chosen = VoteFilter() if not FORMATS[format].two_models else VoteFilter(models=f"{MAMBA},{GALPACA}")
    assert "2 and 2" in words(exported(home, format, path, chosen))
    pairs = len(list(home.store.judged_pairs()))
    home.battles.erase(BEN)
    done = export(home.store, format, path, options(format, chosen))
    assert "2 and 2" not in path.read_text()
    [erased] = [one for one in done.left_out if one.reason == "erased"]
    assert str(erased) == f"1 {FORMATS[format].source} left out: the rater had the words erased"
    assert len(list(home.store.judged_pairs())) == pairs


@EACH
def test_hidden_battles_are_not_exported(tmp_path: Path, format: str) -> None:
    home = house(tmp_path)
    home.battle_is_open("bad", ends={"a": {"text": "rude"}})
    home.battles.vote("bad", "a", ADA, final=True)
    path = tmp_path / f"out{first_container(format)}"
    assert "rude" in words(exported(home, format, path))
    hide(home, "bad")
    done = export(home.store, format, path, options(format))
    assert "rude" not in path.read_text()
    assert [(one.reason, one.count) for one in done.left_out] == [("hidden", 1)]
    home.store.close()


def hide(home: House, battle_id: str) -> None:
    """Hide a battle's words, as an operator does."""
    Moderation(home.battles).hide(battle_id)


# Licenses


@EACH
def test_rows_of_non_commercial_licenses_are_left_out_or_alone(home: House, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out{first_container(format)}"
    chosen = "" if not FORMATS[format].two_models else f"{MAMBA},{GALPACA}"
    everything = exported(home, format, path, VoteFilter(models=chosen))
    done = export(home.store, format, path, options(format, VoteFilter(models=chosen, license="commercial")))
    commercial = read(path)
    other = exported(home, format, path, VoteFilter(models=chosen, license="other"))
    assert "CC-BY-NC" not in words(commercial)
    assert "four" not in words(commercial)
    assert len(commercial) + len(other) == len(everything)
    assert other
    [left_out] = [one for one in done.left_out if one.reason == "other_license"]
    assert left_out.words == f"the license of the answers of {GALPACA} does not clearly allow commercial use"


@EACH
def test_rows_of_non_commercial_licenses_can_be_split_off(home: House, tmp_path: Path, format: str) -> None:
    ending = first_container(format)
    chosen = VoteFilter(models=f"{MAMBA},{GALPACA}" if FORMATS[format].two_models else "")
    whole = exported(home, format, tmp_path / f"whole{ending}", chosen)
    done = export(home.store, format, tmp_path / f"out{ending}", options(format, chosen, split_licenses=True))
    assert [file.path.name for file in done.files] == [f"out{ending}", f"out.other{ending}"]
    commercial, other = (read(file.path) for file in done.files)
    assert sorted(map(words, [*commercial, *other])) == sorted(map(words, whole))
    assert "four" not in words(commercial)
    assert done.rows == len(whole)
    assert [file.rows for file in done.files] == [len(commercial), len(other)]


def test_split_and_license_exclude_each_other() -> None:
    with pytest.raises(InvalidValue, match="split_licenses and the condition license='other' exclude each other"):
        ExportOptions(filter=VoteFilter(license="other"), split_licenses=True)


def test_unknown_license_is_said_with_its_cure_which_works(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.store.upsert_model(card(MAMBA, license="unknown"))
    for number in range(14):
        home.battle_is_open(f"battle-{number}", ends={"b": {"license": "unknown"}})
        home.battles.vote(f"battle-{number}", "a", ADA, final=True)
    path, commercial = tmp_path / "out.jsonl", ExportOptions(filter=VoteFilter(license="commercial"))
    done = export(home.store, "votes", path, commercial)
    assert (done.rows, [str(one) for one in done.left_out]) == (
        0,
        [
            f"14 votes left out: the license of the answers of {MAMBA} is not known (fill in the field"
            " `license` of the models' cards and start the playground once: answers without a license take their"
            " card's)"
        ],
    )
    home.store.upsert_model(card(MAMBA, license="MIT"))
    done = export(home.store, "votes", path, commercial)
    assert (done.rows, done.left_out) == (14, ())
    assert {side["license"] for row in read(path) for side in row["sides"]} == {"Apache-2.0", "MIT"}
    home.store.close()


# What is said


def test_manifest_holds_counts_hashes_filter_and_versions(home: House, tmp_path: Path) -> None:
    chosen = ExportOptions(filter=VoteFilter(mode="blind"), split_licenses=True, anonymous=True)
    done = export(home.store, "pairs", tmp_path / "out.csv", chosen, now=lambda: "2026-11-29T00:00:00Z")
    assert done.manifest == tmp_path / "out.csv.manifest.json"
    manifest = json.loads(done.manifest.read_text())
    assert (manifest["format"], manifest["container"], manifest["created_at"]) == (
        "pairs",
        "csv",
        "2026-11-29T00:00:00Z",
    )
    assert manifest["counts"] == {"rows": 2, "votes": 2, "bytes": done.bytes}
    assert manifest["filter"] == {"mode": "blind"}
    assert manifest["options"] == {
        "counted_only": False,
        "anonymous": True,
        "split_licenses": True,
        "final_by": "",
    }
    assert [(one["reason"], one["count"], one["words"]) for one in manifest["left_out"]] == [
        ("filter", 1, "not in the filter mode=blind")
    ]
    for file in manifest["files"]:
        data = (tmp_path / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert manifest["playground_version"] == playground.__version__
    assert manifest["schema_version"] == schema_version()
    assert manifest["policy"]["description"].startswith("Blind votes of people")
    assert manifest["how_to_load"] == 'pandas.read_csv("out.csv", encoding="utf-8-sig", keep_default_na=False)'
    assert "apostrophe" in manifest["note"]


@EACH
def test_every_record_is_a_row_or_said_to_be_left_out(home: House, tmp_path: Path, format: str) -> None:
    done = export(home.store, format, tmp_path / f"out{first_container(format)}", options(format))
    rows_of_a_record = 2 if format == "trl-unpaired" else 1
    assert done.rows / rows_of_a_record + sum(one.count for one in done.left_out) == 3


def test_progress_counts_votes(tmp_path: Path) -> None:
    home = house()
    seen: list[tuple[int, int]] = []
    for number in range(3):
        home.battle_is_open(f"battle-{number}", MODELS)
        home.battles.vote(f"battle-{number}", "a", ADA, final=True)
    export(home.store, "pairs", tmp_path / "out.jsonl", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)


def test_rows_of_many_batches_are_all_written(tmp_path: Path) -> None:
    home = house()
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, final=True)
    with home.store.reading() as reading:
        selection = Selection(reading, FORMATS["pairs"], ExportOptions())
        [(_, [row])] = selection.rows()
        for ending in FORMATS["pairs"].containers:
            path = tmp_path / f"out{ending}"
            with path.open("wb") as raw:
                file = HashedFile(raw)
                rows = RowFile(path, file, container(ending, file, FORMATS["pairs"], selection))
                for _ in range(BATCH * 2 + 1):
                    rows.add([row])
                assert rows.end().rows == BATCH * 2 + 1
            assert len(read(path)) == BATCH * 2 + 1


# Files


def test_difficult_texts_round_trip_through_the_database(home: House, tmp_path: Path) -> None:
    difficult = '=cmd|"/c calc"!A1\n\u2028\r\n, \x00 👩‍👩‍👧 \u202e'
    asked = Instruction(difficult, input=difficult, system=difficult, category="difficult")
    ends = {side: {"text": difficult, "finish_reason": FinishReason.CANCELLED} for side in "ab"}
    home.battle_is_open("difficult", ends=ends, instruction=asked)
    home.battles.vote("difficult", "a", ADA, comment=difficult)
    only = VoteFilter(category="difficult")
    for ending in (".jsonl", ".json", ".parquet"):
        [row] = exported(home, "votes", tmp_path / f"out{ending}", only)
        assert (row["instruction"], row["input"], row["system"], row["comment"]) == (difficult,) * 4
        assert [side["text"] for side in row["sides"]] == [difficult, difficult]
    for ending in (".jsonl", ".json", ".parquet", ".csv"):
        assert exported(home, "trl-preference", tmp_path / f"out{ending}", only)[0]["chosen"] == difficult
    assert exported(home, "pairs", tmp_path / "out.csv", only)[0]["answer_a"] == f"'{difficult}"


@EACH
def test_empty_database_gives_files_without_rows(tmp_path: Path, format: str) -> None:
    home = house()
    for ending in FORMATS[format].containers:
        path = tmp_path / f"out{ending}"
        assert export(home.store, format, path, options(format)).rows == 0
        assert read(path) == []


@pytest.mark.proves("export target unwritable or full")
@pytest.mark.parametrize("ending", FORMATS["votes"].containers)
def test_file_is_replaced_only_by_a_complete_one(
    home: House, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("what was here before")

    def rows(self: Selection, **_: object) -> Iterator[object]:
        raise StorageError("the database went away")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(Selection, "rows", rows)
        with pytest.raises(StorageError, match="went away"):
            export(home.store, "votes", path)
    assert path.read_text() == "what was here before"
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == [path.name]
    assert export(home.store, "votes", path).rows == len(read(path)) == 3


@pytest.mark.parametrize(
    ("format", "name", "valid"),
    [
        ("votes", "out.xls", ".jsonl, .json, .csv, .parquet"),
        ("votes", "out", ".jsonl, .json, .csv, .parquet"),
        ("kaggle-55k", "out.jsonl", ".csv, .parquet"),
        ("llm-comparator", "out.csv", ".json"),
        ("fastchat-log", "out.parquet", ".jsonl, .json"),
    ],
)
def test_unsuitable_container_is_refused_with_the_valid_ones(
    home: House, tmp_path: Path, format: str, name: str, valid: str
) -> None:
    with pytest.raises(InvalidValue, match=f"{format} is not written as .*; valid: {valid}$"):
        export(home.store, format, tmp_path / name)


def test_unknown_format_is_refused(home: House, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=f"unknown format 'lmsys'; valid: {', '.join(FORMATS)}"):
        export(home.store, "lmsys", tmp_path / "out.jsonl")


@pytest.mark.proves("export target unwritable or full")
def test_missing_folder_is_refused(home: House, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written: No such file"):
        export(home.store, "votes", tmp_path / "no" / "out.jsonl")


@pytest.mark.proves("export target unwritable or full")
def test_read_only_folder_is_refused(home: House) -> None:
    home.store.count_votes()  # so that the database has been opened before the rights are gone
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        with unprivileged(), pytest.raises(StorageError, match="cannot be written: Permission denied"):
            export(home.store, "votes", Path(name) / "out.jsonl")
        assert list(Path(name).iterdir()) == []


@pytest.mark.proves("export target unwritable or full")
@pytest.mark.parametrize("ending", FORMATS["votes"].containers)
def test_full_disk_keeps_the_earlier_file(home: House, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("what was here before")
    refused = pytest.raises(StorageError, match=rf"out{ending} cannot be written: File too large")
    with file_size_limit(300), refused:
        export(home.store, "votes", path)
    assert path.read_text() == "what was here before"
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == [path.name]
    assert export(home.store, "votes", path).rows == 3


@pytest.mark.parametrize("format", ["votes", "pairs"])
def test_export_is_a_snapshot(home: House, format: str) -> None:
    with home.store.reading() as reading:
        rows = Selection(reading, FORMATS[format], ExportOptions()).rows()
        next(rows)
        home.battles.vote("unjudged", "a", ADA)
        assert len(list(rows)) == 2


class Batches:
    """A container that keeps the sizes of its batches."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def write(self, rows: Sequence[Values]) -> int:
        self.rows.append(len(rows))
        return sum(len(row[0]) for row in rows)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("chars", "most"), [(10, 1000), (40_000, 100), (10_000_000, 1)])
def test_rows_wait_for_few_bytes_only(tmp_path: Path, chars: int, most: int) -> None:
    batches = Batches()
    rows = RowFile(tmp_path / "out", HashedFile(None), batches)
    text = "x" * chars
    for _ in range(2500):
        rows.add([(text,)])
    assert rows.end().rows == sum(batches.rows) == 2500
    assert batches.rows[0] == 50
    assert max(batches.rows[1:]) == most
