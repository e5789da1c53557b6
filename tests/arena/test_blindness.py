"""Before the reveal nothing that the server sends says which model stands where: every byte of many blind battles.

Allowed, and looked at apart: the models' names in the picker and on the pages about models, which are the same whatever
battle there is; which answers failed or are empty, once all have ended; the reason of a battle that takes no vote; and,
where models take turns in memory, that a battle waits at its start, from which one may guess which models were up.
Answers grow by the same number of words, at ticks: what they say is theirs, and when is the battle's.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from playwright.sync_api import Browser

from playground.arena.arena import Arena
from playground.arena.column import Column
from playground.arena.comparison import Comparison
from playground.arena.line_up import LineUp
from playground.arena.pace import WrittenSoFar
from playground.battles import Viewer, asking
from playground.clock import Clock
from playground.engines.protocol import Ended, Started, Tokens
from playground.prompting.answer_text import AnswerReader
from playground.records import FinishReason, Instruction, LiveColumn, ModelCard, PromptTemplate
from playground.settings import Settings
from playground.ui import follow
from tests.arena.test_comparison import FACTS, IDS, Told, tokenizer
from tests.arena.test_comparison import Scene as Scripted
from tests.arena.test_word_ends import words
from tests.conftest import LiveApp, models_are_up, start_app, stop_app
from tests.support.blindness import (
    UNLIMITED,
    Heard,
    Listener,
    PageVisitor,
    Side,
    ask_api,
    at_rest,
    check,
    first_difference,
    named_in,
    read_config,
    sides_of,
    survey,
)
from tests.support.browsing import visiting
from tests.support.patience import wait_until
from tests.support.processes import frozen_models
from tests.support.replay import ReplayArena, Take
from tests.support.serving import address_of, serving
from tests.support.wire import Exchange, Reply, Wire, recording

BATTLES = int(os.environ.get("BLIND_BATTLES", "30"))
"""The number of battles of the real models that are recorded."""
GALPACA, MAMBA, MINOTAUR = "pocket-galpaca", "pocket-mamba-gpt", "pocket-minotaur"
OPENALPACA, ORCA = "pocket-openalpaca", "pocket-orca-mini"
POCKET = (GALPACA, MAMBA, MINOTAUR, OPENALPACA, ORCA)
ASK = "What is rust?"
STEP_S = 0.1
REASON = "the process of pocket-galpaca ran out of memory at 7319 MB"
NEVER = 1e-9
"""The chance that a sound test fails."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """The whole program, for nobody else."""
    app = start_app(tmp_path_factory.mktemp("blind"), PLAYGROUND_UNDO_S="60", **UNLIMITED)
    yield app
    stop_app(app)


@pytest.fixture(scope="module")
def spoken(live_app: LiveApp) -> Mapping[str, tuple[int, ...]]:
    """The recorded answers of each model, token by token."""
    said: dict[str, tuple[int, ...]] = {}
    for models in (POCKET, POCKET[::-1]):
        battle = ask_api(live_app.url, "compare", instruction="What is an alpaca?", models=list(models))[-1]
        said |= {side.model_id: side.token_ids for side in sides_of(live_app.db, battle["battle_id"])}
    return said


# Many battles of the real models


@pytest.mark.slow
def test_many_battles_of_all_models_sound_the_same_to_page_and_api(app: LiveApp) -> None:
    heard = survey(app, BATTLES)
    assert heard.battles == BATTLES
    assert {model for pair in heard.pairs for model in pair} == set(POCKET)


def test_a_program_with_gradio_client_hears_no_more(live_app: LiveApp) -> None:
    sounds = set()
    with recording(live_app.url) as wire:
        client = Client(wire.url, verbose=False)
        for models in ((ORCA, GALPACA), (GALPACA, MAMBA), (MINOTAUR, OPENALPACA)):
            began = len(wire.exchanges)
            said = list(client.submit(ASK, models=list(models), blind=True, api_name="/compare"))[-1]
            exchanges = [e for e in wire.since(began) if "heartbeat" not in e.path]
            heard = Listener(read_config(live_app.url)).heard(exchanges, {client.session_hash: "<session>"})
            check(heard, cards(), sides_of(live_app.db, said["battle_id"]))
            sounds.add(heard.sound)
    assert len(sounds) == 1, first_difference(*list(sounds)[:2])


def cards() -> tuple[ModelCard, ...]:
    return Arena(Settings()).models.line_up


# The same answers again, under a clock that is told


@dataclass
class Scene:
    """The page over recorded answers, and what a visitor hears of it."""

    arena: ReplayArena
    wire: Wire
    config: Mapping[str, Any]
    spoken: Mapping[str, tuple[int, ...]]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))

    def take(self, model_id: str, num_tokens: int | None = None, **how: Any) -> Take:
        return Take(self.spoken[model_id][:num_tokens], **how)

    def battle(self, takes: Mapping[str, Take], visit: Visit, *, drawn: bool = False) -> Battled:
        """A blind battle of these models, in an order that the arena draws; `drawn`: it draws the models too."""
        self.arena.engine.takes = takes
        self.wire.exchanges.clear()
        visitor = PageVisitor(self.wire.url, self.config)
        begun = visitor.compare(ASK, () if drawn else tuple(takes))
        others = visit(self, visitor, begun)
        known = {**visitor.own_words, **others}
        exchanges = list(self.wire.exchanges)
        sides = sides_of(self.arena.settings.db, visitor.battle_id)
        exact = Listener(self.config, exact=True).heard(exchanges, known)
        loose = Listener(self.config).heard(exchanges, known)
        return Battled(visitor, sides, exact, loose, exchanges)

    def in_every_order(self, takes: Mapping[str, Take], battle: Callable[[], Battled]) -> list[Battled]:
        """One of these battles for each order in which their models can be drawn."""
        battles = []
        with pytest.MonkeyPatch.context() as patch:
            for order in itertools.permutations(takes):
                patch.setattr(self.arena._line_up, "_random", Drawing(order))
                battles.append(battle())
                assert battles[-1].order == order
        return battles

    def battles(self, takes: Mapping[str, Take], visit: Visit) -> list[Battled]:
        """The same battle in every order."""
        return self.in_every_order(takes, lambda: self.battle(takes, visit))

    def reading(self, visitor: PageVisitor, begun: int) -> Future[None]:
        """The page reads on while the test goes on."""
        return self.pool.submit(visitor.follow, begun)


@dataclass(frozen=True)
class Drawing:
    """Chance that has this order drawn; how often it really is each is counted below."""

    order: Sequence[str]

    def shuffle(self, cards: list[ModelCard]) -> None:
        cards.sort(key=lambda card: self.order.index(card.id))

    def sample(self, cards: Sequence[ModelCard], number: int) -> list[ModelCard]:
        return sorted((card for card in cards if card.id in self.order[:number]), key=lambda c: self.order.index(c.id))


Visit = Callable[[Scene, PageVisitor, int], Mapping[str, str]]
"""Act as a visitor once a battle has begun; return random words of others that take part."""


@dataclass
class Battled:
    """One battle: who stood where, and what was heard before the reveal."""

    visitor: PageVisitor
    sides: Sequence[Side]
    exact: Heard
    loose: Heard
    exchanges: Sequence[Exchange]

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(side.model_id for side in self.sides)

    @property
    def outcome(self) -> tuple[str, ...]:
        return tuple(side.outcome for side in self.sides)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, spoken: Mapping[str, tuple[int, ...]]) -> Iterator[Scene]:
    """One page for all recorded battles, which asks for news all the time."""
    with scene_of(tmp_path_factory.mktemp("replayed"), spoken) as found:
        yield found


@contextmanager
def scene_of(folder: Path, spoken: Mapping[str, tuple[int, ...]], **changes: Any) -> Iterator[Scene]:
    unlimited = {f"{kind}_per_minute": 0 for kind in ("compares", "votes", "views")}
    settings = Settings(db=folder / "playground.db", **unlimited | changes)
    arena = ReplayArena(settings)
    arena.open()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follow, "READ_EVERY_S", 0.004)
        with serving(arena) as page, recording(address_of(page)) as wire:
            yield Scene(arena, wire, read_config(wire.url), spoken)
    arena.close()


def to_the_end(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    """Read it, judge it, take that back, judge again; a void one is only read."""
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S)
    reading.result(60)
    for press in ("vote-tie", "undo", "vote-bad"):
        visitor.click(press)
    return {}


def stopped(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    """Stop it when half is written."""
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S, until_s=0.8)
    visitor.click("stop")
    scene.arena.play(STEP_S)
    reading.result(60)
    visitor.click("vote-tie")
    return {}


def reloaded(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    """Open it in a second tab when half is written; both read on, both are reloaded when it is judged."""
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S, until_s=0.8)
    first = visitor.battle_id
    second = PageVisitor(scene.wire.url, scene.config, visitor.secret)
    again = scene.reading(second, second.load(first))
    scene.arena.play(STEP_S)
    for read in (reading, again):
        read.result(60)
    visitor.click("vote-tie")
    second.load(first)
    return second.own_words


def watched(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    """A stranger who knows its address, and one who has stolen the tab's name too, try all they can."""
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S, until_s=0.8)
    battle_id, stranger = visitor.battle_id, PageVisitor(scene.wire.url, scene.config)
    pry(stranger, battle_id)
    scene.arena.play(STEP_S)
    reading.result(60)
    pry(stranger, battle_id)
    stranger.sessions.append(visitor.session)
    pry(stranger, "")
    visitor.load(battle_id)  # the tab's name was all that the thief had, and what the tab showed is gone with it
    visitor.click("vote-tie")
    return stranger.own_words


def pry(stranger: PageVisitor, battle_id: str) -> None:
    if battle_id:
        stranger.follow(stranger.load(battle_id))
    for press in ("vote-a", "undo", "reveal", "regenerate"):
        stranger.click(press)
    stranger.refresh()


PECULIAR = ["one fails halfway", "one slow", "unequal lengths", "one refused", "one empty", "one too long"]


@pytest.fixture(params=PECULIAR)
def takes(request: pytest.FixtureRequest, scene: Scene) -> Mapping[str, Take]:
    """Two models of which one is peculiar."""
    fails: dict[str, Any] = {"ends": FinishReason.ERROR, "error": REASON}
    peculiar = {
        "unequal lengths": scene.take(GALPACA, 5, token_s=0.02),
        "one slow": scene.take(GALPACA, 9, waits_s=1.1, token_s=0.21, queued=(3, "loading")),
        "one refused": Take((), refused=REASON),
        "one fails halfway": scene.take(GALPACA, 9, token_s=0.01, **fails),
        "one empty": Take(()),
        "one too long": scene.take(GALPACA, 20, token_s=0.09, ends=FinishReason.LENGTH),
    }[request.param]
    return {GALPACA: peculiar, ORCA: scene.take(ORCA, 14, token_s=0.1)}


def the_same(texts: Sequence[str]) -> None:
    """Raises AssertionError where two of them part."""
    different = list(dict.fromkeys(texts))
    assert len(different) == 1, first_difference(*different[:2])


def untold(battles: Sequence[Battled]) -> None:
    """While the answers are written all orders send the same messages; afterwards all of the same outcome do."""
    the_same(["\n".join(battled.exact.split()[0]) for battled in battles])
    for outcome in {battled.outcome for battled in battles}:
        the_same([battled.exact.text for battled in battles if battled.outcome == outcome])
    for battled in battles:
        check(battled.loose, cards(), battled.sides)
        assert named_in(battled.exact.lines, cards(), battled.sides) == set()
        assert battled.exact.split()[1], "it has been opened"


@pytest.mark.proves("an empty answer", "an error after half an answer")
def test_two_models_in_either_order_send_the_same_messages(scene: Scene, takes: Mapping[str, Take]) -> None:
    untold(scene.battles(takes, to_the_end))


@dataclass(frozen=True)
class OneSide:
    """Chance that always asks, about this side."""

    side: str

    def __call__(self) -> OneSide:
        return self

    def random(self) -> float:
        return 0.0

    def choice(self, sides: Sequence[str]) -> str:
        return next(side for side in sides if side == self.side)


def questioned(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    """Judge it, open it again while the question stands, take the vote back and judge again."""
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S)
    reading.result(60)
    visitor.click("vote-tie")
    visitor.load(visitor.battle_id)
    for press in ("undo", "vote-bad"):
        visitor.click(press)
    return {}


@pytest.mark.parametrize("side", ["a", "b"])
def test_question_about_a_side_is_the_same_for_either_model(
    tmp_path: Path, spoken: Mapping[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(asking, "SystemRandom", OneSide(side))
    with scene_of(tmp_path, spoken, guess_share=1.0, pairs="uniform") as asks_always:
        takes = {model: asks_always.take(model, 12) for model in (GALPACA, ORCA)}
        battles = asks_always.in_every_order(takes, lambda: asks_always.battle(takes, questioned, drawn=True))
    the_same([battled.exact.text for battled in battles])
    for battled in battles:
        before, after = battled.exact.split()
        assert named_in(before, cards(), battled.sides) == set()
        assert all(any(card.name in line for line in after) for card in cards()), "the question has all names"


@pytest.mark.slow
def test_slow_failing_and_quick_models_send_the_same_in_every_order(scene: Scene) -> None:
    takes = {
        GALPACA: scene.take(GALPACA, 8, waits_s=0.5, token_s=0.16),
        ORCA: scene.take(ORCA, 9, token_s=0.02, ends=FinishReason.ERROR, error=REASON),
        MINOTAUR: scene.take(MINOTAUR, 12),
    }
    untold(scene.battles(takes, to_the_end))


def plain_pair(scene: Scene) -> Mapping[str, Take]:
    return {GALPACA: scene.take(GALPACA, 12, token_s=0.03), ORCA: scene.take(ORCA, 10, token_s=0.1)}


def test_stopped_battle_sends_the_same_in_either_order(scene: Scene) -> None:
    battles = scene.battles(plain_pair(scene), stopped)
    untold(battles)
    for battled in battles:
        assert len({len(words(side.text)) for side in battled.sides}) == 1


def test_answer_that_failed_before_a_stop_keeps_the_shown_text(scene: Scene) -> None:
    failing = scene.take(MINOTAUR, 12, token_s=0.01, ends=FinishReason.ERROR, error=REASON)
    battled = scene.battle({**plain_pair(scene), MINOTAUR: failing}, stopped)
    untold([battled])
    assert sorted(battled.outcome) == ["failed", "good", "good"]
    assert len({len(words(side.text)) for side in battled.sides}) == 1


@pytest.mark.parametrize(
    "takes", [*PECULIAR[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in PECULIAR[2:])], indirect=True
)
def test_a_second_tab_and_a_reload_are_sent_the_same_in_every_order(scene: Scene, takes: Mapping[str, Take]) -> None:
    battles = scene.battles(takes, reloaded)
    for battled in battles:
        check(battled.loose, cards(), battled.sides)
    for outcome in {battled.outcome for battled in battles}:
        the_same([battled.loose.sound for battled in battles if battled.outcome == outcome])


@pytest.mark.proves("no session hash, a stolen one")
def test_a_stranger_is_sent_nothing_of_a_blind_battle(scene: Scene) -> None:
    battles = scene.battles(plain_pair(scene), watched)
    untold(battles)
    for battled in battles:
        others = [e for e in battled.exchanges if battled.visitor.secret.encode() not in e.request]
        assert len(others) > 20
        said = b"".join(bytes(e.response) for e in others)
        for side in battled.sides:
            assert side.text[:12].encode() not in said
        assert b"belongs to somebody else" in said


def test_messages_do_not_depend_on_the_slowest_models_neighbour(scene: Scene) -> None:
    slow = {ORCA: scene.take(ORCA, 14, waits_s=0.3, token_s=0.15)}
    beside = [
        {GALPACA: scene.take(GALPACA, 12, token_s=0.01)},
        {MINOTAUR: scene.take(MINOTAUR, 25, token_s=0.05)},
        {MAMBA: scene.take(MAMBA, 7, waits_s=0.1, token_s=0.11, ends=FinishReason.LENGTH)},
        {OPENALPACA: scene.take(OPENALPACA, 3, queued=(2, ""))},
    ]
    the_same([scene.battle(slow | takes, to_the_end).exact.text for takes in beside])


def test_reason_of_a_failure_is_hidden_until_the_reveal(scene: Scene) -> None:
    takes = {GALPACA: Take((), refused=REASON), ORCA: scene.take(ORCA, 5), MINOTAUR: scene.take(MINOTAUR, 5)}
    battled = scene.battle(takes, to_the_end)
    began = len(scene.wire.exchanges)
    battled.visitor.click("reveal")
    before, after = (b"".join(bytes(e.response) for e in some) for some in (battled.exchanges, scene.wire.since(began)))
    assert b">failed<" in before
    assert REASON.encode() not in before
    assert REASON.encode() in after


def expired(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
    reading = scene.reading(visitor, begun)
    scene.arena.play(STEP_S)
    reading.result(60)
    scene.arena.pass_s(scene.arena.settings.expire_s)
    for press in ("vote-a", "reveal"):
        visitor.click(press)
    visitor.load(visitor.battle_id)
    return {}


def test_an_expired_battle_stays_blind(scene: Scene) -> None:
    battles = scene.battles(plain_pair(scene), expired)
    untold(battles)
    assert "waited too long" in battles[0].exact.text


def test_a_vote_that_can_be_undone_does_not_show_on_the_leaderboard(scene: Scene) -> None:
    boards: list[str] = []

    def looking(scene: Scene, visitor: PageVisitor, begun: int) -> Mapping[str, str]:
        reading = scene.reading(visitor, begun)
        scene.arena.play(STEP_S)
        reading.result(60)
        wait_until(lambda: ask_api(scene.wire.url, "leaderboard")[-1]["analyses"] is not None)  # made beside the board
        for press in ("refresh", "vote-a", "undo", "vote-b"):
            visitor.refresh() if press == "refresh" else visitor.click(press)
            boards.append(json.dumps(ask_api(scene.wire.url, "leaderboard")))
        return {}

    battled = scene.battle(plain_pair(scene), looking)
    the_same(boards)
    battled.visitor.click("reveal")
    assert json.dumps(ask_api(scene.wire.url, "leaderboard")) != boards[0]


def asked(scene: Scene, models: Sequence[str]) -> Battled:
    """A blind battle over the API."""
    scene.wire.exchanges.clear()
    said = scene.pool.submit(ask_api, scene.wire.url, "compare", instruction=ASK, models=list(models), blind=True)
    scene.arena.play(STEP_S)
    sides = sides_of(scene.arena.settings.db, said.result(60)[-1]["battle_id"])
    exchanges = list(scene.wire.exchanges)
    exact, loose = (Listener(scene.config, exact).heard(exchanges, {}) for exact in (True, False))
    return Battled(PageVisitor(scene.wire.url, scene.config), sides, exact, loose, exchanges)


def test_the_api_sends_the_same_in_either_order(scene: Scene, takes: Mapping[str, Take]) -> None:
    scene.arena.engine.takes = takes
    untold(scene.in_every_order(takes, lambda: asked(scene, tuple(takes))))


# A test that hears nothing proves nothing


def test_a_name_a_seed_and_a_message_more_are_heard(scene: Scene) -> None:
    battled = scene.battle(plain_pair(scene), to_the_end)
    check(battled.loose, cards(), battled.sides)
    asking, said = next((e, e.response) for e in battled.exchanges if b"The models are answering." in e.response)
    for leak in ("pocket-minotaur writes 42", f"{battled.sides[0].seed:25d}", "f" * 25):
        planted = Exchange(asking.request, said.replace(b"The models are answering.", leak.encode()))
        exchanges = [planted if e is asking else e for e in battled.exchanges]
        heard = Listener(scene.config).heard(exchanges, battled.visitor.own_words)
        with pytest.raises(AssertionError, match=r"identity|random"):
            check(heard, cards(), battled.sides)
    fewer = Listener(scene.config, exact=True).heard(battled.exchanges[:-1], battled.visitor.own_words)
    with pytest.raises(AssertionError):
        the_same([battled.exact.text, fewer.text])


def test_the_wire_keeps_every_byte_that_a_visitor_gets(live_app: LiveApp) -> None:
    with recording(live_app.url) as wire, urllib.request.urlopen(f"{wire.url}/models") as page:
        body = page.read()
    assert len(wire.exchanges) == 1
    assert wire.exchanges[0].ended.wait(10)
    assert Reply.read(bytes(wire.exchanges[0].response)).body == body


# Chance


def test_ids_are_128_random_bits_that_no_seed_repeats(scene: Scene) -> None:
    made = []
    scene.arena.engine.takes = {model: Take(()) for model in POCKET}
    for _ in range(100):
        random.seed(1)
        made.append(scene.arena.compare(Instruction(ASK), Viewer("a" * 32), blind=True))
        scene.arena.pass_s(1.0)
    assert len(set(made)) == len(made)
    ones = Counter(bit for one in made for bit in range(128) if int(one, 16) >> bit & 1)
    spread = 6.8 * math.sqrt(len(made)) / 2  # of 128 binomials each beyond it once in 1e11
    assert all(abs(ones[bit] - len(made) / 2) < spread for bit in range(128))
    changed = Counter((int(a, 16) ^ int(b, 16)).bit_count() for a, b in itertools.pairwise(made))
    assert min(changed) > 20, "two in a row have nothing in common"


def draw(line_up: LineUp, models: Sequence[str]) -> tuple[str, ...]:
    random.seed(1)
    chosen, *_ = line_up.choose(Instruction(ASK), models, 3, True, {}, {})
    return tuple(card.id for card in chosen)


@pytest.mark.parametrize(("models", "kinds"), [((ORCA, GALPACA), 2), ((ORCA, GALPACA, MAMBA), 6), ((), 60)])
def test_each_order_is_drawn_as_often(scene: Scene, models: Sequence[str], kinds: int) -> None:
    line_up, draws = LineUp(scene.arena.catalog, ()), 2400
    drawn = Counter(draw(line_up, models) for _ in range(draws))
    assert len(drawn) == kinds
    square = sum((count - draws / kinds) ** 2 / (draws / kinds) for count in drawn.values())
    assert square < highest_square(kinds - 1)


def highest_square(freedom: int) -> float:
    """Return a bound for a chi-square at six standard deviations (Wilson and Hilferty, 1931)."""
    part = 2 / (9 * freedom)
    return max(freedom * (1 - part + 6.3 * math.sqrt(part)) ** 3, 40.0)


def test_a_blind_battle_does_not_write_an_open_run_again(live_app: LiveApp) -> None:
    asked: dict[str, Any] = {"instruction": "List three colours.", "models": [ORCA, MINOTAUR, OPENALPACA]}
    runs = [ask_api(live_app.url, "compare", **asked, blind=blind)[-1]["battle_id"] for blind in (False, True, True)]
    seeds = [side.seed for run in runs for side in sides_of(live_app.db, run)]
    assert len(set(seeds)) == len(seeds)


# Between two readings


class Interrupted(Column):
    """A column after whose reading something else happens."""

    def then(self) -> None:
        """Nothing, at first."""

    def blind_live(self, now_s: float) -> tuple[WrittenSoFar, LiveColumn]:
        seen = super().blind_live(now_s)
        self.then()
        return seen


def interrupted(side: str) -> Interrupted:
    reader = AnswerReader(PromptTemplate("t", "made for this test", (), (), stop_ids=(2,)), tokenizer())
    return Interrupted(Scripted().column(side).plan, Instruction("hi"), reader, Clock(), lambda row: None)


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_column_ending_during_a_tick_does_not_run_ahead(moment: int) -> None:
    """The slower of two equal answers ends after the n-th time that one is read for a snapshot."""
    engine, columns, reads, seconds = Told(), [interrupted("a"), interrupted("b")], itertools.count(1), [0.0]
    comparison = Comparison("battle", True, columns, Clock(monotonic=lambda: seconds[0]), lambda ended: None)
    comparison.start(engine, 60.0)  # type: ignore[arg-type]
    engine.say("ga", Started("ga", FACTS), Tokens("ga", (*IDS, 2)), Ended("ga", FinishReason.STOP))
    engine.say("gb", Started("gb", FACTS), Tokens("gb", IDS[:4]))

    def ends_in_time() -> None:
        if next(reads) == moment:  # as if the engine's event came past the guard
            for event in (Tokens("gb", (*IDS[4:], 2)), Ended("gb", FinishReason.STOP)):
                columns[1].listen(event)

    for column in columns:
        column.then = ends_in_time  # type: ignore[method-assign]
    for tick in range(1, 6):
        seconds[0] = tick * 0.1
        assert len({column.text for column in comparison.snapshot().values()}) == 1


# In a browser


@pytest.mark.browser
def test_a_browser_is_sent_no_more(browser: Browser, app: LiveApp) -> None:
    """Battles one after another in one tab, some reloaded while they are written, each vote once taken back.

    A browser sends its requests in an order and at times of its own, which differ from battle to battle: that the
    messages are the same is shown where the requests are (above), and here that no byte of any of them tells.
    """
    models_are_up(app.url)
    with recording(app.url) as wire, visiting(browser, wire.url) as visitor:
        config = read_config(wire.url)
        visitor.open()
        for number in range(int(os.environ.get("BLIND_BROWSER_BATTLES", "8"))):
            wait_until(lambda: at_rest(wire.exchanges))
            began, reloads = len(wire.exchanges), number % 4 == 3
            if reloads:
                with frozen_models(app.process.pid):
                    visitor.compare(ASK).reaches("generating").reload().reaches("generating")
            else:
                visitor.compare(ASK)
            visitor.reaches("open")
            visitor.press("t").reaches("voted").press("u").reaches("open").press("n").reaches("voted")
            exchanges = [Exchange(e.request, bytearray(e.response)) for e in wire.since(began)]
            heard = Listener(config).heard(exchanges, dict.fromkeys(session_names(exchanges), "<session>"))
            assert heard.battle_ids == [visitor.battle_id]
            check(heard, cards(), sides_of(app.db, visitor.battle_id))
            visitor.press("r").reaches("revealed")
            visitor.page.locator("#next-battle").click()
            visitor.reaches("compose")
        assert not any(b"\r\nupgrade:" in e.request.lower() for e in wire.exchanges), "no socket that is not read here"


def session_names(exchanges: Sequence[Exchange]) -> set[str]:
    found = re.findall(rb'session_hash["=: ]+(\w+)|heartbeat/(\w+)', b"".join(e.request for e in exchanges))
    return {(one or other).decode() for one, other in found}
