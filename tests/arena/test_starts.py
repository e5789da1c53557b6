"""A fault that prevents the start is one line with its cure, and status 1."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from playground.errors import CannotServe
from playground.ui.http.address import bypass_proxy, check_address
from tests.conftest import ROOT, free_port, start_app, stop_app, without_models
from tests.support.starts import ENVIRON, Start, one_line, refusals

LONG = "x" * 200
WITHOUT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-net_bind_service")
"""A command without root's right to pass by file modes, and to take low ports."""


def refused(*flags: str, before: Sequence[str] = (), preexec_fn: Callable[[], None] | None = None) -> str:
    """Return the one line that the program prints while it does not start, in a process of its own."""
    done = subprocess.run(
        [*before, sys.executable, str(ROOT / "app.py"), *flags],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=preexec_fn,
    )
    return one_line(done.returncode, done.stdout, done.stderr)


FAULTS = [
    ("--db", f"{LONG}{LONG}{LONG}.db", "cannot be written to: File name too long"),
    ("--db", f"{LONG}/{LONG}/{LONG}/p.db", "is too long a path for SQLite; name a shorter one with --db"),
    ("--db", "folder", "cannot be read: Is a directory"),
    ("--db", "file/p.db", "cannot be written to: File exists"),
    ("--cards", "none", "is not a folder; name one that holds .toml files"),
    ("--cards", "file", "is not a folder; name one that holds .toml files"),
    ("--cards", LONG * 3, "File name too long"),
    ("--templates", "none", "is not a folder; name one that holds .toml files"),
    ("--models", "./none", "there is no such folder"),
    ("--models", f"./{LONG * 3}", "File name too long"),
    ("--host", "no.such.host.invalid", "there is no host 'no.such.host.invalid'; name an address of this"),
    ("--host", "a b", "there is no host 'a b'"),
    ("--host", "a..b", "there is no host 'a..b'"),
    ("--host", "h" * 300, "there is no host"),
    ("--host", "203.0.113.1", "203.0.113.1 is not an address of this machine; name one of its own with --host"),
    ("--port", "70000", "port is 70000; valid: 1 to 65535"),
]
WRONG = {"FORWARDED_ALLOW_IPS": "nginx", "GRADIO_ROOT_PATH": "play", "PLAYGROUND_PORT": "x"}


def start(folder: Path, flag: str, value: str) -> Start:
    """Return a start whose only fault is one flag."""
    value = f"{folder}/{value}" if flag in ("--db", "--cards", "--templates") else value
    db = () if flag == "--db" else ("--db", str(folder / "p.db"))
    port = () if flag == "--port" else ("--port", str(free_port()))
    return Start((flag, value, *db, *port))


@pytest.mark.slow
def test_wrong_flag_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    printed = refusals([start(tmp_path, flag, value) for flag, value, _ in FAULTS])
    for line, (flag, value, expected) in zip(printed, FAULTS, strict=True):
        assert expected in line, (flag, value)


@pytest.mark.slow
def test_wrong_variable_is_one_line(tmp_path: Path) -> None:
    db, free = ("--db", str(tmp_path / "p.db")), {"PLAYGROUND_PORT": str(free_port())}
    printed = refusals([Start(db, free | {variable: value}) for variable, value in WRONG.items()])
    for line, (variable, value) in zip(printed, WRONG.items(), strict=True):
        assert f"{variable} is {value!r}" in line


def test_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = refused("--db", str(tmp_path / "p.db"), "--port", str(port))
    assert words == (
        f"port {port} of 127.0.0.1 is in use by another program; stop it, or choose another port with --port"
    )
    assert not (tmp_path / "p.db").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="rights cannot be dropped here")
def test_missing_rights_are_one_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    shutil.chown(closed, 1000)
    closed.chmod(0o555)
    port = str(free_port())
    said = refused("--db", str(closed / "p.db"), "--port", port, before=WITHOUT)
    assert said == f"{closed} cannot be written to: Permission denied"
    said = refused("--db", str(tmp_path / "p.db"), "--port", "81", before=WITHOUT)
    assert said == "port 81 needs rights that this user lacks; choose one above 1023 with --port"


@pytest.mark.slow
@pytest.mark.parametrize("files", [24, 64, 255])
def test_too_few_files_are_one_line(tmp_path: Path, files: int) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    words = refused("--db", str(tmp_path / "p.db"), "--port", str(free_port()), preexec_fn=few)
    assert words == (
        f"this process may open {files} files and connections, and the playground needs 256; "
        "allow more before it starts: ulimit -n 4096"
    )


@pytest.mark.slow
def test_system_wide_proxy_does_not_prevent_the_start(tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:9"
    stop_app(start_app(tmp_path, *without_models(tmp_path), forked=False, http_proxy=proxy, HTTP_PROXY=proxy))


@pytest.mark.parametrize("given", [{}, {"HTTPS_PROXY": "http://p"}])
def test_environment_without_a_proxy_is_unchanged(given: dict[str, str]) -> None:
    environ = dict(given)
    bypass_proxy(environ, "127.0.0.1")
    assert environ == given


@pytest.mark.slow
def test_interrupted_start_prints_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "--db", str(tmp_path / "p.db"), "--port", str(free_port())]
    restored = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=restored)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, 0), said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_end_waits_for_no_upload_that_hangs() -> None:
    """The threads of such a pool are joined by an ordinary exit; huggingface_hub uploads large files in them."""
    program = (
        "from concurrent.futures import ThreadPoolExecutor; from threading import Event; import app;"
        "ThreadPoolExecutor(1).submit(Event().wait); print('said'); app.end(3)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "said\n"), done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_an_address_that_is_free_is_left_free(host: str) -> None:
    port = free_port()
    check_address(host, port)
    check_address(host, port)


def test_an_address_of_a_listener_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CannotServe, match="in use by another program"):
            check_address("127.0.0.1", other.getsockname()[1])
