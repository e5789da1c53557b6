"""The limit of open files is raised, and a line a minute says that it is reached."""

from __future__ import annotations

import logging
import resource
import subprocess
import sys

import pytest

from playground.clock import Clock
from playground.ui.http.open_files import OUT_OF_FILES, SeldomFilter
from tests.conftest import ROOT, LiveApp
from tests.support.starts import FEW_FILES

RAISED = """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, min(hard, 4096)))
from playground.ui.http.open_files import allow_files
allow_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_limit_of_files_is_raised_to_the_hard_limit() -> None:
    said = subprocess.run([sys.executable, "-c", RAISED], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    soft, hard = said.split()
    assert soft == hard != "64"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells another process's limit")
def test_served_app_has_raised_its_limit(live_app: LiveApp) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > FEW_FILES
    assert resource.prlimit(live_app.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_flood_of_lines_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    at_s = [1000.0]
    log = logging.getLogger("tests.flood")
    seldom = SeldomFilter(OUT_OF_FILES, clock=Clock(monotonic=lambda: at_s[0]))
    log.addFilter(seldom)
    try:
        for at_s[0] in (1000.0, 1000.1, 1059.9, 1060.0, 1060.1):
            log.error("%s\nsocket: <listening>", OUT_OF_FILES)
            log.error("another line")
    finally:
        log.removeFilter(seldom)
    assert [record.getMessage().splitlines()[0] for record in caplog.records].count(OUT_OF_FILES) == 2
    assert [record.getMessage() for record in caplog.records].count("another line") == 5
