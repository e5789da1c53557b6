"""Columns: events in, snapshots and one generation out; blind columns keep one pace and one state."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from playground.catalog import Catalog
from playground.clock import Clock
from playground.compare import Column, ColumnPlan, Comparison
from playground.engines.protocol import Ended, EngineFacts, Event, Queued, Started, Tokens
from playground.reading import AnswerReader
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
from playground.tokenization import Tokenizer, load_tokenizer

FIXTURES = Path(__file__).parent / "fixtures" / "openllama-tokenizers"
FACTS = EngineFacts("local", "cpu", "float32", "abc123", {"torch": "2.13.0"})
CARD = ModelCard(
    "m", "M", "/nowhere", "local", "Apache-2.0", "LlamaForCausalLM", 1, 2, 512, "float32", "t", SamplingParams(), "ours"
)


@cache
def tokenizer() -> Tokenizer:
    """A fixture's model; a checkpoint's folder calls it ``tokenizer.model``."""
    with TemporaryDirectory() as folder:
        shutil.copy(FIXTURES / "v1id.model", Path(folder) / "tokenizer.model")
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
        return Column(plan, Instruction("hi"), reader, clock, self.cancelled.append, self._record)

    def _record(self, side: str, generation: Generation) -> None:
        self.recorded.append((side, generation))


def say(column: Column, *events: Event) -> None:
    for event in events:
        column.listen(event)


def test_a_column_becomes_one_generation_with_its_provenance() -> None:
    scene = Scene()
    column = scene.column()
    ids = encode("An alpaca is small.")
    say(column, Queued("ga", 0, "loading"))
    assert (column.live().state, column.live().status) == (ColumnState.LOADING, "loading")
    scene.seconds = 4.2
    assert column.live().status == "loading, 4 s so far"
    scene.seconds = 0.0
    say(column, Queued("ga", 2))
    assert (column.live().state, column.live().status) == (ColumnState.WAITING, "2 before you")
    say(column, Started("ga", FACTS))
    scene.seconds = 0.5
    say(column, Tokens("ga", ids[:3]))
    assert column.live().state is ColumnState.WRITING
    scene.seconds = 2.0
    say(column, Tokens("ga", (*ids[3:], 2)), Ended("ga", FinishReason.STOP))
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
    say(column, Started("ga", FACTS), Tokens("ga", ids), Ended("ga", FinishReason.CANCELLED))
    generation = scene.recorded[0][1]
    assert generation.text == "Fine. "
    assert generation.finish_reason is FinishReason.STOP
    assert "ga" in scene.cancelled
    assert len(generation.token_ids) < len(ids)


def test_a_stopped_column_keeps_its_text_and_may_be_judged() -> None:
    scene = Scene()
    column = scene.column()
    say(column, Started("ga", FACTS), Tokens("ga", encode("Half an")))
    column.stop()
    assert scene.cancelled == ["ga"]
    say(column, Ended("ga", FinishReason.CANCELLED))
    generation = scene.recorded[0][1]
    assert (generation.text, generation.finish_reason, generation.good) == ("Half an", FinishReason.CANCELLED, True)


def test_a_failure_keeps_its_reason_and_may_not_be_judged() -> None:
    scene = Scene()
    column = scene.column()
    say(column, Started("ga", FACTS), Tokens("ga", encode("Half")))
    say(column, Ended("ga", FinishReason.ERROR, "out of memory"))
    generation = scene.recorded[0][1]
    assert (generation.error, generation.good, column.live().state) == ("out of memory", False, ColumnState.FAILED)


def test_blind_columns_keep_the_pace_of_the_slowest_that_runs_and_open_together() -> None:
    scene = Scene()
    fast, slow = scene.column("a"), scene.column("b")
    comparison = Comparison("battle", True, [fast, slow], Clock())
    ids = encode("An alpaca is a small relative of the llama.")
    say(fast, Started("ga", FACTS), Tokens("ga", (*ids, 2)), Ended("ga", FinishReason.STOP))
    say(slow, Queued("gb", 0, "loading"))
    shown = comparison.snapshot()
    assert {(c.state, c.status, c.text) for c in shown.values()} == {(ColumnState.LOADING, "loading", "")}
    say(slow, Started("gb", FACTS), Tokens("gb", ids[:4]))
    shown = comparison.snapshot()
    assert {(c.state, c.text) for c in shown.values()} == {(ColumnState.WRITING, tokenizer().decode(ids[:4]))}
    assert {(c.num_tokens, c.first_token_s, c.error) for c in shown.values()} == {(0, None, None)}
    say(slow, Ended("gb", FinishReason.ERROR, "out of memory"))
    shown = comparison.snapshot()
    assert (shown["a"].state, shown["b"].state) == (ColumnState.DONE, ColumnState.FAILED)
    assert shown["a"].text == "An alpaca is a small relative of the llama."


def test_open_columns_go_at_their_own_pace() -> None:
    scene = Scene()
    fast, slow = scene.column("a"), scene.column("b")
    comparison = Comparison("battle", False, [fast, slow], Clock())
    say(fast, Started("ga", FACTS), Tokens("ga", encode("An alpaca")))
    shown = comparison.snapshot()
    assert (shown["a"].text, shown["b"].state) == ("An alpaca", ColumnState.WAITING)


def test_a_comparison_knows_how_long_nobody_has_read_it() -> None:
    scene = Scene()
    comparison = Comparison("battle", False, [], Clock(monotonic=lambda: scene.seconds))
    scene.seconds = 12.0
    assert comparison.unread_s == 12.0
    comparison.snapshot()
    assert comparison.unread_s == 0.0


def test_catalog_has_what_a_plan_needs() -> None:
    catalog = Catalog.load()
    for card in catalog.line_up():
        assert catalog.template_of(card).stop_ids
