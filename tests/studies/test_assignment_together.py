"""Assignment under load: raters at once, and any order of arriving, voting, leaving and running out of time."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Barrier, BrokenBarrierError

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from playground.errors import Refused
from playground.records import StoredStudy
from playground.storage.database.statements import Reading
from playground.studies import plans
from playground.studies.assignment import REPEAT_GAP, Plan
from playground.studies.reservation import RESERVED_S
from playground.studies.study_file import Attention
from tests.support.cast import house
from tests.support.studying import Studied, studied


def rate(study: Studied, link: int) -> None:
    """Rate with two battles loaded ahead, as a page does, until nothing is left; sometimes the second answer wins."""
    random, loaded = Random(link), list[str]()
    while True:
        while len(loaded) < 3 and (battle := study.next(link, loaded).battle_id) is not None:
            loaded.append(battle)
        if not loaded:
            return
        battle = loaded.pop(0)
        study.vote(link, battle, study.side_of(battle, first=random.random() < 0.7))
        study.home.battles.reveal(battle, f"rater-{link}")


@pytest.mark.slow
def test_three_raters_at_once_give_each_battle_the_wanted_number(tmp_path: Path) -> None:
    home = house(tmp_path)
    study = studied(home, 60, 3, overlap=0.3)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda link: rate(study, link), (1, 2, 3)))
    for link in (1, 2, 3):  # thirds that were decided by the last votes
        rate(study, link)
    outcomes: dict[int, list[str]] = {}
    for item, battle in study.rows(
        "SELECT item, battle FROM assignments s JOIN battles b ON b.id = s.battle ORDER BY b.opened_at"
    ):
        outcomes.setdefault(item, []).append(study.outcome(battle))
    assert len(outcomes) == 60
    single = [given for given in outcomes.values() if len(given) == 1]
    assert len(single) == 42
    several = [given for given in outcomes.values() if len(given) > 1]
    assert {len(given) for given in several} == {2, 3}
    assert all((len(given) == 3) == (len(set(given)) > 1) for given in several)
    home.store.close()


def test_rater_who_comes_while_a_study_is_counted_does_not_read_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, together, read, plan_of = house(tmp_path), Barrier(2), list[str](), plans.plan_of
    study = studied(home, 4, 1)

    def slow_plan_of(reading: Reading, stored: StoredStudy) -> Plan:
        read.append(stored.id)
        with suppress(BrokenBarrierError):
            together.wait(0.2)  # until somebody else reads it too
        return plan_of(reading, stored)

    monkeypatch.setattr(plans, "plan_of", slow_plan_of)
    with ThreadPoolExecutor(2) as threads:
        counted, given = threads.submit(study.reservations.prepare), threads.submit(study.next, 1)
    assert (counted.result(), given.result().why_none, read) == (None, None, ["helpful"])
    home.store.close()


class Rating(RuleBasedStateMachine):
    """Raters of one study, in any order."""

    LINKS = 3

    @initialize(
        raters=st.integers(1, 2),
        overlap=st.sampled_from([0.0, 0.5, 1.0]),
        repeats=st.sampled_from([0.0, 0.5]),
        votes=st.integers(1, 12),
        attention=st.booleans(),
        checks=st.integers(0, 1),
    )
    def begin(self, raters: int, overlap: float, repeats: float, votes: int, attention: bool, checks: int) -> None:
        self.study = studied(
            house(),
            5,
            self.LINKS,
            raters_per_battle=raters,
            overlap=overlap,
            repeats=repeats,
            votes=votes,
            checks=checks,
            attentions=2,
            attention=Attention("attention.jsonl", every=2) if attention else None,
        )
        self.loaded: dict[int, list[str]] = {link: [] for link in range(1, self.LINKS + 1)}

    @rule(link=st.integers(1, LINKS))
    def ask(self, link: int) -> None:
        have = self.loaded[link]
        if len(have) < 3 and (battle := self.study.next(link, have).battle_id) is not None:
            assert battle not in have
            assert self.study.next(link, have).battle_id == battle
            have.append(battle)

    @precondition(lambda self: any(self.loaded.values()))
    @rule(data=st.data(), first=st.booleans(), right=st.booleans())
    def vote(self, data: st.DataObject, first: bool, right: bool) -> None:
        link = data.draw(st.sampled_from([link for link, have in self.loaded.items() if have]))
        battle = self.loaded[link].pop(0)
        [(kind,)] = self.study.rows("SELECT study_kind FROM battles WHERE id = ?", battle)
        side = self.study.side_of(battle, first=right if kind == "check" else first)
        with suppress(Refused):  # it was given back
            self.study.vote(link, battle, side)

    @precondition(lambda self: any(self.loaded.values()))
    @rule(data=st.data())
    def skip(self, data: st.DataObject) -> None:
        link = data.draw(st.sampled_from([link for link, have in self.loaded.items() if have]))
        with suppress(Refused):  # it was given back
            self.study.home.battles.skip(self.loaded[link].pop(0), f"rater-{link}")

    @rule(link=st.integers(1, LINKS))
    def leave(self, link: int) -> None:
        self.loaded[link] = []

    @rule(seconds=st.sampled_from([10.0, RESERVED_S / 2, RESERVED_S]))
    def time_passes(self, seconds: float) -> None:
        self.study.home.time.pass_s(seconds)

    @invariant()
    def quota_is_kept(self) -> None:
        if hasattr(self, "study"):
            taken = "SELECT count(*) FROM battles WHERE study_kind = 'item' AND state <> 'void'"
            assert self.study.rows(taken)[0][0] <= self.study.file.votes

    @invariant()
    def no_item_has_more_votes_than_wanted(self) -> None:
        if hasattr(self, "study"):
            file = self.study.file
            most = max(file.raters_per_battle, 3 if file.overlap else 1)
            assert all(votes <= most for votes in self.study.votes_by_item().values())
            many = [
                item for item, votes in self.study.votes_by_item().items() if votes > max(2, file.raters_per_battle)
            ]
            for item in many:
                rows = self.study.rows("SELECT battle FROM assignments WHERE item = ? ORDER BY rowid", item)
                assert len({self.study.outcome(battle) for (battle,) in rows if self.is_judged(battle)}) > 1

    @invariant()
    def nobody_gets_an_item_twice_but_as_a_repeat(self) -> None:
        if not hasattr(self, "study"):
            return
        rows = self.study.rows(
            "SELECT s.rater, s.item, s.place, o.place, b.study_kind FROM assignments s"
            " JOIN battles b ON b.id = s.battle AND (b.state <> 'void' OR s.dropped = 'skipped')"
            " LEFT JOIN assignments o ON o.battle = s.repeat_of"
        )
        first = Counter((rater, item) for rater, item, _, before, _ in rows if before is None)
        assert all(number == 1 for number in first.values())
        assert all(place - before >= REPEAT_GAP for _, _, place, before, kind in rows if kind == "repeat")

    def is_judged(self, battle: str) -> bool:
        return bool(self.study.rows("SELECT 1 FROM battles WHERE id = ? AND state IN ('voted', 'revealed')", battle))

    def teardown(self) -> None:
        if hasattr(self, "study"):
            self.study.home.store.close()


TestRating = Rating.TestCase
TestRating.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestRating = pytest.mark.slow(TestRating)
