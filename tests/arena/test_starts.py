"""A failed start prints one line and exits with status 1."""

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
from playground.ui.http.address import check_address, pass_by_proxy
from tests.conftest import ROOT, free_port, start_app, stop_app

LONG = "x" * 200
WITHOUT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-net_bind_service")
"""A command without root's right to pass by file modes, and to take low ports."""


def refused(
    *flags: str, before: Sequence[str] = (), preexec_fn: Callable[[], None] | None = None, **environ: str
) -> str:
    """Return the line that the program prints when it does not start."""
    command = [*before, sys.executable, str(ROOT / "app.py"), *flags]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GRADIO_ANALYTICS_ENABLED": "False", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=preexec_fn,
    )
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--db", f"{LONG}{LONG}{LONG}.db"], "cannot be written to: File name too long"),
        (["--db", f"{LONG}/{LONG}/{LONG}/p.db"], "is too long a path for SQLite; name a shorter one with --db"),
        (["--db", "folder"], "cannot be read: Is a directory"),
        (["--db", "file/p.db"], "cannot be written to: File exists"),
        (["--cards", "none"], "is not a folder; name one that holds .toml files"),
        (["--cards", "file"], "is not a folder; name one that holds .toml files"),
        (["--cards", LONG * 3], "File name too long"),
        (["--templates", "none"], "is not a folder; name one that holds .toml files"),
        (["--models", "./none"], "there is no such folder"),
        (["--models", f"./{LONG * 3}"], "File name too long"),
        (["--host", "no.such.host.invalid"], "there is no host 'no.such.host.invalid'; name an address of this"),
        (["--host", "a b"], "there is no host 'a b'"),
        (["--host", "a..b"], "there is no host 'a..b'"),
        (["--host", "h" * 300], "there is no host"),
        (["--host", "203.0.113.1"], "203.0.113.1 is no address of this machine; name one of its own with --host"),
        (["--port", "70000"], "port is 70000; valid: 1 to 65535"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_invalid_setting_is_one_line_on_stderr(tmp_path: Path, flags: list[str], words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    paths = {"--db", "--cards", "--templates"}
    value = f"{tmp_path}/{flags[1]}" if flags[0] in paths else flags[1]
    where = [] if flags[0] == "--db" else ["--db", str(tmp_path / "p.db")]
    port = [] if flags[0] == "--port" else ["--port", str(free_port())]
    assert words in refused(flags[0], value, *where, *port)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = refused("--db", str(tmp_path / "p.db"), "--port", str(port))
    assert words == (
        f"port {port} of 127.0.0.1 is in use by another program; stop it, or choose another port with --port"
    )
    assert not (tmp_path / "p.db").exists()


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
    assert said == "port 81 takes rights that this user lacks; choose one above 1023 with --port"


@pytest.mark.parametrize("files", [24, 64, 255])
def test_too_few_files_are_one_line_and_the_cure(tmp_path: Path, files: int) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    words = refused("--db", str(tmp_path / "p.db"), "--port", str(free_port()), preexec_fn=few)
    assert words == (
        f"this process may open {files} files and connections, and the playground needs 256; "
        "allow more before it starts: ulimit -n 4096"
    )


@pytest.mark.parametrize(
    ("variable", "value"), [("FORWARDED_ALLOW_IPS", "nginx"), ("GRADIO_ROOT_PATH", "play"), ("PLAYGROUND_PORT", "x")]
)
def test_a_wrong_variable_is_one_line(tmp_path: Path, variable: str, value: str) -> None:
    assert f"{variable} is {value!r}" in refused("--db", str(tmp_path / "p.db"), **{variable: value})


def test_app_starts_with_an_http_proxy_in_the_environment(tmp_path: Path) -> None:
    stop_app(start_app(tmp_path, http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9"))


@pytest.mark.parametrize("given", [{}, {"HTTPS_PROXY": "http://p"}])
def test_without_a_proxy_nothing_is_set(given: dict[str, str]) -> None:
    environ = dict(given)
    pass_by_proxy(environ, "127.0.0.1")
    assert environ == given


def test_an_interrupted_start_ends_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "--db", str(tmp_path / "p.db"), "--port", str(free_port())]
    restored = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=restored)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, 0), said
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_check_leaves_a_free_address_free(host: str) -> None:
    port = free_port()
    check_address(host, port)
    check_address(host, port)


def test_an_address_of_a_listener_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CannotServe, match="in use by another program"):
            check_address("127.0.0.1", other.getsockname()[1])
