"""Measure the next battle of a rater: 100,000 stored battles, and a study of 100,000 battles.

Run ``python benchmarks/next_battle.py [--battles 100000]``. Drives the real app over HTTP as the Rate page does: three
battles loaded ahead, then a vote and the next one. Prints the time of ``POST /rate/next`` as the client sees it, with
the request before it that stores a vote, and the CPU time of the server for both. There is no peer.

Boundary: lays databases out in the store and sends a page's requests; the app runs in its own process.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.ballots import MODELS, answer
from benchmarks.rounds import machine, print_row
from benchmarks.served import served
from playground.arena.rating import OFFERED_SINCE
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.rater_ids import COOKIE
from playground.records import (
    Assigned,
    Battle,
    BattleSide,
    BattleState,
    CheckState,
    Generation,
    Instruction,
    StoredStudy,
    StudyItem,
    Vote,
)
from playground.settings import Settings
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.studies.links import new_token, token_hash
from playground.studies.study_file import StudyFile, as_document

PORT = 7977
OWNERS = 1000
BATCH = 2000
"""Battles that are stored in one transaction."""
AHEAD = 3
WARM_UP = 3
"""Votes that are not measured."""
STUDY, HASH = "large", "5a" * 32


@dataclass(slots=True)
class Rater:
    """One browser on the Rate page."""

    key: str | None = None
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    loaded: list[dict[str, Any]] = field(default_factory=list)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
        headers = {"Content-Type": "application/json", "Cookie": f"{COOKIE}={self.secret}"}
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        says = json.loads(reply.read())
        connection.close()
        if reply.status != 200:
            raise RuntimeError(f"status {reply.status}: {says}")
        return dict(says)

    def next(self) -> float:
        """Load one more battle; return the seconds that it took."""
        study = None if self.key is None else STUDY
        have = [item["battle"] for item in self.loaded]
        began = time.perf_counter()
        says = self.post("/rate/next", {"study": study, "key": self.key, "have": have})
        took_s = time.perf_counter() - began
        if says["item"] is None:
            raise RuntimeError(f"no battle: {says['why_none']}")
        self.loaded.append(says["item"])
        return took_s

    def vote(self) -> None:
        item = self.loaded.pop(0)
        sent = {"battle": item["battle"], "choice": "a", "revision": item["revision"], "decision_ms": 4000}
        says = self.post("/vote", sent)
        if not says["accepted"]:
            raise RuntimeError(f"refused: {says}")


@dataclass(frozen=True, slots=True)
class Case:
    """A database and the rater's link."""

    name: str
    lay_out: Callable[[Store, int], str | None]


def offered(store: Store, number: int, *, consenting: int = OWNERS, alike: float = 0.0) -> None:
    """Store judged battles of many owners, of whom the first ones have agreed that others may judge theirs.

    Args:
        alike: share of the battles whose two answers are the same.
    """
    write = _writer(store)

    def work(writing: Writing, numbers: range) -> None:
        for i in numbers:
            a, b = (write.answer(model, f"{i}-{model}", f"Say {i}.") for model in MODELS)
            if i % 1000 < 1000 * alike:
                b = replace(b, text=a.text)
            for found in (a, b):
                writing.insert_generation(found)
            battle = _battle(_id("offered", i), f"owner-{i % OWNERS}", a, b, write.now)
            writing.insert_battle(battle)
            if i % OWNERS < consenting:
                writing.agree(battle.owner, OFFERED_SINCE, write.now)
            writing.move(battle, replace(battle, state=BattleState.REVEALED, final_at=write.now))

    write.in_batches(number, work)


def study(store: Store, number: int, *, judged: float = 0.0) -> str:
    """Store a study with a battle for each instruction, of which a share is judged; return the token of a link."""
    write = _writer(store)
    file = StudyFile(STUDY, MODELS, number, "questions.jsonl", overlap=0.1, repeats=0.05, seed=7)
    stored = StoredStudy(STUDY, HASH, to_json(as_document(file)), "ab" * 16, write.now)
    tokens = [new_token() for _ in range(2)]
    pairs = [tuple(write.answer(model, f"{i}-{model}", f"Say {i}.") for model in MODELS) for i in range(number)]

    def answers(writing: Writing, numbers: range) -> None:
        for i in numbers:
            for found in pairs[i]:
                writing.insert_generation(found)

    def votes(writing: Writing, numbers: range) -> None:
        for i in numbers:
            battle = _battle(_id("judged", i), "others", *pairs[i], write.now)
            battle = replace(battle, rated=True, study=STUDY, study_hash=HASH, study_kind="item")
            writing.insert_battle(battle)
            assigned = Assigned(battle.id, i + 1, i + 1, None, "item", "open", None, None)
            writing.assign(STUDY, 2, assigned, write.now)
            writing.move(battle, replace(battle, state=BattleState.REVEALED, final_at=write.now))
            writing.insert_vote(Vote(_id("vote", i), battle.id, 1, "a", "others", write.now, 4.0))

    def begin(writing: Writing) -> None:
        items = [StudyItem(i + 1, "item", a.id, b.id) for i, (a, b) in enumerate(pairs)]
        writing.insert_study(stored, items)
        for token in tokens:
            writing.insert_link(STUDY, token_hash(token), CheckState.NONE, write.now)

    write.in_batches(number, answers)
    store.write(begin)
    write.in_batches(round(number * judged), votes)
    return tokens[0]


@dataclass(frozen=True, slots=True)
class _Layout:
    store: Store
    cards: dict[str, Any]
    now: str

    def answer(self, model: str, name: str, asked: str) -> Generation:
        made = answer(self.cards[model], f"answer-{name}", self.now)
        if not asked:
            return made
        return replace(made, instruction=Instruction(asked), text=f"{model} says {name}.")

    def in_batches(self, number: int, work: Callable[[Writing, range], None]) -> None:
        for start in range(0, number, BATCH):
            numbers = range(start, min(start + BATCH, number))
            self.store.write(lambda writing, numbers=numbers: work(writing, numbers))  # type: ignore[misc]


def _writer(store: Store) -> _Layout:
    cards = dict(Catalog.load(Settings().card_folders, Settings().template_folders).cards)
    for model in MODELS:
        store.upsert_model(cards[model])
    return _Layout(store, cards, Clock().now())


def _battle(battle_id: str, owner: str, a: Generation, b: Generation, now: str) -> Battle:
    sides = tuple(BattleSide(side, one.model_id, one.seed, one.params, one) for side, one in (("a", a), ("b", b)))
    return Battle(
        id=battle_id,
        comparison_id=battle_id,
        parent_id=None,
        owner=owner,
        source="page",
        blind=True,
        state=BattleState.OPEN,
        instruction=a.instruction,
        overrides={},
        sides=sides,
        created_at=now,
        opened_at=now,
        draw_probability=1.0,
    )


def _id(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:32]


CASES = (
    Case("stored battles, all offered", lambda store, number: offered(store, number)),
    Case(
        "stored battles, 1 in 100 offered, as after an import",
        lambda store, number: offered(store, number, consenting=OWNERS // 100),
    ),
    Case("stored battles, 9 of 10 with the same answer twice", lambda store, number: offered(store, number, alike=0.9)),
    Case("a study, nothing judged", lambda store, number: study(store, number)),
    Case("a study, half of it judged", lambda store, number: study(store, number, judged=0.5)),
)


def measure(case: Case, number: int, votes: int) -> None:
    """Print the row of a case."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "playground.db"
        with Store(db) as store:
            key = case.lay_out(store, number)
        with served(db, PORT, PLAYGROUND_MODELS="pocket-galpaca") as process:
            rater = Rater(key)
            first_s = rater.next()
            for _ in range(AHEAD - 1):
                rater.next()
            for _ in range(WARM_UP):
                rater.vote()
                rater.next()
            began_s, nexts = _cpu_s(process.pid), list(_judged(rater, votes))
            cpu_ms = 1000 * (_cpu_s(process.pid) - began_s) / votes
    middle, late = statistics.median(nexts), sorted(nexts)[int(len(nexts) * 0.95)]
    print_row([case.name, *(f"{1000 * s:,.0f}" for s in (first_s, middle, late, max(nexts))), f"{cpu_ms:,.0f}"])


def _judged(rater: Rater, votes: int) -> Iterator[float]:
    for _ in range(votes):
        rater.vote()
        yield rater.next()


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has spent; its workers are not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--battles", type=int, default=100_000)
    parser.add_argument("--votes", type=int, default=100, help="measured in each case")
    parser.add_argument("--case", type=int, choices=range(1, len(CASES) + 1), help="only this one")
    chosen = parser.parse_args()
    print(machine(1, "gradio"))
    print(f"{chosen.battles:,} battles, {chosen.votes} votes\n")
    print_row(["", "first, ms", "median, ms", "95 %, ms", "longest, ms", "CPU of vote and next, ms"])
    print_row(["---"] * 6)
    for number, case in enumerate(CASES, start=1):
        if chosen.case in (None, number):
            measure(case, chosen.battles, chosen.votes)


if __name__ == "__main__":
    main()
