"""Accepted text is the same byte for byte in prompts, database, exports and journal, and after a restore."""

from __future__ import annotations

import csv
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from playground.catalog.catalog import Catalog
from playground.errors import InvalidInstruction, InvalidValue
from playground.exchange import FORMATS, export
from playground.exchange.containers import without_formula
from playground.prompting.prompt import ignores_system
from playground.records import Instruction, Prompt
from playground.storage.database.store import Store
from playground.storage.maintenance.restore import restore
from playground.validation.texts import clean_comment, clean_instruction
from tests.support.cast import ADA, house
from tests.support.judging import keep_journal

CATALOG = Catalog.load()
PIECES = st.sampled_from(
    ["=1+1", "@SUM(A1)", "-", "\r\n", "\r", "\n", "\t", "\x00", "\x1b[31m", "\x85", "\u2028", "\ud800", "\udfff\ud800",
     "\ufffe", "\ufdd0", "\ufeff", "\u202eabc", "e\u0301", "é", "z\u0335\u0336", "👩‍👩‍👧‍👦", '"', "'", ",", "</s>",
     "<|answer|>", "### Response:", "USER:", "[START_REF]", "{instruction}", "{input}", "%s", "{{7*7}}", "\\u0041",
     "'; DROP TABLE votes; --", "../../etc/passwd", "<script>", "null"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(st.characters(), max_size=5), min_size=1, max_size=8).map("".join)


@dataclass(frozen=True)
class Said:
    """The accepted input of one visitor, and a model's answer."""

    instruction: Instruction
    comment: str
    answer: str

    @property
    def prompt(self) -> Prompt:
        return CATALOG.prompt("pocket-orca-mini", self.instruction)


@st.composite
def visitors(draw: st.DrawFn) -> Said:
    try:
        asked, _ = clean_instruction(draw(TEXTS), draw(st.just("") | TEXTS), draw(st.just("") | TEXTS))
        comment = clean_comment([], draw(st.just("") | TEXTS)).comment
    except (InvalidInstruction, InvalidValue):
        assume(False)  # it is refused
    answer = draw(TEXTS.filter(str.strip)).encode("utf-8", "ignore").decode()
    assume(answer.strip())
    return Said(asked, comment, answer)


def found_in(store: Store, number: int) -> Said:
    """Return the stored texts of a battle."""
    stored = store.battle(f"battle-{number}")
    assert stored is not None
    assert stored.vote is not None
    generation = stored.sides[0].generation
    assert generation is not None
    assert generation.instruction == stored.instruction
    assert generation.prompt == CATALOG.prompt("pocket-orca-mini", stored.instruction)
    with store.reading() as reading:
        return Said(stored.instruction, "".join(reading.notes(stored.id, "comment", stored.vote.id)), generation.text)


def exported(path: Path) -> list[dict[str, str]]:
    """Return the rows of an export, read as its users would."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".parquet":
        return list(parquet.read_table(path).to_pylist())
    text = path.read_bytes().decode()
    return list(json.loads(text)) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def shown(text: str, container: str) -> str:
    return without_formula(text) if container == ".csv" else text


@pytest.mark.slow
@pytest.mark.proves(
    "lone surrogates, noncharacters",
    "NUL and control characters",
    "bidirectional overrides, stacked marks, emoji families, NFC beside NFD",
    "CRLF and U+2028",
    "spreadsheet formulas",
)
@settings(max_examples=15)
@given(said=st.lists(visitors(), min_size=1, max_size=4))
def test_accepted_text_is_the_same_in_every_store_and_export(said: list[Said]) -> None:
    with tempfile.TemporaryDirectory() as name:
        home, folder = house(Path(name)), Path(name)
        for number, one in enumerate(said):
            home.battle_is_open(
                f"battle-{number}", ends={"a": {"text": one.answer, "prompt": one.prompt}}, instruction=one.instruction
            )
            home.battles.vote(f"battle-{number}", "tie", ADA, comment=one.comment, final=True)
            home.time.pass_s(1)
        assert [found_in(home.store, number) for number in range(len(said))] == said
        for container in FORMATS["votes"].containers:
            export(home.store, "votes", folder / f"out{container}")
            read = [
                (row["instruction"], row["input"], row["system"], row["comment"])
                for row in exported(folder / f"out{container}")
            ]
            asked = ((one.instruction.instruction, one.instruction.input, one.instruction.system) for one in said)
            assert read == [
                tuple(shown(text, container) for text in (*texts, one.comment))
                for texts, one in zip(asked, said, strict=True)
            ]
        sides = [json.loads(row["sides"])[0] for row in exported(folder / "out.csv")]
        assert [(side["text"], side["prompt_text"]) for side in sides] == [
            (one.answer, one.prompt.text) for one in said
        ]
        journal = keep_journal(home.store)
        with Store(folder / "again.db") as again:
            restore(again, journal)
            assert [found_in(again, number) for number in range(len(said))] == said
        home.store.close()


@pytest.mark.proves("every template's own markers")
@given(one=visitors())
def test_accepted_text_is_in_every_prompt_unchanged(one: Said) -> None:
    asked = one.instruction
    for card in CATALOG.line_up():
        form = CATALOG.template_of(card)
        prompt = CATALOG.prompt(card.id, asked)
        typed = [asked.instruction, asked.input, "" if ignores_system(form, asked) else asked.system]
        for text in typed:
            assert text in prompt.text
