"""A worker lowers its own priority, for the processors and for memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAM = """
import os
from pathlib import Path
from playground.engines.local.worker import priority

before = os.nice(0)
priority.be_nice()
priority.be_the_first_to_end()
print(os.nice(0) - before, Path("/proc/self/oom_score_adj").read_text().strip())
"""


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="reads /proc")
def test_worker_is_nice_and_the_first_to_end() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["10", "500"]
