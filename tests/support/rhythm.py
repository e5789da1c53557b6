"""An attacker who names the models of a blind battle by the times at which its words appear.

Boundary: simulated battles over real texts and the five public tokenizers; the models say the same things, so that a
text alone tells nothing and whatever is told is told by time.
``python -m tests.support.rhythm --battles 400`` prints a table.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
import numpy.typing as npt

from playground.arena.column import Column
from playground.arena.column_plan import ColumnPlan
from playground.arena.comparison import Comparison
from playground.arena.pace import TICK_S, Pace, WrittenSoFar
from playground.arena.word_ends import WordEnds
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Ended, EngineFacts, Started, Tokens
from playground.pocket.corpus import training_examples
from playground.pocket.material import load_material
from playground.prompting.answer_text import AnswerReader
from playground.prompting.tokenization import Tokenizer
from playground.records import (
    BattleSide,
    FinishReason,
    Generation,
    Instruction,
    ModelCard,
    Prompt,
    PromptTemplate,
    SamplingParams,
)

FAST = (160.0, 110.0, 80.0, 60.0, 42.0)
"""Tokens per second of the five models on a GPU: each writes faster than the pace."""
SLOW = (45.0, 38.0, 30.0, 22.0, 14.0)
"""The same where some write slower than the pace."""
PAIRS = tuple(itertools.permutations(range(5), 2))
LOADS = tuple(math.exp(step / 15) for step in range(-6, 7))
"""The factor by which a machine may be slower or faster than usual; both models of a battle alike."""
LOAD_SPREAD, MODEL_SPREAD, TOKEN_SPREAD = 0.15, 0.05, 0.25
START_S, END_S = 0.3, 0.03

Frames = npt.NDArray[np.int64]
"""Characters that are shown of each column at each tick, shape (ticks, columns)."""


@dataclass(frozen=True)
class Tokenized:
    """One text in the tokens of one model."""

    token_ids: tuple[int, ...]
    chars_after: npt.NDArray[np.int64]  # of n tokens, from none
    words_after: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]  # of n words, from none; the whole text last

    @classmethod
    def of(cls, text: str, tokenizer: Tokenizer) -> Tokenized:
        ids, stream, words = tokenizer.encode(text), tokenizer.stream(), WordEnds()
        chars_after, words_after = [0], [0]
        for token_id in ids:
            words.feed(stream.feed(token_id))
            chars_after.append(words.num_chars)
            words_after.append(len(words.ends))
        words.feed(stream.finish())
        words.finish()
        return cls(ids, np.array(chars_after), np.array(words_after), np.array([0, *words.ends]))


@dataclass(frozen=True)
class Stream:
    """One column of a battle: tokens at their times."""

    said: Tokenized
    times_s: npt.NDArray[np.float64]

    @property
    def end_s(self) -> float:
        return float(self.times_s[-1]) + END_S


def steady(said: Tokenized, tokens_per_s: float) -> Stream:
    """Return the timing as an attacker expects it."""
    return Stream(said, START_S + np.arange(1, len(said.token_ids) + 1) / tokens_per_s)


Pacing = Callable[[Sequence[Stream]], Frames]


def _by_tick(streams: Sequence[Stream]) -> tuple[npt.NDArray[np.float64], list[npt.NDArray[np.int64]]]:
    """The ticks until all have ended, and how many tokens of each had come at each."""
    ticks = np.arange(1, int(max(stream.end_s for stream in streams) / TICK_S - 1e-6) + 1) * TICK_S
    return ticks, [np.searchsorted(stream.times_s, ticks - 1e-9) for stream in streams]


def as_it_is(streams: Sequence[Stream]) -> Frames:
    """The pace of blind battles, as the program has it."""
    ticks, tokens = _by_tick(streams)
    pace, shown = Pace(0.0), []
    words = [stream.said.words_after[had] for stream, had in zip(streams, tokens, strict=True)]
    for tick, now_s in enumerate(ticks):
        columns = []
        for stream, had, count in zip(streams, words, tokens, strict=True):
            ended = stream.end_s <= now_s
            columns.append(
                WrittenSoFar(len(stream.said.ends) - 1 if ended else int(had[tick]), int(count[tick]), ended)
            )
        pace.advance(float(now_s), columns)
        shown.append(pace.shown)
    return _characters(streams, np.array(shown, dtype=np.int64))


def every_word(streams: Sequence[Stream]) -> Frames:
    """Each word as soon as all columns have it: what `as_it_is` must not be."""
    ticks, tokens = _by_tick(streams)
    words = [stream.said.words_after[had] for stream, had in zip(streams, tokens, strict=True)]
    running = [
        np.where(ticks < stream.end_s, had, np.iinfo(np.int64).max) for stream, had in zip(streams, words, strict=True)
    ]
    return _characters(streams, np.maximum.accumulate(np.minimum.reduce(running)))


def every_token(streams: Sequence[Stream]) -> Frames:
    """The same number of tokens of every column, as it was before."""
    ticks, tokens = _by_tick(streams)
    running = [
        np.where(ticks < stream.end_s, had, np.iinfo(np.int64).max) for stream, had in zip(streams, tokens, strict=True)
    ]
    shown = np.minimum.reduce(running)
    cut = [stream.said.chars_after[np.minimum(shown, len(stream.said.token_ids))] for stream in streams]
    return np.stack(cut, axis=1)


def _characters(streams: Sequence[Stream], words: npt.NDArray[np.int64]) -> Frames:
    return np.stack([stream.said.ends[np.minimum(words, len(stream.said.ends) - 1)] for stream in streams], axis=1)


# Battles


@dataclass(frozen=True)
class Fought:
    """One battle: what was said, who said it, and when each token came."""

    texts: tuple[str, str]
    pair: tuple[int, int]
    streams: tuple[Stream, ...]
    tokenized: Mapping[tuple[int, int], Tokenized]  # by column and model: what an attacker makes of the final texts

    @property
    def opened_s(self) -> float:
        return max(stream.end_s for stream in self.streams)


@cache
def models() -> tuple[tuple[ModelCard, Tokenizer], ...]:
    """The five pocket models' cards and tokenizers."""
    catalog = Catalog.load()
    return tuple((card, catalog.tokenizer_of(card)) for card in catalog.line_up())


@cache
def sayings() -> tuple[str, ...]:
    """Answers in the voices of all models, mixed; only those that each model can write to the letter."""
    material = load_material()
    made = [example.answer for name in material.voices for example in training_examples(material, name, 400, 1)]
    made = [said for said in made if all(known.decode(known.encode(said)) == said for _, known in models())]
    Random(1).shuffle(made)
    return tuple(made)


def said_by_anybody(random: Random, num_chars: int) -> str:
    text = ""
    while len(text) < num_chars:
        text += random.choice(sayings()) + " "
    return text.strip()


def fight(seed: int, speeds: Sequence[float]) -> Fought:
    """One battle; in every second one the answers differ much in length."""
    random, noise = Random(seed), np.random.default_rng(seed)
    lengths = [random.randint(200, 500), random.randint(1500, 2500)] if seed % 2 else [random.randint(200, 2500)] * 2
    random.shuffle(lengths)
    texts = (said_by_anybody(random, lengths[0]), said_by_anybody(random, lengths[1]))
    pair = random.choice(PAIRS)
    tokenized = {
        (n, model): Tokenized.of(texts[n], tokenizer) for n in range(2) for model, (_, tokenizer) in enumerate(models())
    }
    load, streams = math.exp(noise.normal(0, LOAD_SPREAD)), []
    for n, model in enumerate(pair):
        said = tokenized[n, model]
        token_s = 1 / (speeds[model] * load * math.exp(noise.normal(0, MODEL_SPREAD)))
        gaps = token_s * np.clip(noise.normal(1, TOKEN_SPREAD, len(said.token_ids)), 0.2, 3)
        streams.append(Stream(said, START_S * math.exp(noise.normal(0, 0.15)) + np.cumsum(gaps)))
    return Fought(texts, pair, tuple(streams), tokenized)


def recorded(fought: Fought, poll_s: float = 0.02) -> list[tuple[float, tuple[str, ...]]]:
    """Return the snapshots of a real comparison, read every 20 ms until it opens, with their times."""
    now_s, kept = [0.0], list[Mapping[str, Generation]]()
    clock = Clock(lambda: "2026-01-01T00:00:00.000+00:00", lambda: now_s[0])
    template = PromptTemplate("t", "made for this test", (), (), stop_ids=(), stop_strings=())
    columns = []
    for side, model in zip("ab", fought.pair, strict=True):
        card, tokenizer = models()[model]
        plan = ColumnPlan(BattleSide(side, card.id, 7, SamplingParams()), card, Prompt("p", (1,), "t", "h"), (), side)
        columns.append(Column(plan, Instruction("hi"), AnswerReader(template, tokenizer), clock, lambda row: None))
    comparison = Comparison("battle", True, columns, clock, kept.append)
    due = []
    for column, stream in zip(columns, fought.streams, strict=True):
        row = column.plan.side.side
        due += [(0.0, column, Started(row, EngineFacts("local", "cpu", "float32", "r", {})))]
        due += [
            (float(at), column, Tokens(row, (token_id,)))
            for at, token_id in zip(stream.times_s, stream.said.token_ids, strict=True)
        ]
        due += [(stream.end_s, column, Ended(row, FinishReason.STOP))]
    due.sort(key=lambda one: one[0])
    shown, looks = [], 0
    for at, column, event in due:
        while (looks := looks + 1) * poll_s < at:
            now_s[0] = looks * poll_s
            shown.append((now_s[0], tuple(live.text for live in comparison.snapshot().values())))
        looks -= 1
        now_s[0] = at
        comparison._listen(column, event)
    assert [tuple(g.text for g in ended.values()) for ended in kept] == [
        tuple(tokenizer_text(stream, model) for stream, model in zip(fought.streams, fought.pair, strict=True))
    ]
    return shown


def tokenizer_text(stream: Stream, model: int) -> str:
    return models()[model][1].decode(stream.said.token_ids)


# Attacks

Pair = tuple[int, int]
Attack = Callable[[Fought, Frames, Pacing, Sequence[float], Sequence[Pair]], Pair]
"""Names one of the possible pairs from what was shown."""


def by_tokens(fought: Fought, seen: Frames, pacing: Pacing, speeds: Sequence[float], possible: Sequence[Pair]) -> Pair:
    """The pair in whose tokens both columns were most often cut after the same number."""

    def agreement(pair: Pair) -> float:
        counts = [fought.tokenized[n, model].chars_after for n, model in enumerate(pair)]
        found = [np.minimum(np.searchsorted(chars, seen[:, n]), len(chars) - 1) for n, chars in enumerate(counts)]
        at_boundary = [chars[had] == seen[:, n] for (n, chars), had in zip(enumerate(counts), found, strict=True)]
        running = (seen[:, 0] < counts[0][-1]) & (seen[:, 1] < counts[1][-1]) & (seen[:, 0] > 0)
        return float(np.sum(running & at_boundary[0] & at_boundary[1] & (found[0] == found[1])))

    return max(possible, key=agreement)


def by_rhythm(fought: Fought, seen: Frames, pacing: Pacing, speeds: Sequence[float], possible: Sequence[Pair]) -> Pair:
    """The pair that, played at its known speeds through the known pace, shows most nearly the same at each time.

    The time at which the battle opens is left out: see `by_opening`.
    """

    def difference(pair: Pair) -> float:
        return min(
            _apart(seen, pacing(_expected(fought, pair, speeds, load))) + 0.5 * (math.log(load) / LOAD_SPREAD) ** 2
            for load in LOADS
        )

    return min(possible, key=difference)


def by_opening(fought: Fought, seen: Frames, pacing: Pacing, speeds: Sequence[float], possible: Sequence[Pair]) -> Pair:
    """The pair whose known speeds best explain when the battle opened."""
    return min(possible, key=lambda pair: _lateness(fought, pair, speeds))


def by_texts(fought: Fought, seen: Frames, pacing: Pacing, speeds: Sequence[float], possible: Sequence[Pair]) -> Pair:
    """The control: the pair that needs the fewest tokens for the final texts."""
    return min(possible, key=lambda pair: sum(len(fought.tokenized[n, m].token_ids) for n, m in enumerate(pair)))


def _expected(fought: Fought, pair: Pair, speeds: Sequence[float], load: float) -> list[Stream]:
    return [steady(fought.tokenized[n, model], speeds[model] * load) for n, model in enumerate(pair)]


def _apart(seen: Frames, expected: Frames) -> float:
    """Mean difference in characters from the first word on, as long as both are being written."""
    one, other = (frames[np.argmax(frames.any(axis=1)) :] for frames in (seen, expected))
    both = min(len(one), len(other))
    return float(np.abs(one[:both] - other[:both]).mean()) if both else math.inf


def _lateness(fought: Fought, pair: Pair, speeds: Sequence[float]) -> float:
    expected = max(stream.end_s for stream in _expected(fought, pair, speeds, 1.0))
    return abs(math.log((fought.opened_s - START_S) / (expected - START_S)))


@dataclass(frozen=True)
class Score:
    """Return the share of right guesses of an attack."""

    hits: tuple[bool, ...]

    @property
    def share(self) -> float:
        return sum(self.hits) / len(self.hits)


def attacked(
    battles: Sequence[Fought], pacing: Pacing, speeds: Sequence[float], attack: Attack, pair_known: bool = False
) -> Score:
    """One attack on many battles; with the pair known only its order is to be named."""
    hits = []
    for fought in battles:
        possible = [fought.pair, fought.pair[::-1]] if pair_known else PAIRS
        ordered = sorted(possible)
        hits.append(attack(fought, pacing(fought.streams), pacing, speeds, ordered) == fought.pair)
    return Score(tuple(hits))


def chance_of_so_many(hits: int, trials: int, chance: float) -> float:
    """The probability of so many hits or more by guessing (exact binomial, one-sided)."""
    return math.fsum(math.comb(trials, n) * chance**n * (1 - chance) ** (trials - n) for n in range(hits, trials + 1))


def chance_of_better(attack: Score, control: Score) -> float:
    """The probability that an attack that knows no more than its control is so much better (McNemar, exact)."""
    only = [sum(a and not c for a, c in zip(attack.hits, control.hits, strict=True))]
    only.append(sum(c and not a for a, c in zip(attack.hits, control.hits, strict=True)))
    return chance_of_so_many(only[0], sum(only), 0.5) if sum(only) else 1.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "tests.support.rhythm", description="Name the models of blind battles by their rhythm."
    )
    parser.add_argument("--battles", type=int, default=200)
    count = parser.parse_args(argv).battles
    for name, speeds in (("fast", FAST), ("slow", SLOW)):
        battles = [fight(seed, speeds) for seed in range(count)]
        for pacing in (every_token, every_word, as_it_is):
            for attack in (by_texts, by_tokens, by_rhythm, by_opening):
                pair, order = (attacked(battles, pacing, speeds, attack, known).share for known in (False, True))
                print(f"{name} {pacing.__name__} {attack.__name__}: pair {pair:.1%}, order {order:.1%}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
