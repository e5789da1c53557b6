from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import TokenizerError
from playground.prompting.special_tokens import read_markers
from tests.support.chats import write


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"tokenizer_config.json": "{"}, "tokenizer_config.json cannot be read as JSON"),
        ({"tokenizer_config.json": "[]"}, "tokenizer_config.json is not a JSON object"),
        ({"tokenizer_config.json": {"added_tokens_decoder": {"x": {"content": "a"}}}}, "added token 'x'"),
        ({"tokenizer_config.json": {"added_tokens_decoder": {"1": 3}}}, "added token '1' is 3"),
        ({"added_tokens.json": {"<a>": "1"}}, "'<a>' has the id '1'"),
    ],
)
def test_broken_tokenizer_files_are_named(tmp_path: Path, files: dict[str, object], text: str) -> None:
    for name, data in files.items():
        write(tmp_path, name, data)
    with pytest.raises(TokenizerError, match=text):
        read_markers(tmp_path)


def test_older_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, "tokenizer_config.json", {"add_bos_token": True, "image_token": "<image>"})
    write(tmp_path, "special_tokens_map.json", {"eos_token": {"content": "</s>"}, "additional_special_tokens": ["<a>"]})
    write(tmp_path, "added_tokens.json", {"<a>": 5, "<b>": 6})
    markers = read_markers(tmp_path)
    assert markers.names == (("eos_token", "</s>"), ("image_token", "<image>"))
    assert [(m.text, m.token_id, m.special) for m in markers.added] == [
        ("<a>", 5, True),
        ("<b>", 6, False),
        ("</s>", None, True),
        ("<image>", None, True),
    ]
