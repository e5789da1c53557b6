"""Import torch and the model code once, and fork workers on request.

Started as ``python -m playground.engines.local.worker.forkserver FD``, where FD is a Unix packet socket. Requests are
``{"fork": n}`` with two descriptors (the worker's end of its channel) and ``{"end": n}``. Replies are
``{"serving": true}`` once it listens, and ``{"exited": n, "code": status}``. When the socket closes, it kills every
worker and ends.

Boundary: imports, forks, reaps, and nothing else. It must not run a tensor operation (a child forked after one hangs
at its first own) nor touch a GPU. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys

from playground.engines.local.wire.channel import Channel, Message

# Modules that loading a checkpoint would import lazily; imported here, their memory is shared by every child.
_PRELOAD = (
    "playground.engines.local.worker.main",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "transformers.models.mpt.modeling_mpt",
    "transformers.models.opt.modeling_opt",
    "transformers.generation.utils",
    "safetensors.torch",
)

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve requests until the socket closes; in a child, run the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the web process handles Ctrl-C
    control = socket.socket(fileno=int(sys.argv[1]))
    preload()
    gc.collect()
    gc.freeze()  # a collection in a child would write to shared pages, which copies them
    channel = ForkServer(control).serve()
    if channel is None:
        os._exit(0)  # there is nothing to flush or to release
    from playground.engines.local.worker.main import run  # imported by `preload`

    run(channel)


def preload() -> None:
    """Import the model code and compile transformers' key patterns, once instead of per worker."""
    for name in _PRELOAD:
        importlib.import_module(name)
    with contextlib.suppress(ImportError):  # not a public function; without it every load takes 0.1 s longer
        from transformers.conversion_mapping import get_checkpoint_conversion_mapping

        get_checkpoint_conversion_mapping("llama")


class ForkServer:
    """Fork and reap children, each with a number."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pids: dict[int, int] = {}  # worker number -> process id
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def serve(self) -> Channel | None:
        """Serve until the socket closes, then return None; in a child, return the worker's channel."""
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._report({"serving": True})
        while True:
            control_fd = self._control.fileno()
            readable, _, _ = select.select([control_fd, self._wake_read], [], [])
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
            self._reap()
            if control_fd not in readable:
                continue
            packet, descriptors, _, _ = socket.recv_fds(self._control, 4096, 2)
            if not packet:
                self._end_all()
                return None
            request = json.loads(packet)
            if "fork" in request:
                read_fd, write_fd = descriptors
                if self._fork(request["fork"], descriptors):
                    return Channel(read_fd, write_fd)
            else:
                self._kill(request["end"])

    def _fork(self, number: int, descriptors: list[int]) -> bool:
        """Fork a worker; return True in the child."""
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(parent)
            return True
        self._pids[number] = pid
        for descriptor in descriptors:
            os.close(descriptor)
        return False

    def _become_child(self, parent: int) -> None:
        """Close the parent's descriptors and reset its signal handlers, and end with it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before prctl
            os._exit(0)

    def _kill(self, number: int) -> None:
        if number in self._pids:
            os.kill(self._pids[number], signal.SIGKILL)

    def _reap(self) -> None:
        """Reap every child that has ended and report its status."""
        for number, pid in list(self._pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._pids[number]
                self._report({"exited": number, "code": os.waitstatus_to_exitcode(status)})

    def _report(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the web process has ended; `serve` reads that next
            self._control.send(json.dumps(message).encode())

    def _end_all(self) -> None:
        for number in self._pids:
            self._kill(number)
        for pid in self._pids.values():
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
