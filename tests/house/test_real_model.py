"""A real model, SmolLM2 135M Instruct, from its files to answers on the page.

`PLAYGROUND_TEST_SMOLLM2` names the folder that `python -m tests.support.smollm2` made.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import start_app, stop_app
from tests.support.browsing import visiting
from tests.support.paths import ROOT

FOLDER = os.environ.get("PLAYGROUND_TEST_SMOLLM2", "")
LOADING_S = 1200
CARD = """
repo = "{repo}"
name = "SmolLM2 {id}"
dtype = "float32"
[sampling]
do_sample = {sampled}
max_new_tokens = 48
"""
INSTRUCTIONS = (
    "What is the capital of France?",
    "Write a Python function that adds two numbers.",
    "Make a table of three fruits and their colours.",
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not FOLDER, reason="PLAYGROUND_TEST_SMOLLM2 is not set; see CONTRIBUTING.md"),
]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a greedy card and one that samples."""
    folder = tmp_path_factory.mktemp("cards")
    for name, sampled in (("greedy", "false"), ("sampled", "true")):
        repo = Path(FOLDER).resolve()
        (folder / f"{name}.toml").write_text(CARD.format(id=name, repo=repo, sampled=sampled))
    return folder


def playground(*arguments: str) -> Any:
    command = [sys.executable, "-m", "playground", *arguments, "--json"]
    patient = os.environ | {"PLAYGROUND_DEADLINE_S": str(LOADING_S)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=patient)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_check_finds_nothing_wrong() -> None:
    (document,) = playground("check", FOLDER)
    assert [point["name"] for point in document["points"] if not point["ok"]] == []
    assert len(document["points"]) == 8


def test_greedy_ids_equal_those_of_generate(cards: Path, tmp_path: Path) -> None:
    """Three prompts decoded together against one at a time, in float32."""
    questions, db = tmp_path / "questions.jsonl", tmp_path / "playground.db"
    questions.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in INSTRUCTIONS))
    playground("generate", str(questions), "--models", "greedy", "--cards", str(cards), "--db", str(db))
    query = "SELECT prompt_ids, token_ids, finish_reason FROM generations"
    with closing(sqlite3.connect(db)) as connection:
        stored = [(json.loads(prompt), json.loads(ids), end) for prompt, ids, end in connection.execute(query)]
    assert len(stored) == len(INSTRUCTIONS)
    assert {tuple(prompt) for prompt, _, _ in stored} == {tuple(ids) for ids in prompts_of_transformers()}
    for prompt, ids, end in stored:
        assert ids == generated(prompt)
        assert (len(ids) == 48) == (end == "length")


def prompts_of_transformers() -> list[list[int]]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    chats = ([{"role": "user", "content": text}] for text in INSTRUCTIONS)
    return [tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False) for chat in chats]


def generated(prompt: list[int]) -> list[int]:
    """Return the new ids that transformers' `generate` writes."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)
    ids = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=48)[0, len(prompt) :].tolist()
    return list(ids)


def test_visitor_compares_it_and_votes(cards: Path, tmp_path: Path, browser: Browser) -> None:
    app = start_app(tmp_path, "--models", "greedy,sampled", "--cards", str(cards), PLAYGROUND_DEADLINE_S=str(LOADING_S))
    try:
        with visiting(browser, app.url) as visitor:
            visitor.open().compare(INSTRUCTIONS[0]).reaches("open", LOADING_S)
            answers = [visitor.answer(side) for side in "ab"]
            assert any("Paris" in answer for answer in answers)
            visitor.press("a").reaches("voted").press("r").reaches("revealed")
            expect(visitor.page.locator("#vote-words")).to_contain_text("You chose A: SmolLM2")
            visitor.compare(INSTRUCTIONS[2], mode="open").reaches("open", LOADING_S)
            expect(visitor.column("a")).to_contain_text("tokens/s")
    finally:
        stop_app(app)
