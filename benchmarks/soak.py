"""Sixteen visitors compare five pocket models without a pause; detects leaks and lost answers.

``python benchmarks/soak.py [--minutes M] [--visitors N]`` prints memory, processes, threads and open files once a
minute. Exit status 1 if a generation does not end or is not in the database, or if a figure grows by more than a tenth
from the second quarter of the run to the last.

Boundary: the real arena with its worker processes and a database on disk; no page.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.records import BattleState, Instruction
from playground.settings import Settings

GROWTH = 1.1
SLACK = 8  # small counts fluctuate by a few
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Resources of the process and its children at one moment."""

    web_mb: float
    workers_mb: float
    processes: int
    threads: int
    files: int


def sample() -> Sample:
    """Return this process and its descendants, from /proc."""
    family = _family()
    return Sample(
        web_mb=_own_mb("self"),
        workers_mb=sum(_own_mb(pid) for pid in family),
        processes=len(family),
        threads=threading.active_count(),
        files=len(list(Path("/proc/self/fd").iterdir())),
    )


def _family() -> list[str]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[stat.parent.name] = stat.read_text().rsplit(")", 1)[1].split()[1]
        except OSError:  # it has ended
            continue
    found, wanted = [], [str(Path("/proc/self").resolve().name)]
    while wanted:
        wanted = [pid for pid, parent in parents.items() if parent in wanted]
        found += wanted
    return found


def _own_mb(pid: str) -> float:
    """Return the memory that a process does not share with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


class Visitors:
    """Threads that compare all models repeatedly; every third stops in the middle."""

    def __init__(self, arena: Arena, number: int) -> None:
        self._arena = arena
        self._models = [card.id for card in arena.models.line_up]
        self._asked = [text for group in arena.starters.values() for text in group]
        self._over = threading.Event()
        self.battles: list[str] = []
        self.problems: list[str] = []
        self._threads = [threading.Thread(target=self._visit, args=(n,)) for n in range(number)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait until each has finished its comparison."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, number: int) -> None:
        rater, turn = Viewer(f"{number:032x}"), number
        while not self._over.is_set():
            turn += 1
            instruction: Instruction = self._asked[(turn * 7) % len(self._asked)]
            battle = self._arena.compare(instruction, rater, blind=bool(turn % 2), models=self._models)
            self.battles.append(battle)
            self._read(battle, rater, stops=turn % 3 == 0)

    def _read(self, battle: str, rater: Viewer, stops: bool) -> None:
        began = time.monotonic()
        while self._arena.battles.view(battle, rater).state is BattleState.GENERATING:
            time.sleep(0.1)
            if stops and time.monotonic() - began > 0.5:
                self._arena.stop(battle, rater)
            if time.monotonic() - began > PATIENCE_S:
                self.problems.append(f"{battle} did not end in {PATIENCE_S:g} s")
                return


def grown(samples: list[Sample]) -> list[str]:
    """Return the figures that are larger in the last quarter of the run than in the second."""
    quarter = max(1, len(samples) // 4)
    words = []
    for name in (field.name for field in fields(Sample)):
        before = statistics.median(getattr(each, name) for each in samples[quarter : 2 * quarter] or samples[:1])
        after = statistics.median(getattr(each, name) for each in samples[-quarter:])
        if after > GROWTH * before + SLACK:
            words.append(f"{name} grew from {before:g} to {after:g}")
    return words


def missing(arena: Arena, battles: list[str]) -> list[str]:
    """Return battles whose generations are not all in the database."""
    words = []
    for battle_id in battles:
        stored = arena.store.battle(battle_id)
        if stored is None or any(side.generation is None for side in stored.sides):
            words.append(f"{battle_id} is not complete in the database")
        elif any(side.generation.error for side in stored.sides if side.generation):
            words.append(f"{battle_id} has an error: {[s.generation.error for s in stored.sides if s.generation]}")
    return words


def soak(minutes: float, visitors: int, say: Callable[[str], None]) -> list[str]:
    """Return the problems as text."""
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(Settings(db=Path(folder) / "playground.db"))
        arena.open()
        try:
            while arena.models.is_loading:
                time.sleep(0.1)
            people = Visitors(arena, visitors)
            people.start()
            samples = _watch(minutes, people, say)
            people.stop()
            while arena.running:
                time.sleep(0.1)
            say(f"{len(people.battles)} battles, {len(people.battles) * len(arena.models.line_up)} generations")
            return people.problems + missing(arena, people.battles) + grown(samples)
        finally:
            arena.close()


def _watch(minutes: float, people: Visitors, say: Callable[[str], None]) -> list[Sample]:
    say("| minute | web MB | workers MB | processes | threads | files | battles |")
    say("|---|---|---|---|---|---|---|")
    samples: list[Sample] = []
    began = time.monotonic()
    while time.monotonic() - began < 60 * minutes:
        time.sleep(minutes * 60 / 40)
        now = sample()
        samples.append(now)
        if len(samples) % 4 == 0:
            figures = f"{now.web_mb:.0f} | {now.workers_mb:.0f} | {now.processes} | {now.threads} | {now.files}"
            say(f"| {(time.monotonic() - began) / 60:.1f} | {figures} | {len(people.battles)} |")
    return samples


def main() -> int:
    """Run the benchmark; return 1 if something was lost or grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--visitors", type=int, default=16)
    arguments = parser.parse_args()
    problems = soak(arguments.minutes, arguments.visitors, lambda words: print(words, flush=True))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
