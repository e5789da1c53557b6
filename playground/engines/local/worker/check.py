"""Load one model, report each check as it is passed, then end.

Run as ``python -m playground.engines.local.worker.check`` with a channel on standard input and output.

Boundary: the checks themselves are in `loading` and `decoding.self_check`.
"""

from __future__ import annotations

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel
from playground.engines.local.worker.decoding.self_check import run_self_check
from playground.engines.local.worker.loading.model import CHECKS, load
from playground.engines.local.worker.main import standard_channel
from playground.errors import EngineError
from playground.records import ModelCard

DECODING = "decoding"


def check(channel: Channel) -> None:
    """Check the model of the first message; the report ends with the check that failed, or with ``checked``."""
    received = channel.receive()
    if received is None:
        return
    (request,) = received
    pending = [*CHECKS, DECODING]

    def report(summary: str) -> None:
        channel.send(messages.point(pending.pop(0), summary))

    try:
        loaded = load(messages.read(ModelCard, request["card"]), request["threads"], request["room"], report)
        report(run_self_check(loaded, recorded=request["recorded"]).summary)
    except EngineError as error:
        channel.send(messages.failed_point(pending[0], str(error)))
    else:
        channel.send(messages.checked())


if __name__ == "__main__":
    check(standard_channel())
