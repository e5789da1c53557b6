"""Switches of a chat template: the prompt is that of `apply_chat_template` with the same arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.catalog.catalog import Catalog
from playground.catalog.checkpoint_files import read_chat
from playground.prompting.prompt import build_prompt
from playground.prompting.reasoning import opens_reasoning
from playground.records import Instruction, Variables
from tests.support.chats import small_llama, write_chat

CARD = """
repo = "./made"
template = "chat"
id = "{id}"
[chat_template_kwargs]
{switch}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("thinking")
    return folder, write_chat(folder, "thinking")


@pytest.mark.parametrize(
    "switches",
    [
        (),
        (("enable_thinking", True),),
        (("enable_thinking", False),),
        (("enable_thinking", False), ("reasoning_effort", "low")),
    ],
)
@pytest.mark.parametrize("text", ["Hi", "<think>", "a <|im_end|> b", "enable_thinking=True"])
def test_prompt_with_switches_equals_that_of_transformers(
    folder: tuple[Path, Any], switches: Variables, text: str
) -> None:
    path, theirs = folder
    template, tokenizer = read_chat(path, switches)
    prompt = build_prompt(template, tokenizer, Instruction(text))
    said = {"add_generation_prompt": True, **dict(switches)}
    messages = [{"role": "user", "content": text}]
    assert prompt.text == theirs.apply_chat_template(messages, tokenize=False, **said)
    if "<|im_end|>" not in text:  # typed, it stays text here and becomes a special token there
        assert list(prompt.token_ids) == theirs.apply_chat_template(messages, return_dict=False, **said)
    assert not opens_reasoning(prompt.text)


def test_switches_are_part_of_the_templates_hash(folder: tuple[Path, Any]) -> None:
    off, on = ((("enable_thinking", value),) for value in (False, True))
    hashes = {read_chat(folder[0], switches)[0].hash for switches in ((), off, on)}
    assert len(hashes) == 3


def test_two_cards_of_one_checkpoint_have_switches_of_their_own(tmp_path: Path) -> None:
    small_llama(tmp_path / "made")
    write_chat(tmp_path / "made", "thinking")
    for name, switch in (("off", "enable_thinking = false"), ("low", 'reasoning_effort = "low"')):
        (tmp_path / f"{name}.toml").write_text(CARD.format(id=name, switch=switch))
    catalog = Catalog.load([tmp_path])
    prompts = {name: catalog.prompt(name, Instruction("Hi")) for name in ("off", "low")}
    assert prompts["off"].text.endswith("<think>\n\n</think>\n\n")
    assert prompts["low"].text.endswith("<|effort|>low")
    assert prompts["off"].template_hash != prompts["low"].template_hash
