"""Start ``app.py`` many times at the price of one import of Gradio.

``python -m tests.support.starts`` reads a JSON list of cases from standard input and runs ``app.main`` for each of them
in a fork of a process that has imported everything. It prints a JSON list of {status, stdout, stderr}.

Boundary: for starts that fail; a start that serves a page needs a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GRADIO_ANALYTICS_ENABLED": "False"}
TIMEOUT_S = 120


@dataclass(frozen=True)
class Start:
    """The flags and variables of one start."""

    flags: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def refusals(starts: Sequence[Start]) -> list[str]:
    """Return the one line that each start prints before it ends with status 1."""
    cases = [{"flags": list(start.flags), "environ": ENVIRON | dict(start.environ)} for start in starts]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.starts"],
        cwd=ROOT,
        env=ENVIRON,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return [one_line(**result) for result in json.loads(done.stdout)]


def one_line(status: int, stdout: str, stderr: str) -> str:
    """Return the only line of an output, which names the fault and the cure."""
    assert status == 1, (status, stdout, stderr)
    assert len(stderr.splitlines()) == 1, stderr
    assert "Traceback" not in stdout + stderr
    return stderr.strip()


def _run(case: Mapping[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        pid = os.fork()
        if pid == 0:
            _be_the_program(case, out, err)
        _, ended = os.waitpid(pid, 0)
        return {"status": os.waitstatus_to_exitcode(ended), "stdout": out.read_text(), "stderr": err.read_text()}


def _be_the_program(case: Mapping[str, Any], out: Path, err: Path) -> None:
    import app

    status = 70
    try:
        for path, stream in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
        os.environ.clear()
        os.environ.update(case["environ"])
        status = app.main(case["flags"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - whatever it is, it is what the program would print
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Run every case of standard input."""
    import playground.arena.arena
    import playground.ui.site  # noqa: F401 - imported once, for all forks

    print(json.dumps([_run(case) for case in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
