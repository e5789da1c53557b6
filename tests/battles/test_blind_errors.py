"""Reasons of failed answers in blind battles: whatever an engine says, no model, file or server is named."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

import playground
from playground.battles.blind_errors import BLIND_ERRORS, FAILED, blind_error
from playground.engines.remote.errors import TOO_LONG, status_error
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.errors import ABORTED, NO_GPU_FREE, NO_THREAD, NO_VISITOR, WORDS, words_of
from playground.errors import EngineError, PromptTooLong
from playground.prompting.prompt import check_fits
from playground.records import BattleState, FinishReason, Prompt, SamplingParams
from tests.battles.seen import models_of
from tests.support.cast import ADA, OPENALPACA, card, house

PACKAGE = Path(playground.__file__).parent
SOURCES = ("engines", "hub", "prompting", "catalog", "battles/generations.py", "arena")
CLOSED = {FAILED, *BLIND_ERRORS.values()}
NAMED = "/models/org/pocket-openalpaca/pytorch_model.bin of Pocket-Openalpaca at http://gpu-7:8000"


def errors_of_the_engines() -> Iterator[str]:
    """Yield every sentence of the engines' sources; what it is filled with names a model, a file and a server."""
    for source in SOURCES:
        path = PACKAGE / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    yield re.sub(r"\{[^}]*\}", NAMED, node.value)
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(part.value if isinstance(part, ast.Constant) else NAMED for part in node.values)


def test_every_error_of_the_engines_becomes_a_sentence_of_the_list() -> None:
    errors = set(errors_of_the_engines())
    assert any("was unloaded" in error for error in errors)
    assert any(NAMED in error for error in errors)
    assert {blind_error(error) for error in errors} <= CLOSED


def test_prompt_that_is_too_long_for_a_model_is_said_to_be() -> None:
    prompt = Prompt("", (1,) * 2_000, "alpaca", "")
    for known in (card(context_length=1_000), card(context_length=2_100)):
        with pytest.raises(PromptTooLong) as raised:
            check_fits(prompt, known, SamplingParams(max_new_tokens=500))
        assert blind_error(str(raised.value)).startswith("Prompt and answer were too long for this model")


def test_the_list_names_nothing_of_a_card() -> None:
    known = card()
    for sentence in CLOSED:
        for word in (known.id, known.name, known.repo, known.architecture, known.dtype, "server", "/", "{"):
            assert word.lower() not in sentence.replace("again at 00:00 UTC", "").lower()


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        ("Orca Mini 13B was unloaded", "This answer failed."),
        ("orca-mini-13b: the weights lm_head contain NaN or infinity", "This answer failed."),
        ("out of memory while reading the prompt", "There was not enough memory"),
        ("the answer was not finished after 600 s", "This answer took too long"),
        ("the prompt has 3000 tokens; the model takes 2048 in all", "Prompt and answer were too long"),
        (str(status_error(400, json.dumps({"error": {"code": TOO_LONG[0]}}))), "Prompt and answer were too long"),
        (str(status_error(404)), "This answer failed."),
        ("interrupted by a restart", "The playground was restarted"),
        ("", "This answer failed."),
    ],
)
def test_what_a_rater_can_do_something_about_is_said(error: str, begins: str) -> None:
    assert blind_error(error).startswith(begins)


@pytest.mark.parametrize("title", [*WORDS, "a title of another version"])
@pytest.mark.parametrize(
    "message", ["You have exceeded your free ZeroGPU quota (60s requested vs. 12s left)", NO_GPU_FREE, NO_VISITOR]
)
def test_every_error_of_zerogpu_is_said_without_what_depends_on_the_models(title: str, message: str) -> None:
    said = blind_error(words_of(gr.Error(message, title=title)))
    assert said in CLOSED - {FAILED}
    assert "60s" not in said


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("ZeroGPU quota exceeded", "No GPU time is left for you today; sign in"),
        ("ZeroGPU pending credits exceeded", "No GPU time is left for you today; sign in"),
        ("ZeroGPU illegal duration", "The answers would take too much GPU time"),
        ("ZeroGPU queue timeout", "No GPU was free"),
        ("ZeroGPU client error", "The GPU could not be used"),
        ("ZeroGPU worker error", "The GPU was taken away"),
    ],
)
def test_reasons_of_zerogpu_are_told_apart(title: str, said: str) -> None:
    assert blind_error(words_of(gr.Error("60s", title=title))).startswith(said)


@pytest.mark.parametrize("error", [ABORTED, NO_THREAD])
def test_reasons_that_depend_on_no_model_are_said(error: str) -> None:
    assert blind_error(error) != FAILED


def test_too_many_answers_are_said() -> None:
    flags = CancelFlags(1)
    flags.take()
    with pytest.raises(EngineError) as caught:
        flags.take()
    assert blind_error(str(caught.value)) == blind_error(NO_THREAD) != FAILED


@given(st.text())
def test_any_words_become_a_sentence_of_the_list(error: str) -> None:
    assert blind_error(f"{error} {NAMED} {error}") in CLOSED


@pytest.mark.parametrize("words", ["out of memory while reading", "was unloaded", "does not have"])
def test_void_blind_battle_says_no_word_of_its_error(words: str) -> None:
    home = house()
    home.battle_is_open(ends={"a": {"finish_reason": FinishReason.ERROR, "error": f"{NAMED} {words} {NAMED}"}})
    view = home.battles.view("battle-1", ADA)
    assert view.state is BattleState.VOID
    assert view.columns[0].error in CLOSED
    assert (models_of(view), OPENALPACA in repr(view)) == ([], False)
