"""Publications for tests: a database with one vote of each kind that is left out, and reads of what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from playground.battles import Moderation
from playground.publishing.publication import Publication, publish
from playground.records import Instruction
from playground.settings import Settings
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House
from tests.support.judging import ADA, BEN, CY

PERSONAL = Instruction("My number is +49 170 7654321, call me.")
SECRET_WORDS = ("herring", "octopus", "7654321", "ada@analytical.org")


def rounds(home: House, count: int = 6) -> None:
    """Add votes that count: three raters, three pairs of models, each model wins at times."""
    models = ((OPENALPACA, MAMBA), (MAMBA, GALPACA), (GALPACA, OPENALPACA))
    for number in range(count):
        vote(home, f"round-{number}", "ab"[number % 5 % 2], (ADA, BEN, CY)[number % 3], models=models[number % 3])


def vote(home: House, name: str, choice: str = "a", rater: str = ADA, text: str = "", **changes: Any) -> None:
    """Create a drawn battle on the page, and vote after the time that reading takes."""
    instruction = changes.pop("instruction", Instruction(text or f"Write about {name}.", category="creative"))
    notes = {name: changes.pop(name) for name in ("reasons", "comment") if name in changes}
    models = changes.pop("models", (OPENALPACA, MAMBA))
    home.battle_is_open(name, models, owner=rater, instruction=instruction, **({"draw_probability": 0.1} | changes))
    home.time.pass_s(8)
    home.battles.vote(name, choice, rater, **notes)


def every_kind(home: House) -> None:
    """Add votes that count, and one that is erased, hidden, personal in a comment and an instruction, and undecided."""
    rounds(home)
    vote(home, "erased", rater="d" * 32, text="Tell me about the herring.")
    vote(home, "hidden", text="Tell me about the octopus.")
    vote(home, "personal", instruction=PERSONAL)
    vote(home, "signed", rater=BEN, comment="ask ada@analytical.org")
    home.time.pass_s(60)
    home.battles.expire()
    home.battles.erase("d" * 32)
    hide(home, "hidden")
    vote(home, "undecided", text="Can still be undone.")


def hide(home: House, battle_id: str) -> None:
    Moderation(home.battles).hide(battle_id)


def show(home: House, battle_id: str) -> None:
    """Show a hidden battle again."""
    home.store.write(
        lambda writing: writing.change("UPDATE battles SET hidden_at = NULL WHERE id = :id", [{"id": battle_id}])
    )


def published(home: House, to: Path | None = None, **how: Any) -> Publication:
    assert home.store.path is not None
    return publish(home.store, Settings(db=home.store.path), home.time.now(), to=to, **how)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of both splits of a table."""
    return [row for path in sorted(folder.glob(f"data/{table}/*.parquet")) for row in pq.read_table(path).to_pylist()]


def document(path: Path) -> Any:
    return json.loads(path.read_text())


def contents_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
