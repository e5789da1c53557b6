"""Launch worker processes, forked from a prepared process or spawned, and learn how they end.

Boundary: web process side; processes and descriptors, no models. A child inherits its pipes and nothing else: no
database, no secrets of the environment.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from playground.engines.local.wire.channel import Channel, pipes

_ROOT = Path(__file__).resolve().parents[3]
_GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class Launched:
    """A worker process that is starting."""

    channel: Channel  # our end
    exit: Future[str]  # done when the process has ended: how, for people
    kill: Callable[[], None]  # harmless when the process has ended


class Launcher(Protocol):
    """Starts workers."""

    def launch(self) -> Launched:
        """Begin to start a worker; returns at once.

        Raises:
            OSError: no descriptors, no memory, no interpreter.
        """

    def close(self) -> None:
        """End everything that was started."""


def launcher(environ: Mapping[str, str], threads: int, fork: bool | None = None) -> Launcher:
    """Return the launcher for this system: forking where that is safe, which is Linux."""
    environment = worker_environment(environ, threads)
    if fork if fork is not None else sys.platform == "linux":
        return ForkLauncher(environment)
    return SpawnLauncher(environment)


def worker_environment(environ: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return `environ` for processes that load models: offline, without tokens, with `threads` threads."""
    private = ("PLAYGROUND_", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    kept = {name: value for name, value in environ.items() if not name.startswith(private)}
    paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "1",  # or loading a .bin online sends repo id and token to a service
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts GPUs, and so the plan
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asking whether there is a GPU must not start CUDA before the fork
        "OPENBLAS_NUM_THREADS": "1",  # numpy would start its threads before the fork
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
    }


def exit_words(code: int) -> str:
    """Describe the end of a process; negative codes are signals."""
    if code >= 0:
        return f"ended with status {code}"
    name = signal.Signals(-code).name
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


class ForkLauncher:
    """Forks workers from a process that has torch imported; it starts with the first worker, and again if it dies."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._server: _Server | None = None

    def launch(self) -> Launched:
        if self._server is None or not self._server.alive:
            self._server = _Server(self._environment)
        return self._server.fork()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


class _Server:
    """One forking process and the socket to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._exits: dict[int, Future[str]] = {}  # of the living workers, by number
        self._numbers = itertools.count(1)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "playground.engines.local.worker.forkserver", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=dict(environment)
            )
        self.alive = True
        self._serving = False  # imports take seconds, in which it reads nothing
        threading.Thread(target=self._listen, name="engine-forkserver", daemon=True).start()

    def fork(self) -> Launched:
        channel, theirs = pipes()
        number, exit = next(self._numbers), Future[str]()
        self._exits[number] = exit
        with contextlib.suppress(OSError):  # the process has died: the listening thread reports every number
            socket.send_fds(self._control, [json.dumps({"fork": number}).encode()], list(theirs))
        for descriptor in theirs:
            os.close(descriptor)
        if not self.alive:  # the listening thread may have reported before this number was there
            self._report(number, "ended with the process that forks workers")
        return Launched(channel, exit, partial(self._kill, number))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_GOODBYE_S if self._serving else 0)
        except subprocess.TimeoutExpired:  # its children, if any, end with their pipes
            self._process.kill()
            self._process.wait()

    def _kill(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"end": number}).encode())

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while packet := self._control.recv(4096):
                report = json.loads(packet)
                if "serving" in report:
                    self._serving = True
                else:
                    self._report(report["exited"], exit_words(report["code"]))
        self.alive = False
        words = f"ended with the process that forks workers, which {exit_words(self._process.wait())}"
        self._control.close()
        for number in sorted(self._exits):
            self._report(number, words)

    def _report(self, number: int, words: str) -> None:
        exit = self._exits.pop(number, None)
        if exit is not None:
            exit.set_result(words)


class SpawnLauncher:
    """Starts each worker as a new process, which imports torch for itself and takes seconds."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []

    def launch(self) -> Launched:
        channel, (read_fd, write_fd) = pipes()
        command = [sys.executable, "-P", "-m", "playground.engines.local.worker.main"]
        process = subprocess.Popen(command, stdin=read_fd, stdout=write_fd, env=dict(self._environment))
        os.close(read_fd)
        os.close(write_fd)
        self._processes.append(process)
        exit = Future[str]()
        wait = threading.Thread(target=lambda: exit.set_result(exit_words(process.wait())), name="engine-wait")
        wait.daemon = True
        wait.start()
        return Launched(channel, exit, process.kill)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
