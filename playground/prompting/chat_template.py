"""A repository's own chat template, rendered as transformers renders it, and what of the result a visitor typed.

Boundary: knows a template's source, the names of special tokens and messages; no token ids, no models. The source is
somebody else's program: `sandbox.py` runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playground.errors import InvalidTemplate
from playground.prompting.sandbox import Message, render
from playground.prompting.special_tokens import CONFIG_FILE, read_object

JINJA_FILE = "chat_template.jinja"
JSON_FILE = "chat_template.json"
STAND_INS = range(0xF0000, 0xFFFFE)
"""Characters for private use: one that occurs nowhere stands for what a visitor typed."""
PROBE = "Zyzzyva"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered chat; `safe` is `text`, character for character, with a stand-in for each character of a visitor's."""

    text: str
    safe: str


def read_source(folder: Path) -> str:
    """The source of the folder's chat template; empty when it has none.

    Raises:
        TokenizerError: a file that cannot be read.
        InvalidTemplate: several templates, and none of them is called ``default``.
    """
    try:
        return (folder / JINJA_FILE).read_text("utf-8")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as problem:
        raise InvalidTemplate(f"{folder / JINJA_FILE} cannot be read ({problem}); fetch the model again") from problem
    for name in (CONFIG_FILE, JSON_FILE):
        found = read_object(folder / name).get("chat_template")
        if found:
            return _default(folder / name, found)
    return ""


def _default(path: Path, found: Any) -> str:
    """The template itself, or the one that is called so in a list of ``{name, template}``."""
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    if not isinstance(found, str):
        raise InvalidTemplate(f"{path}: 'chat_template' holds no template called 'default'; write a card with another")
    return found


def takes_system(source: str, names: Sequence[tuple[str, str]] = ()) -> bool:
    """Whether system text gets into the prompt; some templates refuse it, some drop it without a word.

    Raises:
        InvalidTemplate: the template does not even render an instruction alone, or loses it.
    """
    asked = {"role": "user", "content": PROBE}
    if PROBE not in render(source, names, [asked]):
        raise InvalidTemplate("the chat template leaves out what the user says; write a card with another template")
    told = PROBE.swapcase()
    try:
        return told in render(source, names, [{"role": "system", "content": told}, asked])
    except InvalidTemplate:
        return False


def own_words(source: str, names: Sequence[tuple[str, str]] = ()) -> str:
    """What the template says by itself: beside an instruction without system text, and in its source.

    Raises:
        InvalidTemplate: the template does not render an instruction alone.
    """
    beside = render(source, names, [{"role": "user", "content": PROBE}]).replace(PROBE, "\n")
    return beside + "\n" + source.replace("\\n", "\n")


def render_chat(
    source: str,
    names: Sequence[tuple[str, str]],
    messages: Sequence[Message],
    first_letters: str,
    now: Callable[[], datetime] = datetime.now,
) -> Rendered:
    """The chat as text, and which of it the messages' contents are.

    The chat is rendered once as it is and once with a stand-in for what a visitor typed. A template that looks into the
    contents may then write something else; where it does, only characters in `first_letters` are stood in for, with
    one of which every special token begins.

    Raises:
        InvalidTemplate: the template fails, or what a visitor typed cannot be told from its own text.
    """
    moment = now()
    text = render(source, names, messages, lambda: moment)
    stand_in = _stand_in([source, text, *(text for _, text in names), *(m["content"] for m in messages)])
    for mask in (_all_but_the_ends, _letters(first_letters)):
        masked = [{**message, "content": mask(message["content"], stand_in)} for message in messages]
        try:
            safe = render(source, names, masked, lambda: moment)
        except InvalidTemplate:
            continue
        if _agree(text, safe, stand_in):
            return Rendered(text, safe)
    raise InvalidTemplate(
        "the chat template changes what is typed so that it cannot be told from the template's own words; "
        "write a card with another template"
    )


def _stand_in(texts: Iterable[str]) -> str:
    """A character that is in none of the texts; empty when all are taken, with which nothing agrees."""
    taken = set().union(*texts)
    return next((char for char in map(chr, STAND_INS) if char not in taken), "")


def _all_but_the_ends(text: str, stand_in: str) -> str:
    """White space at the ends stays: templates take it off."""
    inner = text.strip()
    return text.replace(inner, stand_in * len(inner)) if inner else text


def _letters(letters: str) -> Callable[[str, str], str]:
    return lambda text, stand_in: text.translate(dict.fromkeys(map(ord, letters), stand_in))


def _agree(text: str, safe: str, stand_in: str) -> bool:
    return len(text) == len(safe) and all(b in (a, stand_in) for a, b in zip(text, safe, strict=True))
