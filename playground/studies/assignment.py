"""The next battle of a rater in a study: an item, a repeat, a check or an attention item, or none, and why.

Boundary: pure. Counts and the rater's own battles in, a decision out; `reservation` stores it in the same transaction.

An item is wanted by `raters_per_battle` raters. Of the `overlap` share each is wanted by two at least, and by a third
once two final votes on it differ. Items that some raters have judged come first, so that the share is also reached in
a study that ends before all items were judged; then pairs and instructions that were judged least. What is left equal
is drawn at random, by a secret: nobody can predict it from the study's file.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from random import Random

from playground.ratings.pairing import Pairing
from playground.records import Assigned, CheckState, ItemCount, LiveItem, StoredStudy, StudyItem, StudyRater
from playground.studies.counts import ItemCounts
from playground.studies.decision import DECIDED
from playground.studies.nothing import Nothing
from playground.studies.pair_draw import drawn_pair
from playground.studies.study_file import StudyFile

MOST_AHEAD = 3
"""Battles that a rater may have open when the next one is given."""
REPEAT_GAP = 5
"""Battles from a vote to its silent repeat, at least; a page loads up to `MOST_AHEAD`."""
MOST_TRIES = 2
"""Tries of the check."""
MOST_FRUITLESS = 50
"""Instructions of a rater of a live study whose answers failed, were alike, or were skipped."""


@dataclass(frozen=True, slots=True)
class Given:
    """A battle to make: on an item, or on the answers of an earlier battle with its sides swapped."""

    item: StudyItem
    kind: str  # item | repeat | check | attention
    repeat_of: str | None = None
    probability: float | None = None  # of the pair of models, if it was drawn by its chance


@dataclass(frozen=True)
class Plan:
    """A study with its items, and what can be computed from them without a rater."""

    study: StoredStudy
    file: StudyFile
    items: Sequence[StudyItem]

    @cached_property
    def by_number(self) -> Mapping[int, StudyItem]:
        return {item.number: item for item in self.items}

    @cached_property
    def of_kind(self) -> Mapping[str, Sequence[StudyItem]]:
        found: dict[str, list[StudyItem]] = {"item": [], "check": [], "attention": []}
        for item in self.items:
            found[item.kind].append(item)
        return found

    @property
    def is_watched(self) -> bool:
        """True while looks at its votes decide about it: when it ends, or which pairs come next."""
        return self.study.closed_at is None and (self.file.ends is not None or self.file.is_informative)

    @property
    def rated(self) -> Sequence[StudyItem]:
        """The items whose votes count."""
        return self.of_kind["item"]

    @cached_property
    def overlapping(self) -> frozenset[int]:
        """The items that two raters judge, spread evenly over the pairs of models."""
        if not self.file.overlap:
            return frozenset()
        by_pair: dict[frozenset[str], list[int]] = {}
        for number in self.shuffled([item.number for item in self.rated], "overlap"):
            by_pair.setdefault(frozenset(self.by_number[number].models), []).append(number)
        mixed = [number for number in chain(*zip_longest(*by_pair.values())) if number is not None]
        return frozenset(mixed[: round(self.file.overlap * len(mixed))])

    def wanted(self, item: StudyItem, count: ItemCount) -> int:
        """Return how many raters are to judge an item, as far as its votes tell.

        A third is wanted only once both votes are final: one that is undone may leave no disagreement, and the third
        vote would be money for nothing. Meanwhile raters get other items.
        """
        if item.number not in self.overlapping:
            return self.file.raters_per_battle
        return max(self.file.raters_per_battle, 3 if count.final >= 2 and count.differ else 2)

    def random(self, *about: object) -> Random:
        """Return random numbers that are the same for the same question, and that the file does not tell."""
        text = "/".join(map(str, (self.study.hash, self.file.seed, *about)))
        return Random(hmac.digest(bytes.fromhex(self.study.secret), text.encode(), hashlib.sha256))

    def shuffled(self, numbers: Sequence[int], *about: object) -> Sequence[int]:
        mixed = sorted(numbers)
        self.random(*about).shuffle(mixed)
        return mixed


@dataclass(frozen=True, slots=True)
class Written:
    """The instructions of a live study, as one rater meets them."""

    last: LiveItem | None = None  # that this rater wrote
    count: int = 0  # that this rater wrote
    waiting: Sequence[tuple[str, str]] = ()  # models of those that others wrote not long ago and have not judged


@dataclass(frozen=True, slots=True)
class Situation:
    """A study at one moment, as one rater meets it."""

    plan: Plan
    counts: ItemCounts
    rater: StudyRater
    own: Sequence[Assigned]  # in their order
    pairing: Pairing | None = None  # the gains of pairs, where they are drawn by these
    written: Written = Written()

    @property
    def place(self) -> int:
        """The place of the next battle among the rater's own."""
        return len(self.own) + 1

    @property
    def taken(self) -> int:
        """Votes of the study that are given or reserved."""
        return self.counts.taken

    def judged(self, *kinds: str) -> list[Assigned]:
        return [one for one in self.own if one.kind in kinds and one.is_judged]

    def had(self) -> set[int]:
        """Return the items that do not come to this rater again."""
        return {one.item for one in self.own if not one.is_given_back}

    def left(self) -> int:
        """Return how many items this rater may still judge, whether or not the study has enough votes."""
        if self.plan.file.live:  # as many as they write
            return self.plan.file.votes
        return self.counts.wanting - sum(map(self.counts.wants, self.had()))


def decide(now: Situation) -> Given | Nothing:
    """Return the next battle of a rater whose check is settled, or the reason for none."""
    if now.plan.study.closed_at is not None:
        return Nothing.DECIDED if (now.plan.study.why or "").startswith(DECIDED) else Nothing.CLOSED
    if now.rater.check_state is CheckState.FAILED:
        return Nothing.FAILED_CHECK
    if now.rater.check_state is CheckState.WAITING:
        return _check_item(now) or Nothing.JUDGE_FIRST
    return _repeat(now) or _attention(now) or _item(now)


def settle_check(now: Situation) -> tuple[CheckState, int]:
    """Return the state of the rater's check and their failed tries, once all of its items are judged."""
    tries = now.rater.tries
    if now.rater.check_state is not CheckState.WAITING or _check_item(now) is not None:
        return now.rater.check_state, tries
    answers = _of_try(now, tries)
    if any(one.is_open for one in answers):
        return CheckState.WAITING, tries
    if all(one.outcome == now.plan.by_number[one.item].expected for one in answers):
        return CheckState.PASSED, tries
    return (CheckState.WAITING if tries + 1 < MOST_TRIES else CheckState.FAILED), tries + 1


def _check_item(now: Situation) -> Given | None:
    """Return the next item of this try; one that was had before, in the first try or skipped, is a repeat.

    One whose answers cannot be shown is left out of the check.
    """
    numbers = [item.number for item in now.plan.of_kind["check"]]
    had = {one.item for one in _of_try(now, now.rater.tries)}
    had |= {one.item for one in now.own if one.kind == "check" and one.dropped == "unusable"}
    last = {one.item: one.battle for one in now.own if one.kind == "check"}
    for number in now.plan.shuffled(numbers, "check", now.rater.number, now.rater.tries):
        if number not in had:
            return Given(now.plan.by_number[number], "check", last.get(number))
    return None


def _of_try(now: Situation, tries: int) -> list[Assigned]:
    """Return the check's battles of a try, which are the first, or the second, on their items."""
    times: Counter[int] = Counter()
    found = []
    for one in now.own:
        if one.kind == "check" and one.state != "void":
            if times[one.item] == tries:
                found.append(one)
            times[one.item] += 1
    return found


def _repeat(now: Situation) -> Given | None:
    """Return a repeat if one is due: so many of the rater's votes, never soon after the first time."""
    judged, repeats = now.judged("item"), [one for one in now.own if one.kind == "repeat" and not one.is_given_back]
    repeated, given = {one.repeat_of for one in repeats}, len(repeats)
    start = now.plan.random("repeat", now.rater.number).random()
    if given >= math.floor(now.plan.file.repeats * len(judged) + start * now.plan.file.repeats):
        return None
    old = [one for one in judged if one.battle not in repeated and now.place - one.place >= REPEAT_GAP]
    if not old:
        return None
    chosen = now.plan.random("repeat", now.rater.number, given).choice(old)
    return Given(now.plan.by_number[chosen.item], "repeat", chosen.battle)


def _attention(now: Situation) -> Given | None:
    """Return an attention item if one is due; one that was skipped comes again once there are no others."""
    if now.plan.file.attention is None:
        return None
    had = [one for one in now.own if one.kind == "attention" and not one.is_given_back]
    since = now.own[had[-1].place :] if had else now.own
    random = now.plan.random("attention", now.rater.number, len(had))
    every = now.plan.file.attention.every
    if sum(one.kind in ("item", "repeat") for one in since) < attention_gap(every, random.randrange(every)):
        return None
    known = {one.item for one in had}
    new = [item for item in now.plan.of_kind["attention"] if item.number not in known]
    skipped = known - {one.item for one in had if one.dropped != "skipped"}
    left = new or [now.plan.by_number[number] for number in sorted(skipped)]
    if not left:
        return None
    chosen = random.choice(left)
    last = {one.item: one.battle for one in now.own if one.kind == "attention"}
    return Given(chosen, "attention", last.get(chosen.number))


def attention_gap(every: int, drawn: int) -> int:
    """Return the votes before the next attention item, by a random number from 0 to below `every`."""
    return max(1, every // 2 + drawn)


def _item(now: Situation) -> Given | Nothing:
    others_rate = now.counts.reserved > sum(one.is_open and one.kind == "item" for one in now.own)
    share = now.plan.file.votes_per_rater
    if share is not None and sum(one.kind == "item" and one.state != "void" for one in now.own) >= share:
        return Nothing.SHARE_DONE
    if now.taken >= now.plan.file.votes:
        return Nothing.OTHERS_RATE if others_rate else Nothing.ENOUGH
    had = now.had()
    if now.plan.file.live:
        return _own_item(now, had)
    left = now.counts.pairs_left(had) if now.plan.file.is_informative else ()
    random = now.plan.random("pair", now.rater.number, now.place)
    pair, probability = drawn_pair(left, now.plan.file.models, random, now.pairing) if left else (None, None)
    best = now.counts.least_judged(had, pair)
    if not best:
        return Nothing.OTHERS_RATE if others_rate else Nothing.ALL_JUDGED
    chosen = now.plan.random("item", now.rater.number, now.place).choice(best)
    return Given(now.plan.by_number[chosen], "item", probability=probability)


def _own_item(now: Situation, had: Collection[int]) -> Given | Nothing:
    """Return the answers to the rater's own instruction, or what they do next."""
    for item in now.plan.rated:
        if item.rater == now.rater.number and item.number not in had:
            return Given(item, "item", probability=item.probability)
    if any(one.is_open and one.kind == "item" for one in now.own):
        return Nothing.JUDGE_FIRST
    if now.written.last is not None and now.written.last.is_being_answered:
        return Nothing.BEING_ANSWERED
    if now.written.count - len(now.judged("item")) >= MOST_FRUITLESS:
        return Nothing.WROTE_ENOUGH
    is_full = now.taken + len(now.written.waiting) >= now.plan.file.votes
    return Nothing.OTHERS_RATE if is_full else Nothing.WRITE


def pair_to_write(now: Situation) -> tuple[tuple[str, str], float | None]:
    """Choose the models that answer a rater's instruction, as those of the next item would be.

    It is the pair with the fewest battles, those that others are to judge soon among them, or one drawn by its chance,
    which is returned too.
    """
    pairs, random = now.plan.file.model_pairs, now.plan.random("written", now.rater.number, now.written.count)
    if now.plan.file.is_informative:
        drawn, probability = drawn_pair([frozenset(pair) for pair in pairs], now.plan.file.models, random, now.pairing)
        return next(pair for pair in pairs if frozenset(pair) == drawn), probability
    soon = Counter(now.written.waiting)
    battles = {pair: now.counts.battles_of(frozenset(pair)) + soon[pair] for pair in pairs}
    return random.choice([pair for pair in pairs if battles[pair] == min(battles.values())]), None
