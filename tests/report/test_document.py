"""The document of a report: its structure, its texts, and what it must not hold."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from playground.records import Criterion, CriterionAnswer
from playground.report import battles as battles_module
from playground.storage.database.store import Store
from playground.ui.pages.leaderboard.numbers import interval, points
from playground.ui.texts import formats
from tests.publishing.publishing import SECRET_WORDS, every_kind
from tests.report.reports import (
    RAW,
    Outline,
    board_of,
    data_of,
    database,
    hostile_votes,
    many_votes,
    reported,
)
from tests.support.cast import House
from tests.support.stub_arena import HOSTILE
from tests.support.studying import HASH, studied


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("report"), many_votes, hostile_votes, every_kind)


@pytest.fixture(scope="module")
def text(db: Path) -> str:
    return reported(db, "--title", "Llamas & <friends>")


def test_parts_stand_in_their_order(text: str) -> None:
    outline = Outline(text)
    parts = ["board-ratings", "board-table", "again", "examples", "votes", "about"]
    assert [id for id in outline.ids() if id in parts] == parts
    assert len(outline.ids()) == len(set(outline.ids()))
    assert [tag for tag, _ in outline.tags].count("h1") == 1
    assert outline.words.index("Llamas & <friends>") < outline.words.index("78 votes by 36 raters")
    for part in ("Can these votes be trusted?", "Do raters agree?", "Votes left out", "How to cite", "Licenses"):
        assert part in outline.words


def test_every_number_is_the_leaderboards(db: Path, text: str) -> None:
    board, words = board_of(db), Outline(text).words
    assert board["verdict"]["headline"] in words
    assert board["basis"] in words
    for row in board["rows"]:
        for number in (
            points(row["rating"]),
            interval(row["rating_lower"], row["rating_upper"]),
            formats.share(row["win_rate"]),
            formats.share(row["both_bad_rate"]),
        ):
            assert number in words
        assert f"data-stored='{row['rating']!r}'" in text, "the browser compares with all digits"
    for finding in board["findings"]:
        assert finding["text"] in words


def test_filtered_report_is_the_filtered_board(db: Path) -> None:
    text = reported(db, "--category", "maths", "--both-bad", "omit")
    board = board_of(db, "--category", "maths", "--both-bad", "omit")
    assert board["verdict"]["headline"] in Outline(text).words
    assert "category maths" in Outline(text).words
    assert {battle["category"] for battle in data_of(text, "battles")["battles"]} == {"maths"}
    assert sum(line[2] for line in data_of(text, "tallies")["lines"]) == board["num_votes"]
    assert data_of(text, "tallies")["bothBad"] == "omit"


def test_nothing_loads_from_anywhere(text: str) -> None:
    outline = Outline(text)
    assert not [a for _, attributes in outline.tags for a in attributes if a in ("src", "srcset", "action", "data")]
    assert all(str(a["href"]).startswith("#") for _, a in outline.tags if "href" in a)
    assert {tag for tag, _ in outline.tags}.isdisjoint({"link", "img", "iframe", "object", "form action", "base"})
    assert not re.search(r"url\(|@import|@font-face", text.partition("</style>")[0])


def test_policy_allows_the_documents_own_scripts_only(text: str) -> None:
    policy = next(str(a["content"]) for _, a in Outline(text).tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_hostile_texts_stay_texts(text: str) -> None:
    battle = next(one for one in data_of(text, "battles")["battles"] if "herd" in one["instruction"])
    assert [answer[2] for answer in battle["answers"]] == [HOSTILE, RAW]
    assert battle["comment"] == f"{RAW}{HOSTILE}"
    assert "<img" not in text
    assert "<script>document.title" not in text
    assert "<title>Llamas &amp; &lt;friends&gt;</title>" in text


def test_words_that_no_publication_holds_are_in_no_report(text: str) -> None:
    assert not [word for word in SECRET_WORDS if word in text]
    assert "1 vote with erased words, 1 vote hidden by the operator, 2 votes held back" in Outline(text).words


def test_raters_have_pseudonyms(db: Path, text: str) -> None:
    raters = {battle["rater"] for battle in data_of(text, "battles")["battles"]}
    assert all(len(rater) == 16 for rater in raters)
    one = f"{0:032x}"
    assert one not in text
    assert one not in reported(db, "--rater", one), "a filter names no rater"


def test_examples_show_both_sides_of_a_pair(text: str) -> None:
    words = Outline(text).words
    assert "Pocket Galpaca was preferred to Pocket mamba-gpt" in words
    assert "Pocket mamba-gpt was preferred to Pocket Galpaca" in words


def test_older_battles_are_left_out_and_counted(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(battles_module, "MOST_BATTLES", 10)
    text = reported(db)
    battles = data_of(text, "battles")["battles"]
    assert len(battles) == 10
    assert [battle["day"] for battle in battles] == sorted((battle["day"] for battle in battles), reverse=True)
    assert "Newest first: 10 battles with words. 64 more are older" in Outline(text).words
    monkeypatch.setattr(battles_module, "MOST_CHARS", 200)
    assert 1 < len(data_of(reported(db), "battles")["battles"]) < 10


def test_raters_have_numbers_only_where_these_change_ratings(db: Path, text: str) -> None:
    assert len({line[0] for line in data_of(text, "tallies")["lines"]}) > 8, "one of them has a weight"
    lines = data_of(reported(db, "--count-all"), "tallies")["lines"]
    assert {line[0] for line in lines} == {0}


def test_report_without_votes_says_so(tmp_path: Path) -> None:
    text = reported(database(tmp_path))
    outline = Outline(text)
    assert "There is no battle whose words may be shown." in outline.words
    assert "again-form" not in outline.ids()
    assert json.dumps(data_of(text, "tallies")["lines"]) == "[]"


def test_report_of_a_study_names_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with Store(path) as store:
        study = studied(House(store), instructions=12, links=1)
        for _ in range(12):
            study.judge(1)
    text = reported(path, "--study", study.file.id)
    assert f"helpful, hash {HASH}" in Outline(text).words
    assert HASH not in reported(path)


def test_report_of_a_study_has_the_answers_to_its_criteria(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    criterion = Criterion("facts", "Whose <facts>?", ("a", "b", "tie", "neither"))
    with Store(path) as store:
        study = studied(House(store), instructions=12, links=1, criterion=(criterion,))
        for choice in ("a", "a", "a", "tie", "neither") * 2:
            battle = str(study.next(1).battle_id)
            side = study.side_of(battle, first=True) if choice == "a" else choice
            study.home.battles.vote(battle, "a", "rater-1", criteria=(CriterionAnswer("facts", side),))
    text = reported(path, "--study", study.file.id)
    assert "Whose <facts>?" in Outline(text).words
    part = text.partition("<section class='part' id='criteria'")[2].partition("</section>")[0]
    rows = re.findall(r"<td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", part)
    assert rows == [("Pocket OpenAlpaca", "6", "60 %"), ("neither", "2", "20 %"), ("a tie", "2", "20 %")]
    assert "criteria" not in Outline(reported(path)).ids()
