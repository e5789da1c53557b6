"""LibreOffice reads our CSV files as a spreadsheet program does, and saves them in its own formats."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from playground.cli import main
from playground.exchange.imports import import_file
from tests.support.import_rows import ROWS, side, write_format
from tests.support.memory import memory_store

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice: apt-get install libreoffice-calc-nogui"),
]

NAIVE, FORMULA, QUOTED = "naïve – 好", "=1+1", '"quoted", with\na line'


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A folder with votes.csv and pairs.csv, whose texts a spreadsheet could get wrong."""
    sides = [side("a", "alpha", FORMULA), side("b", "beta", NAIVE)]
    row = ROWS["votes"] | {"instruction": QUOTED, "comment": "-2", "sides": sides}
    db = str(tmp_path / "playground.db")
    assert main(["import", "votes", str(write_format(tmp_path / "rows.jsonl", "votes", row)), "--db", db]) == 0
    for format in ("votes", "pairs"):
        assert main(["export", format, str(tmp_path / f"{format}.csv"), "--db", db]) == 0
    return tmp_path


def converted(path: Path, to: str) -> Path:
    """Open a file in LibreOffice and save it in another format.

    CSV is read as its dialog for text files reads it, where the byte order mark selects UTF-8 (76); without a dialog
    LibreOffice ignores the mark.
    """
    command = [str(SOFFICE), "--headless", f"-env:UserInstallation=file://{path.parent}/profile", "--convert-to", to]
    if path.suffix == ".csv":
        command.append("--infilter=CSV:44,34,76,1")
    folder = path.parent / f"{path.suffix[1:]}-{to.partition(':')[0]}"
    done = subprocess.run(
        [*command, "--outdir", str(folder), str(path)], capture_output=True, text=True, timeout=300, check=True
    )
    found = folder / f"{path.stem}.{to.partition(':')[0]}"
    assert found.is_file(), done.stderr
    return found


def cells_of_xlsx(path: Path) -> list[list[str]]:
    """Return the texts and numbers of a sheet's rows, empty cells left out; a formula reads ``formula``."""
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as file:
        shared = ElementTree.fromstring(file.read("xl/sharedStrings.xml"))
        texts = ["".join(part.itertext()) for part in shared.findall("s:si", space)]
        sheet = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))

    def shown(cell: ElementTree.Element) -> str:
        if cell.find("s:f", space) is not None:
            return "formula"
        value = cell.findtext("s:v", "", space)
        return texts[int(value)] if cell.get("t") == "s" else value

    return [[shown(cell) for cell in row.findall("s:c", space)] for row in sheet.iter(f"{{{space['s']}}}row")]


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", ["pairs", "votes"])
def test_spreadsheet_shows_letters_and_runs_no_formula(exported: Path, name: str) -> None:
    header, row = cells_of_xlsx(converted(exported / f"{name}.csv", "xlsx"))
    assert header == list(read_csv(exported / f"{name}.csv")[0])
    shown = "\n".join(row)
    assert NAIVE in shown
    assert QUOTED in shown
    assert "formula" not in row
    expected = f"'{FORMULA}" if name == "pairs" else "'-2"
    assert expected in row  # LibreOffice shows the apostrophe, which keeps the text a text


@pytest.mark.parametrize("name", ["pairs", "votes"])
@pytest.mark.parametrize("through", ["xlsx", "ods"])
def test_csv_that_a_spreadsheet_saved_is_imported(exported: Path, name: str, through: str) -> None:
    table = converted(exported / f"{name}.csv", through)
    saved = converted(table, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false")
    with memory_store() as store:
        problems: list[str] = []
        counts = import_file(store, name, saved, report=lambda place, why: problems.append(f"{place}: {why}"))
        assert (problems, counts.imported) == ([], 1)
        with store.reading() as reading:
            [judged] = reading.exported_pairs()
    assert (judged.vote.asked.instruction, judged.a.text, judged.b.text) == (QUOTED, FORMULA, NAIVE)
    assert judged.winner == "model_b"
    assert judged.vote.created_at == "2026-11-20T19:00:00.000+00:00"
