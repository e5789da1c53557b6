"""Random lives of battles against a dictionary that says what should have come of them."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from playground.errors import InvalidValue, Refused
from playground.records import FinishReason
from tests.cast import ADA, BEN, FAILED, MODELS, ToldTime, battle, generation, house

UNDO_S, EXPIRE_S = 5, 3600
SIDES = st.sampled_from("abc")
WHO = st.sampled_from([ADA, ADA, ADA, BEN])
CHOICES = st.sampled_from(["a", "b", "c", "tie", "both_bad", "a>b>c", "c=b>a", "b>a", "x"])


@dataclass
class Expected:
    """What a battle should be."""

    good: dict[str, bool] = field(default_factory=dict)
    state: str = "generating"
    choice: str | None = None
    rows: int = 0
    opened: float = 0.0
    voted: float = 0.0

    def pairs(self) -> int:
        n = sum(self.good.values())
        if self.choice is None:
            return 0
        return n - 1 if len(self.choice) == 1 else n * (n - 1) // 2

    def allows(self, choice: str) -> bool:
        good = sorted(side for side, is_good in self.good.items() if is_good)
        return choice in ("tie", "both_bad", *good) or sorted(choice.replace("=", ">").split(">")) == good


class Lives(RuleBasedStateMachine):
    """Three-sided battles of one rater; another one tries to interfere; the process ends now and then."""

    battles = Bundle("battles")

    @initialize()
    def open_the_house(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.time = ToldTime()
        self.home = house(self.folder)
        self.home.time = self.time
        self.reopen()
        self.expected: dict[str, Expected] = {}

    def reopen(self) -> None:
        self.home.store.close()
        self.home = house(self.folder)
        self.home.time.at = self.time.at
        self.time = self.home.time

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.home.store.close()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> float:
        return self.time.at.timestamp()

    def let_time_pass(self) -> None:
        for it in self.expected.values():
            if it.state == "voted" and self.now >= it.voted + UNDO_S:
                it.state = "revealed"
            if it.state == "open" and self.now >= it.opened + EXPIRE_S:
                it.state = "expired"

    def end(self, it: Expected, side: str, good: bool) -> None:
        it.good[side] = good
        if len(it.good) == 3:
            it.state, it.opened = ("open", self.now) if sum(it.good.values()) >= 2 else ("void", 0.0)

    @rule(target=battles)
    def create(self) -> str:
        name = f"battle-{len(self.expected)}"
        self.home.battles.create(battle(name, MODELS))
        self.expected[name] = Expected()
        return name

    @rule(name=battles, side=SIDES, good=st.sampled_from([True, True, True, False]))
    def finish(self, name: str, side: str, good: bool) -> None:
        it, how = self.expected[name], {} if good else FAILED
        made = generation(f"{name}-{side}", MODELS["abc".index(side)], **how)
        if it.state != "generating" or side in it.good:
            with pytest.raises(Refused):
                self.home.battles.finish_side(name, side, made)
            return
        self.end(it, side, good)
        assert self.home.battles.finish_side(name, side, made) == it.state

    @rule(name=battles, good=st.tuples(*[st.sampled_from([True, True, False])] * 3))
    def finish_the_rest(self, name: str, good: tuple[bool, ...]) -> None:
        for side, is_good in zip("abc", good, strict=True):
            if side not in self.expected[name].good:
                self.finish(name, side, is_good)

    @rule(name=battles, choice=CHOICES, who=WHO, final=st.booleans(), late=st.sampled_from([None, 0, -1]))
    def vote(self, name: str, choice: str, who: str, final: bool, late: int | None) -> None:
        it = self.expected[name]
        revision = None if late is None else it.rows + late
        reason = self.refusal(it, who)
        if reason:
            assert self.reason_of(lambda: self.home.battles.vote(name, choice, who, revision, final)) == reason
        elif it.state == "open" and late != -1 and not it.allows(choice):
            with pytest.raises(InvalidValue):
                self.home.battles.vote(name, choice, who, revision, final)
        else:
            if it.state == "open" and late != -1:
                it.state, it.choice, it.voted = "revealed" if final else "voted", choice, self.now
                it.rows += 1
            answer = self.home.battles.vote(name, choice, who, revision, final)
            assert (answer.state, answer.choice, answer.revision) == (it.state, it.choice, it.rows)
            assert bool(answer.reveal) == (it.state == "revealed")

    @rule(name=battles, who=WHO)
    def undo(self, name: str, who: str) -> None:
        it = self.expected[name]
        reason = self.refusal(it, who) or ("final" if it.state == "revealed" else None)
        if reason:
            assert self.reason_of(lambda: self.home.battles.undo(name, who)) == reason
            return
        if it.state == "voted":
            it.state, it.choice = "open", None
            it.rows += 1
        answer = self.home.battles.undo(name, who)
        assert (answer.state, answer.choice, answer.revision) == ("open", None, it.rows)

    @rule(name=battles, who=WHO)
    def reveal(self, name: str, who: str) -> None:
        it = self.expected[name]
        reason = self.refusal(it, who) or ("unfinished" if it.state == "open" else None)
        if reason:
            assert self.reason_of(lambda: self.home.battles.reveal(name, who)) == reason
            return
        it.state = "revealed"
        assert set(self.home.battles.reveal(name, who).reveal) == set("abc")

    @rule(seconds=st.sampled_from([0.5, 1, 4, 5, 60, EXPIRE_S]))
    def pass_time(self, seconds: float) -> None:
        self.time.pass_s(seconds)
        self.let_time_pass()

    @rule()
    def settle(self) -> None:
        self.home.battles.expire()

    @rule()
    def restart(self) -> None:
        self.reopen()
        left = [it for it in self.expected.values() if it.state == "generating"]
        for it in left:
            for side in "abc":
                if side not in it.good:
                    self.end(it, side, good=False)
        assert self.home.battles.interrupt_all() == len(left)

    @invariant()
    def the_database_says_the_same(self) -> None:
        if not hasattr(self, "expected"):
            return
        for name, it in self.expected.items():
            view = self.home.battles.view(name, ADA)
            assert view.state == ("void" if it.state == "expired" else it.state)
            assert (view.void_reason == "expired") == (it.state == "expired")
            assert (view.choice, view.revision) == (it.choice, it.rows)
            assert all((column.card is not None) == (it.state == "revealed") for column in view.columns)
            failed = [c.side for c in view.columns if c.generation and c.generation.finish_reason is FinishReason.ERROR]
            assert failed == [side for side in "abc" if it.state == "revealed" and not it.good[side]]
        pairs: dict[str, int] = {}
        for pair in self.home.store.judged_pairs():
            pairs[pair.battle_id] = pairs.get(pair.battle_id, 0) + 1
        assert pairs == {name: it.pairs() for name, it in self.expected.items() if it.choice}

    @staticmethod
    def refusal(it: Expected, who: str) -> str | None:
        if who != ADA:
            return "foreign"
        return {"generating": "unfinished", "void": "void", "expired": "expired"}.get(it.state)

    @staticmethod
    def reason_of(act) -> str:
        with pytest.raises(Refused) as caught:
            act()
        return caught.value.reason


Lives.TestCase.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLives = Lives.TestCase
