"""``[panel]`` of a study's file: what it may say, and the codes and addresses that follow from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from playground.errors import InvalidStudy
from playground.studies.panel import Outcome
from playground.studies.study_file import StudyFile, as_document, read_study, stored_study
from tests.support.panel_server import STUDY_ID, new_key
from tests.support.paths import ROOT

START = """\
id = "helpful"
instructions = "questions.jsonl"
models = ["pocket-galpaca", "pocket-minotaur"]
votes = 400
votes_per_rater = 20
"""
PROLIFIC = f"""\
[panel]
kind = "prolific"
complete = "C1ABC"
screened_out = "C2DEF"
attention_failed = "C3GHI"
our_fault = "C4JKL"
study_id = "{STUDY_ID}"
"""
LINK = '[panel]\nkind = "link"\ncomplete = "one"\nour_fault = "two"\n'


def read(folder: Path, text: str) -> StudyFile:
    (folder / "questions.jsonl").write_text('{"instruction": "Say."}')
    (folder / "study.toml").write_text(text)
    return read_study(folder / "study.toml").file


@pytest.mark.parametrize("panel", [PROLIFIC, LINK, LINK + '[panel.redirect]\ncomplete = "https://x.org/{code}"\n'])
def test_panel_is_stored_as_it_was_read(tmp_path: Path, panel: str) -> None:
    file = read(tmp_path, START + panel)
    assert stored_study(json.dumps(as_document(file)), "the database") == file


def test_prolific_takes_raters_back_by_the_code(tmp_path: Path) -> None:
    panel = read(tmp_path, START + PROLIFIC).panel
    assert panel is not None
    assert {outcome.value: panel.address_of(outcome, None) for outcome in Outcome} == {
        "complete": "https://app.prolific.com/submissions/complete?cc=C1ABC",
        "screened_out": "https://app.prolific.com/submissions/complete?cc=C2DEF",
        "attention_failed": "https://app.prolific.com/submissions/complete?cc=C3GHI",
        "our_fault": "https://app.prolific.com/submissions/complete?cc=C4JKL",
        "incomplete": None,
    }


def test_addresses_are_filled_in_and_quoted(tmp_path: Path) -> None:
    redirect = '[panel.redirect]\ncomplete = "https://x.org/{code}?id={rater}"\nour_fault = "https://x.org/sorry"\n'
    panel = read(tmp_path, START + LINK + redirect).panel
    assert panel is not None
    assert panel.address_of(Outcome.COMPLETE, "a&b c/é") == "https://x.org/one?id=a%26b%20c%2F%C3%A9"
    assert panel.address_of(Outcome.COMPLETE, None) is None  # their id is deleted
    assert panel.address_of(Outcome.OUR_FAULT, None) == "https://x.org/sorry"
    assert panel.address_of(Outcome.SCREENED_OUT, "a") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROLIFIC.replace("prolific", "mturk"), "[panel]: 'kind' is 'mturk'; valid: 'prolific' or 'link'"),
        (LINK.replace('our_fault = "two"\n', ""), "[panel]: missing 'our_fault'; add it"),
        (LINK.replace('"two"', '"one"'), "two outcomes have the same code"),
        (LINK.replace('"two"', '"a b"'), "'our_fault' is 'a b'; valid: a code of letters, digits, '_' and '-'"),
        (LINK + f'study_id = "{STUDY_ID}"\n', "'study_id' is only for kind = \"prolific\"; leave it out"),
        (LINK + "codes = 3\n", "[panel]: unknown key 'codes'; valid keys: kind, complete, our_fault"),
        (PROLIFIC.replace(STUDY_ID, "my study"), "'study_id' is 'my study'; valid: the id of the study at Prolific"),
        (PROLIFIC.replace("study_id", "# study_id"), "'study_id' is None; valid: the id of the study at Prolific"),
        (PROLIFIC + 'jwks = "https://x.org/keys"\n', "signed links need both 'jwks' and 'audience'"),
        (
            PROLIFIC + 'jwks = "http://x.org/keys"\naudience = "https://y.org"\n',
            "'jwks' is 'http://x.org/keys'; valid: a file, or an address with https://",
        ),
        (
            PROLIFIC + 'jwks = "https://x.org/keys"\naudience = "y.org"\n',
            "'audience' is 'y.org'; valid: the address of this playground, with https://",
        ),
        (
            PROLIFIC + 'jwks = "none.json"\naudience = "https://y.org"\n',
            "none.json, which cannot be read: No such file",
        ),
        (
            PROLIFIC + 'jwks = "questions.jsonl"\naudience = "https://y.org"\n',
            'questions.jsonl, which is not a key set; valid: {"keys": [{"kty": "RSA", …}]}',
        ),
        (LINK + '[panel.redirect]\ncomplete = "x.org/{code}"\n', "'redirect.complete' is 'x.org/{code}'; valid:"),
        (LINK + '[panel.redirect]\ncomplete = "https://x.org/{id}"\n', "{code} and {rater} are filled in"),
        (LINK + '[panel.redirect]\ncomplete = "https://x.org/{code.x}"\n', "{code} and {rater} are filled in"),
        (LINK + '[panel.redirect]\ncomplete = "https://x.org/{"\n', "{code} and {rater} are filled in"),
        (LINK + '[panel.redirect]\ncomplete = "javascript:alert(1)"\n', "valid: an address with https://"),
        (LINK + '[check]\nitems = "questions.jsonl"\n', "'panel.screened_out' is missing; with [check] write the code"),
    ],
)
def test_panel_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidStudy) as refused:
        read(tmp_path, START + text)
    assert said in str(refused.value)


def test_panel_needs_votes_per_rater(tmp_path: Path) -> None:
    with pytest.raises(InvalidStudy, match="'votes_per_rater' is missing; with \\[panel\\] write how many votes each"):
        read(tmp_path, START.replace("votes_per_rater", "# votes_per_rater") + LINK)


def test_documented_panels_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "study.md").read_text("utf-8")
    *_, prolific, signed, other = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for name in ("training.jsonl", "attention.jsonl"):
        (tmp_path / name).write_text('{"instruction": "2+2?", "answer_a": "4", "answer_b": "5", "expected": "a"}')
    for text in (prolific, prolific + signed, START + other):
        assert read(tmp_path, text).panel is not None


def test_file_of_keys_is_part_of_the_study(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [new_key("one").as_dict(private=False)]}))
    text = START + PROLIFIC + 'jwks = "keys.json"\naudience = "https://y.org"\n'
    file = read(tmp_path, text)
    first = read_study(tmp_path / "study.toml").hash
    assert file.panel is not None
    assert json.loads(file.panel.jwks or "")["keys"][0]["kid"] == "one"
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [new_key("two").as_dict(private=False)]}))
    assert read_study(tmp_path / "study.toml").hash != first
