"""The download of a store: an interrupt ends it at once, also while the hub says nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from playground.publishing.download import download
from playground.publishing.hub import Dataset
from tests.support.hub_server_datasets import STORE, WRITE, DatasetServer, Fault
from tests.support.paths import ROOT
from tests.support.patience import wait_until

PROGRAM = """
import sys
from pathlib import Path
from playground.publishing.download import download
from playground.publishing.hub import Dataset
dataset = Dataset(sys.argv[1], sys.argv[2], sys.argv[3])
download(dataset, "main", dataset.files(), Path(sys.argv[4]))
"""


@pytest.mark.slow
@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_an_interrupt_ends_a_download_from_a_hub_that_hangs(
    hub: DatasetServer, dataset: Dataset, tmp_path: Path
) -> None:
    dataset.commit({f"{number}": b"%d" % number for number in range(20)}, [], "files")
    hub.always["resolve"] = Fault(hang=True)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, STORE, WRITE, hub.url, str(tmp_path / "to")], cwd=ROOT, stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: "resolve" in hub.steps)
        program.send_signal(signal.SIGINT)
        _, printed = program.communicate(timeout=30)  # the hub hangs for longer
    finally:
        program.kill()
        hub.go_on.set()
    assert printed.splitlines()[-1] == b"KeyboardInterrupt"


def test_each_file_is_downloaded_once_and_counted(dataset: Dataset, tmp_path: Path) -> None:
    contents = {f"{number}": b"x" * number for number in range(20)}
    dataset.commit(contents, [], "files")
    wanted = {path: file for path, file in dataset.files().items() if path in contents}
    seen: list[tuple[int, int]] = []
    download(dataset, "main", wanted, tmp_path, lambda done, total: seen.append((done, total)))
    assert {path: (tmp_path / path).read_bytes() for path in wanted} == contents
    assert len(seen) == 20
    assert seen[-1] == (190, 190)
