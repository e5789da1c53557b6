"""Comparisons of models on servers that take text or messages: what is stored, and what the page says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.catalog.catalog import CARD_FOLDER
from playground.errors import InvalidValue
from playground.records import ColumnState, ColumnView, FinishReason, Generation, Instruction, ModelStatus
from playground.settings import Settings
from playground.ui.pages.compare.column_html import _numbers
from tests.support.cast import ToldTime
from tests.support.chat_server import CHAT, COMPLETIONS, ChatServer, Plays, playing
from tests.support.patience import wait_until
from tests.support.remote_jobs import write_card

ADA = Viewer("a" * 32)
ASK = Instruction("What is an alpaca?", system="Be brief.")
POCKET = (CARD_FOLDER / "../../pocket/weights").resolve()

Play = Callable[..., ChatServer]


@pytest.fixture
def servers() -> list[ChatServer]:
    """Return the servers that were started."""
    return []


@pytest.fixture
def play(servers: list[ChatServer]) -> Iterator[Play]:
    with ExitStack() as stack:

        def start(**plays: object) -> ChatServer:
            servers.append(stack.enter_context(playing(Plays(**plays))))
            return servers[-1]

        yield start


@pytest.fixture
def cards(tmp_path: Path, play: Play) -> Path:
    """Write a card of text and two of messages, each of which allows 40 tokens a day; an answer takes 31."""
    folder = tmp_path / "cards"
    folder.mkdir()
    text = play(streams={COMPLETIONS: "llama-cpp-python-text.sse"})
    chat = play(streams={CHAT: "ollama-reasoning.sse"})
    common = ['engine = "remote"', 'served_name = "org/tiny"']
    path = write_card(
        folder, "by-text", str(POCKET / "pocket-minotaur"), *common, f'servers = ["{text.url}"]', 'feed = "text"'
    )
    path.write_text(path.read_text().replace('"orca-mini"', '"minotaur"'))
    path = write_card(folder, "by-messages", "org/far", *common, f'servers = ["{chat.url}"]', 'feed = "messages"')
    path.write_text(path.read_text().replace('template = "orca-mini"\n', ""))
    more = path.read_text().replace('feed = "messages"', 'feed = "messages"\ndaily_tokens = 40')
    (folder / "limited.toml").write_text(more.replace("by-messages", "limited").replace("By-Messages", "Limited"))
    return folder


@pytest.fixture
def time() -> ToldTime:
    return ToldTime()


@pytest.fixture
def settings(tmp_path: Path, cards: Path) -> Settings:
    return Settings(db=tmp_path / "playground.db", cards=str(cards), models="by-text,by-messages,limited")


@contextmanager
def opened(settings: Settings, time: ToldTime) -> Iterator[Arena]:
    arena = Arena(settings, clock=time.clock)
    arena.open()
    yield arena
    arena.close()


@pytest.fixture
def arena(settings: Settings, time: ToldTime) -> Iterator[Arena]:
    with opened(settings, time) as arena:
        yield arena


def compared(arena: Arena, models: tuple[str, str] = ("by-text", "by-messages"), **more: object) -> list[Generation]:
    wait_until(lambda: all(status.state in ("ready", "spent") for status in arena.models.statuses()))
    battle_id = arena.compare(ASK, ADA, blind=False, models=models, **more)
    wait_until(lambda: battle_id not in arena.running)
    battle = arena.store.battle(battle_id)
    return [side.generation for side in battle.sides]


def test_answers_are_stored_as_not_exact(arena: Arena) -> None:
    text, messages = compared(arena)
    assert (text.text, text.finish_reason) == ("Alpacas hum.\n", FinishReason.STOP), (
        "cut and stripped as by its template"
    )
    assert text.prompt.text == "USER: What is an alpaca?\nASSISTANT:"
    assert (messages.text, messages.reasoning) == ("It is soft.", "The user asks about alpacas.")
    assert messages.finish_reason is FinishReason.LENGTH
    assert json.loads(messages.prompt.text) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is an alpaca?"},
    ]
    assert (messages.prompt.template_id, messages.prompt.token_ids) == ("server", ())
    for generation, feed in ((text, "text"), (messages, "messages")):
        assert (generation.faithful, generation.token_ids) == (False, ())
        assert generation.versions["feed"] == feed
    assert messages.versions["tokens"] == "31"


def test_answer_that_failed_before_its_first_piece_is_not_exact(arena: Arena, servers: list[ChatServer]) -> None:
    wait_until(lambda: all(status.state == "ready" for status in arena.models.statuses()))
    for server in servers:
        server.plays.refusal = (400, {"error": {"message": "no"}})
    for generation in compared(arena):
        assert generation.error is not None
        assert not generation.faithful


def test_column_says_why_it_is_not_exact(arena: Arena) -> None:
    text, messages = (" · ".join(_numbers(_view(arena, generation))) for generation in compared(arena))
    assert "not exact: its server was sent the prompt as text and made the token ids itself" in text
    assert "not exact: its server put the messages into a chat template of its own" in messages
    assert "0 tokens" not in text + messages


def _view(arena: Arena, generation: Generation) -> ColumnView:
    card = arena.catalog.card(generation.model_id)
    return ColumnView("a", ColumnState.DONE, generation.text, "", None, generation.finish_reason, card, generation, 0)


def test_parameter_that_a_server_does_not_take_is_refused(arena: Arena) -> None:
    with pytest.raises(
        InvalidValue, match="By-Text runs on a server that does not take top_k; set it to 0, or name it"
    ):
        arena.compare(ASK, ADA, blind=False, models=["by-text", "by-messages"], overrides={"top_k": 5})
    assert compared(arena, overrides={"temperature": 0.5})[1].params.temperature == 0.5


LIMITED = ("by-text", "limited")
AGAIN = "it answers again at 00:00 UTC, choose another model until then"
SPENT = f"this model has spent its tokens of today; {AGAIN}"


def limited(arena: Arena) -> ModelStatus:
    return arena.models.statuses()[2]


def spend(arena: Arena) -> None:
    """Ask the limited model twice, for 62 of its 40 tokens."""
    for _ in range(2):
        assert compared(arena, LIMITED)[1].error is None
    assert (limited(arena).state, limited(arena).detail) == (
        "spent",
        f"Limited has spent its 40 tokens of today; {AGAIN}",
    )


@pytest.mark.slow
def test_model_without_tokens_for_today_says_so(arena: Arena) -> None:
    spend(arena)
    text, refused = compared(arena, LIMITED)
    assert (text.error, refused.error) == (None, SPENT)
    assert refused.text == ""


@pytest.mark.slow
def test_void_blind_battle_names_no_spent_model(arena: Arena) -> None:
    spend(arena)
    battle_id = arena.compare(ASK, ADA, blind=True, models=LIMITED)
    wait_until(lambda: battle_id not in arena.running)
    columns = arena.battles.of(battle_id).view(battle_id, ADA).columns
    assert sorted(column.error or "" for column in columns) == ["", SPENT]
    assert [column.card for column in columns] == [None, None]


@pytest.mark.slow
def test_arena_draws_other_models_than_a_spent_one(arena: Arena) -> None:
    spend(arena)
    for _ in range(8):
        battle_id = arena.compare(ASK, ADA, blind=False)
        wait_until(lambda battle_id=battle_id: battle_id not in arena.running)
        assert {side.model_id for side in arena.store.battle(battle_id).sides} == {"by-text", "by-messages"}


@pytest.mark.slow
def test_spent_tokens_survive_a_restart_and_end_with_the_day(settings: Settings, time: ToldTime) -> None:
    with opened(settings, time) as arena:
        spend(arena)
    with opened(settings, time) as arena:
        assert compared(arena, LIMITED)[1].error == SPENT
        time.pass_s(24 * 3600)
        assert limited(arena).state == "ready"
        assert compared(arena, LIMITED)[1].error is None
    with opened(settings, time) as arena:
        assert limited(arena).state != "spent", "only one answer is of this day"


@pytest.mark.slow
def test_answers_that_are_not_kept_are_counted_too(arena: Arena) -> None:
    wait_until(lambda: limited(arena).state == "ready")
    for _ in range(2):
        battle_id = arena.compare(ASK, ADA, blind=False, models=LIMITED, keep=False)
        wait_until(lambda battle_id=battle_id: battle_id not in arena.running)
    assert limited(arena).state == "spent"
