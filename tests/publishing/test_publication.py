"""Publications: what is part of them, what never is, and that publishing again honours what was withdrawn."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from playground.errors import InvalidValue, StorageError, Unknown
from playground.publishing import parquet_files
from playground.publishing.held_back import held_back, read_releases, release, releases_path
from playground.publishing.publication import publish
from playground.publishing.published import check_publication
from playground.publishing.tables import TABLES
from playground.ratings.board import LeaderboardOptions
from playground.records import Instruction
from playground.settings import Settings
from playground.storage.database.store import Store
from tests.publishing.publishing import (
    SECRET_WORDS,
    contents_of,
    document,
    every_kind,
    hide,
    published,
    rounds,
    rows,
    vote,
)
from tests.support.cast import GALPACA, HAIKU, MAMBA, MODELS, OPENALPACA, House, house
from tests.support.judged import build_leaderboard
from tests.support.judging import ADA, BEN, CY, afternoon
from tests.support.patience import wait_until
from tests.support.storing import file_size_limit


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def test_publication_holds_final_votes_and_counts_the_others(home: House, tmp_path: Path) -> None:
    every_kind(home)
    made = published(home, tmp_path / "to")
    assert {row["battle_id"] for row in rows(tmp_path / "to", "votes")} == {f"round-{n}" for n in range(6)}
    assert made.manifest["left_out"] == {"undecided": 1, "erased": 1, "hidden": 1, "held_back": 2}
    assert made.manifest["held_back"] == {"e-mail address": 1, "phone number": 1}
    assert made.manifest["counts"] | {"answers_by_model": 0, "answers_by_license": 0} == {
        "votes": 6, "battles": 6, "raters": 3, "pairs": 6, "answers_by_model": 0, "answers_by_license": 0,
    }  # fmt: skip
    assert made.manifest["counts"]["answers_by_model"] == dict.fromkeys(sorted(MODELS), 4)


def test_no_file_names_a_rater_or_holds_withdrawn_words(home: House, tmp_path: Path) -> None:
    every_kind(home)
    home.battle_is_open("api", owner="Zoë", source="api", blind=False)
    home.battles.vote("api", "b", "Zoë", final=True, source="api")
    home.battle_is_open("near", owner=ADA, draw_probability=0.1)
    home.time.pass_s(8)
    home.battles.vote("near", "a", ADA, address="93.184.216.34")
    home.time.pass_s(60)
    home.store.write(lambda writing: writing.put_program_key("nightly", "e" * 64, home.time.now()))
    published(home, tmp_path / "to")
    with home.store.reading() as reading:
        networks = list(reading.networks().values())
        facts = [row["value"] for row in reading.select("SELECT value FROM facts")]
    assert networks
    private = ["93.184.216", *SECRET_WORDS, ADA, BEN, CY, "Zoë", "nightly", "e" * 64, "203.0.113", *networks, *facts]
    for name, content in contents_of(tmp_path / "to"):
        text = pq.read_table(tmp_path / "to" / name).to_pylist().__repr__() if name.endswith("parquet") else ""
        assert [words for words in private if words in text or words.encode() in content] == [], name
    assert {row["rater"] for row in rows(tmp_path / "to", "votes") if row["origin"] == "program"} == {"api"}


def test_rows_keep_everything_of_a_vote(home: House, tmp_path: Path) -> None:
    afternoon(home)
    published(home, tmp_path / "to")
    votes = {row["battle_id"]: row for row in rows(tmp_path / "to", "votes")}
    assert votes.keys() == {"plain", "changed", "early", "three", "api"}
    assert votes["changed"]["choice"] == "b"
    assert (votes["early"]["reasons"], votes["early"]["comment"]) == (["correct", "clear"], "second thoughts")
    three = votes["three"]
    assert [side["side"] for side in three["sides"]] == ["a", "c"]
    assert (three["choice"], three["overrides"], three["draw_probability"]) == ("c>a", '{"top_k":3}', 1 / 3)
    pair = next(row for row in rows(tmp_path / "to", "pairs") if row["battle_id"] == "three")
    assert (pair["side_a"], pair["side_b"], pair["winner"]) == ("a", "c", "model_b")
    answers = {row["generation_id"]: row for row in rows(tmp_path / "to", "generations")}
    assert pair["answer_b"] == answers[pair["generation_b"]]["text"]
    assert "three-b" not in answers, "a failed answer was not judged"
    one = answers["plain-a"]
    assert (one["prompt_ids"], one["token_ids"], one["seed"]) == ([1, 2, 3], [7, 8, 2], 2**32 - 1)
    assert one["names_itself"] is False
    assert answers["api-a"]["names_itself"] is True
    assert "\x00 she \U0001f63b" in one["instruction"]


def test_splits_follow_the_licenses(home: House, tmp_path: Path) -> None:
    rounds(home)
    published(home, tmp_path / "to")
    for table in ("pairs", "votes", "generations"):
        free = pq.read_table(tmp_path / "to" / f"data/{table}/commercial-00000.parquet").to_pylist()
        other = pq.read_table(tmp_path / "to" / f"data/{table}/other-00000.parquet").to_pylist()
        assert free, table
        assert other, table
        assert "pocket-galpaca" not in repr(free)
        assert all("pocket-galpaca" in repr(row) for row in other)


def test_rater_keeps_their_pseudonym_and_has_another_elsewhere(home: House, tmp_path: Path) -> None:
    rounds(home)
    published(home, tmp_path / "one")
    first = {row["battle_id"]: row["rater"] for row in rows(tmp_path / "one", "votes")}
    vote(home, "later", rater=BEN)
    home.time.pass_s(60)
    published(home, tmp_path / "two")
    second = {row["battle_id"]: row["rater"] for row in rows(tmp_path / "two", "votes")}
    assert first.items() <= second.items()
    assert second["later"] == first["round-1"]
    (tmp_path / "elsewhere").mkdir()
    other = house(tmp_path / "elsewhere")
    rounds(other)
    published(other, tmp_path / "three")
    assert not set(first.values()) & {row["rater"] for row in rows(tmp_path / "three", "votes")}


def test_board_is_that_of_the_store_if_nothing_is_left_out(home: House, tmp_path: Path) -> None:
    rounds(home, 30)
    home.time.pass_s(60)
    published(home, tmp_path / "to")
    board = document(tmp_path / "to" / "board.json")
    with home.store.reading() as reading:
        cards = reading.cards()
    stored = build_leaderboard(home.store.judged_pairs(), cards, options=LeaderboardOptions()).as_document()
    assert len(board["rows"]) == 3
    assert board == json.loads(json.dumps(stored))


def test_publishing_again_gives_the_same_bytes(home: House, tmp_path: Path) -> None:
    every_kind(home)
    home.time.pass_s(60)
    first, second = published(home, tmp_path / "one"), published(home, tmp_path / "two")
    assert first.manifest == second.manifest
    assert list(contents_of(tmp_path / "one")) == list(contents_of(tmp_path / "two"))


def test_words_hidden_in_one_battle_are_absent_from_others_on_the_same_answers(home: House, tmp_path: Path) -> None:
    home.battle_is_open("one", owner=ADA, instruction=HAIKU)
    home.store.write(
        lambda writing: writing.change(
            "INSERT INTO battles SELECT 'two', comparison_id, parent_id, owner, source, blind, 'open', instruction_id,"
            " overrides, draw_probability, created_at, opened_at, final_at, void_reason, erased_at, reviewed_at,"
            " hidden_at, rated, offered, study, study_hash, study_kind, study_rater, own_words FROM battles"
            " WHERE id = :id",
            [{"id": "one"}],
        )
    )
    home.store.write(
        lambda writing: writing.change(
            "INSERT INTO battle_sides SELECT 'two', side, model_id, seed, params, generation_id FROM battle_sides"
            " WHERE battle_id = :id",
            [{"id": "one"}],
        )
    )
    for name in ("one", "two"):
        home.battles.vote(name, "a", ADA)
    home.time.pass_s(60)
    assert published(home, tmp_path / "to").manifest["counts"]["votes"] == 2
    hide(home, "one")
    made = published(home, tmp_path / "to")
    assert made.manifest["left_out"] == {"hidden": 2}
    assert rows(tmp_path / "to", "generations") == []


def test_votes_given_or_revealed_while_the_clock_was_ahead_are_published(home: House, tmp_path: Path) -> None:
    home.battle_is_open("revealed", owner=ADA)
    home.battles.vote("revealed", "a", ADA)
    home.time.pass_s(3600)
    home.battles.reveal("revealed", ADA)
    vote(home, "ahead")
    home.time.pass_s(-3600)
    vote(home, "undecided")
    made = published(home, tmp_path / "to")
    assert {row["battle_id"] for row in rows(tmp_path / "to", "votes")} == {"revealed", "ahead"}
    assert made.manifest["left_out"] == {"undecided": 1}
    assert made.manifest["counts"]["votes"] == sum(1 for _ in home.store.judged_pairs(final_by=home.time.now()))


def test_imported_votes_are_left_out(home: House, tmp_path: Path) -> None:
    rounds(home, 3)
    home.store.write(lambda writing: writing.change("DROP TRIGGER votes_never_change", [{}]))
    home.store.write(
        lambda writing: writing.change(
            "UPDATE votes SET imported = 'ada.csv 00ff' WHERE battle_id = :id", [{"id": "round-0"}]
        )
    )
    home.time.pass_s(60)
    made = published(home, tmp_path / "to")
    assert made.manifest["left_out"] == {"imported": 1}
    assert b"ada.csv" not in b"".join(content for _, content in contents_of(tmp_path / "to"))


def test_held_back_battles_are_listed_masked_and_published_once_released(home: House, tmp_path: Path) -> None:
    every_kind(home)
    assert home.store.path is not None
    path = releases_path(home.store.path)
    with home.store.reading() as reading:
        found = list(held_back(reading))
    assert [(reason.battle_id, reason.field, reason.kind, reason.masked) for reason in found] == [
        ("personal", "instruction", "phone number", "+4…21"),
        ("signed", "comment", "e-mail address", "ad…rg"),
    ]
    with pytest.raises(Unknown, match="round-1 is not held back"):
        release(path, ["round-1"], found)
    release(path, ["signed"], found)
    made = published(home, tmp_path / "to")
    assert [reason.battle_id for reason in made.held_back] == ["personal"]
    assert "signed" in {row["battle_id"] for row in rows(tmp_path / "to", "votes")}
    home.battles.note("signed", BEN, comment="or ben@analytical.org")
    assert {reason.battle_id for reason in published(home).held_back} == {"personal", "signed"}


def test_personal_data_in_the_reasoning_holds_a_battle_back(home: House) -> None:
    home.battle_is_open("thought", owner=ADA, ends={"b": {"reasoning": "Ask ada@analytical.org."}})
    home.battles.vote("thought", "a", ADA, final=True)
    with home.store.reading() as reading:
        [reason] = held_back(reading)
    assert (reason.battle_id, reason.field, reason.kind) == ("thought", "answer b", "e-mail address")


def test_releases_of_another_form_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "playground.db.released"
    assert read_releases(path) == {}
    path.write_text("# a note\n\nbattle 00ff\nbattle\n")
    with pytest.raises(InvalidValue, match="line 4"):
        read_releases(path)


def test_empty_database_is_published_without_rows(home: House, tmp_path: Path) -> None:
    published(home, tmp_path / "to")
    assert all(rows(tmp_path / "to", table.name) == [] for table in TABLES)
    assert check_publication(tmp_path / "to").differences == ()
    card = (tmp_path / "to" / "README.md").read_text()
    assert "the latest of never" not in card
    assert "configs:" not in card


def test_earlier_publication_is_replaced_and_anything_else_is_not(home: House, tmp_path: Path) -> None:
    rounds(home, 3)
    home.time.pass_s(60)
    to = tmp_path / "to"
    to.mkdir()
    published(home, to)
    (to / "stale.parquet").write_bytes(b"")
    published(home, to)
    assert not (to / "stale.parquet").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    with pytest.raises(InvalidValue, match="something else than a publication"):
        published(home, tmp_path / "photos")
    with pytest.raises(StorageError, match="there is no folder"):
        published(home, tmp_path / "no" / "folder")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".part", ".old")) == []


def test_full_disk_leaves_the_earlier_publication(home: House, tmp_path: Path) -> None:
    rounds(home, 30)
    home.time.pass_s(60)
    published(home, tmp_path / "to")
    before = list(contents_of(tmp_path / "to"))
    vote(home, "later")
    home.time.pass_s(60)
    with file_size_limit(4000), pytest.raises(StorageError, match="cannot be written"):
        published(home, tmp_path / "to")
    assert list(contents_of(tmp_path / "to")) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".part", ".old")) == []


def test_series_of_files_holds_every_row_once(home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "ROWS_PER_FILE", 4)
    monkeypatch.setattr(parquet_files, "ROWS_AT_ONCE", 3)
    rounds(home, 30)
    home.time.pass_s(60)
    published(home, tmp_path / "to")
    assert len(list(tmp_path.glob("to/data/pairs/*.parquet"))) == 3 + 5
    assert sorted(row["battle_id"] for row in rows(tmp_path / "to", "pairs")) == sorted(f"round-{n}" for n in range(30))
    assert check_publication(tmp_path / "to").differences == ()


def test_publishing_reads_a_store_that_cannot_write(home: House, tmp_path: Path) -> None:
    rounds(home, 3)
    home.time.pass_s(60)
    assert home.store.path is not None
    with Store(home.store.path, read_only=True) as store:
        made = publish(store, Settings(db=home.store.path), home.time.now(), to=tmp_path / "to")
    assert made.manifest["counts"]["votes"] == 3


def test_publishing_a_database_on_a_mount_does_not_keep_it(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db", exclusive=True) as store:
        home = House(store)
        rounds(home, 3)
        home.time.pass_s(60)
        during: list[str] = []

        def vote_meanwhile(step: str, done: int, total: int) -> None:
            if not during:
                during.append(step)
                threading.Thread(target=lambda: (vote(home, "during"), during.append("voted"))).start()
            elif step == "answers":
                wait_until(lambda: "voted" in during)

        settings = Settings(db=tmp_path / "playground.db", db_mounted=True)
        made = publish(store, settings, home.time.now(), to=tmp_path / "to", progress=vote_meanwhile)
        assert during == ["survey", "voted"]
        assert made.manifest["counts"]["votes"] == 3


def test_card_names_models_licenses_columns_and_the_board(home: House, tmp_path: Path) -> None:
    every_kind(home)
    published(home, tmp_path / "to")
    card = (tmp_path / "to" / "README.md").read_text()
    assert card.startswith("---\n")
    for table in TABLES:
        assert f"- config_name: {table.name}\n" in card
        for column in table.columns:
            assert f"| `{column.name}` | {column.type_name} |" in card
    for model in (OPENALPACA, MAMBA, GALPACA):
        assert f"| {model} | org/{model} | 0123abc |" in card
    assert "- 2 votes held back because of what looks like personal data" in card
    assert "@misc{playground_votes," in card
    assert "$" not in card


def test_columns_of_the_files_are_those_of_the_tables(home: House, tmp_path: Path) -> None:
    rounds(home, 3)
    published(home, tmp_path / "to")
    for table in TABLES:
        for split in ("commercial", "other"):
            schema = pq.read_schema(tmp_path / "to" / f"data/{table.name}/{split}-00000.parquet")
            assert schema.names == [column.name for column in table.columns]


def test_instruction_of_the_hub_page_is_not_formatted(home: House, tmp_path: Path) -> None:
    vote(home, "odd", instruction=Instruction("${verdict} | {braces} $size\n# head"))
    home.time.pass_s(60)
    published(home, tmp_path / "to")
    assert rows(tmp_path / "to", "votes")[0]["instruction"] == "${verdict} | {braces} $size\n# head"
