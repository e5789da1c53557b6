"""Files of starters become instructions, or an error that names file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.catalog.starters import in_turn, load_starters
from playground.errors import InvalidInstruction, Unknown
from playground.records import Instruction


def write(folder: Path, text: str | bytes, name: str = "facts.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def line(**row: object) -> str:
    return json.dumps(row) + "\n"


def test_files_are_categories(tmp_path: Path) -> None:
    write(
        tmp_path, line(instruction="What is an alpaca?") + "\n" + line(instruction="Sum up.", input="a\nb", system="s")
    )
    write(tmp_path, line(instruction="Write a poem."), "writing.jsonl")
    write(tmp_path, "not one of them", "README.md")
    assert load_starters(tmp_path) == {
        "facts": (
            Instruction("What is an alpaca?", category="facts"),
            Instruction("Sum up.", "a\nb", "s", category="facts"),
        ),
        "writing": (Instruction("Write a poem.", category="writing"),),
    }


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf" + line(instruction="a").encode())
    assert load_starters(tmp_path)["facts"][0].instruction == "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'FILE is empty; add a line such as {"instruction": "…"}, or remove the file'),
        (line(instruction="a") + '{"instruction": "b', "FILE, line 2 is not JSON (EOF while parsing a string"),
        ("[" * 100_000, "FILE, line 1 is not JSON"),
        ("[1]", "FILE, line 1: it has to be a table"),
        (
            line(instruction="a", output="b"),
            "FILE, line 1: unknown key 'output'; valid keys: instruction, input, system",
        ),
        (line(input="a"), "FILE, line 1: missing 'instruction'; add it"),
        (line(instruction=3), "FILE, line 1: 'instruction' is 3; it has to be text"),
        (line(instruction="a", input=None), "FILE, line 1: 'input' is None; it has to be text"),
        (line(instruction=" "), "FILE, line 1: the instruction is empty; write what the models should do"),
        (line(instruction="a\0"), "FILE, line 1: 1 control character removed from the instruction: not readable by"),
        (
            line(instruction="x" * 4001),
            "FILE, line 1: instruction is 4,001 characters long; at most 4,000. Shorten it.",
        ),
        (line(instruction="a") * 2, "FILE, line 2: the same as line 1; remove one"),
        ('{"instruction": "é"}'.encode("latin-1"), "FILE is not UTF-8 (byte 17); save it as UTF-8"),
        (b" " * 4_000_001, "FILE is larger than 4,000,000 bytes; split it"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidInstruction) as caught:
        load_starters(tmp_path)
    assert words in str(caught.value).replace(str(path), "FILE")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInstruction, match=r"nowhere is not a folder; it has to hold a .jsonl file per category"):
        load_starters(tmp_path / "nowhere")


STARTERS = {
    "facts": tuple(Instruction(f"fact {i}", category="facts") for i in range(90)),
    "sums": (Instruction("1 + 1", category="sums"),),
}


def test_every_starter_comes_once_before_any_comes_again() -> None:
    dealt = [in_turn(STARTERS, 7, turn) for turn in range(182)]
    assert len(set(dealt[:91])) == 91
    assert dealt[91:] == dealt[:91]
    assert dealt[:91] != [in_turn(STARTERS, 8, turn) for turn in range(91)]


def test_no_starters_are_explained() -> None:
    with pytest.raises(Unknown, match="there are no starter instructions"):
        in_turn({}, 1, 0)
