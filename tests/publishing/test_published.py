"""The check of a publication: it agrees with what was written, and names whatever was changed afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from playground.errors import InvalidValue
from playground.publishing.published import check_publication
from tests.publishing.publishing import document, every_kind, published, rounds
from tests.support.cast import House, house

PAIRS = "data/pairs/commercial-00000.parquet"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication of which every test changes a copy."""
    folder = tmp_path_factory.mktemp("made")
    home = house(folder)
    rounds(home, 60)
    every_kind_but_rounds(home)
    published(home, folder / "to")
    home.store.close()
    return folder / "to"


def every_kind_but_rounds(home: House) -> None:
    home.time.pass_s(60)
    home.battles.expire()


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file."""
    content = document(path)
    change(content)
    path.write_text(json.dumps(content))


def edit_column(path: Path, name: str, row: int, value: object) -> None:
    """Change one value of a Parquet file."""
    table = pq.read_table(path)
    values = table.column(name).to_pylist()
    values[row] = value
    column = pa.array(values, table.schema.field(name).type)
    pq.write_table(table.set_column(table.schema.get_field_index(name), table.schema.field(name), column), path)


def differences(folder: Path) -> str:
    return "\n".join(check_publication(folder).differences)


def test_untouched_publication_agrees_to_the_last_digit(made: Path) -> None:
    checked = check_publication(made)
    assert checked.differences == ()
    assert checked.exact
    assert checked.votes == 60
    assert len(document(made / "board.json")["rows"]) == 3


def test_publication_of_every_kind_agrees(tmp_path: Path) -> None:
    home = house(tmp_path)
    every_kind(home)
    published(home, tmp_path / "to")
    assert check_publication(tmp_path / "to").differences == ()


def test_last_digit_of_a_rating_is_compared(copy: Path) -> None:
    import math

    def nudge(board: Any) -> None:
        board["rows"][1]["rating"] = math.nextafter(board["rows"][1]["rating"], math.inf)

    edit(copy / "board.json", nudge)
    found = check_publication(copy).differences
    assert any(line.startswith("board.json: rows[1]: rating is ") for line in found), found
    edit(copy / "manifest.json", lambda manifest: manifest["versions"].update(numpy="0"))
    checked = check_publication(copy)
    assert not checked.exact
    assert not any("rating" in line for line in checked.differences), "other libraries round the last digit otherwise"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("winner", "tie", "board.json: rows"),
        ("decision_s", 0.5, "decided in under 1 s"),
        ("rater", "somebody", "is another rater's than in votes"),
        ("vote_id", "no-such-vote", "the vote no-such-vote is not in votes"),
        ("generation_a", "no-such-answer", "the answer no-such-answer is not in generations"),
        ("license_b", "cc-by-nc-4.0", "licenses belong to the other split"),
        ("counts", False, "says counts False"),
        ("origin", "nobody", "origin"),
    ],
)
def test_changed_value_is_named(copy: Path, column: str, value: object, said: str) -> None:
    edit_column(copy / PAIRS, column, 0, value)
    found = differences(copy)
    assert f"{PAIRS} has " in found, "the hash differs too"
    assert said in found


def test_missing_foreign_and_changed_files_are_named(copy: Path) -> None:
    (copy / PAIRS).unlink()
    (copy / "data" / "pairs" / "more-00000.parquet").write_bytes(b"PAR1")
    (copy / "README.md").write_text("another card")
    (copy / ".gitattributes").write_text("the hub's")
    found = check_publication(copy).differences
    assert f"{PAIRS} is missing" in found
    assert "data/pairs/more-00000.parquet is not in the manifest" in found
    assert any(line.startswith("README.md has ") for line in found)
    assert not any(".gitattributes" in line for line in found)
    assert "cannot be read as Parquet" in found[-1]


def test_changed_counts_are_named(copy: Path) -> None:
    edit(copy / "manifest.json", lambda manifest: manifest["counts"].update(votes=61))
    edit(copy / "manifest.json", lambda manifest: manifest["rows"]["pairs"].update(other=1))
    found = check_publication(copy).differences
    assert "manifest.json: counts: votes is 61; computed: 60" in found
    assert any(line.startswith("manifest.json: rows: pairs: other is 1; computed: ") for line in found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not a publication"),
        ("{", "cannot be read"),
        ("[]", "not a manifest of format 1"),
        ('{"format": 2}', "newer playground"),
    ],
)
def test_folder_without_a_manifest_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InvalidValue, match=said):
        check_publication(tmp_path)


def test_forged_options_are_refused_by_name(copy: Path) -> None:
    edit(copy / "manifest.json", lambda manifest: manifest["board_options"].update(prior="much"))
    assert "board_options" in differences(copy)
