"""A supervised model: deaths and restarts of its workers, and the memory that they hold."""

from __future__ import annotations

import pytest

from playground.engines.local.model_states import ModelState
from playground.engines.local.wire import messages
from playground.engines.protocol import Ended, Queued
from playground.records import FinishReason
from tests.support.supervised import CARD, FACTS, LIMITS, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


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


def test_status_tells_the_silence_of_a_model_that_writes(scene: Scene) -> None:
    scene.up()
    scene.now = 100.0
    assert scene.model.status().silent_s == 0.0, "nobody waits for it"
    scene.begin("a")
    scene.now = 107.0
    assert 6.9 < scene.model.status().silent_s <= 7.0
    scene.say(messages.tokens("a", [1]))
    assert scene.model.status().silent_s == 0.0


def test_status_tells_a_restart_until_the_model_is_back(scene: Scene) -> None:
    scene.up()
    assert not scene.model.status().restarts
    scene.die()
    assert scene.model.status().restarts
    scene.now = 1.0
    scene.up()
    assert not scene.model.status().restarts


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
    assert (scene.state, scene.model.status().detail) == (ModelState.FAILED, words)
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
    assert scene.state is ModelState.FAILED


def test_refusal_after_the_exit_is_still_read(scene: Scene) -> None:
    scene.ask("a")
    scene.model.launch()
    scene.exit("ended with status 0")
    scene.say(messages.failed("Model M: there is no folder /m"))
    scene.model.on_gone(scene.process)
    assert scene.of("a")[-1] == Ended("a", FinishReason.ERROR, "Model M: there is no folder /m")
    assert scene.state is ModelState.FAILED


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
    assert scene.state is ModelState.READY


@pytest.mark.parametrize(("silence_s", "is_hung"), [(9.0, False), (11.0, True)])
def test_silence_is_a_hang_only_while_a_row_is_there(scene: Scene, silence_s: float, is_hung: bool) -> None:
    scene.up()
    scene.now = 1000.0
    scene.model.check()
    assert scene.state is ModelState.READY
    scene.begin("a")
    scene.now += silence_s
    scene.model.check()
    assert scene.launcher.killed == ([1] if is_hung else [])
    assert (scene.state is ModelState.LOST) is is_hung


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
    assert (scene.state, scene.model.wants_launch) == (ModelState.OFF, False)
    scene.die()
    assert scene.state is ModelState.OFF


def test_job_loads_an_unloaded_model_once_its_memory_is_free(scene: Scene) -> None:
    scene.up()
    scene.unload()
    scene.ask("a")
    assert scene.state is ModelState.QUEUED
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


def test_note_of_a_ready_model_is_its_detail(scene: Scene) -> None:
    scene.model.launch()
    scene.say(messages.ready(FACTS, 0.5, note="answers one visitor at a time"))
    assert scene.model.status().detail == "answers one visitor at a time"
