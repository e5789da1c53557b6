"""Battles of each item of a study, and the items that want more, found without a look at all of them.

Boundary: pure; `known_counts` keeps it up with the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from playground.records import ItemCount, StudyItem

NONE = ItemCount()

Pair = frozenset[str]
Wanted = Callable[[StudyItem, ItemCount], int]
"""Returns how many raters are to judge an item, given its count."""


class ItemCounts:
    """The counts of one study.

    Args:
        items: those whose votes count.
        wanted: tells how many raters are to judge an item.
    """

    def __init__(self, items: Sequence[StudyItem], wanted: Wanted) -> None:
        self._items = {item.number: item for item in items}
        self._wanted = wanted
        self._counts: dict[int, ItemCount] = {}
        self._of_pair: Counter[Pair] = Counter()  # battles
        self._of_instruction: Counter[str] = Counter()
        self._asking: defaultdict[str, list[int]] = defaultdict(list)  # items by instruction
        self._begun: set[int] = set()  # items that somebody has and that want more
        self._new: defaultdict[Pair, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        # items that nobody has, by their pair and by the battles of their instruction
        self.unsettled: set[int] = set()  # items whose counts may change without a new battle
        self.taken = self.reserved = self.final = self.wanting = 0
        for item in items:
            self._place(item)

    def add(self, items: Sequence[StudyItem]) -> None:
        """Take those of all items that are not known: raters of a live study make more."""
        for item in items[len(self._items) :]:
            self._items[item.number] = item
            self._place(item)

    def battles_of(self, pair: Pair) -> int:
        """Return the battles of a pair of models that are reserved or judged."""
        return self._of_pair[pair]

    def update(self, counts: Mapping[int, ItemCount], numbers: Iterable[int]) -> None:
        """Take over the counts of some items; one without a count has no battle any more."""
        for number in tuple(numbers):
            self._put(number, counts.get(number, NONE))

    def final_with(self, counts: Mapping[int, ItemCount], numbers: Iterable[int]) -> int:
        """Return how many votes are final if some items have newer counts, which are not taken over."""
        return self.final + sum(
            counts.get(number, NONE).final - self._counts.get(number, NONE).final for number in numbers
        )

    def wants(self, number: int) -> bool:
        """Return True if an item wants another rater."""
        item = self._items.get(number)
        count = self._counts.get(number, NONE)
        return item is not None and count.taken < self._wanted(item, count)

    def pairs_left(self, without: Collection[int]) -> Sequence[Pair]:
        """Return the pairs of models with an item that wants another rater, in an order of their names."""
        begun = {self._pair_of(number) for number in self._begun.difference(without)}
        new = {
            pair
            for pair, levels in self._new.items()
            if any(number not in without for numbers in levels.values() for number in numbers)
        }
        return sorted(begun | new, key=sorted)

    def least_judged(self, without: Collection[int], pair: Pair | None = None) -> Sequence[int]:
        """Return the items of the pair, and of these of the instruction, with the fewest battles; begun ones first.

        Args:
            without: items that are left out.
            pair: the only pair of models whose items are looked at; None: all.
        """
        begun = self._begun.difference(without)
        if pair is not None:
            begun = {number for number in begun if self._pair_of(number) == pair}
        if begun:
            fewest = min(map(self._rank, begun))
            return [number for number in begun if self._rank(number) == fewest]
        new = self._new if pair is None else {pair: self._new[pair]}
        for battles in sorted({self._of_pair[each] for each in new}):
            tied = [levels for each, levels in new.items() if self._of_pair[each] == battles]
            for level in sorted({level for levels in tied for level in levels}):
                found = set[int]().union(*(levels.get(level, ()) for levels in tied)).difference(without)
                if found:
                    return list(found)
        return []

    def _place(self, item: StudyItem) -> None:
        """Put a new item where it belongs."""
        self._asking[item.instruction_id].append(item.number)
        self._new[frozenset(item.models)][self._of_instruction[item.instruction_id]].add(item.number)
        self.wanting += 1

    def _pair_of(self, number: int) -> Pair:
        return frozenset(self._items[number].models)

    def _rank(self, number: int) -> tuple[int, int]:
        return self._of_pair[self._pair_of(number)], self._of_instruction[self._items[number].instruction_id]

    def _put(self, number: int, count: ItemCount) -> None:
        old = self._counts.get(number, NONE)
        self._settle(number, count)
        if count == old:
            return
        item, before = self._items[number], self.wants(number)
        self._counts[number] = count
        self.taken += count.taken - old.taken
        self.reserved += count.reserved - old.reserved
        self.final += count.final - old.final
        self.wanting += self.wants(number) - before
        self._move(item, bool(old.taken), count.taken - old.taken)
        if count.taken and self.wants(number):
            self._begun.add(number)
        else:
            self._begun.discard(number)

    def _settle(self, number: int, count: ItemCount) -> None:
        if count.final < count.taken:
            self.unsettled.add(number)
        else:
            self.unsettled.discard(number)

    def _move(self, item: StudyItem, was_begun: bool, battles: int) -> None:
        """Count more or fewer battles of an item, and put the new items of its instruction where they belong then."""
        asked = self._of_instruction[item.instruction_id]
        for number in self._asking[item.instruction_id] if battles else ():
            has_none = not was_begun if number == item.number else not self._counts.get(number, NONE).taken
            if has_none:
                self._drop(self._items[number], asked)
        self._of_pair[frozenset(item.models)] += battles
        self._of_instruction[item.instruction_id] += battles
        for number in self._asking[item.instruction_id] if battles else ():
            if not self._counts.get(number, NONE).taken:
                self._new[frozenset(self._items[number].models)][asked + battles].add(number)

    def _drop(self, item: StudyItem, level: int) -> None:
        levels = self._new[frozenset(item.models)]
        levels[level].discard(item.number)
        if not levels[level]:
            del levels[level]
