"""Compare acknowledged votes with the database's rows, the journal and an export, one by one.

Boundary: reads a database and its journal after the playground that wrote them has ended.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from playground.exchange import ExportOptions, export
from playground.storage.database.store import Store
from playground.storage.journal.lines import Fault
from playground.storage.journal.segments import in_order, journal_folder, read

Votes = list[tuple[str, str]]
"""Battle and choice of each vote."""


def compare_accounts(db: Path, acknowledged: Mapping[str, str]) -> int:
    """Print the comparison; return the number of lost, doubled or different votes."""
    told = list(acknowledged.items())
    with Store(db, read_only=True) as store:
        exported = _exported(store)
    kept = {"rows": _rows(db), "journal": _journalled(journal_folder(db)), "export": exported}
    wrong = 0
    for name, votes in kept.items():
        lost, more = _difference(told, votes), _difference(votes, told)
        print(f"{len(told):,} acknowledged, {len(votes):,} in {name}: {lost} lost, {more} more than acknowledged")
        wrong += lost + more
    return wrong


def _difference(some: Votes, others: Votes) -> int:
    return (Counter(some) - Counter(others)).total()


def _rows(db: Path) -> Votes:
    """Return the standing vote of each battle, asked of SQLite itself."""
    last = "SELECT battle_id, choice, max(revision) FROM votes GROUP BY battle_id"
    with closing(sqlite3.connect(db)) as connection:
        return [(battle_id, choice) for battle_id, choice, _ in connection.execute(last) if choice != "undo"]


def _journalled(folder: Path) -> Votes:
    """Return the votes of the journal."""
    votes = []
    for segment in in_order(folder):
        for line in read(segment):
            if line.fault is Fault.NONE and line.event == "vote":
                votes.append(_voted(line.record))
    return votes


def _voted(record: Mapping[str, Any]) -> tuple[str, str]:
    [vote] = (vote for vote in record["rows"]["votes"] if vote["id"] == record["vote_id"])
    return vote["battle_id"], vote["choice"]


def _exported(store: Store) -> Votes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes.jsonl"
        export(store, "votes", path, ExportOptions())
        with path.open(encoding="utf-8") as lines:
            return [(row["battle_id"], row["choice"]) for row in map(json.loads, lines)]
