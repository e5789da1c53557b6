"""Load one model through every gate and say what was found at each, then end.

Run as ``python -m playground.engines.local.worker.inspection`` with a channel on standard input and output.

Boundary: worker side; the gates themselves are `loading`'s and `golden`'s.
"""

from __future__ import annotations

import os

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel
from playground.engines.local.worker.golden import check_golden
from playground.engines.local.worker.loading import GATES, load
from playground.errors import EngineError
from playground.records import ModelCard

DECODING = "decoding"


class Inspection:
    """Says which gate was passed, and at which one the model failed."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ahead = [*GATES, DECODING]

    def run(self) -> None:
        """Check the model that the first message names."""
        received = self._channel.receive()
        if received is None:
            return
        (request,) = received
        try:
            loaded = load(messages.read(ModelCard, request["card"]), request["threads"], request["room"], self.passed)
            golden = check_golden(loaded, recorded=request["recorded"])
            self.passed(golden.words)
        except EngineError as error:
            self._channel.send(messages.failed_point(self._ahead[0], str(error)))
        else:
            self._channel.send(messages.checked())

    def passed(self, words: str) -> None:
        """The gate that was ahead is passed."""
        self._channel.send(messages.point(self._ahead.pop(0), words))


def main() -> None:
    """Inspect over standard input and output, which nothing else may use from here on."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # a stray print goes to the log
    Inspection(channel).run()


if __name__ == "__main__":
    main()
