"""One comparison of a local model with a real server of text and of messages, from the first word to the export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.exchange import export
from playground.records import BattleState, FinishReason, Instruction
from playground.settings import Settings
from tests.support.chats import small_llama
from tests.support.llama_server import NAME, NEEDS_LLAMA, running_llama
from tests.support.patience import wait_until

ADA = Viewer("a" * 32)
ASK = Instruction("What is the capital of France?")
LOCAL, TEXT, MESSAGES = MODELS = ("pocket-orca-mini", "by-text", "by-messages")
CARD = """
id = "{id}"
name = "{id}"
repo = "{repo}"
revision = "{revision}"
license = "Apache-2.0"
architecture = "LlamaForCausalLM"
context_length = 512
dtype = "float16"
sampling_source = "ours"
engine = "remote"
servers = ["{url}"]
served_name = "{name}"
{more}
[sampling]
max_new_tokens = 48
"""

pytestmark = NEEDS_LLAMA


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    """Open an arena with a pocket model and two cards of the server; its text is made in ChatML."""
    cards = tmp_path / "cards"
    cards.mkdir()
    chat = small_llama(tmp_path / "chat")
    repos = {
        TEXT: (chat, "local", 'feed = "text"\ntemplate = "chat"'),
        MESSAGES: ("org/smollm2", "main", 'feed = "messages"'),
    }
    with running_llama(tmp_path) as url:
        for name, (repo, revision, more) in repos.items():
            card = CARD.format(id=name, repo=repo, revision=revision, url=url, name=NAME, more=more)
            (cards / f"{name}.toml").write_text(card)
        arena = Arena(Settings(db=tmp_path / "playground.db", cards=str(cards), models=",".join(MODELS)))
        arena.open()
        yield arena
        arena.close()


def test_local_answer_is_exact_and_those_of_the_server_are_not(arena: Arena, tmp_path: Path) -> None:
    wait_until(lambda: all(status.state in ("off", "ready") for status in arena.models.statuses()))
    battle_id = arena.compare(ASK, ADA, blind=False, models=MODELS)
    wait_until(lambda: arena.battles.view(battle_id, ADA).state is not BattleState.GENERATING)
    view = arena.battles.view(battle_id, ADA)
    local, text, messages = (column.generation for column in view.columns if column.generation is not None)
    for answer in (text, messages):
        assert (answer.error, answer.finish_reason) == (None, FinishReason.STOP)
        assert "Paris" in answer.text
        assert (answer.faithful, answer.token_ids) == (False, ())
    assert text.prompt.text == f"<|im_start|>user\n{ASK.instruction}<|im_end|>\n<|im_start|>assistant\n"
    assert (local.faithful, bool(local.token_ids)) == (True, True)
    arena.battles.vote(battle_id, ADA, Ballot("b", view.revision))
    arena.battles.reveal(battle_id, ADA)
    path = tmp_path / "votes.jsonl"
    export(arena.store, "votes", path)
    (vote,) = map(json.loads, path.read_text().splitlines())
    assert [side["faithful"] for side in vote["sides"]] == [True, False, False]
    assert [side["model"] for side in vote["sides"]] == list(MODELS)
