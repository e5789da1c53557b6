"""The part of the Operator page about answers to a file."""

from __future__ import annotations

import base64
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from playground.arena.arena import Arena
from playground.arena.file_answers import FileAnswersState, TakenFile
from playground.records import Instruction
from playground.settings import Settings
from playground.studies.instruction_files import BadRow
from playground.studies.wanted import Failure
from playground.ui.http.operator import OperatorStatus
from playground.ui.pages.operator.answers import MOST_BYTES, AnswersPanel
from playground.ui.texts import file_answers as texts
from playground.ui.texts import operator as operator_texts

OPERATOR, OTHER = (
    SimpleNamespace(scope={"playground.operator": OperatorStatus(is_operator)}) for is_operator in (True, False)
)
FILE = TakenFile("a.txt", "instruction from each line", {Instruction("One?"): "line 1"}, (), 0, 0)


@pytest.fixture
def panel() -> AnswersPanel:
    with gr.Blocks():
        return AnswersPanel(Arena(Settings(models="pocket-galpaca,pocket-minotaur")))


def choose(panel: AnswersPanel, data: object, name: object = "a.txt", size: object = 5, by: Any = OPERATOR) -> Any:
    return panel.take(gr.EventData(None, {"name": name, "size": size, "data": data}), by)


def test_operator_sees_models_and_the_chosen_file(panel: AnswersPanel) -> None:
    drawn = panel.draw(OPERATOR)
    assert drawn[panel.box]["visible"] is True
    assert drawn[panel.models]["value"] == ["pocket-galpaca", "pocket-minotaur"]
    assert drawn[panel.write]["interactive"] is False
    chosen = choose(panel, base64.b64encode(b"One?\nTwo?\nOne?\n").decode())
    assert "a.txt: 2 instructions; " in chosen[panel.said]
    assert "Left out: 1 repeated row." in chosen[panel.said]
    assert chosen[panel.write]["interactive"] is True


def test_nobody_else_sees_or_does_anything(panel: AnswersPanel) -> None:
    assert panel.draw(OTHER)[panel.box]["visible"] is False
    for drawn in (choose(panel, "T25lPw==", by=OTHER), panel.begin(["pocket-galpaca"], OTHER), panel.end(OTHER)):
        assert operator_texts.NOT_YOURS in drawn[panel.said]
    assert panel._arena.file_answers.state == FileAnswersState()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"data": "T25lPw==", "size": MOST_BYTES + 1}, "a.txt is larger than 700 kB"),
        ({"data": "no base64"}, texts.NOT_A_FILE),
        ({"data": None}, texts.NOT_A_FILE),
        ({"data": "T25lPw==", "name": 7}, texts.NOT_A_FILE),
        ({"data": "T25lPw==", "size": True}, texts.NOT_A_FILE),
        ({"data": "", "name": "<b>.csv"}, "&lt;b&gt;.csv is empty"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_other_files_are_refused(panel: AnswersPanel, sent: dict[str, object], words: str) -> None:
    assert words in choose(panel, **sent)[panel.said]


def test_nothing_is_written_without_a_model(panel: AnswersPanel) -> None:
    choose(panel, "T25lPw==")
    for models in ([], "pocket-galpaca", ["unknown"], None):
        assert "Choose at least one model." in panel.begin(models, OPERATOR)[panel.said]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FileAnswersState(file=FILE), "a.txt: 1 instruction; instruction from each line."),
        (FileAnswersState(file=FILE, running=True), texts.PREPARING),
        (FileAnswersState(FILE, True, "Ada", total=9, written=2), "Ada is writing: 2 of 9 answers."),
        (FileAnswersState(FILE, total=2, written=1, there=5), "1 answer written, 5 already there, 0 failed."),
        (
            FileAnswersState(FILE, total=9, written=4, is_stopped=True),
            "Stopped: 4 answers written, 0 already there, 0 failed. A new start goes on from here.",
        ),
        (FileAnswersState(FILE, total=9, error="the disk is full."), "The run ended: the disk is full."),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_words_say_what_became_of_it(state: FileAnswersState, words: str) -> None:
    assert texts.state(state) == words


def test_failures_are_listed_before_bad_rows_and_counted_beyond_the_most() -> None:
    bad = replace(FILE, bad=tuple(BadRow(f"line {number}", "no text") for number in range(5)))
    assert list(texts.troubles(FileAnswersState(bad), 2)) == ["line 0: no text", "line 1: no text", "3 more."]
    failed = FileAnswersState(bad, failures=(Failure("line 7", "ada", "too long"),))
    assert list(texts.troubles(failed, 2)) == ["ada, line 7: too long"]
