"""A study's file: what is refused, with which words, and what its hash is over."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from playground.cli import main
from playground.errors import InvalidStudy
from playground.records import Criterion
from playground.storage.database.rows import to_json
from playground.studies.study_file import as_document, read_study, stored_study
from tests.support.paths import ROOT

STUDY = """\
id = "helpfulness-2026"
instructions = "questions.jsonl"
models = ["ada", "ben", "cy"]
votes = 40
"""


CRITERION = "[[criterion]]\nid = 'x'\nquestion = '?'\n"


def written(folder: Path, text: str, questions: str = '{"instruction": "Hello"}\n') -> Path:
    (folder / "questions.jsonl").write_text(questions)
    path = folder / "study.toml"
    path.write_text(text)
    return path


def test_keys_that_are_left_out_have_defaults(tmp_path: Path) -> None:
    study = read_study(written(tmp_path, STUDY))
    assert (study.file.raters_per_battle, study.file.overlap, study.file.repeats) == (1, 0.0, 0.0)
    assert study.file.model_pairs == (("ada", "ben"), ("ada", "cy"), ("ben", "cy"))
    assert study.instructions == tmp_path / "questions.jsonl"


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "training.jsonl").write_text("{}")
    text = STUDY + (
        'pairs = [["cy", "ada"]]\nraters_per_battle = 2\noverlap = 0.1\nrepeats = 0.05\nquestion = "Which?"\n'
        "strength = true\nseed = 7\n"
        '[[criterion]]\nid = "facts"\nquestion = "Whose facts are right?"\nchoices = ["a", "b"]\nrequired = false\n'
        'reason = "required"\n[check]\nitems = "training.jsonl"\n[attention]\nitems = "training.jsonl"\nevery = 10\n'
    )
    study = read_study(written(tmp_path, text))
    assert study.file.model_pairs == (("ada", "cy"),)
    assert study.file.criterion == (
        Criterion("facts", "Whose facts are right?", ("a", "b"), required=False, reason="required"),
    )
    assert study.check_items == tmp_path / "training.jsonl" == study.attention_items
    assert stored_study(to_json(as_document(study.file)), "the database") == study.file


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "rater_per_battle = 2",
            "unknown key 'rater_per_battle'; valid keys: id, models, votes, instructions, live,",
        ),
        ("raters_per_battle = 0", "'raters_per_battle' is 0; valid: 1 or more"),
        ("overlap = 1.5", "'overlap' is 1.5; valid: 1.0 or less"),
        ("repeats = 0.6", "'repeats' is 0.6; valid: 0.5 or less"),
        ('pairs = "some"', "'pairs' is 'some'; valid: \"all\", \"informative\", or a list of pairs of ada, ben,"),
        (
            'pairs = [["ada", "dan"]]',
            "'pairs' holds ['ada', 'dan']; valid: \"all\", \"informative\", or a list of pairs",
        ),
        ('pairs = [["ada", "ben"], ["ben", "ada"]]', "names a pair twice"),
        ("ends = 'soon'", "'ends' is 'soon'; valid: 'leader' or 'order'"),
        ("ends = 'leader'\npairs = [['ada', 'ben']]", "'ends' is 'leader', but 'pairs' leave models that never meet"),
        ("pairs = []", "'pairs' is empty"),
        ('strength = "much"', "'strength' is 'much'; it has to be true or false"),
        ('[panel]\nkind = "prolific"', "[panel]: missing 'complete', 'our_fault'; add it"),
        ("[check]", "[check]: missing 'items'; add it"),
        ('[check]\nitems = "none.jsonl"', "'check.items' names"),
        ('[[criterion]]\nid = "x"\nquestion = "?"\nchoices = ["a"]', "'choices' of 'x' are ['a']; valid: two to 9"),
        (f"{CRITERION}choices = ['a', 'c']", "'choices' of 'x' name one of the two answers; valid: both a and b, or"),
        (f"{CRITERION}choices = ['a', 'b']\nreason = 'yes'", "'reason' is 'yes'; valid: 'required' or 'optional'"),
        (f"{CRITERION}choices = ['a', 'b']\n" * 2, "two [[criterion]] have the same 'id'"),
    ],
)
def test_error_names_file_key_and_valid_values(tmp_path: Path, change: str, said: str) -> None:
    path = written(tmp_path, f"{STUDY}{change}\n")
    with pytest.raises(InvalidStudy) as raised:
        read_study(path)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "missing 'id', 'models', 'votes'; add it"),
        (STUDY.replace("helpfulness-2026", "Übung 1"), "'id' is 'Übung 1'; valid: up to 60 of a-z"),
        (STUDY.replace('"ben", "cy"', '"ada"'), "'models' are ['ada', 'ada']; valid: two or more different models"),
        (STUDY.replace("questions", "none"), "'instructions' names"),
    ],
)
def test_needed_keys_are_checked(tmp_path: Path, given: str, said: str) -> None:
    with pytest.raises(InvalidStudy) as raised:
        read_study(written(tmp_path, given))
    assert said in str(raised.value)


LIVE = STUDY.replace('instructions = "questions.jsonl"', "live = true")


def test_live_study_has_no_file_of_instructions(tmp_path: Path) -> None:
    study = read_study(written(tmp_path, LIVE))
    assert (study.file.live, study.instructions) == (True, None)
    assert stored_study(to_json(as_document(study.file)), "the database") == study.file


def test_studies_with_a_file_keep_their_hash(tmp_path: Path) -> None:
    study = read_study(written(tmp_path, STUDY))
    assert "live" not in as_document(study.file)
    assert study.hash == "e41034f63d92a54f2bf64138d7634d4139001c66014fe6115c05bd808c41f729"
    assert read_study(written(tmp_path, STUDY + "live = false\n")).hash == study.hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STUDY + "live = true\n", "'instructions' names a file, but with live = true raters write them"),
        (LIVE + "overlap = 0.1\n", "only the rater who wrote an instruction sees its answers; leave them out"),
        (LIVE + "raters_per_battle = 2\n", "only the rater who wrote an instruction sees its answers"),
        (LIVE.replace("live = true", ""), "'instructions' is missing; name a file, or let raters write them"),
    ],
)
def test_live_and_its_opposites_exclude_each_other(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidStudy) as raised:
        read_study(written(tmp_path, text))
    assert said in str(raised.value)


def test_hash_is_over_content_not_over_form(tmp_path: Path) -> None:
    plain = read_study(written(tmp_path, STUDY)).hash
    lines = STUDY.splitlines()
    assert read_study(written(tmp_path, "# a note\n" + "\n".join(reversed(lines)) + "\nseed = 0\n")).hash == plain
    assert read_study(written(tmp_path, STUDY + "seed = 1\n")).hash != plain
    assert read_study(written(tmp_path, STUDY, '{"instruction": "Bye"}\n')).hash != plain


def test_documented_study_is_planned_as_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "study.md").read_text()
    (tmp_path / "questions.jsonl").write_text("\n".join(f'{{"instruction": "Question {n}"}}' for n in range(200)))
    row = '{"instruction": "%d?", "answer_a": "yes", "answer_b": "no", "expected": "a"}'
    (tmp_path / "training.jsonl").write_text("\n".join(row % n for n in range(3)))
    (tmp_path / "study.toml").write_text("\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[:2]))
    assert [one.id for one in read_study(tmp_path / "study.toml").file.criterion] == ["facts", "harm"]
    [(command, said)] = re.findall(r"\$ python -m playground (study plan .*)\n((?:.+\n)+)", page)
    out = io.StringIO()
    argv = command.replace("study.toml", str(tmp_path / "study.toml")).split()
    assert main([*argv, "--runs", "1"], out) == 0
    assert out.getvalue().startswith(said)
