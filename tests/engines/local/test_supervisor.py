"""The supervisor of one model, cell by cell of its table; its workers and its clock are scripted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, replace
from itertools import count

import pytest

from playground.engines.local.launch import Launched
from playground.engines.local.process import Process
from playground.engines.local.supervisor import Limits, Supervisor
from playground.engines.local.table import TABLE, State
from playground.engines.local.table import Event as Happening
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel, pipes
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Queued, Started, Tokens
from playground.records import FinishReason, ModelCard, SamplingParams

FACTS = EngineFacts("local", "cpu", "float32", "local", {"torch": "2"})
LIMITS = Limits(stall_s=10.0, load_s=100.0, exit_s=30.0, backoff_s=(1.0, 2.0, 4.0))
CARD = ModelCard(
    "m",
    "Model M",
    "/m",
    "local",
    "CC0-1.0",
    "LlamaForCausalLM",
    64,
    "float32",
    "plain",
    SamplingParams(),
    "ours",
    num_parameters=10,
    size_bytes=1000,
)


class SilentLauncher:
    """Makes channels that nobody listens to; the test speaks for the workers."""

    def __init__(self) -> None:
        self.killed: list[int] = []  # numbers of workers, from 1
        self.error: OSError | None = None
        self._numbers = count(1)

    def launch(self) -> Launched:
        if self.error is not None:
            raise self.error
        number = next(self._numbers)
        channel, self.theirs = pipes()
        return Launched(channel, Future(), lambda: self.killed.append(number))

    def sent(self, count: int) -> list[bytes]:
        """The first `count` lines that the last worker was sent: a thread of the link's own writes them."""
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self.theirs[0], 1 << 16)
        return data.splitlines()

    def close(self) -> None: ...


class Scene:
    """One supervisor, its events and its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.launcher = SilentLauncher()
        self.events: list[Event] = []
        self.model = Supervisor(CARD, 1, self.launcher, lambda task: None, LIMITS, clock=lambda: self.now)

    @property
    def state(self) -> State:
        return self.model.state

    @property
    def process(self) -> Process:
        assert self.model.process is not None
        return self.model.process

    def ask(self, row: str) -> None:
        self.model.accept(Job(row, (1, 1, 1), SamplingParams(), 0, (), 60.0), self.events.append)

    def up(self, max_rows: int = 1) -> None:
        """Launch when it wants to, and become ready."""
        assert self.model.wants_launch
        self.model.launch()
        self.say(messages.ready(FACTS, 0.5, max_rows=max_rows))

    def begin(self, row: str) -> None:
        """Take a row and start it."""
        self.ask(row)
        self.say(messages.started(row))

    def say(self, message: messages.Message) -> None:
        self.model.on_messages(self.process, [message])

    def exit(self, words: str = "was killed by SIGKILL") -> None:
        self.model.on_exit(self.process, words)

    def die(self, words: str = "was killed by SIGKILL") -> None:
        self.model.on_gone(self.process)
        self.exit(words)

    def unload(self) -> None:
        self.model.unload(FinishReason.ERROR, "Model M was unloaded")

    def of(self, row: str) -> list[Event]:
        return [event for event in self.events if event.row == row]

    @property
    def records(self) -> bool:
        """The last worker was told that steps may be recorded."""
        return bool(json.loads(self.launcher.sent(1)[0])["recorded"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -- the table --------------------------------------------------------------------------------------------------------


def reach(scene: Scene, state: State) -> None:
    """Bring a new model into a state, by the shortest way."""
    if state in (State.LOADING, State.FAILED):
        scene.model.launch()
    if state in (State.READY, State.DRAINING, State.LOST, State.ASLEEP):
        scene.up()
    last: dict[State, Callable[[], object]] = {
        State.OFF: scene.unload,
        State.ASLEEP: scene.model.sleep,
        State.DRAINING: lambda: scene.model.handle(Happening.DRAIN),
        State.LOST: lambda: scene.model.on_gone(scene.process),
        State.FAILED: lambda: scene.say(messages.failed("no such folder")),
    }
    last.get(state, lambda: None)()
    assert scene.state is state


CALLS: dict[Happening, Callable[[Scene], object]] = {
    Happening.JOB: lambda scene: scene.ask("new"),
    Happening.OPEN: lambda scene: scene.model.open(CARD),
    Happening.UNLOAD: Scene.unload,
    Happening.LOADED: lambda scene: scene.model.process and scene.say(messages.ready(FACTS, 0.5)),
    Happening.LOSE: lambda scene: scene.model.process and scene.model.on_gone(scene.process),
    Happening.EXIT: lambda scene: scene.model.process and scene.exit(),
    Happening.SLEEP: lambda scene: scene.model.sleep(),
}
"""Events with a method of their own; the others are handed to `handle`."""


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Happening)
def test_every_cell_of_the_table(scene: Scene, event: Happening, state: State) -> None:
    reach(scene, state)
    launched, killed = scene.model.process, len(scene.launcher.killed)
    to = TABLE[event][state]
    CALLS.get(event, lambda scene: scene.model.handle(event, "words"))(scene)
    assert scene.state is (to or state)

    ends_worker = state.has_worker and not scene.state.has_worker
    assert len(scene.launcher.killed) == killed + ends_worker
    if launched is not None and (ends_worker or state is State.LOST):
        assert launched.is_gone is (event is Happening.EXIT), "its memory is free when its exit is reported"
    if event is Happening.JOB:
        assert len(scene.model.rows) == (to is not None)
        scene.model.unload(FinishReason.CANCELLED)
        assert sum(isinstance(heard, Ended) for heard in scene.of("new")) == 1


# -- rows -------------------------------------------------------------------------------------------------------------


def test_early_rows_are_sent_when_the_model_is_ready(scene: Scene) -> None:
    scene.ask("a")
    scene.ask("b")
    scene.up()
    scene.say(messages.started("a"))
    scene.say(messages.tokens("a", [4, 5]))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("a")[0] == Queued("a", 0, "loading")
    assert scene.of("a")[-3:] == [Started("a", FACTS), Tokens("a", (4, 5)), Ended("a", FinishReason.STOP)]
    assert scene.of("b") == [Queued("b", 1, "loading"), Queued("b", 1), Queued("b", 0)]
    kinds = [json.loads(line)["kind"] for line in scene.launcher.sent(3)]
    assert kinds == ["load", "start", "start"]


def test_before_counts_the_running_row_and_follows_the_queue(scene: Scene) -> None:
    scene.up()
    scene.begin("a")
    scene.ask("b")
    scene.ask("c")
    scene.say(messages.ended("b", FinishReason.CANCELLED))
    assert scene.of("c") == [Queued("c", 2), Queued("c", 1)]
    status = scene.model.status()
    assert (status.state, status.running, status.waiting, status.eta_s) == ("ready", 1, 1, None)


def test_rows_that_are_written_together_do_not_wait_for_each_other(scene: Scene) -> None:
    scene.up(max_rows=2)
    for row in "abcd":
        scene.ask(row)
    assert [scene.of(row) for row in "abcd"] == [[], [], [Queued("c", 1)], [Queued("d", 2)]]
    scene.say(messages.started("a"))
    scene.say(messages.started("b"))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("c")[-1] == Queued("c", 0)
    assert scene.of("d")[-1] == Queued("d", 1)


def test_cancel_while_loading_ends_the_row_at_once(scene: Scene) -> None:
    scene.ask("a")
    scene.model.rows.cancel("a")
    scene.model.rows.cancel("a")
    assert scene.of("a")[-1] == Ended("a", FinishReason.CANCELLED)


def test_cancel_that_a_dying_worker_did_not_read_still_ends_the_row(scene: Scene) -> None:
    scene.up()
    scene.begin("begun")
    scene.ask("waiting")
    scene.model.rows.cancel("begun")
    scene.model.rows.cancel("waiting")
    scene.die()
    ends = {event.row: event.finish_reason for event in scene.events if isinstance(event, Ended)}
    assert ends == {"begun": FinishReason.CANCELLED, "waiting": FinishReason.CANCELLED}


def test_resume_starts_the_rows_that_waited_while_draining(scene: Scene) -> None:
    scene.up(max_rows=4)
    scene.model.handle(Happening.DRAIN)
    scene.ask("a")
    assert scene.model.rows.are_unsent
    assert scene.model.status().state == "ready"
    scene.model.handle(Happening.RESUME)
    assert not scene.model.rows.are_unsent
    assert [json.loads(line)["kind"] for line in scene.launcher.sent(2)] == ["load", "start"]


def test_note_of_a_ready_model_is_its_detail(scene: Scene) -> None:
    scene.model.launch()
    scene.say(messages.ready(FACTS, 0.5, note="answers one visitor at a time"))
    assert scene.model.status().detail == "answers one visitor at a time"


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
    assert messages.read_card(got[0]) == replace(CARD, offload=True)
    assert list(got[0]["room"].items()) == list(room.items())  # in the order in which they are filled
    assert messages.read_job(got[1]) == job
    assert asdict(messages.read_facts(got[2])) == asdict(FACTS)
    other.close_write()
    assert there.receive() is None


# -- deaths and restarts ----------------------------------------------------------------------------------------------


@pytest.mark.proves("worker killed, crashed, hung")
def test_death_fails_started_rows_and_keeps_waiting_ones(scene: Scene) -> None:
    scene.up()
    scene.begin("begun")
    scene.ask("waiting")
    scene.die()
    (ended,) = [event for event in scene.events if isinstance(event, Ended)]
    assert (ended.row, ended.finish_reason) == ("begun", FinishReason.ERROR)
    assert scene.of("waiting")[-1] == Queued("waiting", 0, "loading")
    assert scene.model.status().detail == "its process was killed by SIGKILL; it is being started again"
    scene.now = 1.0
    scene.up()
    scene.say(messages.started("waiting"))
    scene.say(messages.ended("waiting", FinishReason.LENGTH))
    assert isinstance(scene.of("waiting")[-1], Ended)


def test_death_while_loading_stops_recording_until_the_model_is_unloaded(scene: Scene) -> None:
    scene.model.launch()
    assert scene.records
    scene.die()
    scene.now = 1.0
    scene.up()
    assert not scene.records
    scene.begin("a")
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.model.sleep()
    scene.exit("ended with status 0")
    scene.ask("b")
    scene.up()
    assert not scene.records, "it would die at every other loading"
    scene.unload()
    scene.exit("ended with status 0")
    scene.ask("c")
    scene.up()
    assert scene.records


def test_second_death_while_answering_stops_recording(scene: Scene) -> None:
    for recorded in (True, True, False):
        scene.up()
        assert scene.records is recorded
        scene.die()
        scene.now += 10.0


def test_restart_delays_grow_until_an_answer_is_finished(scene: Scene) -> None:
    scene.up()

    def delay() -> float:
        begun = scene.now
        while not scene.model.wants_launch:
            scene.now += 0.5
        return scene.now - begun

    delays = []
    for _ in range(5):
        scene.die()
        delays.append(delay())
        scene.up()
    assert delays == [1.0, 2.0, 4.0, 4.0, 4.0]
    scene.begin("a")
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.die()
    assert delay() == 1.0


def test_repeated_deaths_while_loading_fail_the_model(scene: Scene) -> None:
    scene.ask("a")
    for _ in range(4):
        scene.now += 10.0
        scene.model.launch()
        scene.die("ended with status 1")
    words = "Model M could not be loaded: its process ended with status 1, 4 times"
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, words)
    assert (scene.state, scene.model.status().detail) == (State.FAILED, words)
    assert not scene.model.wants_launch
    scene.model.open(CARD)
    assert scene.model.wants_launch


def test_launch_error_is_a_failed_load(scene: Scene) -> None:
    scene.launcher.error = OSError(24, "Too many open files")
    scene.model.launch()
    assert scene.model.status().state == "queued"
    assert "Too many open files" in scene.model.status().detail
    assert not scene.model.wants_launch
    for _ in LIMITS.backoff_s:
        scene.now += 10.0
        scene.model.launch()
    assert scene.state is State.FAILED


def test_refusal_after_the_exit_is_still_read(scene: Scene) -> None:
    scene.ask("a")
    scene.model.launch()
    scene.exit("ended with status 0")
    scene.say(messages.failed("Model M: there is no folder /m"))
    scene.model.on_gone(scene.process)
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, "Model M: there is no folder /m")
    assert scene.state is State.FAILED


def test_messages_of_an_earlier_worker_are_ignored(scene: Scene) -> None:
    scene.up()
    earlier = scene.process
    scene.die()
    scene.now = 5.0
    scene.up()
    scene.ask("a")
    scene.model.on_messages(earlier, [messages.ended("a", FinishReason.STOP)])
    scene.model.on_gone(earlier)
    assert scene.model.status().waiting == 1
    assert scene.state is State.READY


@pytest.mark.parametrize(("silence_s", "is_hung"), [(9.0, False), (11.0, True)])
def test_silence_is_a_hang_only_while_a_row_is_there(scene: Scene, silence_s: float, is_hung: bool) -> None:
    scene.up()
    scene.now = 1000.0
    scene.model.check()
    assert scene.state is State.READY
    scene.begin("a")
    scene.now += silence_s
    scene.model.check()
    assert scene.launcher.killed == ([1] if is_hung else [])
    assert (scene.state is State.LOST) is is_hung


def test_loading_for_too_long_is_ended(scene: Scene) -> None:
    scene.model.launch()
    scene.now = 101.0
    scene.model.check()
    assert scene.launcher.killed == [1]


def test_hung_worker_cannot_start_another_row(scene: Scene) -> None:
    scene.up()
    scene.ask("a")
    scene.ask("b")
    scene.say(messages.started("a"))
    scene.now = 11.0
    scene.model.check()
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.say(messages.started("b"))
    scene.say(messages.tokens("b", [7]))
    assert isinstance(scene.of("b")[-1], Queued)
    assert "stopped answering" in (scene.of("a")[-1].error or "")  # type: ignore[union-attr]


def test_killed_process_is_not_reported_as_out_of_memory(scene: Scene) -> None:
    for _ in range(len(LIMITS.backoff_s) + 1):
        scene.model.launch()
        scene.now += LIMITS.load_s + 1
        scene.model.check()
        scene.exit("was killed by SIGKILL (out of memory?)")
        scene.now += LIMITS.backoff_s[-1]
    assert scene.model.status().detail == (
        "Model M could not be loaded: its process did not finish loading in 100 s, 4 times"
    )


# -- memory -----------------------------------------------------------------------------------------------------------


def test_unload_ends_the_rows_and_the_process(scene: Scene) -> None:
    scene.up()
    scene.begin("a")
    scene.unload()
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, "Model M was unloaded")
    assert scene.launcher.killed == [1]
    assert (scene.state, scene.model.wants_launch) == (State.OFF, False)
    scene.die()
    assert scene.state is State.OFF


def test_job_loads_an_unloaded_model_once_its_memory_is_free(scene: Scene) -> None:
    scene.up()
    scene.unload()
    scene.ask("a")
    assert scene.state is State.QUEUED
    assert not scene.model.wants_launch  # its old process is still there
    scene.die()
    scene.up()
    scene.say(messages.started("a"))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("a")[-1] == Ended("a", FinishReason.STOP)
    assert scene.model.status().detail == ""


@pytest.mark.parametrize("is_lost", [True, False])
def test_process_that_does_not_exit_delays_its_successor_for_a_limited_time(scene: Scene, is_lost: bool) -> None:
    scene.up()
    if is_lost:
        scene.model.on_gone(scene.process)
    else:
        scene.unload()
        scene.model.open(CARD)
    scene.now = LIMITS.exit_s - 1.0
    assert not scene.model.wants_launch
    scene.now = LIMITS.exit_s
    assert scene.model.wants_launch


def test_memory_is_free_when_exit_and_hang_up_are_known(scene: Scene) -> None:
    scene.up()
    scene.exit()
    scene.model.on_gone(scene.process)
    assert scene.process.is_gone
    scene.now += LIMITS.backoff_s[0]
    assert scene.model.wants_launch


def test_sleep_after_the_exit_delays_nothing(scene: Scene) -> None:
    scene.up()
    scene.exit()
    scene.model.sleep()
    scene.model.on_gone(scene.process)
    assert scene.process.is_gone
    scene.ask("a")
    assert scene.model.wants_launch


def test_failed_model_holds_its_memory_until_its_process_is_gone(scene: Scene) -> None:
    scene.model.launch()
    scene.say(messages.failed("out of memory while writing the first tokens"))
    assert not scene.process.is_gone
    assert scene.launcher.killed == [1]
    scene.exit("ended with status 0")
    assert scene.process.is_gone
