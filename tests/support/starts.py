"""Start ``app.py`` many times at the price of one import of Gradio.

``python -m tests.support.starts FD`` runs ``app.main``, or the code of another program, in a fork of itself for each
request of socket FD, and imports before what each of them imports. A forked program differs from one that was started
in its command line, and in that libraries have read the variables of the environment before.

Boundary: Linux; knows nothing of the page. The forking process ends with the one that started it.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GRADIO_ANALYTICS_ENABLED": "False"}
TIMEOUT_S = 120
FEW_FILES = 1024
LARGEST = 1 << 17
"""The most bytes of a request: flags and environment."""


@dataclass(frozen=True)
class Start:
    """The flags and variables of one start."""

    flags: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


class Forked:
    """A forked program, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, status: Callable[[int], int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._ends = select.poll()
        self._descriptor = os.pidfd_open(pid)
        self._ends.register(self._descriptor, select.POLLIN)

    def poll(self) -> int | None:
        """Return the exit status, as negative number the signal, or None while it runs."""
        if self.returncode is None and self._ends.poll(0):
            self.returncode = self._status(self.pid)
            os.close(self._descriptor)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once it has ended.

        Raises:
            subprocess.TimeoutExpired: it is still running.
        """
        if self.returncode is None:
            self._ends.poll(None if timeout is None else timeout * 1000)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired("app.py", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def as_a_shell_starts_it() -> None:
    """Restore Ctrl-C, which a run in the background of a script ignores, and the usual limit of files."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, FEW_FILES), hard))


class Forks:
    """The process that forks programs."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.starts", str(theirs.fileno())],
                cwd=ROOT,
                env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"},
                pass_fds=[theirs.fileno()],
                preexec_fn=as_a_shell_starts_it,
            )

    def start(self, flags: Sequence[str], environ: Mapping[str, str], out: int, err: int, code: str = "") -> Forked:
        """Run ``app.main``, or `code`, with these flags and no other variables; `out` and `err` are descriptors."""
        request = json.dumps({"code": code, "flags": list(flags), "environ": dict(environ)}).encode()
        socket.send_fds(self._control, [request], [out, err])
        return Forked(self._answer(), self._status)

    def _status(self, pid: int) -> int:
        self._control.send(json.dumps({"ended": pid}).encode())
        return self._answer()

    def _answer(self) -> int:
        answer = self._control.recv(LARGEST)
        assert answer, "the process that forks programs has ended"
        return int(answer)


@cache
def forks() -> Forks:
    """Return the forking process of this process."""
    return Forks()


def run_code(code: str, *arguments: str) -> tuple[int, str]:
    """Run ``python -c CODE ARGUMENTS`` in a fork; return its status and output. Its errors are printed here."""
    with tempfile.TemporaryFile() as out:
        program = forks().start(arguments, os.environ, out.fileno(), 2, code)
        try:
            return program.wait(TIMEOUT_S), _text(out.fileno())
        finally:
            program.kill()


def refusals(starts: Sequence[Start]) -> list[str]:
    """Return the one line that each start prints before it ends with status 1."""
    return [_refusal(start) for start in starts]


def _refusal(start: Start) -> str:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        program = forks().start(start.flags, ENVIRON | dict(start.environ), out.fileno(), err.fileno())
        try:
            status = program.wait(TIMEOUT_S)
        finally:
            program.kill()
        printed = [_text(stream.fileno()) for stream in (out, err)]
    return one_line(status, *printed)


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Path(f"/proc/self/fd/{descriptor}").read_text()


def one_line(status: int, stdout: str, stderr: str) -> str:
    """Return the only line of an output, which names the fault and the cure."""
    assert status == 1, (status, stdout, stderr)
    assert len(stderr.splitlines()) == 1, stderr
    assert "Traceback" not in stdout + stderr
    return stderr.strip()


def serve(control: socket.socket) -> Mapping[str, Any] | None:
    """Fork until the socket closes, then return None; in a child, return the request."""
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, LARGEST, 2)
        if not packet:
            return None
        request = json.loads(packet)
        if "ended" in request:
            control.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(request["ended"], 0)[1]))
            continue
        import_storage() if request["code"] else import_app()
        pid = os.fork()
        if pid == 0:
            control.close()
            for descriptor, stream in zip(descriptors, (1, 2), strict=True):
                os.dup2(descriptor, stream)
                os.close(descriptor)
            os.environ.clear()
            os.environ.update(request["environ"])
            return dict(request)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(b"%d" % pid)


@cache
def import_storage() -> None:
    """Import once, for all forks, what the code of tests does."""
    import playground.storage.maintenance.restore  # noqa: F401
    import tests.support.cast  # noqa: F401


@cache
def import_app() -> None:
    """Import once, for all forks, what a start of the app does."""
    gc.disable()  # as app.py does while it imports
    import gradio.routes  # noqa: F401

    import app  # noqa: F401
    import playground.arena.arena
    import playground.ui.site  # noqa: F401

    gc.freeze()
    gc.enable()


def main() -> int:
    """Serve requests until the socket closes; in a child, be the program."""
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return 0
    if not request["code"]:
        import app

        return app.main(request["flags"])
    sys.argv = ["-c", *request["flags"]]
    exec(request["code"], {"__name__": "__main__"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
