"""A built Space, started as the hub starts one: user id 1000, a HOME that cannot be written, nothing but its folder.

Boundary: Linux, as root, who alone can become another user; the hub itself, and Python 3.12, are not here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from playground.catalog.catalog import Catalog
from playground.settings import Settings
from playground.spaces.build import Options, build_space
from playground.spaces.recipe import CPU, read_recipe
from tests.conftest import PATIENCE_S, as_a_shell_starts_it, free_port
from tests.support.processes import family

USER = 1000
SPACE_ID = "ada/playground"


@dataclass
class HostedSpace:
    """The folder of a Space, its port, and its process while it runs."""

    folder: Path
    environ: Mapping[str, str]
    program: str = "app.py"
    patience_s: float = PATIENCE_S  # for a start
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self) -> None:
        """Start ``python app.py`` in the folder and wait until it serves its page."""
        python, libraries = python_of_everybody()
        given = {"PATH": "/usr/bin:/bin", "HOME": "/root", "SYSTEM": "spaces", "SPACE_ID": SPACE_ID}
        own = {"SPACE_AUTHOR_NAME": "ada", "GRADIO_SERVER_PORT": str(self.port)}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [python, self.program],
                cwd=self.folder,
                env={**given, **own, **libraries, **self.environ},
                stdout=out,
                stderr=out,
                user=USER,
                group=USER,
                extra_groups=[],
                preexec_fn=as_a_shell_starts_it,
            )
        deadline = time.monotonic() + self.patience_s
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill the program and its workers at once, as the hub does with a container."""
        if self.process is None:
            return
        pids = [self.process.pid, *family(self.process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def empty_disk(self) -> None:
        """Delete what the program wrote, as a restart on the hub does."""
        rmtree(self.folder / "data")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def python_of_everybody() -> tuple[str, dict[str, str]]:
    """Return a Python that another user may run, and the variables with which it has this one's packages.

    The home folder of root, where this Python may be, is closed to others; the system's is not.
    """
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    for python, libraries in ((sys.executable, {}), (system, packages)):
        try:
            subprocess.run([python, "-c", ""], user=USER, group=USER, extra_groups=[], check=True)
        except OSError:
            continue
        return python, libraries
    raise RuntimeError(f"neither {sys.executable} nor {system} can be run by user {USER}")


@contextmanager
def hosted_space(
    kind: str = CPU, program: str = "app.py", patience_s: float = PATIENCE_S, **environ: str
) -> Iterator[HostedSpace]:
    """Build a Space from this checkout and start it; everything is deleted afterwards.

    Args:
        program: the script that is run in its folder.
        patience_s: the longest time of a start.
    """
    above = Path(tempfile.mkdtemp(prefix="space-"))  # pytest's own folders are closed to other users
    above.chmod(0o755)
    settings = Settings()
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    space = HostedSpace(above / "app", environ, program, patience_s)
    try:
        build_space(space.folder, read_recipe(kind, (), catalog), catalog, Options(SPACE_ID))
        for path in (space.folder, *space.folder.rglob("*")):
            os.chown(path, USER, USER)
        space.start()
        yield space
    finally:
        space.kill()
        rmtree(above)
