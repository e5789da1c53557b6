"""The counts of a study's items, against a look at all of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.battles import Viewer
from playground.errors import InvalidValue
from playground.records import Instruction, ItemCount, StudyItem
from playground.storage.database.statements import Reading
from playground.studies import known_counts
from playground.studies.assignment import Plan
from playground.studies.counts import NONE, ItemCounts
from playground.studies.reservation import RESERVED_S
from tests.support.cast import house
from tests.support.living import living
from tests.support.studying import studied

PAIRS = (("a", "b"), ("b", "c"), ("a", "c"))
ITEMS = [
    StudyItem(number, "item", "x", "y", None, f"asked {number // 3}", PAIRS[number % 3]) for number in range(1, 13)
]


def wanted(item: StudyItem, count: ItemCount) -> int:
    return (3 if count.differ else 2) if item.number % 4 == 0 else 1


@st.composite
def item_counts(draw: st.DrawFn) -> ItemCount:
    taken = draw(st.integers(0, 3))
    reserved = draw(st.integers(0, taken))
    final = draw(st.integers(0, taken - reserved))
    return ItemCount(taken, reserved, final, final > 1 and draw(st.booleans()))


def left_of(counts: dict[int, ItemCount], had: set[int]) -> list[StudyItem]:
    left = [item for item in ITEMS if item.number not in had]
    return [item for item in left if counts.get(item.number, NONE).taken < wanted(item, counts.get(item.number, NONE))]


def least(counts: dict[int, ItemCount], had: set[int], only: frozenset[str] | None = None) -> set[int]:
    """Return the items that the rules name, by a look at all of them."""
    left = [item for item in left_of(counts, had) if only in (None, frozenset(item.models))]
    begun = [item for item in left if counts.get(item.number, NONE).taken]
    pairs, asked = Counter[frozenset[str]](), Counter[str]()
    for item in ITEMS:
        pairs[frozenset(item.models)] += counts.get(item.number, NONE).taken
        asked[item.instruction_id] += counts.get(item.number, NONE).taken
    ranks = {item.number: (pairs[frozenset(item.models)], asked[item.instruction_id]) for item in begun or left}
    return {number for number, rank in ranks.items() if rank == min(ranks.values())}


@given(
    st.lists(st.dictionaries(st.integers(1, 12), item_counts(), max_size=6), max_size=8),
    st.sets(st.integers(1, 12)),
)
def test_counts_are_those_of_a_look_at_all_items(steps: list[dict[int, ItemCount]], had: set[int]) -> None:
    kept, known = ItemCounts(ITEMS, wanted), dict[int, ItemCount]()
    for step in steps:
        kept.update(step, step)
        known |= step
        assert kept.taken == sum(count.taken for count in known.values())
        assert kept.final == sum(count.final for count in known.values())
        assert kept.reserved == sum(count.reserved for count in known.values())
        wants = [
            item.number
            for item in ITEMS
            if known.get(item.number, NONE).taken < wanted(item, known.get(item.number, NONE))
        ]
        assert kept.wanting == len(wants)
        assert [item.number for item in ITEMS if kept.wants(item.number)] == wants
        assert kept.unsettled == {number for number, count in known.items() if count.final < count.taken}
        assert set(kept.least_judged(had)) == least(known, had)
        pairs = {frozenset(item.models) for item in left_of(known, had)}
        assert set(kept.pairs_left(had)) == pairs
        for pair in pairs:
            assert set(kept.least_judged(had, pair)) == least(known, had, pair)


def test_battle_of_a_write_that_failed_is_not_counted() -> None:
    home = house()
    study = studied(home, 1, 2)
    assert study.next(2, browser="other").battle_id is not None
    home.battles.skip(str(study.next(2, browser="other").battle_id), "other")
    with pytest.raises(InvalidValue, match="cannot be stored"):
        study.reservations.next("helpful", study.tokens[0], Viewer("rater-1"), consent_version="\ud800")
    assert study.rows("SELECT count(*) FROM assignments WHERE rater = 1") == [(0,)]
    assert study.judge(1) is not None


def test_refused_instructions_cost_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    study = living(house(), 2)
    study.judge(1)
    study.study.next(2)
    study.study.next(2, browser="phone")
    study.write(2, browser="phone")
    counted: list[str] = []
    real = known_counts._counted

    def spy(reading: Reading, plan: Plan, now: str) -> ItemCounts:
        counted.append(plan.study.id)
        return real(reading, plan, now)

    monkeypatch.setattr(known_counts, "_counted", spy)
    for _ in range(2):
        with pytest.raises(InvalidValue, match="still being answered"):
            study.write(2, "Another.", browser="phone")
        with pytest.raises(InvalidValue, match="This link is not valid"):
            study.study.reservations.write("helpful", "none", Viewer("rater-1"), Instruction("Say it."))
        study.study.next(2, browser="phone")
    assert counted == []


def test_refused_instruction_gives_back_what_is_overdue() -> None:
    study = living(house(), 3, votes=2)
    study.answer(study.write(1))
    assert study.study.next(1).battle_id is not None
    study.write(2)
    study.home.time.pass_s(RESERVED_S + 1)
    with pytest.raises(InvalidValue, match="still being answered"):
        study.write(2, "Another.")
    assert study.study.rows("SELECT state FROM battles") == [("void",)]
    assert study.judge(3)
    assert study.study.next(1).battle_id is not None
