"""One process that has torch imported and forks the workers of every engine, for tests that are not about that process.

Importing torch and the model code takes seconds, forking a worker a tenth of one. Workers, pipes and messages are the
real ones; how the forking process starts, dies and is replaced is tested in test_engine.py and test_processes.py.

Boundary: implements `Launcher`; knows nothing of models.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from playground.engines.local.launch import ForkLauncher, Launched, worker_environment

PATIENCE_S = 60.0


class SharedForks:
    """Makes launchers, one per engine, that all fork from one process."""

    def __init__(self) -> None:
        self._forks = ForkLauncher(worker_environment(os.environ, threads=1))

    def launcher(self, environ: Mapping[str, str], threads: int, fork: bool | None = None) -> SharedLauncher:
        """Replace `playground.engines.local.launch.launcher`."""
        assert (environ, threads, fork) == (os.environ, 1, None), "this engine needs a forking process of its own"
        return SharedLauncher(self._forks)

    def close(self) -> None:
        self._forks.close()


class SharedLauncher:
    """The workers of one engine."""

    def __init__(self, forks: ForkLauncher) -> None:
        self._forks = forks
        self._launched: list[Launched] = []

    def launch(self) -> Launched:
        self._launched.append(self._forks.launch())
        return self._launched[-1]

    def close(self) -> None:
        for worker in self._launched:
            worker.kill()
        for worker in self._launched:
            worker.exit.result(PATIENCE_S)
