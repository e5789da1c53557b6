"""Reports for tests: a database with votes of every kind, and the parts of a document."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from playground.cli import main
from playground.clock import utc_now
from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored import read_votes
from playground.records import Instruction
from playground.storage.database.store import Store
from tests.publishing.publishing import every_kind, vote
from tests.support.cast import House, card
from tests.support.judged import GALPACA, MAMBA, MINOTAUR, OPENALPACA, ORCA
from tests.support.stub_arena import HOSTILE

FIVE = (GALPACA, ORCA, MINOTAUR, OPENALPACA, MAMBA)
CATEGORIES = ("creative", "maths", "")
RAW = "</script><script>document.title='broken'</script><!--<script>\u2028 ]]> ${1} \\u003c"


def many_votes(home: House, count: int = 66, raters: int = 45, seed: int = 3) -> None:
    """Add votes by raters of whom one gave a third: two and three columns, ties and all bad, in three categories."""
    rng = np.random.default_rng(seed)
    for model in FIVE:
        home.store.upsert_model(card(model))
    for number in range(count):
        columns = 3 if number % 6 == 0 else 2
        chosen = sorted(rng.permutation(len(FIVE))[:columns])
        choices = ["a", "b", "a", "tie", "both_bad", "a"] if columns == 2 else ["a", "b>a=c", "a>b>c", "both_bad"]
        rater = 0 if number % 3 == 0 else int(rng.integers(raters))
        vote(
            home,
            f"many-{number}",
            str(rng.choice(choices)),
            f"{rater:032x}",
            models=tuple(FIVE[i] for i in chosen),
            instruction=Instruction(f"Question {number} about llamas.", category=CATEGORIES[int(rng.integers(3))]),
        )


def hostile_votes(home: House) -> None:
    """Add a vote whose every text tries to leave its place."""
    home.battle_is_open(
        "hostile",
        (OPENALPACA, MAMBA),
        {"a": {"text": HOSTILE}, "b": {"text": RAW}},
        owner="a" * 32,
        instruction=Instruction(f"{RAW} herd", input=HOSTILE, system=RAW, category="creative"),
        draw_probability=0.1,
    )
    home.time.pass_s(8)
    home.battles.vote("hostile", "a", "a" * 32, reasons=["clear"], comment=f"{RAW}{HOSTILE}")


def database(folder: Path, *kinds: Any) -> Path:
    """Make a database with these kinds of votes, all final but those of `every_kind` that are not."""
    path = folder / "playground.db"
    with Store(path) as store:
        home = House(store)
        for kind in kinds:
            kind(home)
            if kind is not every_kind:
                home.time.pass_s(60)
                home.battles.expire()
    return path


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


def reported(db: Path, *flags: str) -> str:
    """Write a report with the command, and return its text."""
    path = db.with_name("report.html")
    status, _ = run("report", str(path), "--db", str(db), *flags)
    assert status == 0
    return path.read_text("utf-8")


def board_of(db: Path, *flags: str) -> Any:
    """Return the board that `leaderboard` prints."""
    status, text = run("leaderboard", "--db", str(db), "--json", *flags)
    assert status == 0
    return json.loads(text)


def ratings_without(
    db: Path, models: Collection[str] = (), categories: Collection[str] = (), both_bad: str = "half", **policy: Any
) -> dict[str, float]:
    """Rate the votes of a database without some pairs, as a board with such a filter would."""
    options = LeaderboardOptions(policy=replace(CountingPolicy(), **policy), both_bad=both_bad)
    with Store(db, read_only=True) as store, store.reading() as reading:
        votes = read_votes(reading, options.policy, utc_now())
    out = np.isin(np.array(votes.categories)[votes.category], list(categories))
    for side in (votes.first, votes.second):
        out |= np.isin(np.array(votes.models)[side], list(models))
    board = Chosen.of(votes, {}, options=options, rows=~out).board()
    return {row.model: row.rating for row in board.rows}


def data_of(text: str, name: str) -> Any:
    """Return an embedded document as a browser reads it: to the first end of a script."""
    found = re.search(rf"<script type='application/json' id='report-{name}'>(.*?)</script", text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


class Outline(HTMLParser):
    """The elements of a document, its text outside of scripts and styles, and whether every element is closed."""

    VOID = frozenset({"meta", "input", "line", "circle", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.words += data

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]
