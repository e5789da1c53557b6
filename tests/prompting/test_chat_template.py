from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import InvalidTemplate
from playground.prompting.chat_template import read_source, render_chat, takes_system
from playground.prompting.sandbox import render
from tests.support.chats import write


def test_template_is_found_in_each_file(tmp_path: Path) -> None:
    assert read_source(tmp_path) == ""
    write(tmp_path, "chat_template.json", {"chat_template": "old"})
    assert read_source(tmp_path) == "old"
    listed = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "listed"}]
    write(tmp_path, "tokenizer_config.json", {"chat_template": listed})
    assert read_source(tmp_path) == "listed"
    write(tmp_path, "tokenizer_config.json", {"chat_template": "said"})
    assert read_source(tmp_path) == "said"
    write(tmp_path, "chat_template.jinja", "file\n")
    assert read_source(tmp_path) == "file\n"


def test_list_without_a_default_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "tokenizer_config.json", {"chat_template": [{"name": "tool_use", "template": "x"}]})
    with pytest.raises(InvalidTemplate, match=r"holds no template called 'default'; write a card"):
        read_source(tmp_path)


def test_template_without_the_instruction_is_refused() -> None:
    with pytest.raises(InvalidTemplate, match="leaves out what the user says"):
        takes_system("{{ messages | length }}")


def test_template_that_rewrites_typed_text_is_followed() -> None:
    for source, typed in (
        ("<b>{{ messages[0].content | upper }}</b>", "hi <b>"),
        ("<b>{{ messages[0].content | tojson }}</b>", 'a "quoted"\n<b> word'),
        ("<b>{{ messages[0].content }}{{ messages[0].content }}</b>", "<b>"),
        ("<b>{{ messages[0].content.replace('!', '') }}</b>", "<!b>"),
    ):
        rendered = render_chat(source, (), [{"role": "user", "content": typed}], "<")
        assert rendered.text == render(source, (), [{"role": "user", "content": typed}])
        assert rendered.safe.startswith("<b>")
        assert rendered.safe.endswith("</b>")
        assert rendered.safe.count("<b>") == 1


@pytest.mark.parametrize(
    "source",
    [
        "{% if '<' in messages[0].content %}<b>{% endif %}{{ messages[0].content }}",
        "<b>{{ messages[0].content.split('</think>')[-1] }}</b>",
    ],
)
def test_template_that_depends_on_markers_in_typed_text_is_refused(source: str) -> None:
    with pytest.raises(InvalidTemplate, match="cannot be told from the template's own words"):
        render_chat(source, (), [{"role": "user", "content": "x</think>y<b>"}], "<")


FAILS = "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].content }}"
REFUSES = "{% if 'war' in messages[0].content %}{{ raise_exception('Only peace') }}{% endif %}{{ messages[0].content }}"


def test_template_that_fails_on_every_text_is_refused_in_words() -> None:
    with pytest.raises(InvalidTemplate) as caught:
        takes_system(FAILS)
    assert str(caught.value) == (
        "no prompt can be made of a single instruction: the chat template fails: 'NoneType' object is not iterable; "
        "write a card with another template"
    )


def test_text_that_the_template_refuses_is_refused_in_words() -> None:
    with pytest.raises(InvalidTemplate) as caught:
        render_chat(REFUSES, (), [{"role": "user", "content": "war"}], "<")
    assert str(caught.value) == (
        "no prompt can be made of this text: the chat template refuses it: Only peace; change the text, or choose "
        "another model"
    )
