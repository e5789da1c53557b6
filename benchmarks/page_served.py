"""Benchmark 4: time from ``python app.py`` until the page is served, against an empty Gradio app.

Run ``python benchmarks/page_served.py [--rounds 5]``. Every variant runs once per round, in turn, so that a busy
machine affects all. Prints wall and CPU seconds (of the serving process alone) and the median of the ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent

EMPTY = """
import gradio as gr
with gr.Blocks() as page:
    gr.Markdown("empty")
page.launch(server_name="127.0.0.1", server_port={port}, quiet=True)
"""
EAGER = "import torch, transformers\nfrom transformers import AutoModelForCausalLM\nimport sys\nsys.argv = {argv!r}\n"
EAGER += "import runpy\nrunpy.run_path('app.py', run_name='__main__')\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(variant: str, port: int, folder: str) -> list[str]:
    app = ["app.py", "--port", str(port), "--db", f"{folder}/playground.db"]
    match variant:
        case "playground":
            return [sys.executable, *app]
        case "empty Gradio app":
            return [sys.executable, "-c", EMPTY.format(port=port)]
        case _:
            return [sys.executable, "-c", EAGER.format(argv=app)]


def serve_once(variant: str) -> tuple[float, float]:
    """Return (wall, CPU) seconds from the start of the process until ``GET /`` returns the page."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"}
        began = time.perf_counter()
        process = subprocess.Popen(
            command(variant, port, folder), cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_page(port, process)
            return time.perf_counter() - began, cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def wait_for_page(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                if b"gradio_config" in page.read():
                    return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"the server ended with status {process.returncode} before it served a page")


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process (Linux only; elsewhere NaN)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    variants = ("empty Gradio app", "playground", "playground, eager imports")
    figures: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for variant in variants:
        serve_once(variant)  # warms the disk cache
    for _ in range(rounds):
        for variant in variants:
            figures[variant].append(serve_once(variant))

    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"gradio {version('gradio')}; {rounds} rounds; load {os.getloadavg()[0]:.1f}"
    )
    print("| variant | wall, median s (range) | CPU, median s | wall, median ratio to empty |")
    print("|---|---|---|---|")
    for variant in variants:
        wall, cpu = zip(*figures[variant], strict=True)
        ratios = [w / e for (w, _), (e, _) in zip(figures[variant], figures["empty Gradio app"], strict=True)]
        print(
            f"| {variant} | {statistics.median(wall):.2f} ({min(wall):.2f}–{max(wall):.2f}) | "
            f"{statistics.median(cpu):.2f} | {statistics.median(ratios):.2f} |"
        )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU of all processes together: {children.ru_utime + children.ru_stime:.0f} s")


if __name__ == "__main__":
    main()
