"""A model is kept up: restarts with patience, gives up in words, tells its rows; with scripted workers and clock."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace

import pytest

from playground.engines.local.supervisor import Keeper, Limits
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
        self.made = 0
        self.ended: list[int] = []
        self.error: OSError | None = None

    def launch(self) -> tuple[int, Channel]:
        if self.error is not None:
            raise self.error
        self.made += 1
        channel, self.theirs = pipes()
        return self.made, channel

    def end(self, number: int) -> None:
        self.ended.append(number)

    def sent(self, count: int) -> list[bytes]:
        """What the last worker was sent, once `count` lines are there: a thread of the link's own writes them."""
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self.theirs[0], 1 << 16)
        return data.splitlines()

    def close(self) -> None: ...


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.launcher = SilentLauncher()
        self.events: list[Event] = []
        self.keeper = Keeper(CARD, 1, self.launcher, lambda task: None, LIMITS, clock=lambda: self.now)

    def ask(self, row: str, num_tokens: int = 3) -> None:
        self.keeper.accept(Job(row, (1,) * num_tokens, SamplingParams(), 0, (), 60.0), self.events.append)

    def up(self) -> None:
        """Launch when it wants to, and become ready."""
        assert self.keeper.wants_launch
        self.keeper.launch()
        self.say(messages.ready(FACTS, 0.5))

    def say(self, message: messages.Message) -> None:
        self.keeper.on_message(self.launcher.made, message)

    def die(self, words: str = "was killed by SIGKILL") -> None:
        self.keeper.on_gone(self.launcher.made)
        self.keeper.on_exit(self.launcher.made, words)

    def of(self, row: str) -> list[Event]:
        return [event for event in self.events if event.row == row]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_rows_that_came_early_are_told_and_sent_when_the_model_is_ready(scene: Scene) -> None:
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
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.ask("b")
    scene.ask("c")
    scene.say(messages.ended("b", FinishReason.CANCELLED))
    assert scene.of("c") == [Queued("c", 2), Queued("c", 1)]
    status = scene.keeper.status()
    assert (status.state, status.running, status.waiting, status.eta_s) == ("ready", 1, 1, None)


@pytest.mark.proves("worker killed, crashed, hung")
def test_a_death_fails_what_was_begun_and_keeps_what_was_not(scene: Scene) -> None:
    scene.up()
    scene.ask("begun")
    scene.say(messages.started("begun"))
    scene.ask("waiting")
    scene.die()
    (ended,) = [event for event in scene.events if isinstance(event, Ended)]
    assert (ended.row, ended.finish_reason) == ("begun", FinishReason.ERROR)
    assert scene.of("waiting")[-1] == Queued("waiting", 0, "loading")
    assert scene.keeper.status().detail == "its process was killed by SIGKILL; it is being started again"
    scene.now = 1.0
    scene.up()
    scene.say(messages.started("waiting"))
    scene.say(messages.ended("waiting", FinishReason.LENGTH))
    assert isinstance(scene.of("waiting")[-1], Ended)


def told(scene: Scene, word: str) -> bool:
    """What the last worker was told about `word`."""
    return bool(json.loads(scene.launcher.sent(1)[0])[word])


def test_after_a_death_at_loading_no_steps_are_recorded_until_somebody_unloads_the_model(scene: Scene) -> None:
    scene.keeper.launch()
    assert told(scene, "recorded")
    scene.die()
    scene.now = 1.0
    scene.up()
    assert not told(scene, "recorded")
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.keeper.sleep()
    scene.keeper.on_exit(scene.launcher.made, "ended with status 0")
    scene.ask("b")
    scene.up()
    assert not told(scene, "recorded"), "it would die at every other loading"
    scene.keeper.unload()
    scene.keeper.on_exit(scene.launcher.made, "ended with status 0")
    scene.ask("c")
    scene.up()
    assert told(scene, "recorded")


def test_one_death_while_writing_changes_nothing_and_a_second_one_does(scene: Scene) -> None:
    for recorded in (True, True, False):
        scene.up()
        assert told(scene, "recorded") is recorded
        scene.die()
        scene.now += 10.0


def test_who_takes_the_place_of_a_silent_worker_insists_on_its_share(scene: Scene) -> None:
    scene.up()
    assert told(scene, "gives_way")
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.now = 1000.0
    scene.keeper.check()
    scene.keeper.on_exit(scene.launcher.made, "was killed by SIGKILL")
    scene.now = 2000.0
    scene.up()
    assert not told(scene, "gives_way")


def test_restarts_wait_longer_each_time_and_an_answer_resets_that(scene: Scene) -> None:
    scene.up()

    def delay() -> float:
        begun = scene.now
        while not scene.keeper.wants_launch:
            scene.now += 0.5
        return scene.now - begun

    delays = []
    for _ in range(5):
        scene.die()
        delays.append(delay())
        scene.up()
    assert delays == [1.0, 2.0, 4.0, 4.0, 4.0]
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.die()
    assert delay() == 1.0


def test_a_model_that_dies_while_loading_again_and_again_has_failed(scene: Scene) -> None:
    scene.ask("a")
    for _ in range(4):
        scene.now += 10.0
        scene.keeper.launch()
        scene.die("ended with status 1")
    words = "Model M could not be loaded: its process ended with status 1, 4 times"
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, words)
    assert (scene.keeper.state, scene.keeper.status().detail) == ("failed", words)
    assert not scene.keeper.wants_launch
    scene.keeper.open(CARD)
    assert scene.keeper.wants_launch


def test_a_process_that_cannot_be_made_is_a_failed_load(scene: Scene) -> None:
    scene.launcher.error = OSError(24, "Too many open files")
    scene.keeper.launch()
    assert scene.keeper.status().state == "queued"
    assert "Too many open files" in scene.keeper.status().detail


def test_the_reason_of_a_refusal_counts_even_when_the_exit_is_reported_first(scene: Scene) -> None:
    scene.ask("a")
    scene.keeper.launch()
    scene.keeper.on_exit(1, "ended with status 0")
    scene.say(messages.failed("Model M: there is no folder /m"))
    scene.keeper.on_gone(1)
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, "Model M: there is no folder /m")
    assert scene.keeper.state == "failed"


def test_a_process_that_does_not_go_away_holds_its_successor_up_only_for_so_long(scene: Scene) -> None:
    scene.up()
    scene.keeper.on_gone(1)
    scene.now = 29.0
    assert not scene.keeper.wants_launch
    scene.now = 30.0
    assert scene.keeper.wants_launch


@pytest.mark.parametrize(("silence_s", "hung"), [(9.0, False), (11.0, True)])
def test_silence_with_a_row_is_a_hang_and_without_one_is_peace(scene: Scene, silence_s: float, hung: bool) -> None:
    scene.up()
    scene.now = 1000.0
    scene.keeper.check()
    assert scene.keeper.state == "ready"
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.now += silence_s
    scene.keeper.check()
    assert scene.launcher.ended == ([1] if hung else [])
    assert (scene.keeper.state == "queued") is hung


def test_loading_for_ever_is_ended(scene: Scene) -> None:
    scene.keeper.launch()
    scene.now = 101.0
    scene.keeper.check()
    assert scene.launcher.ended == [1]


def test_what_an_earlier_worker_says_is_ignored(scene: Scene) -> None:
    scene.up()
    scene.die()
    scene.now = 5.0
    scene.up()
    scene.ask("a")
    scene.keeper.on_message(1, messages.ended("a", FinishReason.STOP))
    scene.keeper.on_gone(1)
    assert scene.keeper.status().waiting == 1
    assert scene.keeper.state == "ready"


def test_a_worker_that_was_given_up_cannot_begin_another_row(scene: Scene) -> None:
    scene.up()
    scene.ask("a")
    scene.ask("b")
    scene.say(messages.started("a"))
    scene.now = 11.0
    scene.keeper.check()
    scene.say(messages.ended("a", FinishReason.STOP))
    scene.say(messages.started("b"))
    scene.say(messages.tokens("b", [7]))
    assert isinstance(scene.of("b")[-1], Queued)
    assert "stopped answering" in (scene.of("a")[-1].error or "")  # type: ignore[union-attr]


def test_cancelling_while_the_model_loads_needs_no_worker(scene: Scene) -> None:
    scene.ask("a")
    scene.keeper.cancel("a")
    scene.keeper.cancel("a")
    assert scene.of("a")[-1] == Ended("a", FinishReason.CANCELLED)


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


def test_a_cancel_that_a_dying_worker_never_heard_still_ends_the_row(scene: Scene) -> None:
    scene.up()
    scene.ask("begun")
    scene.say(messages.started("begun"))
    scene.ask("waiting")
    scene.keeper.cancel("begun")
    scene.keeper.cancel("waiting")
    scene.die()
    ends = {event.row: event.finish_reason for event in scene.events if isinstance(event, Ended)}
    assert ends == {"begun": FinishReason.CANCELLED, "waiting": FinishReason.CANCELLED}


def test_rows_that_are_written_together_do_not_wait_for_each_other(scene: Scene) -> None:
    scene.keeper.launch()
    scene.say(messages.ready(FACTS, 0.5, max_rows=2))
    for row in "abcd":
        scene.ask(row)
    assert [scene.of(row) for row in "abcd"] == [[], [], [Queued("c", 1)], [Queued("d", 2)]]
    scene.say(messages.started("a"))
    scene.say(messages.started("b"))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("c")[-1] == Queued("c", 0)
    assert scene.of("d")[-1] == Queued("d", 1)


def test_what_a_ready_model_has_to_say_stands_in_its_status(scene: Scene) -> None:
    scene.keeper.launch()
    scene.say(messages.ready(FACTS, 0.5, note="answers one visitor at a time"))
    assert scene.keeper.status().detail == "answers one visitor at a time"


def test_an_unloaded_model_ends_what_it_writes_and_its_process(scene: Scene) -> None:
    scene.up()
    scene.ask("a")
    scene.say(messages.started("a"))
    scene.keeper.unload()
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, "Model M was unloaded")
    assert scene.launcher.ended == [1]
    assert (scene.keeper.state, scene.keeper.wants_launch) == ("off", False)
    scene.die()
    assert scene.keeper.state == "off"


def test_a_job_brings_an_unloaded_model_up_again_once_its_memory_is_free(scene: Scene) -> None:
    scene.up()
    scene.keeper.unload()
    scene.ask("a")
    assert scene.keeper.state == "queued"
    assert not scene.keeper.wants_launch  # its old process is still there
    scene.die()
    scene.up()
    scene.say(messages.started("a"))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("a")[-1] == Ended("a", FinishReason.STOP)
    assert scene.keeper.status().detail == ""


def test_a_process_that_will_not_go_holds_its_successor_up_for_a_while_only(scene: Scene) -> None:
    scene.up()
    scene.keeper.unload()
    scene.keeper.open(CARD)
    assert not scene.keeper.wants_launch
    scene.now += LIMITS.exit_s
    assert scene.keeper.wants_launch


def test_memory_is_free_as_soon_as_both_signs_of_a_death_are_there(scene: Scene) -> None:
    scene.up()
    scene.keeper.on_exit(1, "was killed by SIGKILL")
    scene.keeper.on_gone(1)
    assert not scene.keeper.holds_memory
    scene.now += LIMITS.backoff_s[0]
    assert scene.keeper.wants_launch


def test_a_model_that_sleeps_after_its_process_is_gone_need_not_wait_for_it(scene: Scene) -> None:
    scene.up()
    scene.keeper.on_exit(1, "was killed by SIGKILL")
    scene.keeper.sleep()
    scene.keeper.on_gone(1)
    assert not scene.keeper.holds_memory
    scene.ask("a")
    assert scene.keeper.wants_launch


def test_a_model_that_failed_holds_its_memory_until_its_process_is_gone(scene: Scene) -> None:
    scene.keeper.launch()
    scene.say(messages.failed("out of memory while writing the first tokens"))
    assert scene.keeper.holds_memory
    assert scene.launcher.ended == [1]
    scene.keeper.on_exit(1, "ended with status 0")
    assert not scene.keeper.holds_memory


def test_a_process_that_we_ended_is_not_said_to_have_run_out_of_memory(scene: Scene) -> None:
    for _ in range(len(LIMITS.backoff_s) + 1):
        scene.keeper.launch()
        scene.now += LIMITS.load_s + 1
        scene.keeper.check()
        scene.keeper.on_exit(scene.launcher.made, "was killed by SIGKILL (out of memory?)")
        scene.now += LIMITS.backoff_s[-1]
    assert scene.keeper.status().detail == (
        "Model M could not be loaded: its process did not finish loading in 100 s, 4 times"
    )


def test_a_drained_model_that_resumes_begins_the_rows_that_have_waited(scene: Scene) -> None:
    scene.keeper.launch()
    scene.say(messages.ready(FACTS, 0.5, max_rows=4))
    scene.keeper.drain()
    scene.ask("a")
    assert scene.keeper.is_idle
    scene.keeper.resume()
    assert not scene.keeper.is_idle
    assert [json.loads(line)["kind"] for line in scene.launcher.sent(2)] == ["load", "start"]
