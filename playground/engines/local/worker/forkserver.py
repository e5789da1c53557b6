"""The process that has torch and the model code imported and forks a worker whenever it is asked to.

Started as ``python -m playground.engines.local.worker.forkserver FD``, where FD is a Unix packet socket.
It is asked ``{"fork": n}`` with two descriptors (the worker's end of its channel) and ``{"end": n}``; it says
``{"serving": true}`` once it listens, then ``{"exited": n, "code": status}``. When the socket closes, it ends every
worker and itself.

Boundary: imports, forks, reaps, and nothing else: no tensor may be made here, because a child forked after a single
tensor operation hangs at its first one, and no GPU may be touched before the fork. Linux only.
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

# What loading a checkpoint of the known architectures would import lazily: done once here, shared by every child.
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
    """Serve forks until the socket closes; in a child, be the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the web process decides when to end
    control = socket.socket(fileno=int(sys.argv[1]))
    preload()
    gc.collect()
    gc.freeze()  # the collector leaves what is shared with the children untouched, so it stays shared
    channel = ForkServer(control).serve()
    if channel is None:
        os._exit(0)  # nothing here needs to be written or given back
    from playground.engines.local.worker.main import run  # preloaded above; here for the name only

    run(channel)


def preload() -> None:
    """Import the model code, and have transformers compile its hundreds of key patterns once instead of per worker."""
    for name in _PRELOAD:
        importlib.import_module(name)
    with contextlib.suppress(ImportError):  # not part of its public interface; without it every load takes 0.1 s more
        from transformers.conversion_mapping import get_checkpoint_conversion_mapping

        get_checkpoint_conversion_mapping("llama")


class ForkServer:
    """Children by number, and the loop that makes and reaps them."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pids: dict[int, int] = {}  # worker number -> process id
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def serve(self) -> Channel | None:
        """The channel of the worker to be, in a child; None in the parent, after the end of everything."""
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
        """True in the child."""
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
        """Keep nothing of the parent's: its socket must close with it, its signals are not ours."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(0)

    def _kill(self, number: int) -> None:
        if number in self._pids:
            os.kill(self._pids[number], signal.SIGKILL)

    def _reap(self) -> None:
        """Collect every child that has ended and say so."""
        for number, pid in list(self._pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._pids[number]
                self._report({"exited": number, "code": os.waitstatus_to_exitcode(status)})

    def _report(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the web process is gone: the end of its socket is read next
            self._control.send(json.dumps(message).encode())

    def _end_all(self) -> None:
        for number in self._pids:
            self._kill(number)
        for pid in self._pids.values():
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
