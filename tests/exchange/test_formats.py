"""Known rows of every format."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from playground.exchange import FORMATS, ExportOptions, export
from playground.records import VoteFilter
from tests.support.cast import ADA, BEN, GALPACA, MAMBA, MODELS, OPENALPACA, PARAMS, House
from tests.support.exporting import add_vote, exported, first_container, read
from tests.support.paths import ROOT

HAIKU, ASKED = "Write a haiku about the sea.", "Be brief.\n\nAdd them.\n\n2 and 2"
GULL = "Grey waves, and a gull."


def conversation(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def test_lmsys_33k(home: House, tmp_path: Path) -> None:
    rows = exported(home, "lmsys-33k", tmp_path / "out.jsonl")
    assert rows[0] == {
        "question_id": "pair",
        "model_a": OPENALPACA,
        "model_b": MAMBA,
        "winner": "model_b",
        "judge": f"arena_user_{ADA}",
        "conversation_a": conversation(HAIKU, "Waves."),
        "conversation_b": conversation(HAIKU, "Sea, sea."),
        "turn": 1,
        "anony": True,
        "language": "unknown",
        "tstamp": 1795201200.0,
    }
    assert [(row["question_id"], row["model_a"], row["model_b"], row["winner"]) for row in rows[1:]] == [
        ("three", MAMBA, GALPACA, "model_a"),
        ("tie", OPENALPACA, MAMBA, "tie (bothbad)"),
    ]
    assert rows[1]["conversation_a"] == conversation(ASKED, "4")
    assert rows[2]["anony"] is False


def test_trl_preference(home: House, tmp_path: Path) -> None:
    assert exported(home, "trl-preference", tmp_path / "out.jsonl") == [
        {
            "prompt": HAIKU,
            "chosen": "Sea, sea.",
            "rejected": "Waves.",
            "chosen_model": MAMBA,
            "rejected_model": OPENALPACA,
            "chosen_license": "Apache-2.0",
            "rejected_license": "Apache-2.0",
            "battle_id": "pair",
            "rater": ADA,
            "category": "creative",
        },
        {
            "prompt": ASKED,
            "chosen": "4",
            "rejected": "four",
            "chosen_model": MAMBA,
            "rejected_model": GALPACA,
            "chosen_license": "Apache-2.0",
            "rejected_license": "CC-BY-NC-4.0",
            "battle_id": "three",
            "rater": BEN,
            "category": "maths",
        },
    ]


def test_margin_is_written_only_where_a_strength_was_given(home: House, tmp_path: Path) -> None:
    for container in FORMATS["trl-preference"].containers:
        assert "margin" not in exported(home, "trl-preference", tmp_path / f"out{container}")[0]
    home.battle_is_open("strong")
    add_vote(home, "strong", "a", strength=2.5, imported="votes.csv 00ff")
    rows = exported(home, "trl-preference", tmp_path / "out.jsonl")
    assert [row.get("margin", "absent") for row in rows] == ["absent", "absent", 2.5]
    table = exported(home, "trl-preference", tmp_path / "out.parquet")
    assert [row["margin"] for row in table] == [None, None, 2.5]
    assert [row["margin"] for row in exported(home, "trl-preference", tmp_path / "out.csv")] == ["", "", "2.5"]
    [vote] = [row for row in exported(home, "votes", tmp_path / "out.jsonl") if row["battle_id"] == "strong"]
    assert (vote["strength"], vote["imported"]) == (2.5, "votes.csv 00ff")
    pairs = exported(home, "pairs", tmp_path / "out.jsonl", VoteFilter(imported="only"))
    assert [row["strength"] for row in pairs] == [2.5]


def test_trl_unpaired(home: House, tmp_path: Path) -> None:
    home.battle_is_open("good", ends={"a": {"text": "One."}, "b": {"text": "Two."}})
    home.battles.vote("good", "tie", ADA, final=True)
    rows = exported(home, "trl-unpaired", tmp_path / "out.jsonl")
    assert rows[0] == {
        "prompt": HAIKU,
        "completion": "Waves.",
        "label": False,
        "model": OPENALPACA,
        "license": "Apache-2.0",
        "battle_id": "pair",
        "rater": ADA,
        "category": "creative",
    }
    assert [(row["battle_id"], row["completion"], row["label"]) for row in rows[1:]] == [
        ("pair", "Sea, sea.", True),
        ("three", "4", True),
        ("three", "four", False),
        ("tie", GULL, False),
        ("tie", GULL, False),
        ("good", "One.", True),
        ("good", "Two.", True),
    ]


@pytest.mark.parametrize(
    ("choice", "labels", "won"),
    [
        ("b", [False, True, False], ["B"]),
        ("tie", [True, True, True], []),
        ("both_bad", [False, False, False], []),
        ("b>a=c", [False, True, False], ["B"]),
        ("a=c>b", [True, False, True], ["A", "C"]),
        ("a=b=c", [True, True, True], []),
    ],
)
def test_best_answers_of_three(home: House, tmp_path: Path, choice: str, labels: list[bool], won: list[str]) -> None:
    home.battle_is_open("best", MODELS, ends={side: {"text": side.upper()} for side in "abc"})
    home.battles.vote("best", choice, ADA, final=True)
    rows = [row for row in exported(home, "trl-unpaired", tmp_path / "out.jsonl") if row["battle_id"] == "best"]
    assert [row["label"] for row in rows] == labels
    winners = [row["output"] for row in exported(home, "alpaca", tmp_path / "out.json")]
    assert winners == ["Sea, sea.", "4", *won]
    [vote] = [row for row in exported(home, "votes", tmp_path / "out.jsonl") if row["battle_id"] == "best"]
    assert (vote["model_a"], vote["model_b"], vote["winner"]) == (None, None, None)


def test_pairs(home: House, tmp_path: Path) -> None:
    rows = exported(home, "pairs", tmp_path / "out.jsonl")
    assert len(rows[0].pop("vote_id")) == 32
    assert rows[0] == {
        "battle_id": "pair",
        "rater": ADA,
        "origin": "person",
        "study": "",
        "study_hash": "",
        "study_kind": "",
        "own_words": False,
        "category": "creative",
        "instruction": HAIKU,
        "model_a": OPENALPACA,
        "model_b": MAMBA,
        "answer_a": "Waves.",
        "answer_b": "Sea, sea.",
        "winner": "model_b",
        "strength": None,
        "decision_s": 0.0,
        "created_at": "2026-11-20T19:00:00.000+00:00",
        "counts": False,
        "why_not": "decided in under 1 s",
        "license_a": "Apache-2.0",
        "license_b": "Apache-2.0",
    }
    assert [(row["instruction"], row["winner"]) for row in rows[1:]] == [(ASKED, "model_a"), (HAIKU, "both_bad")]


def test_arena_140k(home: House, tmp_path: Path) -> None:
    text = "# Title\n\n## Part\n\n* **one**\n* two\n1. three\n\n```\n# no header\n- no item\n```\n__four__"
    home.battle_is_open("marked", ends={"b": {"text": text, "token_ids": (1, 2, 3, 4)}})
    home.battles.vote("marked", "tie", ADA, final=True)
    row = exported(home, "arena-140k", tmp_path / "out.jsonl")[-1]
    user, answer = ({"type": "text", "text": said, "image": None, "mimeType": None} for said in (HAIKU, text))
    assert row["conversation_b"] == [{"role": "user", "content": [user]}, {"role": "assistant", "content": [answer]}]
    assert row["full_conversation"][0]["model_side_b"] == row["conversation_b"][1]
    assert (row["winner"], row["evaluation_session_id"], row["evaluation_order"]) == ("tie", "marked", 1)
    assert (row["is_code"], row["language"]) == (True, "unknown")
    counts = row["conv_metadata"]
    assert counts["header_count_b"] == {"h1": 1, "h2": 1, "h3": 0, "h4": 0, "h5": 0, "h6": 0}
    assert counts["list_count_b"] == {"ordered": 1, "unordered": 2}
    assert counts["bold_count_b"] == {"**": 1, "__": 1}
    assert (counts["sum_assistant_a_tokens"], counts["sum_assistant_b_tokens"]) == (3, 4)
    assert (counts["context_a_tokens"], counts["sum_user_tokens"], counts["turns"]) == (3, 3, 1)


def test_kaggle_55k(home: House, tmp_path: Path) -> None:
    rows = exported(home, "kaggle-55k", tmp_path / "out.csv")
    assert [json.loads(rows[0][name]) for name in ("prompt", "response_a", "response_b")] == [
        [HAIKU],
        ["Waves."],
        ["Sea, sea."],
    ]
    names = ("winner_model_a", "winner_model_b", "winner_tie")
    assert [tuple(row[name] for name in names) for row in rows] == [("0", "1", "0"), ("1", "0", "0"), ("0", "0", "1")]
    assert len({row["id"] for row in rows}) == 3


def test_fastchat_log(home: House, tmp_path: Path) -> None:
    rows = exported(home, "fastchat-log", tmp_path / "out.jsonl")
    assert [(row["type"], row["models"], row["ip"]) for row in rows] == [
        ("rightvote", ["", ""], ""),
        ("leftvote", ["", ""], ""),
        ("bothbad_vote", [OPENALPACA, MAMBA], ""),
    ]
    assert rows[1]["states"][0] == {
        "template_name": "raw",
        "system_message": "Be brief.",
        "roles": ["USER", "ASSISTANT"],
        "messages": [["USER", "Add them.\n\n2 and 2"], ["ASSISTANT", "4"]],
        "offset": 0,
        "conv_id": "three",
        "model_name": MAMBA,
    }
    assert rows[0]["tstamp"] == 1795201200.0


def test_alpaca(home: House, tmp_path: Path) -> None:
    assert exported(home, "alpaca", tmp_path / "out.json") == [
        {"instruction": HAIKU, "input": "", "output": "Sea, sea.", "model": MAMBA, "license": "Apache-2.0"},
        {
            "instruction": "Be brief.\n\nAdd them.",
            "input": "2 and 2",
            "output": "4",
            "model": MAMBA,
            "license": "Apache-2.0",
        },
    ]


def test_autoarena(home: House, tmp_path: Path) -> None:
    rows = exported(home, "autoarena", tmp_path / "out.csv")
    assert rows[1] == {
        "prompt": ASKED,
        "model_a": MAMBA,
        "model_b": GALPACA,
        "response_a": "4",
        "response_b": "four",
        "judge": BEN,
        "winner": "A",
    }
    assert [row["winner"] for row in rows] == ["B", "A", "-"]


@pytest.mark.parametrize(
    ("models", "score", "answers"),
    [(f"{OPENALPACA},{MAMBA}", -1.0, ("Waves.", "Sea, sea.")), (f"{MAMBA},{OPENALPACA}", 1.0, ("Sea, sea.", "Waves."))],
)
def test_llm_comparator(home: House, tmp_path: Path, models: str, score: float, answers: tuple[str, str]) -> None:
    path = tmp_path / "out.json"
    done = export(home.store, "llm-comparator", path, ExportOptions(filter=VoteFilter(models=models)))
    document = json.loads(path.read_text())
    assert document["models"] == [{"name": name} for name in models.split(",")]
    assert [schema["name"] for schema in document["metadata"]["custom_fields_schema"]] == list(
        document["examples"][0]["custom_fields"]
    )
    first, tie = document["examples"]
    assert (first["input_text"], first["tags"], first["score"]) == (HAIKU, ["creative"], score)
    assert (first["output_text_a"], first["output_text_b"]) == answers
    assert first["individual_rater_scores"] == [{"is_flipped": score > 0, "score": score, "rationale": ""}]
    assert (tie["score"], tie["custom_fields"]["outcome"]) == (0.0, "both_bad")
    assert [(one.reason, one.count) for one in done.left_out] == [("filter", 1)]


def test_llm_comparator_takes_the_only_two_models_and_refuses_more(home: House, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with pytest.raises(ValueError, match=f"about two models: give them as models=A,B; models that met: {GALPACA},"):
        export(home.store, "llm-comparator", path)
    assert export(home.store, "llm-comparator", path, ExportOptions(filter=VoteFilter(category="maths"))).rows == 1
    assert [model["name"] for model in json.loads(path.read_text())["models"]] == [GALPACA, MAMBA]
    with pytest.raises(ValueError, match="models that met: none yet"):
        export(home.store, "llm-comparator", path, ExportOptions(filter=VoteFilter(category="no such")))


def test_votes(home: House, tmp_path: Path) -> None:
    rows = exported(home, "votes", tmp_path / "out.jsonl")
    first = rows[0]
    sides = first.pop("sides")
    assert first.pop("vote_id")
    assert first == {
        "revision": 1,
        "choice": "b",
        "model_a": OPENALPACA,
        "model_b": MAMBA,
        "winner": "model_b",
        "strength": None,
        "rater_id": ADA,
        "origin": "person",
        "imported": None,
        "study": "",
        "study_hash": "",
        "study_kind": "",
        "own_words": False,
        "counts": False,
        "why_not": "decided in under 1 s",
        "capped": False,
        "voted_at": "2026-11-20T19:00:00.000+00:00",
        "decision_s": 0.0,
        "reasons": ["clear"],
        "comment": "=short",
        "criteria": [],
        "battle_id": "pair",
        "comparison_id": "comparison-of-pair",
        "parent_id": None,
        "owner": ADA,
        "source": "page",
        "blind": True,
        "state": "voted",
        "draw_probability": None,
        "created_at": "2026-11-20T18:59:00.000+00:00",
        "opened_at": "2026-11-20T19:00:00.000+00:00",
        "final_at": "2026-11-20T19:00:05.000+00:00",
        "category": "creative",
        "instruction": HAIKU,
        "input": "",
        "system": "",
        "overrides": {},
    }
    assert [side["side"] for side in sides] == ["a", "b"]
    assert sides[1] == SIDE_B
    assert [
        (row["battle_id"], row["choice"], row["winner"], [side["side"] for side in row["sides"]]) for row in rows[1:]
    ] == [("three", "b>c", "model_a", ["b", "c"]), ("tie", "both_bad", "both_bad", ["a", "b"])]


SIDE_B: dict[str, Any] = {
    "side": "b",
    "model": MAMBA,
    "text": "Sea, sea.",
    "license": "Apache-2.0",
    "repo": f"org/{MAMBA}",
    "model_revision": "0123abc",
    "generation_id": "pair-b",
    "finish_reason": "stop",
    "params": asdict(PARAMS),
    "seed": 2**32 - 1,
    "template_id": "openalpaca",
    "template_hash": "ff" * 32,
    "prompt_text": f"### Instruction:\n{HAIKU}",
    "prompt_ids": [1, 2, 3],
    "token_ids": [7, 8, 2],
    "engine": "local",
    "device": "cpu",
    "dtype": "float32",
    "versions": {"torch": "2.13.0"},
    "faithful": True,
    "created_at": "2026-11-20T18:59:00.000+00:00",
    "first_token_s": 0.1,
    "duration_s": 1.1,
    "reasoning": "Think of the sea.",
    "written_together": None,
    "exactness": "exactly",
}


def test_votes_in_parquet_have_typed_columns(home: House, tmp_path: Path) -> None:
    rows = exported(home, "votes", tmp_path / "out.parquet")
    side = rows[0]["sides"][1]
    assert {**side, "params": json.loads(side["params"]), "versions": json.loads(side["versions"])} == SIDE_B
    lines = exported(home, "votes", tmp_path / "out.jsonl")
    for row, line in zip(rows, lines, strict=True):
        for one in (row, line):
            one.pop("sides")
        assert {**row, "overrides": json.loads(row["overrides"])} == line


@pytest.mark.parametrize("format", FORMATS)
def test_rows_have_the_columns_of_their_format(home: House, tmp_path: Path, format: str) -> None:
    home.battle_is_open("strong")
    add_vote(home, "strong", "a", strength=1.0)
    for row in exported(home, format, tmp_path / f"out{first_container(format)}")[-1:]:
        assert tuple(row) == tuple(FORMATS[format].columns)


@pytest.mark.parametrize("format", FORMATS)
def test_containers_of_a_format_hold_the_same_rows(home: House, tmp_path: Path, format: str) -> None:
    containers = FORMATS[format].containers
    rows = exported(home, format, tmp_path / f"out{containers[0]}")
    for container in containers[1:]:
        others = exported(home, format, tmp_path / f"out{container}")
        assert len(others) == len(rows)
        if container == ".json":
            assert others == rows
    assert all(read(tmp_path / f"out{container}") for container in containers)


def test_documentation_lists_every_format_with_its_containers() -> None:
    table = {}
    for line in (ROOT / "docs" / "votes.md").read_text("utf-8").splitlines():
        if line.startswith("| `") and line.count("|") == 5:
            name, _, containers, _ = (cell.strip(" `") for cell in line.strip("|").split("|"))
            table[name] = containers
    for format in FORMATS.values():
        assert table.get(format.name) == " ".join(format.containers)
