"""Check the address to listen on before anything is opened, so that a problem with it is one line.

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
        CannotServe: the address cannot be used; the message says why and what to do.
    """
    name = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise CannotServe(f"there is no host {host!r}; name an address of this machine with --host") from error
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # on Windows it would take the address from another program
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
        except OSError as error:
            raise CannotServe(_message(host, port, error)) from error


def bypass_proxy(environ: MutableMapping[str, str], host: str) -> None:
    """Send this process's requests to itself past the proxy in `environ`, if there is one: Gradio sends some."""
    if any(name.lower() in ("http_proxy", "all_proxy") for name in environ):
        for name in ("no_proxy", "NO_PROXY"):
            environ[name] = ",".join(filter(None, (environ.get(name, ""), "localhost,127.0.0.1,::1", host)))


def _message(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use by another program; stop it, or choose another port with --port"
        case errno.EACCES | errno.EPERM:
            return f"port {port} needs rights that this user lacks; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine; name one of its own with --host"
        case _:
            return f"cannot listen at {host}, port {port}: {error.strerror or error}; see --host and --port"
