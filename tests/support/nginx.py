"""Run Debian's nginx as a plain process, with the servers of a guide or a test.

Boundary: configuration and a process; knows nothing of the servers behind it.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import wait_until

NGINX = "/usr/sbin/nginx"
PARTS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def blocks(guide: str) -> list[str]:
    """Return the nginx blocks of a guide."""
    return re.findall(r"```nginx\n(.*?)```", guide, re.DOTALL)


def here(block: str, port: int, upstream: str, certificate: Path) -> str:
    """Return a block of the guide with this machine's ports and certificate, otherwise unchanged."""
    block = re.sub(r"listen \d+", f"listen {port}", block)
    block = re.sub(r"(?<=ssl_certificate )\S+(?=;)", str(certificate.with_suffix(".pem")), block)
    block = re.sub(r"(?<=ssl_certificate_key )\S+(?=;)", str(certificate.with_suffix(".key")), block)
    return block.replace("127.0.0.1:7860", upstream)


def self_signed(folder: Path) -> Path:
    """Make a certificate and key for localhost; return their path without an ending."""
    at = folder / "localhost"
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", str(at.with_suffix(".key")), "-out", str(at.with_suffix(".pem"))]
    subprocess.run(["openssl", *made.split(), *files], check=True, capture_output=True)
    return at


@contextmanager
def nginx(folder: Path, *servers: str) -> Iterator[None]:
    """Serve for the duration."""
    places = "\n".join(f"{part}_temp_path {folder}/{part};" for part in PARTS)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{places}\n{''.join(servers)}\n}}\n"
    )
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        for port in re.findall(r"listen (\d+)", "".join(servers)):
            wait_until(lambda port=port: _listens(int(port)))
        yield
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
