"""A template file becomes a template, or an error that names the file and the key; the built-in ones are right."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from playground.documents import keys_of
from playground.errors import InvalidTemplate
from playground.prompting.templates import PLAIN, TemplateFile, load_templates, read_template
from playground.records import Segment
from tests.support.paths import ROOT

FILE_KEYS = ", ".join(keys_of(TemplateFile))
FOLDER = ROOT / "prompts" / "templates"
GOOD = """
id = "mine"
source = "ours"
without_input = [{ ids = [1] }, { text = "Q: {instruction}\\nA:" }]
with_input = [{ ids = [1] }, { text = "Q: {instruction} {input}\\nA:" }]
stop_ids = [2]
"""


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = write(folder, text, name)
    with pytest.raises(InvalidTemplate) as caught:
        read_template(path)
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


def test_a_file_becomes_a_template(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    (template,) = read_template(path)
    assert template.id == "mine"
    assert template.without_input == (Segment(ids=(1,)), Segment(text="Q: {instruction}\nA:"))
    assert (template.stop_ids, template.strip, template.max_prompt_tokens) == ((2,), "none", None)
    assert not template.takes_system


def test_the_hash_covers_the_files_bytes() -> None:
    for path in FOLDER.glob("*.toml"):
        assert {t.hash for t in read_template(path)} == {hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.mark.proves("templates with unknown keys, missing fields, wrong types")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            GOOD + 'stop_string = "x"',
            "FILE: unknown key 'stop_string'; valid keys: " + FILE_KEYS,
        ),
        (GOOD.replace('source = "ours"', ""), "FILE: missing 'source'; add it"),
        ("", "FILE: missing 'id', 'source', 'without_input', 'with_input'; add it"),
        (GOOD.replace('"mine"', '"other"'), "FILE: 'id' is 'other'; it has to be the file's name, 'mine'"),
        (GOOD.replace('"ours"', "3"), "FILE: 'source' is 3; it has to be text"),
        (GOOD.replace("[2]", "2"), "FILE: 'stop_ids' is 2; it has to be a list"),
        (GOOD.replace("[2]", '["2"]'), "FILE: 'stop_ids[0]' is '2'; it has to be a whole number"),
        (GOOD.replace("[2]", "[true]"), "FILE: 'stop_ids[0]' is True; it has to be a whole number"),
        (GOOD.replace("[2]", "[-2]"), "FILE: 'stop_ids[0]' is -2; valid: 0 or more"),
        (GOOD + 'stop_strings = [""]', "FILE: 'stop_strings[0]' is ''; it has to be text that is not empty"),
        (GOOD + 'strip = "all"', "FILE: 'strip' is 'all'; valid: 'none', 'both' or 'one_leading_space'"),
        (GOOD + "max_prompt_tokens = 0", "FILE: 'max_prompt_tokens' is 0; valid: above 0"),
        (GOOD + "max_prompt_tokens = 1.5", "FILE: 'max_prompt_tokens' is 1.5; it has to be a whole number"),
        (GOOD + 'default_system = "x"', "FILE: 'default_system' has no place: put {system} into both forms, or leave"),
        (
            GOOD.replace("{ ids = [1] }", "{ id = [1] }"),
            "FILE without_input[0]: unknown key 'id'; valid keys: text, ids",
        ),
        (GOOD.replace("{ ids = [1] }", "3"), "FILE: 'without_input[0]' is 3; it has to be a table"),
        (GOOD.replace("{ ids = [1] }", "{}"), "FILE without_input[0]: a segment has either 'text' or 'ids', and one"),
        (GOOD.replace("ids = [1] }", "ids = [1], text = 'x' }"), "without_input[0]: a segment has either 'text' or"),
        (GOOD.replace("{instruction}\\n", "{instructions}\\n"), "unknown place {instructions}; valid: {instruction}, "),
        (
            GOOD.replace("Q: {instruction}\\n", "Q:\\n"),
            "FILE: 'without_input' has to hold {instruction}, and not {input}",
        ),
        (GOOD.replace("{instruction}\\n", "{instruction}{input}\\n"), "has to hold {instruction}, and not {input}"),
        (GOOD.replace(" {input}", ""), "FILE: 'with_input' has to hold {instruction} and {input}"),
        (
            GOOD.replace("{input}", "{input}{system}"),
            "FILE: {system} has to be in both 'without_input' and 'with_input'",
        ),
        (
            GOOD + "[variants.a]\nid = 'x'",
            "FILE [variants] [a]: a variant has no 'id', it is called mine:a; leave",
        ),
        (GOOD + "[variants]\na = 1", "FILE [variants]: 'a' is 1; it has to be a table"),
        (GOOD + "[variants.'A b']\n", "FILE [variants] [A b]: a variant's name is made of small letters"),
        ("id = ", "FILE is not TOML in UTF-8: Invalid value"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.replace("ours", "für").encode("latin-1"))
    with pytest.raises(InvalidTemplate, match="is not TOML in UTF-8"):
        read_template(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidTemplate, match="cannot be read: No such file or directory"):
        read_template(tmp_path / "mine.toml")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidTemplate, match=r"nowhere is not a folder; name one that holds \.toml files"):
        load_templates([tmp_path / "nowhere"])


def test_variants_say_only_what_differs(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + '[variants.short]\nsource = "shorter"\nstop_ids = [7]\n')
    template, variant = read_template(path)
    assert variant.id == "mine:short"
    assert (variant.source, variant.stop_ids) == ("shorter", (7,))
    assert (variant.without_input, variant.hash) == (template.without_input, template.hash)


def test_a_later_folder_replaces_templates_with_their_variants(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace('"mine"', '"galpaca"') + "[variants.mine]\n", "galpaca.toml")
    templates = load_templates([FOLDER, tmp_path])
    assert templates["galpaca"].source == "ours"
    assert [name for name in templates if name.startswith("galpaca")] == ["galpaca", "galpaca:mine"]


def test_built_in_templates_cannot_be_replaced(tmp_path: Path) -> None:
    assert load_templates([])["plain"] is PLAIN
    for name in ("plain", "chat"):
        path = write(tmp_path, GOOD.replace('"mine"', f'"{name}"'), f"{name}.toml")
        with pytest.raises(InvalidTemplate, match=rf"the template '{name}' is built in; give {name}.toml another name"):
            load_templates([tmp_path])
        path.unlink()


def test_the_readme_names_every_key_and_every_template() -> None:
    page = (FOLDER / "README.md").read_text()
    for key in keys_of(TemplateFile):
        assert f"| `{key}` |" in page
    for template in load_templates([FOLDER]):
        assert f"`{template.split(':')[-1]}`" in page


@pytest.mark.parametrize(
    ("name", "stop_ids", "stop_strings", "drop_ids", "strip", "limit"),
    [
        ("openalpaca", (2,), (), (1, 2), "both", 1024),
        ("mamba-gpt", (2,), ("<|prompt|>", "<|answer|>"), (0,), "none", None),
        ("orca-mini", (2,), (), (0,), "none", None),
        ("minotaur", (0,), ("USER:",), (), "one_leading_space", None),
        ("galpaca", (2,), (), (0, 1, 2), "none", None),
    ],
)
def test_built_in_templates_have_the_ends_of_their_models(
    name: str, stop_ids: object, stop_strings: object, drop_ids: object, strip: str, limit: int | None
) -> None:
    form = load_templates([FOLDER])[name]
    assert (form.stop_ids, form.stop_strings, form.drop_ids) == (stop_ids, stop_strings, drop_ids)
    assert (form.strip, form.max_prompt_tokens) == (strip, limit)
    assert form.takes_system == (name == "orca-mini")
