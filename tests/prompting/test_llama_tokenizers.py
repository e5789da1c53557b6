"""Llama-style tokenizer files are taken as they are: ids equal those of transformers 4.44, whatever 5 makes of them."""

from __future__ import annotations

import json
import shutil
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from playground.catalog.catalog import Catalog
from playground.catalog.checkpoint_files import read_chat
from playground.catalog.model_folders import AS_OF_ITS_FILE, tokenizer_words
from playground.prompting.prompt import build_prompt
from playground.records import Instruction
from tests.support.cast import card
from tests.support.chats import FAMILIES, STYLES
from tests.support.paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
MODEL = FIXTURES / "openllama-tokenizers" / "v1id.model"
RECORDED = [json.loads(line) for line in (FIXTURES / "llama-tokenizers" / "chat_ids.jsonl").read_text().splitlines()]


def folder_of(case: dict[str, Any]) -> tuple[str, str, Any]:
    return case["style"], case["family"], case["legacy"]


def write_folder(folder: Path, style: str, family: str, legacy: bool | None) -> Path:
    """Write the tokenizer files of a repository of 2023."""
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    config = {"tokenizer_class": "LlamaTokenizer", **named, "chat_template": STYLES[style].source}
    if legacy is not None:
        config["legacy"] = legacy
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if family == "model":
        shutil.copy(MODEL, folder / "tokenizer.model")
    else:
        FAMILIES[family](()).save(str(folder / "tokenizer.json"))
    return folder


FOLDERS = {folder: list(cases) for folder, cases in groupby(RECORDED, key=folder_of)}


@pytest.mark.parametrize(("style", "family", "legacy"), FOLDERS)
def test_ids_equal_those_recorded(tmp_path: Path, style: str, family: str, legacy: bool | None) -> None:
    template, tokenizer = read_chat(write_folder(tmp_path, style, family, legacy))
    for case in FOLDERS[style, family, legacy]:
        prompt = build_prompt(template, tokenizer, Instruction(case["instruction"], "", case["system"]))
        assert list(prompt.token_ids) == case["ids"], case


def ids_of_transformers(folder: Path, case: dict[str, Any]) -> list[int]:
    from transformers import AutoTokenizer

    messages = [{"role": "system", "content": case["system"]}] if case["system"] else []
    messages.append({"role": "user", "content": case["instruction"]})
    theirs = AutoTokenizer.from_pretrained(folder)
    ids: list[int] = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    return ids


@pytest.mark.parametrize(
    ("family", "legacy", "is_equal"),
    [("prepend", None, False), ("prepend", False, False), ("first", None, True), ("first", True, False)],
)
def test_installed_transformers_gives_other_ids_where_the_documentation_says_so(
    tmp_path: Path, family: str, legacy: bool | None, is_equal: bool
) -> None:
    case = next(case for case in RECORDED if folder_of(case) == ("bars", family, legacy))
    folder = write_folder(tmp_path, "bars", family, legacy)
    assert (ids_of_transformers(folder, case) == case["ids"]) is is_equal


def test_typed_marker_stays_text_without_legacy(tmp_path: Path) -> None:
    template, tokenizer = read_chat(write_folder(tmp_path, "bars", "model", legacy=False))
    harmless = build_prompt(template, tokenizer, Instruction("a b")).token_ids
    typed = build_prompt(template, tokenizer, Instruction("a </s> b")).token_ids
    assert typed.count(2) == harmless.count(2)
    assert "a </s> b" in tokenizer.decode(typed)


def test_a_card_says_which_file_makes_its_ids(tmp_path: Path) -> None:
    known = card(repo=str(write_folder(tmp_path, "bars", "prepend", legacy=True)), template="chat")
    assert tokenizer_words(known) == AS_OF_ITS_FILE
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "GPT2Tokenizer"}))
    assert tokenizer_words(known) == "tokenizer.json"
    shutil.copy(MODEL, tmp_path / "tokenizer.model")
    assert tokenizer_words(card(repo=str(tmp_path), template="orca-mini")) == "tokenizer.model"
    assert tokenizer_words(card(repo="org/never-fetched")) == ""
    assert tokenizer_words(card(repo=str(tmp_path), feed="messages", engine="remote", template="server")) == ""
    assert {tokenizer_words(pocket) for pocket in Catalog.load().line_up()} <= {"tokenizer.model", "tokenizer.json"}
