"""Columns: events in, snapshots and one generation out; blind columns keep one pace and one state."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.arena.column import Column
from playground.arena.column_plan import ColumnPlan
from playground.arena.comparison import Comparison
from playground.arena.word_ends import WordEnds
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Tokens
from playground.errors import EngineError
from playground.prompting.answer_text import AnswerReader
from playground.prompting.tokenization import Tokenizer, load_tokenizer
from playground.records import (
    BattleSide,
    ColumnState,
    FinishReason,
    Generation,
    Instruction,
    ModelCard,
    Prompt,
    PromptTemplate,
    SamplingParams,
)
from tests.arena.test_word_ends import SCRIPTS
from tests.support.paths import FIXTURES

TOKENIZERS = FIXTURES / "openllama-tokenizers"
FACTS = EngineFacts("local", "cpu", "float32", "abc123", {"torch": "2.13.0"})
CARD = ModelCard(
    "m", "M", "/nowhere", "local", "Apache-2.0", "LlamaForCausalLM", 512, "float32", "t", SamplingParams(), "ours"
)


@cache
def tokenizer() -> Tokenizer:
    """A fixture's model; a checkpoint's folder calls it ``tokenizer.model``."""
    with TemporaryDirectory() as folder:
        shutil.copy(TOKENIZERS / "v1id.model", Path(folder) / "tokenizer.model")
        return load_tokenizer(Path(folder))


def encode(text: str) -> tuple[int, ...]:
    return tokenizer().encode(text)


@dataclass
class Scene:
    """One column with what it recorded and what it cancelled, and a clock that is set by hand."""

    stop_strings: tuple[str, ...] = ()
    seconds: float = 0.0
    recorded: list[tuple[str, Generation]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def column(self, side: str = "a") -> Column:
        template = PromptTemplate("t", "made for this test", (), (), stop_ids=(2,), stop_strings=self.stop_strings)
        drawn = BattleSide(side, "m", 7, SamplingParams())
        plan = ColumnPlan(drawn, CARD, Prompt("p", (1, 5), "t", "h"), (2,), f"g{side}")
        clock = Clock(lambda: "2026-01-01T00:00:00.000+00:00", lambda: self.seconds)
        reader = AnswerReader(template, tokenizer())
        return Column(plan, Instruction("hi"), reader, clock, self.cancelled.append)

    def say(self, column: Column, *events: Event) -> None:
        """The events of one column, as an engine sends them."""
        for event in events:
            generation = column.listen(event)
            if generation is not None:
                self.record({column.plan.side.side: generation})

    def record(self, ended: Mapping[str, Generation]) -> None:
        self.recorded += ended.items()


def test_a_column_becomes_one_generation_with_its_provenance() -> None:
    scene = Scene()
    column = scene.column()
    ids = encode("An alpaca is small.")
    scene.say(column, Queued("ga", 0, "loading"))
    assert (column.live().state, column.live().status) == (ColumnState.LOADING, "loading")
    scene.seconds = 4.2
    assert column.live().status == "loading, 4 s so far"
    scene.seconds = 0.0
    scene.say(column, Queued("ga", 2))
    assert (column.live().state, column.live().status) == (ColumnState.WAITING, "2 before you")
    scene.say(column, Started("ga", FACTS))
    scene.seconds = 0.5
    scene.say(column, Tokens("ga", ids[:3]))
    assert column.live().state is ColumnState.WRITING
    scene.seconds = 2.0
    scene.say(column, Tokens("ga", (*ids[3:], 2)), Ended("ga", FinishReason.STOP))
    ((side, generation),) = scene.recorded
    assert side == "a"
    assert generation.text == "An alpaca is small."
    assert generation.token_ids == (*ids, 2)
    assert (generation.first_token_s, generation.duration_s) == (0.5, 2.0)
    assert (generation.model_revision, generation.device, generation.seed) == ("abc123", "cpu", 7)
    assert generation.good
    assert column.live().state is ColumnState.DONE


def test_a_stop_string_cuts_the_text_cancels_the_row_and_counts_as_stop() -> None:
    scene = Scene(stop_strings=("USER:",))
    column = scene.column()
    ids = encode("Fine. USER: and more")
    scene.say(column, Started("ga", FACTS), Tokens("ga", ids), Ended("ga", FinishReason.CANCELLED))
    generation = scene.recorded[0][1]
    assert generation.text == "Fine. "
    assert generation.finish_reason is FinishReason.STOP
    assert "ga" in scene.cancelled
    assert len(generation.token_ids) < len(ids)


def test_a_stopped_column_keeps_its_text_and_may_be_judged() -> None:
    scene = Scene()
    column = scene.column()
    scene.say(column, Started("ga", FACTS), Tokens("ga", encode("Half an")))
    column.stop()
    assert scene.cancelled == ["ga"]
    scene.say(column, Ended("ga", FinishReason.CANCELLED))
    generation = scene.recorded[0][1]
    assert (generation.text, generation.finish_reason, generation.good) == ("Half an", FinishReason.CANCELLED, True)


@pytest.mark.proves("an error after half an answer")
def test_a_failure_keeps_its_reason_and_may_not_be_judged() -> None:
    scene = Scene()
    column = scene.column()
    scene.say(column, Started("ga", FACTS), Tokens("ga", encode("Half")))
    scene.say(column, Ended("ga", FinishReason.ERROR, "out of memory"))
    generation = scene.recorded[0][1]
    assert (generation.error, generation.good, column.live().state) == ("out of memory", False, ColumnState.FAILED)


class Told:
    """An engine that writes what a test tells it to."""

    def __init__(self, refuses: str = "") -> None:
        self.listeners: dict[str, Listener] = {}
        self._refuses = refuses

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        if job.row == self._refuses:
            raise EngineError("the local engine is closed")
        self.listeners[job.row] = listener

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def say(self, row: str, *events: Event) -> None:
        for event in events:
            self.listeners[row](event)


IDS = encode("An alpaca is a small relative of the llama.")


def a_battle(scene: Scene, blind: bool, refuses: str = "") -> tuple[Comparison, Told]:
    engine = Told(refuses)
    clock = Clock(monotonic=lambda: scene.seconds)
    comparison = Comparison("battle", blind, [scene.column("a"), scene.column("b")], clock, scene.record)
    comparison.start(engine, 60.0)  # type: ignore[arg-type]
    return comparison, engine


SAID = "An alpaca is a small relative of the llama."


def texts(comparison: Comparison) -> list[str]:
    return [column.text for column in comparison.snapshot().values()]


def test_blind_columns_show_the_same_number_of_words_and_open_together() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    engine.say("ga", Started("ga", FACTS), Tokens("ga", (*IDS, 2)), Ended("ga", FinishReason.STOP))
    engine.say("gb", Queued("gb", 0, "loading"))
    scene.seconds = 0.5
    assert texts(comparison) == ["", ""]
    engine.say("gb", Started("gb", FACTS), Tokens("gb", encode("The llama is")))
    scene.seconds = 0.6
    assert texts(comparison) == ["An", "The"]
    scene.seconds = 5.0
    assert texts(comparison) == ["An alpaca", "The llama"], "the third word may go on"
    assert scene.recorded == [], "a record of one would show that it was first"
    engine.say("gb", Ended("gb", FinishReason.ERROR, "out of memory"))
    shown = comparison.snapshot()
    assert (shown["a"].state, shown["b"].state) == (ColumnState.DONE, ColumnState.FAILED)
    assert texts(comparison) == [SAID, "The llama is"]
    assert sorted(side for side, _ in scene.recorded) == ["a", "b"]


def test_reasoning_is_kept_apart_and_not_shown_while_blind() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    thought = encode("<think>\nA relative of the llama.\n</think>\n\nAn alpaca is small.")
    engine.say("ga", Started("ga", FACTS), Tokens("ga", (*thought, 2)), Ended("ga", FinishReason.STOP))
    engine.say("gb", Started("gb", FACTS), Tokens("gb", encode("The llama is a tall animal of")))
    for seconds in (0.5, 1.0, 3.0):
        scene.seconds = seconds
        assert not any(column.reasoning for column in comparison.snapshot().values())
    assert texts(comparison)[0] == "An alpaca is small."
    engine.say("gb", Ended("gb", FinishReason.STOP))
    assert not any(column.reasoning for column in comparison.snapshot().values())
    first = dict(scene.recorded)["a"]
    assert (first.reasoning, first.text) == ("A relative of the llama.", "An alpaca is small.")
    assert first.token_ids == (*thought, 2)


def test_open_column_shows_its_reasoning_as_it_comes() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=False)
    engine.say("ga", Started("ga", FACTS), Tokens("ga", encode("<think>\nA relative of")))
    live = comparison.snapshot()["a"]
    assert (live.text, live.reasoning) == ("", "A relative of")


def test_reasoning_alone_may_not_be_judged() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    engine.say("ga", Started("ga", FACTS), Tokens("ga", encode("<think>\nA relative of")))
    engine.say("gb", Started("gb", FACTS), Tokens("gb", encode("The llama is a tall")))
    scene.seconds = 2.0
    comparison.stop()
    engine.say("ga", Ended("ga", FinishReason.CANCELLED))
    engine.say("gb", Ended("gb", FinishReason.CANCELLED))
    first = dict(scene.recorded)["a"]
    assert (first.text, first.reasoning, first.good) == ("", "A relative of", False)


def test_a_blind_battle_changes_only_at_its_ticks() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    for row in ("ga", "gb"):
        engine.say(row, Started(row, FACTS), Tokens(row, IDS))
    seen = []
    for number in range(1, 150):
        scene.seconds = number / 100
        seen.append((number // 10, comparison.snapshot()))
    for tick in range(14):
        assert len({repr(shown) for at, shown in seen if at == tick}) == 1
    assert seen[0][1]["a"].state is ColumnState.WAITING
    assert seen[-1][1]["a"].state is ColumnState.WRITING
    assert {(column.num_tokens, column.first_token_s) for _, shown in seen for column in shown.values()} == {(0, None)}


def test_a_tick_shows_nothing_that_came_after_it() -> None:
    read, unread = Scene(), Scene()
    for scene in (read, unread):
        comparison, engine = a_battle(scene, blind=True)
        for row in ("ga", "gb"):
            engine.say(row, Started(row, FACTS), Tokens(row, IDS[:6]))
        if scene is read:
            scene.seconds = 0.1
            before = comparison.snapshot()
        scene.seconds = 0.15
        for row in ("ga", "gb"):
            engine.say(row, Tokens(row, IDS[6:]))
        scene.seconds = 0.199
        assert comparison.snapshot() == before


@pytest.mark.parametrize("seconds", [0.35, 0.7, 1.2])
def test_stop_of_a_blind_battle_keeps_exactly_the_shown_words(seconds: float) -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    engine.say("ga", Started("ga", FACTS), Tokens("ga", (*IDS, 2)), Ended("ga", FinishReason.STOP))
    engine.say("gb", Started("gb", FACTS), Tokens("gb", IDS[:-2]))
    scene.seconds = seconds
    seen = texts(comparison)
    assert seen[0] == seen[1]
    assert SAID.startswith(seen[0])
    comparison.stop()
    scene.seconds = 3.0
    engine.say("gb", Tokens("gb", IDS[-2:]))
    assert texts(comparison) == seen
    engine.say("gb", Ended("gb", FinishReason.CANCELLED))
    assert texts(comparison) == seen
    for _, generation in scene.recorded:
        assert generation.finish_reason is FinishReason.CANCELLED
        assert generation.text == seen[0]
        assert generation.token_ids == IDS[: len(generation.token_ids)]
        assert tokenizer().decode(generation.token_ids).startswith(generation.text)
        assert not tokenizer().decode(generation.token_ids[:-1]).startswith(generation.text)


def test_a_stop_after_the_end_cuts_nothing() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=True)
    for row in ("ga", "gb"):
        engine.say(row, Started(row, FACTS), Tokens(row, (*IDS, 2)), Ended(row, FinishReason.STOP))
    comparison.stop()
    assert texts(comparison) == [SAID, SAID]
    assert {(g.text, g.finish_reason) for _, g in scene.recorded} == {(SAID, FinishReason.STOP)}


@pytest.mark.slow
@settings(deadline=None)
@given(data=st.data())
def test_blind_columns_grow_by_whole_words(data: st.DataObject) -> None:
    scene, said = Scene(), {row: data.draw(st.sampled_from(SCRIPTS)) for row in ("ga", "gb")}
    comparison, engine = a_battle(scene, blind=True)
    left = {row: [*encode(text), 2] for row, text in said.items()}
    final = [tokenizer().decode(left["ga"][:-1]), tokenizer().decode(left["gb"][:-1])]
    ends = [word_ends(text) for text in final]
    for row in left:
        engine.say(row, Started(row, FACTS))
    before = ["", ""]
    while any(left.values()):
        scene.seconds += data.draw(st.sampled_from([0.0, 0.03, 0.25, 2.0]))
        shown = texts(comparison)
        assert all(new.startswith(old) for new, old in zip(shown, before, strict=True))
        counts = [each.index(len(text)) for each, text in zip(ends, shown, strict=True)]
        assert counts[0] == counts[1] or min(counts) == min(map(len, ends)) - 1, "one has no more"
        before = shown
        row = data.draw(st.sampled_from([row for row, ids in left.items() if ids]))
        size = data.draw(st.integers(1, 40))
        engine.say(row, Tokens(row, tuple(left[row][:size])))
        left[row] = left[row][size:]
        if not left[row]:
            engine.say(row, Ended(row, FinishReason.STOP))
    assert texts(comparison) == final


def word_ends(text: str) -> list[int]:
    words = WordEnds()
    words.feed(text)
    words.finish()
    return [0, *words.ends]


def test_open_columns_go_at_their_own_pace_and_are_recorded_one_by_one() -> None:
    scene = Scene()
    comparison, engine = a_battle(scene, blind=False)
    engine.say("ga", Started("ga", FACTS), Tokens("ga", (*IDS, 2)), Ended("ga", FinishReason.STOP))
    shown = comparison.snapshot()
    assert (shown["a"].text, shown["b"].state) == (tokenizer().decode(IDS), ColumnState.WAITING)
    assert [side for side, _ in scene.recorded] == ["a"]


def test_column_refused_by_the_engine_fails_alone() -> None:
    scene = Scene()
    _comparison, engine = a_battle(scene, blind=False, refuses="ga")
    engine.say("gb", Started("gb", FACTS), Tokens("gb", (*IDS, 2)), Ended("gb", FinishReason.STOP))
    assert [(side, g.good, g.error) for side, g in scene.recorded] == [
        ("a", False, "the local engine is closed"),
        ("b", True, None),
    ]


def test_comparison_measures_time_since_last_read() -> None:
    scene = Scene()
    comparison = Comparison("battle", False, [], Clock(monotonic=lambda: scene.seconds), scene.record)
    scene.seconds = 12.0
    assert comparison.unread_s == 12.0
    comparison.snapshot()
    assert comparison.unread_s == 0.0


def test_catalog_has_what_a_plan_needs() -> None:
    catalog = Catalog.load()
    for card in catalog.line_up():
        assert catalog.template_of(card).stop_ids
