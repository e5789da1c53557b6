"""Messages of web process and worker are the same after their way through a pipe."""

from __future__ import annotations

from dataclasses import asdict, replace

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel, pipes
from playground.engines.protocol import EngineFacts, Job
from playground.records import ModelCard, SamplingParams
from tests.support.supervised import CARD, FACTS


def test_jobs_cards_and_facts_survive_the_wire() -> None:
    job = Job("r", (1, 2), SamplingParams(do_sample=True, top_p=0.9, top_k=7), 2**62, (2, 0), 30.0)
    other, ours = pipes()
    there = Channel(*ours)
    got: list[messages.Message] = []
    room = {"cuda:1": 5, "cuda:0": 4, "cpu": 3}
    for message in (
        messages.load(replace(CARD, offload=True), 2, room),
        messages.start(job),
        messages.ready(FACTS, 1.5),
    ):
        other.send(message)
        got += there.receive() or []
    assert messages.read(ModelCard, got[0]["card"]) == replace(CARD, offload=True)
    assert list(got[0]["room"].items()) == list(room.items())  # in the order in which they are filled
    assert messages.read(Job, got[1]["job"]) == job
    assert asdict(messages.read(EngineFacts, got[2]["facts"])) == asdict(FACTS)
    other.close_write()
    assert there.receive() is None
