"""Run contenders in turn, once per round, so that a busy machine affects all; print medians, ranges and ratios.

Boundary: figures and tables; does not know the measurement.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

Figures = Mapping[str, float]

EQUAL = "equal"
"""Key of the share of answers that equal ``model.generate``'s."""


class NotHere(Exception):
    """A contender cannot run, with the reason."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A name and the function that runs one round."""

    name: str
    run: Callable[[], Figures]
    """Run one round; may raise NotHere."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the table."""

    key: str
    heading: str
    digits: int = 0
    less_is_better: bool = False
    compared: bool = True

    @property
    def short(self) -> str:
        """The figure's name without its unit."""
        return self.heading.split(", ")[0]


@dataclass(slots=True)
class Spent:
    """Wall and CPU seconds of this process from the creation of this object until `stop`."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __enter__(self) -> Spent:
        self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s


@dataclass(frozen=True, slots=True)
class Results:
    """Figures of all rounds, and the reasons of contenders that could not run."""

    figures: Mapping[str, Sequence[Figures]]
    missing: Mapping[str, str]


def parse(description: str | None, *, fastchat: bool = False) -> argparse.Namespace:
    """Parse ``rounds``, ``quick`` and ``no_fastchat`` from the command line."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=None, help="how often everyone takes a turn (5; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="one small round, to see that it works")
    if fastchat:
        parser.add_argument("--no-fastchat", action="store_true", help="do without FastChat, which pip has to fetch")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 5)
    return chosen


def in_turns(contenders: Sequence[Contender], rounds: int) -> Results:
    """Run every contender once per round, every other time in the opposite order; drop those that cannot run."""
    figures: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
    missing: dict[str, str] = {}
    for number in range(rounds):
        for contender in reversed(contenders) if number % 2 else contenders:
            if contender.name not in missing:
                try:
                    figures[contender.name].append(contender.run())
                except NotHere as reason:
                    missing[contender.name] = str(reason)
    return Results(figures, missing)


def machine(rounds: int, *packages: str) -> str:
    """Return the line above a table: machine, versions, rounds."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}; "
        f"{rounds} rounds; load {os.getloadavg()[0]:.1f}"
    )


def show(results: Results, ours: str, columns: Sequence[Figure]) -> None:
    """Print the table; the factors are the medians of the rounds' ratios of `ours` to the others."""
    compared = [column for column in columns if column.compared]
    print_row(
        [
            "",
            *(f"{column.heading}: median (range)" for column in columns),
            *(f"ours better by: {column.short}" for column in compared),
            "right",
        ]
    )
    width = 2 + len(columns) + len(compared)
    print_row(["---"] * width)
    for name, rounds in results.figures.items():
        if name in results.missing:
            print_row([name, f"not here: {results.missing[name]}", *[""] * (width - 2)])
            continue
        cells = [spread([one[column.key] for one in rounds], column.digits) for column in columns]
        ratios = [factor(column, rounds, results.figures[ours]) for column in compared]
        right = min(one[EQUAL] for one in rounds)
        print_row([name, *cells, *(ratio if right else f"({ratio})" for ratio in ratios), f"{right:.0%}"])


def print_row(cells: Sequence[str]) -> None:
    """Print one row of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def spread(values: Sequence[float], digits: int) -> str:
    """Format median and range."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def factor(column: Figure, theirs: Sequence[Figures], ours: Sequence[Figures]) -> str:
    """Return the median over the rounds of the ratio by which ours is better."""
    pairs = [(o[column.key], t[column.key]) for o, t in zip(ours, theirs, strict=True)]
    return f"{statistics.median(t / o if column.less_is_better else o / t for o, t in pairs):.2f}"
