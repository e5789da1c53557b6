"""The address to listen on, tried before anything else is opened, so that what is wrong with it is said in one line.

Boundary: sockets and errors; knows nothing of the page.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import MutableMapping

from playground.errors import CannotServe


def check_address(host: str, port: int) -> None:
    """Listen for a moment.

    Raises:
        CannotServe: nobody can listen there; the message says why and what to do.
    """
    name = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise CannotServe(f"there is no host {host!r}; name an address of this machine with --host") from error
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # elsewhere it would take the address from whoever has it
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
        except OSError as error:
            raise CannotServe(_words(host, port, error)) from error


def pass_by_proxy(environ: MutableMapping[str, str], host: str) -> None:
    """Have requests of this process to itself pass by the proxy in `environ`, if there is one: Gradio makes some."""
    if any(name.lower() in ("http_proxy", "all_proxy") for name in environ):
        for name in ("no_proxy", "NO_PROXY"):
            environ[name] = ",".join(filter(None, (environ.get(name, ""), "localhost,127.0.0.1,::1", host)))


def _words(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use by another program; stop it, or choose another port with --port"
        case errno.EACCES | errno.EPERM:
            return f"port {port} takes rights that this user lacks; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; name one of its own with --host"
        case _:
            return f"nobody can listen at {host}, port {port}: {error.strerror or error}; see --host and --port"
