"""How a worker process comes to be and how its end is learned: forked from a prepared process, or spawned.

Boundary: web process side; processes and descriptors, no models. Children get one pipe or socket and nothing else of
ours: no database, no secrets of the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from playground.engines.local.wire.channel import Channel, pipes

OnExit = Callable[[int, str], None]
"""Called once per worker with its number and how it ended in words, on a thread of the launcher's."""

_ROOT = Path(__file__).resolve().parents[3]
_GOODBYE_S = 2.0


class Launcher(Protocol):
    """Makes workers; each has a number of its own."""

    def launch(self) -> tuple[int, Channel]:
        """Begin to make a worker; returns at once with its number and our end of its channel."""

    def end(self, number: int) -> None:
        """Kill a worker, however it is; harmless when it has ended."""

    def close(self) -> None:
        """End everything that was started."""


def launcher(environ: Mapping[str, str], threads: int, on_exit: OnExit, fork: bool | None = None) -> Launcher:
    """The launcher for this system: forking where that is safe, which is Linux."""
    environment = worker_environment(environ, threads)
    if fork if fork is not None else sys.platform == "linux":
        return ForkLauncher(environment, on_exit)
    return SpawnLauncher(environment, on_exit)


def worker_environment(environ: Mapping[str, str], threads: int) -> dict[str, str]:
    """`environ` for processes that load models: offline, without tokens, with as many threads as they were given."""
    private = ("PLAYGROUND_", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    kept = {name: value for name, value in environ.items() if not name.startswith(private)}
    paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "1",  # or loading a .bin online sends repo id and token to a service
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts, which the plan was made from
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asking whether there is a GPU must not start CUDA before the fork
        "OPENBLAS_NUM_THREADS": "1",  # numpy would start its threads before the fork
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
    }


def exit_words(code: int) -> str:
    """How a process ended, in words; negative codes are signals."""
    if code >= 0:
        return f"ended with status {code}"
    name = signal.Signals(-code).name
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


class ForkLauncher:
    """Workers forked by a process that has torch imported; it starts with the first worker, and again if it dies."""

    def __init__(self, environment: Mapping[str, str], on_exit: OnExit) -> None:
        self._environment = environment
        self._on_exit = on_exit
        self._server: _Server | None = None
        self._next_number = 0

    def launch(self) -> tuple[int, Channel]:
        """See `Launcher`."""
        if self._server is None or not self._server.alive:
            self._server = _Server(self._environment, self._on_exit)
        self._next_number += 1
        channel, theirs = pipes()
        self._server.fork(self._next_number, theirs)
        for descriptor in theirs:
            os.close(descriptor)
        return self._next_number, channel

    def end(self, number: int) -> None:
        """See `Launcher`."""
        if self._server is not None:
            self._server.end(number)

    def close(self) -> None:
        """See `Launcher`."""
        if self._server is not None:
            self._server.close()


class _Server:
    """One forking process and the socket to it."""

    def __init__(self, environment: Mapping[str, str], on_exit: OnExit) -> None:
        self._on_exit = on_exit
        self._lock = threading.Lock()
        self._living: set[int] = set()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "playground.engines.local.worker.forkserver", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=dict(environment)
            )
        self.alive = True
        self._serving = False  # imports take seconds, in which it hears nothing
        threading.Thread(target=self._listen, name="engine-forkserver", daemon=True).start()

    def fork(self, number: int, descriptors: tuple[int, int]) -> None:
        with self._lock:
            self._living.add(number)
        with contextlib.suppress(OSError):  # it has died: the listening thread reports every number
            socket.send_fds(self._control, [json.dumps({"fork": number}).encode()], list(descriptors))

    def end(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"end": number}).encode())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_GOODBYE_S if self._serving else 0)
        except subprocess.TimeoutExpired:  # its children, if any, end with their pipes
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while packet := self._control.recv(4096):
                report = json.loads(packet)
                if "serving" in report:
                    self._serving = True
                else:
                    self._exited(report["exited"], exit_words(report["code"]))
        self.alive = False
        words = f"could not be kept: the process that makes workers {exit_words(self._process.wait())}"
        self._control.close()
        for number in sorted(self._living):
            self._exited(number, words)

    def _exited(self, number: int, words: str) -> None:
        with self._lock:
            self._living.discard(number)
        self._on_exit(number, words)


class SpawnLauncher:
    """Workers that are processes of their own from the start; each imports torch for itself, which takes seconds."""

    def __init__(self, environment: Mapping[str, str], on_exit: OnExit) -> None:
        self._environment = environment
        self._on_exit = on_exit
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def launch(self) -> tuple[int, Channel]:
        """See `Launcher`."""
        number = len(self._processes) + 1
        channel, (read_fd, write_fd) = pipes()
        command = [sys.executable, "-P", "-m", "playground.engines.local.worker.main"]
        process = subprocess.Popen(command, stdin=read_fd, stdout=write_fd, env=dict(self._environment))
        os.close(read_fd)
        os.close(write_fd)
        self._processes[number] = process
        threading.Thread(target=self._wait, args=(number, process), name="engine-wait", daemon=True).start()
        return number, channel

    def end(self, number: int) -> None:
        """See `Launcher`."""
        if number in self._processes:
            self._processes[number].kill()

    def close(self) -> None:
        """See `Launcher`."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _wait(self, number: int, process: subprocess.Popen[bytes]) -> None:
        self._on_exit(number, exit_words(process.wait()))
