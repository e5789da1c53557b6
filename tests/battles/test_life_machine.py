"""Random lives of battles against a model of them.

Compared are the database, an export of it, and a database restored from its journal.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from playground.battles import Moderation
from playground.errors import InvalidValue, Refused
from playground.exchange import ExportOptions, export
from playground.records import FinishReason, Instruction
from playground.storage.database.store import Store
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import ADA, BEN, FAILED, HAIKU, MODELS, House, ToldTime, battle, generation
from tests.support.judging import keep_journal

UNDO_S, EXPIRE_S = 5, 3600
SIDES = st.sampled_from("abc")
RATERS = st.sampled_from([ADA, BEN])
MOSTLY = st.sampled_from([True, True, True, False])
COMMENTS = st.sampled_from(["", "=short", "Two words\r\nand \u2028 a third."])
CHOICES = st.sampled_from(["a", "b", "c", "tie", "tie", "both_bad", "a>b>c", "c=b>a", "b>a", "x"])


@dataclass
class Expected:
    """The expected state of a battle."""

    owner: str
    good: dict[str, bool] = field(default_factory=dict)
    state: str = "generating"
    choice: str | None = None
    comment: str = ""
    taken_back: int = 0  # comments beside votes that were undone
    rows: int = 0
    opened: float = 0.0
    voted: float = 0.0
    erased: bool = False
    hidden: bool = False

    def pairs(self) -> int:
        n = sum(self.good.values())
        if self.choice is None:
            return 0
        return n - 1 if len(self.choice) == 1 else n * (n - 1) // 2

    def allows(self, choice: str) -> bool:
        return choice in ("tie", "both_bad", *self.judged) or sorted(choice.replace("=", ">").split(">")) == self.judged

    def who(self, mine: bool) -> str:
        return self.owner if mine else {ADA: BEN, BEN: ADA}[self.owner]

    @property
    def judged(self) -> list[str]:
        return sorted(side for side, is_good in self.good.items() if is_good)

    @property
    def instruction(self) -> Instruction:
        return Instruction("", category=HAIKU.category) if self.erased or self.hidden else HAIKU


class Lives(RuleBasedStateMachine):
    """Battles of three sides and two raters, who also try each other's; now and then the process ends or is killed."""

    battles = Bundle("battles")

    @initialize()
    def open_the_house(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.expected: dict[str, Expected] = {}
        self.open(self.folder / "0", ToldTime())

    def open(self, folder: Path, time: ToldTime) -> None:
        self.time = time
        self.home = House(Store(folder / "playground.db"), time)
        self.reader = House(Store(folder / "playground.db", read_only=True), time)  # looking writes nothing down

    def close(self) -> None:
        self.reader.store.close()
        self.home.store.close()

    def teardown(self) -> None:
        if hasattr(self, "home"):
            try:
                self.rebuild()
                self.export_it()
            finally:
                self.close()
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

    @rule(target=battles, owner=RATERS)
    def create(self, owner: str) -> str:
        name = f"battle-{len(self.expected)}"
        self.home.battles.create(battle(name, MODELS, owner=owner))
        self.expected[name] = Expected(owner)
        return name

    @rule(name=battles, side=SIDES, good=st.sampled_from([True, True, True, False]))
    def finish(self, name: str, side: str, good: bool) -> None:
        it, how = self.expected[name], {} if good else FAILED
        made = generation(f"{name}-{side}{'-again' * (side in it.good)}", MODELS["abc".index(side)], **how)
        if it.state != "generating" or side in it.good:
            with pytest.raises(Refused):
                self.home.battles.finish(name, {side: made})
            return
        self.end(it, side, good)
        assert self.home.battles.finish(name, {side: made}) == it.state

    @rule(name=battles, good=st.tuples(*[MOSTLY] * 3))
    def finish_the_rest(self, name: str, good: tuple[bool, ...]) -> None:
        for side, is_good in zip("abc", good, strict=True):
            if side not in self.expected[name].good:
                self.finish(name, side, is_good)

    @rule(target=battles, owner=RATERS, good=st.tuples(*[MOSTLY] * 3), choice=CHOICES, comment=COMMENTS)
    def create_judged(self, owner: str, good: tuple[bool, ...], choice: str, comment: str) -> str:
        name = self.create(owner)
        self.finish_the_rest(name, good)
        self.vote(name, choice, mine=True, final=False, late=None, comment=comment)
        return name

    @rule(
        name=battles,
        choice=CHOICES,
        mine=MOSTLY,
        final=st.booleans(),
        late=st.sampled_from([None, None, 0, -1]),
        comment=COMMENTS,
    )
    def vote(self, name: str, choice: str, mine: bool, final: bool, late: int | None, comment: str) -> None:
        it = self.expected[name]
        revision = None if late is None else it.rows + late
        vote = partial(self.home.battles.vote, name, choice, it.who(mine), revision, final, comment=comment)
        reason = self.refusal(it, mine) or ("hidden" if it.hidden and it.state == "open" else None)
        if reason:
            assert self.reason_of(vote) == reason
        elif it.state == "open" and late != -1 and not it.allows(choice):
            with pytest.raises(InvalidValue):
                vote()
        else:
            if it.state == "open" and late != -1:
                it.state, it.choice, it.voted = "revealed" if final else "voted", choice, self.now
                it.rows, it.comment = it.rows + 1, comment
            answer = vote()
            assert (answer.state, answer.choice, answer.revision) == (it.state, it.choice, it.rows)
            assert all((column.card is not None) == (it.state == "revealed") for column in answer.columns)

    @rule(name=battles, mine=MOSTLY)
    def undo(self, name: str, mine: bool) -> None:
        it = self.expected[name]
        reason = self.refusal(it, mine) or ("final" if it.state == "revealed" else None)
        if reason:
            assert self.reason_of(lambda: self.home.battles.undo(name, it.who(mine))) == reason
            return
        if it.state == "voted":
            it.taken_back += bool(it.comment)
            it.state, it.choice, it.comment = "open", None, ""
            it.rows += 1
        answer = self.home.battles.undo(name, it.who(mine))
        assert (answer.state, answer.choice, answer.revision) == ("open", None, it.rows)

    @rule(name=battles, mine=MOSTLY)
    def reveal(self, name: str, mine: bool) -> None:
        it = self.expected[name]
        reason = self.refusal(it, mine) or ("unfinished" if it.state == "open" else None)
        if reason:
            assert self.reason_of(lambda: self.home.battles.reveal(name, it.who(mine))) == reason
            return
        it.state = "revealed"
        assert all(column.card for column in self.home.battles.reveal(name, it.who(mine)).columns)

    @rule(name=battles, mine=MOSTLY, comment=COMMENTS)
    def say_why(self, name: str, mine: bool, comment: str) -> None:
        it = self.expected[name]
        reason = self.refusal(it, mine) or ("unfinished" if it.state == "open" else None)
        if it.hidden and mine:
            reason = "hidden"
        if it.erased or reason:
            reason = "erased" if it.erased else reason
            assert self.reason_of(lambda: self.home.battles.note(name, it.who(mine), comment=comment)) == reason
            return
        self.home.battles.note(name, it.who(mine), comment=comment)
        it.comment = comment

    @rule(name=battles, what=st.sampled_from(["hide", "hide", "show", "dismiss"]))
    def moderate(self, name: str, what: str) -> None:
        it = self.expected[name]
        getattr(Moderation(self.home.battles), what)(name)
        it.hidden = it.hidden if what == "dismiss" else what == "hide"

    @precondition(lambda self: any(it.choice and not it.erased for it in self.expected.values()))
    @rule(rater=RATERS, waits=MOSTLY)
    def erase(self, rater: str, waits: bool) -> None:
        self.let_time_pass()
        hers = [it for it in self.expected.values() if it.owner == rater]
        for name, it in self.expected.items():
            if waits and it.owner == rater:
                self.finish_the_rest(name, (True, True, False))
        if any(it.state == "generating" for it in hers):
            assert self.reason_of(lambda: self.home.battles.erase(rater)) == "writing"
            return
        erased = self.home.battles.erase(rater)
        left = [it for it in hers if not it.erased]
        assert (erased.battles, erased.notes) == (len(left), sum(bool(it.comment) + it.taken_back for it in left))
        for it in left:
            it.erased, it.comment, it.taken_back = True, "", 0
            it.state = {"open": "expired", "voted": "revealed"}.get(it.state, it.state)

    @rule(seconds=st.sampled_from([0.5, 1, 4, 4, 5, 60, EXPIRE_S]))
    def pass_time(self, seconds: float) -> None:
        self.time.pass_s(seconds)
        self.let_time_pass()

    @rule()
    def settle(self) -> None:
        self.home.battles.expire()

    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        here = self.home.store.path.parent
        there = here.with_name(f"{int(here.name) + 1}")
        if not killed:
            self.close()
        shutil.copytree(here, there, ignore=shutil.ignore_patterns("*-shm"))  # as a kill leaves it: all in the log
        if killed:
            self.close()
        shutil.rmtree(here)
        self.open(there, self.time)
        left = [it for it in self.expected.values() if it.state == "generating"]
        for it in left:
            for side in "abc":
                if side not in it.good:
                    self.end(it, side, good=False)
        assert self.home.battles.interrupt_all() == len(left)

    @rule()
    def rebuild(self) -> None:
        """Restore every battle with a vote from the journal alone."""
        known = {name: it for name, it in self.expected.items() if it.rows}
        if not known:
            return
        journal = keep_journal(self.home.store)
        assert verify(self.home.store, journal) == []
        again = self.folder / "again"
        with Store(again / "playground.db") as store:
            restore(store, journal)
            assert verify(store, journal) == []
            self.says_the_same(House(store, self.time), known)
        shutil.rmtree(again)

    @rule()
    def export_it(self) -> None:
        """Export every current vote once, with its words, and nothing that is erased or hidden."""
        path = self.folder / "votes.jsonl"
        export(self.home.store, "votes", path, ExportOptions())
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert sorted(
            (row["battle_id"], row["revision"], row["choice"], row["rater_id"], row["comment"], row["instruction"])
            for row in rows
        ) == sorted(
            (name, it.rows, it.choice, it.owner, it.comment, HAIKU.instruction)
            for name, it in self.expected.items()
            if it.choice and not it.erased and not it.hidden
        )
        for row in rows:
            assert [side["side"] for side in row["sides"]] == self.expected[row["battle_id"]].judged

    @invariant()
    def the_database_says_the_same(self) -> None:
        if hasattr(self, "expected"):
            self.says_the_same(self.reader, self.expected)

    def says_the_same(self, home: House, expected: dict[str, Expected]) -> None:
        for name, it in expected.items():
            view = home.battles.view(name, it.owner)
            assert view.state == ("void" if it.state == "expired" else it.state)
            assert (view.void_reason == "expired") == (it.state == "expired")
            comment = "" if it.hidden else it.comment
            assert (view.choice, view.revision, view.comment) == (it.choice, it.rows, comment)
            assert (view.erased, view.hidden, view.instruction) == (it.erased, it.hidden, it.instruction)
            assert all((column.card is not None) == (it.state == "revealed") for column in view.columns)
            assert not ((it.erased or it.hidden) and any(column.text for column in view.columns))
            failed = [c.side for c in view.columns if c.generation and c.generation.finish_reason is FinishReason.ERROR]
            assert failed == [side for side in "abc" if it.state == "revealed" and not it.good[side]]
        pairs: dict[str, int] = {}
        for pair in home.store.judged_pairs():
            pairs[pair.battle_id] = pairs.get(pair.battle_id, 0) + 1
        assert pairs == {name: it.pairs() for name, it in expected.items() if it.choice}

    @staticmethod
    def refusal(it: Expected, mine: bool) -> str | None:
        if not mine:
            return "foreign"
        if it.erased and it.state in ("void", "expired"):
            return "erased"
        return {"generating": "unfinished", "void": "void", "expired": "expired"}.get(it.state)

    @staticmethod
    def reason_of(act: Callable[[], object]) -> str:
        with pytest.raises(Refused) as caught:
            act()
        return caught.value.reason


def lives(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


Lives.TestCase.settings = lives(10, 40)
TestLives = Lives.TestCase


@pytest.mark.long
class TestManyLives(Lives.TestCase):  # type: ignore[misc]
    settings = lives(200, 60)
