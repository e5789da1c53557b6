"""``study links --panel`` and the panel's part of ``study status``: addresses, signatures, and whom to pay.

Boundary: reads arguments and prints; `studies` makes the links and the reports.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from playground.cli.printing import print_json, print_table
from playground.errors import InvalidStudy, InvalidValue
from playground.exchange.containers import without_formula
from playground.ratings.phrases import number_of
from playground.records import StoredStudy
from playground.studies.attention import share_below
from playground.studies.panel import Panel
from playground.studies.panel_links import address_pattern, check_id, signed_link, signing_secret
from playground.studies.panel_report import PanelReport
from playground.studies.status import StudyStatus
from playground.studies.study_file import StudyFile, file_of

MOST_BELOW = 0.05
"""The share of raters with too few attention items to fail up to which there is no warning."""
_HASH_CHARS = 12
"""Characters of a hash in the table; the other outputs have it whole."""
_HOW_TO_SIGN = (
    "SIGNATURE is the HMAC-SHA-256 of the id in hexadecimal digits, under the secret that --secret prints.\n"
    "--ids FILE signs the ids of a file, one on each line."
)


def add_links(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``study links`` for panels."""
    command.add_argument("--ids", type=Path, metavar="FILE", help="with --panel: sign the ids of a file, one a line")
    command.add_argument("--secret", action="store_true", help="with --panel: print the secret that signs links")


def add_status(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``study status`` for who pays raters."""
    command.add_argument("--csv", action="store_true", help="a row for each rater: their work, and their panel's code")
    command.add_argument("--panel-ids", action="store_true", help="show the ids that raters have at their panel")


def run_links(study: StoredStudy, arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the address to give to a panel, and sign ids."""
    panel = _panel_of(study)
    if panel.kind != "link" and (arguments.ids or arguments.secret):
        raise InvalidValue('--ids and --secret are for panels of kind = "link"; Prolific signs its own links')
    pattern, raters = address_pattern(arguments.base_url, study, panel), _raters_of(study)
    signed = [(rater, signed_link(arguments.base_url, study, rater)) for rater in _ids(arguments.ids)]
    if arguments.json:
        links = [{"rater": rater, "link": address} for rater, address in signed]
        codes = {outcome.value: code for outcome, code in panel.codes()}
        document: dict[str, Any] = {
            "study": study.id,
            "address": pattern,
            "raters": raters,
            "codes": codes,
            "links": links,
        }
        print_json(document | ({"secret": signing_secret(study)} if arguments.secret else {}), out)
        return 0
    if arguments.secret:
        print(signing_secret(study), file=out)
    elif signed:
        print("\n".join(address for _, address in signed), file=out)
    else:
        print("\n".join(_pattern_lines(panel, pattern, raters)), file=out)
    return 0


def _pattern_lines(panel: Panel, pattern: str, raters: int) -> Iterator[str]:
    yield "Give this address to the panel:"
    yield f"  {pattern}"
    if panel.kind == "link":
        yield _HOW_TO_SIGN
    yield "Codes: " + ", ".join(f"{outcome.value} {code}" for outcome, code in panel.codes())
    yield f"Raters to recruit: {raters:,}"


def _raters_of(study: StoredStudy) -> int:
    """Return how many raters a study needs, if each of them gives their share of its votes."""
    file = file_of(study)
    return math.ceil(file.votes / (file.votes_per_rater or file.votes))


def _ids(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except ValueError as error:
        raise InvalidValue(f"{path} is not text in UTF-8; write one id on each line") from error
    found = [line for line in lines if line.strip()]
    for rater in found:
        check_id(rater)
    return found


def _panel_of(study: StoredStudy) -> Panel:
    panel = file_of(study).panel
    if panel is None:
        raise InvalidStudy(f"{study.id} has no panel: its file has no [panel]; make personal links with --raters N")
    return panel


def warnings(file: StudyFile) -> Iterator[str]:
    """Yield what a study's panel asks for and its raters can hardly meet."""
    share = share_below(file)
    if share > MOST_BELOW and file.panel is not None:
        yield (
            f"warning: {share:.0%} of raters get fewer than 'attention_items' ({file.panel.attention_items}) attention"
            f" items in {number_of('vote', file.votes_per_rater or 0)}, and cannot fail; lower 'attention.every' or"
            " 'panel.attention_items'"
        )


def check_ids_allowed(study: StoredStudy, arguments: argparse.Namespace) -> None:
    """Raise InvalidStudy if a panel's ids are wanted of a study without one."""
    if arguments.panel_ids:
        _panel_of(study)


def print_csv(status: StudyStatus, panel: Sequence[PanelReport], with_ids: bool, out: TextIO) -> None:
    """Print a row for each rater of a study, with what their panel has to know."""
    by_number = {report.number: _fields(report, with_ids) for report in panel}
    writer = csv.writer(out, lineterminator="\n")
    heads: list[str] = []
    for rater in status.raters:
        row = {**asdict(rater), "minutes": round(rater.minutes, 1), **by_number.get(rater.number, {})}
        if not heads:
            panel_heads = next(iter(by_number.values()), {})
            heads = [*row, *(name for name in panel_heads if name not in row)]
            writer.writerow(["rater", *heads[1:]])
        writer.writerow([_cell(row.get(name)) for name in heads])


def print_panel(panel: Sequence[PanelReport], status: StudyStatus, with_ids: bool, out: TextIO) -> None:
    """Print a table of the raters whom the panel sent."""
    votes = {rater.number: (str(rater.votes), f"{rater.minutes:.0f}") for rater in status.raters}
    lines = (_line(report, votes.get(report.number, ("", "")), with_ids) for report in panel)
    heads = ("rater", "outcome", "code", "votes", "minutes", "entered", "ended", "hash of the id")
    print_table((*heads, "id", "session") if with_ids else heads, lines, out)


def _line(report: PanelReport, work: tuple[str, str], with_ids: bool) -> tuple[str, ...]:
    line = (
        str(report.number),
        (report.outcome or "–").replace("_", " "),
        report.code or "–",
        *work,
        _minute(report.entered_at),
        _minute(report.ended_at),
        report.id_hash[:_HASH_CHARS],
    )
    return (*line, report.id or "deleted", report.session or "–") if with_ids else line


def panel_document(panel: Sequence[PanelReport], with_ids: bool) -> list[dict[str, Any]]:
    """Return the reports as JSON has them."""
    return [_fields(report, with_ids) for report in panel]


def _fields(report: PanelReport, with_ids: bool) -> dict[str, Any]:
    found = asdict(report)
    if not with_ids:
        del found["id"], found["session"]
    return found


def _minute(at: str | None) -> str:
    return (at or "–")[:16].replace("T", " ")


def _cell(value: Any) -> Any:
    """Return a value as a cell; no text in it is run by a spreadsheet, since raters may choose their ids."""
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        value = " ".join(value)
    if isinstance(value, str):
        return without_formula(value)
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else value
