"""All judged pairs of a database as arrays.

Boundary: unpacks the numbers that a `Reading` packs; no SQL.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from playground.rater_ids import FREE_PROGRAMS, is_keyed
from playground.ratings.judged import BoolArray, IntArray, JudgedVotes, VoteNetworks
from playground.ratings.policy import CountingPolicy
from playground.ratings.repeats import SharedRows
from playground.records import PAIR_BITS, Circumstances, Origin, PackedPairs
from playground.storage.database.filters import Conditions
from playground.storage.database.statements import Reading

_FLAGS = (
    *("blind", "names_itself", "seen_before", "seen_elsewhere", "capped", "drawn", "own_sampling"),
    *("study_extra", "study_running"),
)


def read_votes(reading: Reading, policy: CountingPolicy, now: str) -> JudgedVotes:
    """Return all votes that are final `now`, for policies with the quickest decision and the daily cap of `policy`."""
    return _Rows(reading, reading.undecided_votes(now), policy).votes()


def read_filtered(
    reading: Reading, policy: CountingPolicy, now: str, where: Conditions
) -> tuple[JudgedVotes, BoolArray | None]:
    """Return all votes as `read_votes`, and True for the pairs (n,) that fulfil the conditions; None without any."""
    rows = _Rows(reading, reading.undecided_votes(now), policy)
    return rows.votes(), rows.where(where) if where.sql else None


def read_keys(reading: Reading, now: str) -> IntArray:
    """Return the key (n,) of each row of `read_votes` of the same snapshot."""
    return np.frombuffer(reading.row_keys(reading.undecided_votes(now)), dtype=np.int64)


def read_days(reading: Reading, keys: IntArray) -> IntArray:
    """Return the day (n,) in UTC of the vote of each row, by `keys`, as a number such as 20261130."""
    votes = keys >> PAIR_BITS
    day_of_vote: IntArray = np.zeros(int(votes.max(initial=0)) + 1, dtype=np.int64)
    for day, found in reading.days_of_votes():
        numbers = np.frombuffer(found, dtype=np.int64)
        day_of_vote[numbers[numbers < len(day_of_vote)]] = int(day.replace("-", ""))
    return np.asarray(day_of_vote[votes])


def read_shared(reading: Reading, keys: IntArray) -> SharedRows:
    """Return the rows whose answers several battles show, as indices into `keys`, those of `read_keys`."""
    found = np.frombuffer(reading.rows_of_shared(), dtype=np.int64).reshape(-1, 4)
    row, known = _places(keys, found[:, 0])  # the votes on others can still be undone
    return SharedRows(row[known], *found[known, 1:].T)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of one snapshot."""

    reading: Reading
    undecided: Sequence[int]
    policy: CountingPolicy

    def votes(self) -> JudgedVotes:
        packed, columns = self.packed, self.columns
        kinds, kind = self.circumstances
        rater = self.people
        busy = tuple(self._busy_days(*self.raters))
        return JudgedVotes(
            models=_names(packed.models),
            categories=_names(packed.categories),
            circumstances=kinds,
            num_raters=int(rater.max(initial=-1)) + 1,
            vote=self.vote,
            rater=rater,
            first=columns["model_a"],
            second=columns["model_b"],
            category=columns["category"],
            kind=kind,
            outcome=self._mark("winner").astype(np.int8),
            weight=(columns["model_a"] != columns["model_b"]).astype(np.float64),
            busy_days=busy,
            networks=self._networks(),
        )

    @cached_property
    def packed(self) -> PackedPairs:
        return self.reading.packed_pairs(self.undecided, self.policy.min_decision_s)

    @cached_property
    def columns(self) -> Mapping[str, IntArray]:
        """The parts of the words, each of shape (n,), in integers that hold twice the largest value."""
        columns: dict[str, IntArray] = {}
        for word in self.packed.words:
            values, shift = np.frombuffer(word.values, dtype=np.int64), 0
            for name, width in word.parts:
                columns[name] = (values >> shift & (1 << width) - 1).astype(np.int16 if width < 15 else np.int32)
                shift += width
        return columns

    @cached_property
    def keys(self) -> IntArray:
        """The vote's number and the pair of each row; read only if a vote must be found."""
        return np.frombuffer(self.reading.row_keys(self.undecided), dtype=np.int64)

    @cached_property
    def vote(self) -> IntArray:
        if self.packed.one_each:
            return np.arange(len(self.columns["marks"]))
        return np.cumsum(np.diff(self.keys >> PAIR_BITS, prepend=-1) != 0) - 1

    @cached_property
    def circumstances(self) -> tuple[tuple[Circumstances, ...], IntArray]:
        """The different circumstances, and the number of each row's."""
        layout = {name: place for name, place in self.packed.marks.items() if name not in ("winner", "longer")}
        high = max(shift + mask.bit_length() for shift, mask in self.packed.marks.values())
        codes = self.columns["marks"] & sum(mask << shift for shift, mask in layout.values())
        codes |= self.columns["quick"].astype(codes.dtype) << high
        there = np.flatnonzero(np.bincount(codes, minlength=1))
        number = np.zeros(1 << high + 1, dtype=np.int16)
        number[there] = np.arange(len(there))
        kinds = []
        for code in there if len(codes) else ():
            part = {name: int(code) >> shift & mask for name, (shift, mask) in layout.items()}
            kinds.append(
                Circumstances(
                    **{name: bool(part[name]) for name in _FLAGS},
                    origin=Origin(self.packed.origins[part["origin"]]),
                    imported="a file" if part["imported"] else None,
                    decision_s=-math.inf if code >> high else None,
                )
            )
        return tuple(kinds), number[codes]

    @cached_property
    def people(self) -> IntArray:
        """The rater of each row, where all browsers that judged under a personal link are one.

        The daily cap stays one of each browser: exports have no other names.
        """
        rater = self.raters[0]
        links = _groups(self.reading.same_raters())
        if not links:
            return rater
        number = np.arange(max(int(rater.max(initial=0)), *map(max, links.values())) + 1, dtype=rater.dtype)
        for first, others in links.items():
            number[others] = first
        return number[rater]

    @cached_property
    def raters(self) -> tuple[IntArray, Mapping[int, Sequence[int]]]:
        """The rater of each row, and the numbers of those who are one; all programs without a key are."""
        rater, (kinds, kind) = self.columns["rater"], self.circumstances
        by_program = np.array([kind.origin is Origin.PROGRAM for kind in kinds], dtype=bool)
        if not by_program.any():
            return rater, {}
        numbers = [int(number) for number in np.unique(rater[by_program[kind]])]
        names = dict(zip(numbers, self.reading.rater_ids(numbers), strict=True))
        free = [number for number, name in names.items() if not is_keyed(name)]
        number = self.reading.rater_number(FREE_PROGRAMS) or int(rater.max()) + 1
        is_free = np.zeros(int(rater.max()) + 1, dtype=bool)
        is_free[free] = True
        return np.where(by_program[kind] & is_free[rater], number, rater), {number: [*free, number]}

    def where(self, where: Conditions) -> BoolArray:
        """Return True for the rows that fulfil the conditions."""
        found = np.frombuffer(self.reading.row_keys_where(where), dtype=np.int64)
        place, there = _places(self.keys, found)
        rows = np.zeros(len(self.keys), dtype=bool)
        rows[place[there]] = True  # votes that are not final yet have no key
        return rows

    def _mark(self, name: str) -> IntArray:
        shift, mask = self.packed.marks[name]
        return self.columns["marks"] >> shift & mask

    def _busy_days(self, rater: IntArray, same_rater: Mapping[int, Sequence[int]]) -> Iterator[IntArray]:
        """Yield the votes of one rater on one day, in order of time, where they are more than the daily cap."""
        cap = self.policy.max_votes_per_rater_and_day
        rater_of_vote = rater if self.packed.one_each else rater[np.flatnonzero(np.diff(self.vote, prepend=-1))]
        busy = np.flatnonzero(np.bincount(rater_of_vote, minlength=1) > cap) if cap else ()
        for number in map(int, busy):
            for found in self.reading.busy_days_of(same_rater.get(number, [number]), cap):
                votes, known = self._found(found)
                votes = votes[known]
                votes = votes[rater_of_vote[votes] == number]
                if len(votes) > cap:
                    yield votes

    def _networks(self) -> VoteNetworks | None:
        numbers, tags = array("q"), array("q")
        known: dict[str, int] = {}
        for vote, tag in self.reading.votes_with_networks():
            numbers.append(vote)
            tags.append(known.setdefault(tag, len(known)))
        if not numbers:
            return None
        place = np.argsort(np.argsort(list(known)))  # tags are in the order of their names
        votes, there = self._found(numbers)
        of_vote = np.full(int(self.vote[-1]) + 1 if len(self.vote) else 0, -1)
        of_vote[votes[there]] = place[np.frombuffer(tags, dtype=np.int64)[there]]
        return VoteNetworks(of_vote, tuple(sorted(known)))

    def _found(self, numbers: array[int]) -> tuple[IntArray, BoolArray]:
        """Return the place of each vote among those that are judged, and True where it is one."""
        row, there = _places(self.keys >> PAIR_BITS, np.frombuffer(numbers, dtype=np.int64))
        return self.vote[row] if len(self.vote) else row, there


def _groups(pairs: Sequence[tuple[int, int]]) -> Mapping[int, list[int]]:
    """Return the numbers that pairs connect, by the smallest of each group."""
    group_of: dict[int, list[int]] = {}
    for pair in pairs:
        together = sorted({other for number in pair for other in group_of.get(number, [number])})
        group_of |= dict.fromkeys(together, together)
    return {group[0]: group for group in group_of.values()}


def _places(keys: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the first place of each number in sorted keys, and True where it is one of them."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, np.asarray(keys[place] == wanted)


def _names(names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names by number; unused numbers have none."""
    return tuple(names.get(number, "") for number in range(max(names, default=-1) + 1))
