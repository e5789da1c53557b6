"""Threads that share the interpreter share a processor; what they start may run wherever they might."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors"
)

CHILD = """
import os
from playground.engines.local.cpu_affinity import run_everywhere
before = sorted(os.sched_getaffinity(0))
run_everywhere()
print(before, sorted(os.sched_getaffinity(0)))
"""
PARENT = """
import os, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
from playground.engines.local.cpu_affinity import keep_to_one

def seen():
    return sorted(os.sched_getaffinity(0))

with ThreadPoolExecutor(1) as early:
    early.submit(seen).result()
    keep_to_one()
    print(seen())
    print(early.submit(seen).result())
    def later():
        with ThreadPoolExecutor(1) as made:
            return made.submit(seen).result()
    print(early.submit(later).result())
    child = [sys.executable, "-c", os.environ["CHILD"]]
    print(early.submit(subprocess.check_output, child, text=True).result().strip())
"""


def said(program: str, allowed: set[int]) -> list[str]:
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {allowed}){program}"]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "CHILD": CHILD}
    return subprocess.check_output(command, text=True, env=environ, timeout=120).splitlines()


def test_threads_keep_to_one_and_processes_that_they_start_do_not() -> None:
    allowed = set(sorted(os.sched_getaffinity(0))[:2])
    main, early, later, child = said(PARENT, allowed)
    assert main == str(sorted(allowed)), "whoever is started reads there where it may run"
    assert early == later
    assert len(early.split(",")) == 1
    assert child == f"{early} {sorted(allowed)}"


def test_where_there_is_one_processor_nothing_changes() -> None:
    one = {min(os.sched_getaffinity(0))}
    assert said(PARENT, one) == [str(sorted(one))] * 3 + [f"{sorted(one)} {sorted(one)}"]
