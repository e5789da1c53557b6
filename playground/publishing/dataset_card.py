"""The dataset card of a publication: ``README.md`` with the hub's front matter, from the text beside this file.

Boundary: manifest and board in, text out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from playground.publishing.contents import LEFT_OUT
from playground.publishing.tables import SPLITS, TABLES
from playground.ratings.phrases import number_of, rank_range

TEXT_FILE = Path(__file__).parent / "dataset_card.md"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


def dataset_card(manifest: Mapping[str, Any], board: Mapping[str, Any]) -> str:
    """Return the card."""
    counts, repo = manifest["counts"], manifest["repo"]
    answers = sum(counts["answers_by_license"].values())
    values = {
        "size": next((words for most, words in _SIZES if counts["pairs"] < most), _LARGEST),
        "configs": "".join(f"{line}\n" for line in _configs(manifest["rows"])),
        "votes_words": number_of("vote", counts["votes"]),
        "raters": number_of("rater", counts["raters"]),
        "pairs_words": number_of("pair", counts["pairs"]),
        "answers": number_of("answer", answers),
        "latest": f", the latest of {manifest['last_vote'][:10]}" if manifest["last_vote"] else "",
        "place": repo or "DIR",
        "splits": _table((name, *(rows[split] for split in SPLITS)) for name, rows in manifest["rows"].items()),
        "licenses": _table(counts["answers_by_license"].items()),
        "models": _table(_model_rows(manifest)),
        "verdict": board["verdict"]["headline"],
        "board": _board(board),
        "basis": board["basis"],
        "left_out": "\n".join(_left_out(manifest)),
        "columns": "\n\n".join(_columns()),
        **_citation(manifest),
    }
    return Template(TEXT_FILE.read_text("utf-8")).substitute(values)


def _configs(rows: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield the front matter of the splits that have rows."""
    if any(sum(rows[table.name].values()) for table in TABLES):
        yield "configs:"
    for number, table in enumerate(TABLES):
        splits = [split for split in SPLITS if rows[table.name][split]]
        if splits:
            yield f"- config_name: {table.name}"
            yield from ("  default: true",) if not number else ()
            yield "  data_files:"
        for split in splits:
            yield f"  - split: {split}"
            yield f"    path: data/{table.name}/{split}-*.parquet"


def _model_rows(manifest: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    answers = manifest["counts"]["answers_by_model"]
    for id, model in manifest["models"].items():
        yield model["name"], id, model["repo"], model["revision"], model["license"], answers.get(id, 0)


def _board(board: Mapping[str, Any]) -> str:
    """Return the table of the board between empty lines; without rows, an empty line."""
    if not board["rows"]:
        return ""
    return (
        f"\n| rank | model | rating | 95 % interval | battles |\n|---|---|---|---|---|\n{_table(_board_rows(board))}\n"
    )


def _board_rows(board: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for row in board["rows"]:
        interval = f"{row['rating_lower']:.0f}–{row['rating_upper']:.0f}"
        yield (
            rank_range(row["rank_lower"], row["rank_upper"], row["provisional"]),
            row["name"],
            f"{row['rating']:.0f}",
            interval,
            row["battles"],
        )


def _left_out(manifest: Mapping[str, Any]) -> Iterator[str]:
    if not manifest["left_out"]:
        yield "Nothing was left out."
    for reason, votes in manifest["left_out"].items():
        yield f"- {number_of('vote', votes)} {LEFT_OUT[reason]}"


def _columns() -> Iterator[str]:
    for table in TABLES:
        rows = ((f"`{column.name}`", column.type_name, column.meaning) for column in table.columns)
        yield f"### {table.name}\n\n{table.meaning}\n\n| column | type | meaning |\n|---|---|---|\n{_table(rows)}"


def _citation(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    repo, day = manifest["repo"], manifest["last_vote"][:10]
    address = f"https://huggingface.co/datasets/{repo}"
    return {
        "key": "playground_votes" if not repo else repo.replace("/", "_").replace(".", "_"),
        "author": f"{{The raters of {repo.split('/')[0]}}}" if repo else "{The raters of this playground}",
        "year": day[:4] or "n.d.",
        "howpublished": f"\\url{{{address}}}" if repo else "a folder",
        "note": f"Votes until {day}" if day else "No votes yet",
    }


def _table(rows: Iterable[Iterable[object]]) -> str:
    """Return the rows of a Markdown table; a cell is one line, and bars in it are escaped."""
    lines = (" | ".join(_cell(value) for value in row) for row in rows)
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
