"""Read prompt templates from their files: every key checked, variants spelt out, hashed by their bytes.

Boundary: reads files; makes no prompts. The keys are described in prompts/templates/README.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playground.documents import ID, check_id, keys_of, load_toml, read_values, strict_keys, toml_files
from playground.errors import InvalidTemplate, InvalidValue
from playground.records import PromptFormat, PromptTemplate, Segment

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
"""The format of every repository with a chat template: a system message if there is one, and a user's."""
SERVER_ID = "server"
SERVER = replace(
    CHAT,
    id=SERVER_ID,
    source="the chat template of the model's server, which is sent messages",
    hash=hashlib.sha256(b"server: system | {instruction} | {instruction}\n{input}").hexdigest(),
)
"""The format of every card with ``feed = "messages"``."""
BUILT_IN = (PLAIN.id, CHAT_ID, SERVER_ID)


def load_templates(folders: Iterable[Path]) -> dict[str, PromptTemplate]:
    """Return every template of the folders by id, variants as ``id:variant``, and the built-in `plain`.

    A file in a later folder takes the place of one of the same name, its variants included.

    Raises:
        InvalidTemplate: a file or folder that cannot be read as one.
    """
    found = {path.stem: read_template(path) for path in toml_files(folders, InvalidTemplate)}
    for name in BUILT_IN:
        if name in found:
            raise InvalidTemplate(f"the template {name!r} is built in; give {name}.toml another name")
    return {PLAIN.id: PLAIN} | {form.id: form for forms in found.values() for form in forms}


@strict_keys
@dataclass(frozen=True, slots=True)
class FileFormat(PromptFormat):
    """A format in a file, refused if it would lose a part of the visitor's text."""

    def __post_init__(self) -> None:
        plain, full = _places(self.without_input), _places(self.with_input)
        if "instruction" not in plain or "input" in plain:
            raise InvalidValue("'without_input' has to hold {instruction}, and not {input}")
        if not {"instruction", "input"} <= full:
            raise InvalidValue("'with_input' has to hold {instruction} and {input}")
        if ("system" in plain) != ("system" in full):
            raise InvalidValue("{system} has to be in both 'without_input' and 'with_input', or in neither")
        if self.default_system and "system" not in plain:
            raise InvalidValue("'default_system' has no place: put {system} into both forms, or leave the key out")


@strict_keys
@dataclass(frozen=True, slots=True)
class TemplateFile(FileFormat):
    """A template file: a format, and variants of it that say only what differs."""

    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_template(path: Path) -> tuple[PromptTemplate, ...]:
    """Return the template of a file and its variants.

    Raises:
        InvalidTemplate: an unknown key, a missing field, a wrong type or value, naming file and key.
    """
    values, data = load_toml(path, InvalidTemplate)
    file = read_values(TemplateFile, values, str(path), InvalidTemplate)
    check_id(file.id, path, InvalidTemplate)
    base = {key: value for key, value in values.items() if key != "variants"}
    variants = (_variant(name, base, variant, path) for name, variant in file.variants.items())
    digest = hashlib.sha256(data).hexdigest()
    return tuple(
        PromptTemplate(**{key: getattr(form, key) for key in keys_of(PromptFormat)}, hash=digest)
        for form in (file, *variants)
    )


def _variant(name: str, base: Mapping[str, Any], variant: Mapping[str, Any], path: Path) -> PromptFormat:
    """Return the format of a file's `base` with what its `variant` says instead."""
    where = f"{path} [variants] [{name}]"
    if not ID.fullmatch(name):
        raise InvalidTemplate(f"{where}: a variant's name is made of small letters, digits, '.', '_' and '-'")
    if "id" in variant:
        raise InvalidTemplate(f"{where}: a variant has no 'id', it is called {base['id']}:{name}; leave the key out")
    return read_values(FileFormat, {**base, **variant, "id": f"{base['id']}:{name}"}, where, InvalidTemplate)


def _places(segments: Iterable[Segment]) -> frozenset[str]:
    return frozenset().union(*(segment.places for segment in segments))
