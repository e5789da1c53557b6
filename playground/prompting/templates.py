"""Prompt template files -> `PromptTemplate`: every key checked, variants spelt out, hashed by their bytes.

Boundary: reads files; makes no prompts. The keys are described in prompts/templates/README.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from playground.errors import InvalidTemplate
from playground.records import PromptTemplate, Segment
from playground.tomlfile import Table, files, read_table

FORM_KEYS = (
    "source",
    "without_input",
    "with_input",
    "default_system",
    "stop_ids",
    "stop_strings",
    "drop_ids",
    "strip",
    "max_prompt_tokens",
    "notes",
)
FILE_KEYS = ("id", *FORM_KEYS, "variants")
SEGMENT_KEYS = ("text", "ids")
STRIPS = ("none", "both", "one_leading_space")
PLACES = ("instruction", "input", "system")
PLACE = re.compile(r"\{(\w+)\}")
ID = re.compile(r"[a-z0-9][a-z0-9._-]*")

PLAIN = PromptTemplate(
    id="plain",
    source="built in: the instruction alone, with an input on a line of its own; no special ids",
    without_input=(Segment(text="{instruction}"),),
    with_input=(Segment(text="{instruction}\n{input}"),),
    hash=hashlib.sha256(b"plain: {instruction} | {instruction}\n{input}").hexdigest(),
)

SYSTEM = Segment(text="{system}")
CHAT_ID = "chat"
CHAT = PromptTemplate(
    id=CHAT_ID,
    source="the chat template in the model's own repository",
    without_input=(SYSTEM, Segment(text="{instruction}")),
    with_input=(SYSTEM, Segment(text="{instruction}\n{input}")),
)
"""What is the same in every repository: a system message where there is one, and a user's."""
BUILT_IN = (PLAIN.id, CHAT_ID)


def load_templates(folders: Iterable[Path]) -> dict[str, PromptTemplate]:
    """Every template of the folders by id, variants as ``id:variant``, and the built-in `plain`.

    A file in a later folder takes the place of one of the same name, its variants included.

    Raises:
        InvalidTemplate: a file or folder that cannot be read as one.
    """
    found = {path.stem: read_template(path) for path in files(folders, InvalidTemplate)}
    for name in BUILT_IN:
        if name in found:
            raise InvalidTemplate(f"the template {name!r} is built in; give {name}.toml another name")
    return {PLAIN.id: PLAIN} | {form.id: form for forms in found.values() for form in forms}


def read_template(path: Path) -> tuple[PromptTemplate, ...]:
    """The template of a file and its variants.

    Raises:
        InvalidTemplate: an unknown key, a missing field, a wrong type or value, naming file and key.
    """
    table, data = read_table(path, InvalidTemplate)
    table.only(FILE_KEYS)
    table.need("id", "source", "without_input", "with_input")
    if not ID.fullmatch(table.text("id")) or table.text("id") != path.stem:
        raise table.fail(f"'id' is {table.text('id')!r}; it has to be the file's name, {path.stem!r}")
    empty = PromptTemplate(id=table.text("id"), source="", without_input=(), with_input=())
    template = replace(_form(table, empty), hash=hashlib.sha256(data).hexdigest())
    return template, *_variants(table.table("variants"), template)


def _variants(table: Table, template: PromptTemplate) -> Iterable[PromptTemplate]:
    for name in table.values:
        variant = table.table(name)
        if not ID.fullmatch(name):
            raise variant.fail("a variant's name is made of small letters, digits, '.', '_' and '-'")
        variant.only(FORM_KEYS)
        yield _form(variant, replace(template, id=f"{template.id}:{name}"))


def _form(table: Table, base: PromptTemplate) -> PromptTemplate:
    """`base` with what `table` says instead."""
    form = replace(
        base,
        source=table.text("source", base.source),
        without_input=_segments(table, "without_input") or base.without_input,
        with_input=_segments(table, "with_input") or base.with_input,
        default_system=table.text("default_system", base.default_system),
        stop_ids=table.ids("stop_ids") or base.stop_ids,
        stop_strings=table.texts("stop_strings") or base.stop_strings,
        drop_ids=table.ids("drop_ids") or base.drop_ids,
        strip=table.one_of("strip", STRIPS, base.strip),
        max_prompt_tokens=table.integer("max_prompt_tokens", base.max_prompt_tokens, low=1),
        notes=table.texts("notes") or base.notes,
    )
    _check_places(table, form)
    return form


def _segments(table: Table, key: str) -> tuple[Segment, ...]:
    return tuple(_segment(item) for item in table.tables(key))


def _segment(table: Table) -> Segment:
    table.only(SEGMENT_KEYS)
    text, ids = table.text("text"), table.ids("ids")
    if bool(text) == bool(ids):
        raise table.fail("a segment has either 'text' or 'ids', and one that is not empty")
    for name in PLACE.findall(text):
        if name not in PLACES:
            raise table.fail(f"unknown place {{{name}}}; valid: {', '.join(f'{{{place}}}' for place in PLACES)}")
    return Segment(text=text, ids=ids)


def _check_places(table: Table, form: PromptTemplate) -> None:
    """Refuse forms that would lose what the visitor typed."""
    plain, full = _places(form.without_input), _places(form.with_input)
    if "instruction" not in plain or "input" in plain:
        raise table.fail("'without_input' has to hold {instruction}, and not {input}")
    if not {"instruction", "input"} <= full:
        raise table.fail("'with_input' has to hold {instruction} and {input}")
    if ("system" in plain) != ("system" in full):
        raise table.fail("{system} has to be in both 'without_input' and 'with_input', or in neither")
    if form.default_system and "system" not in plain:
        raise table.fail("'default_system' has no place: put {system} into both forms, or leave the key out")


def _places(segments: Iterable[Segment]) -> set[str]:
    return {name for segment in segments for name in PLACE.findall(segment.text)}
