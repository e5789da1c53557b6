"""Benchmark 12: memory that a page load leaves behind and CPU of an unused page, against an empty Gradio app.

Run ``python benchmarks/page_loads.py [--loads 2000] [--idle-minutes 3] [--checkout PATH …]``. Every app runs in a
process of its own, all at the same time; `--checkout`, which may be repeated, names versions of the playground. A load
sends the requests of a browser: the page and its load events, with a session of its own. A closed tab sends nothing.
Memory is that of the web process, before the loads and a while after the last one.

Boundary: real HTTP on loopback; the models' worker processes do not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.page_served import EMPTY, cpu_seconds, free_port
from benchmarks.rounds import machine, print_row
from benchmarks.served import PATIENCE_S, ROOT, running, served
from benchmarks.tab import Tab

EMPTY_NAME = "empty Gradio app"
UNLIMITED = {"PLAYGROUND_VIEWS_PER_MINUTE": "1000000"}
"""Limits count, but refuse nothing."""
WARM_UP = 200
"""Loads before the first figure, which cover one-time allocations."""
TABS = 4
"""Parallel loads."""
CLOSED_S = 90.0
"""From the last load to the figure; a server may keep closed sessions for a while."""
SETTLE_S = 10.0


@dataclass(slots=True)
class App:
    """A running app and its figures."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    figures: dict[str, float] = field(default_factory=dict)

    def memory_kb(self) -> float:
        """Return the memory of the web process that no other process shares."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

    def workers(self) -> list[int]:
        """Return the ids of all processes that the web process has started."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            except OSError:  # it has ended
                continue
        found, wanted = [], [self.process.pid]
        while wanted:
            wanted = [pid for pid, parent in parents.items() if parent in wanted]
            found += wanted
        return found

    def load(self, loads: int) -> None:
        """Open the page in `number` tabs."""
        with ThreadPoolExecutor(TABS) as visitors:
            for done in [visitors.submit(Tab(self.port).open) for _ in range(loads)]:
                done.result()


@contextmanager
def empty_app(folder: Path) -> Iterator[App]:
    """Run a Gradio app with one line of text."""
    port = free_port()
    command = [sys.executable, "-c", EMPTY.format(port=port)]
    with running(command, port, folder / "empty.log", folder) as process:
        yield App(EMPTY_NAME, port, process)


@contextmanager
def playground(name: str, checkout: Path, folder: Path, **environ: str) -> Iterator[App]:
    """Run the playground of a checkout and wait for its models."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    with served(folder / "playground.db", port, checkout, **UNLIMITED | environ) as process:
        _until_loaded(port)
        yield App(name, port, process)


def _until_loaded(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S) as reply:
            if {worker["state"] for worker in json.load(reply)["workers"]} == {"ready"}:
                return
        if time.monotonic() > deadline:
            raise RuntimeError("the models did not come up")
        time.sleep(0.1)


def measure_idle(apps: Sequence[App], seconds: float, when: str) -> None:
    """Return the CPU of each unused app, in milliseconds per second."""

    def spent() -> list[tuple[float, float]]:
        return [(cpu_seconds(a.process.pid), sum(map(cpu_seconds, a.workers()))) for a in apps]

    before, began = spent(), time.monotonic()
    time.sleep(seconds)
    lasted_s = time.monotonic() - began
    for app, was, now in zip(apps, before, spent(), strict=True):
        app.figures[f"idle {when}"] = 1000 * (now[0] - was[0]) / lasted_s
        app.figures[f"workers {when}"] = 1000 * (now[1] - was[1]) / lasted_s


def measure_loads(app: App, loads: int, closed_s: float, say: Callable[[str], None]) -> None:
    """Return the memory before and after the loads."""
    app.load(min(WARM_UP, loads))
    time.sleep(closed_s)
    before = app.memory_kb()
    began = time.perf_counter()
    app.load(loads)
    app.figures["ms per load"] = 1000 * (time.perf_counter() - began) / loads
    at_once = app.memory_kb()
    time.sleep(closed_s)
    after = app.memory_kb()
    app.figures |= {"before": before, "after": after, "kept": (after - before) / loads}
    say(f"{app.name}: {before / 1e3:.0f} MB, right after the loads {at_once / 1e3:.0f}, later {after / 1e3:.0f}")


def show(apps: Sequence[App], loads: int) -> None:
    """Print the table."""
    empty = apps[0].figures
    print_row(
        [
            "",
            "MB before",
            f"MB after {loads:,} loads",
            "kept per load, KB",
            "ms per load",
            "idle before, ms of CPU in a second",
            "idle after",
            "by an empty app's",
            "models' processes, idle",
        ]
    )
    print_row(["---"] * 9)
    for app in apps:
        figures = app.figures
        ratios = [figures[f"idle {when}"] / empty[f"idle {when}"] for when in ("before", "after")]
        print_row(
            [
                app.name,
                *(f"{figures[key] / 1e3:.0f}" for key in ("before", "after")),
                f"{figures['kept']:.1f}",
                f"{figures['ms per load']:.0f}",
                *(f"{figures[f'idle {when}']:.2f}" for when in ("before", "after")),
                " / ".join(f"{ratio:.2f}" for ratio in ratios),
                f"{figures['workers after']:.2f}",
            ]
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loads", type=int, default=2000)
    parser.add_argument("--idle-minutes", type=float, default=3.0, help="measured before and after the loads")
    parser.add_argument("--closed-s", type=float, default=CLOSED_S, help="from the last load to the figure")
    parser.add_argument("--checkout", type=Path, action="append", help="a version of the playground (this one)")
    parser.add_argument("--quick", action="store_true", help="one small round, to see that it works")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.loads, chosen.idle_minutes, chosen.closed_s = 20, 0.05, 1.0
    checkouts = [path.resolve() for path in chosen.checkout or [ROOT]]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        apps = [stack.enter_context(empty_app(Path(folder)))]
        for number, checkout in enumerate(checkouts):
            name = "playground" if len(checkouts) == 1 else f"playground in {checkout.name}"
            apps.append(stack.enter_context(playground(name, checkout, Path(folder) / str(number))))
        time.sleep(SETTLE_S)
        measure_idle(apps, 60 * chosen.idle_minutes, "before")
        for app in apps:
            measure_loads(app, chosen.loads, chosen.closed_s, lambda words: print(words, file=sys.stderr, flush=True))
        measure_idle(apps, 60 * chosen.idle_minutes, "after")
        print(machine(1, "gradio"))
        show(apps, chosen.loads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
