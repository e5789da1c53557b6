"""Render the chat template of a model's repository, and tell a visitor's text from the template's own.

Boundary: knows a template's source, the names of special tokens, and messages; no token ids, no models. `sandbox`
runs the template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playground.errors import InvalidTemplate
from playground.prompting.sandbox import Message, TemplateFailure, render
from playground.prompting.special_tokens import CONFIG_FILE, read_object
from playground.records.prompts import Variables

JINJA_FILE = "chat_template.jinja"
JSON_FILE = "chat_template.json"
STAND_INS = range(0xF0000, 0xFFFFE)
"""Characters for private use; one that occurs nowhere replaces a visitor's characters."""
PROBE = "Zyzzyva"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered chat; `safe` is `text` with each of a visitor's characters replaced by a stand-in."""

    text: str
    safe: str


def read_source(folder: Path) -> str:
    """Return the source of the folder's chat template; empty if it has none.

    Raises:
        TokenizerError: a JSON file cannot be read.
        InvalidTemplate: the template cannot be read, or there are several and none is called ``default``.
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
    """Return the template itself, or the one called ``default`` of a list of ``{name, template}``."""
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    if not isinstance(found, str):
        raise InvalidTemplate(f"{path}: 'chat_template' holds no template called 'default'; write a card with another")
    return found


def takes_system(source: str, names: Variables = ()) -> bool:
    """Return True if system text appears in the prompt; some templates refuse or drop it.

    Raises:
        InvalidTemplate: the template fails on an instruction alone, or leaves it out.
    """
    user = {"role": "user", "content": PROBE}
    if PROBE not in _render_single(source, names):
        raise InvalidTemplate("the chat template leaves out what the user says; write a card with another template")
    system = PROBE.swapcase()
    try:
        return system in render(source, names, [{"role": "system", "content": system}, user])
    except InvalidTemplate:
        return False


def own_words(source: str, names: Variables = ()) -> str:
    """Return the template's own text: around an instruction without system text, and in its source.

    Raises:
        InvalidTemplate: the template fails on an instruction alone.
    """
    around = _render_single(source, names).replace(PROBE, "\n")
    return around + "\n" + source.replace("\\n", "\n")


def _render_single(source: str, names: Variables) -> str:
    try:
        return render(source, names, [{"role": "user", "content": PROBE}])
    except TemplateFailure as problem:
        raise InvalidTemplate(
            f"no prompt can be made of a single instruction: {problem}; write a card with another template"
        ) from problem


def render_chat(
    source: str,
    names: Variables,
    messages: Sequence[Message],
    first_letters: str,
    now: Callable[[], datetime] = datetime.now,
) -> Rendered:
    """Return the chat as text, and as text in which a visitor's characters are replaced.

    The chat is rendered once as it is and once with stand-ins in the messages. A template that inspects the messages
    may then write something else; if it does, only the characters in `first_letters`, with one of which every special
    token begins, are replaced.

    Raises:
        InvalidTemplate: the template fails, or a visitor's text cannot be told from its own.
    """
    moment = now()
    try:
        text = render(source, names, messages, lambda: moment)
    except TemplateFailure as problem:
        raise InvalidTemplate(
            f"no prompt can be made of this text: {problem}; change the text, or choose another model"
        ) from problem
    stand_in = _unused_character([source, text, *(str(value) for _, value in names), *(m["content"] for m in messages)])
    for mask in (_mask_inner, _mask_letters(first_letters)):
        masked = [{**message, "content": mask(message["content"], stand_in)} for message in messages]
        try:
            safe = render(source, names, masked, lambda: moment)
        except InvalidTemplate:
            continue
        if len(text) == len(safe) and all(b in (a, stand_in) for a, b in zip(text, safe, strict=True)):
            return Rendered(text, safe)
    raise InvalidTemplate(
        "the chat template changes what is typed so that it cannot be told from the template's own words; "
        "write a card with another template"
    )


def _unused_character(texts: Iterable[str]) -> str:
    """Return a character that is in none of the texts; empty, which equals no character, if there is none."""
    taken = set().union(*texts)
    return next((char for char in map(chr, STAND_INS) if char not in taken), "")


def _mask_inner(text: str, stand_in: str) -> str:
    """Replace all but white space at the ends, which templates strip."""
    inner = text.strip()
    return text.replace(inner, stand_in * len(inner)) if inner else text


def _mask_letters(letters: str) -> Callable[[str, str], str]:
    return lambda text, stand_in: text.translate(dict.fromkeys(map(ord, letters), stand_in))
