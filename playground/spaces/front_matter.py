"""The settings block at the top of a Space's README.md, from which the hub reads everything about the Space.

Boundary: text; keys as in the hub's configuration reference of August 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from playground.errors import InvalidValue
from playground.spaces.recipe import Recipe

TITLE = "Playground"
SHORT_DESCRIPTION = "Compare open instruction models side by side, blind"
STATIC_DESCRIPTION = "Which open instruction models people prefer"
PYTHON = "3.12.12"
"""The hub's default, 3.10, is too old for transformers."""
PICTURE = "compare.png"
"""The picture's name at the top of the Space."""
_SPACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def front_matter(
    recipe: Recipe,
    sdk_version: str,
    models: Sequence[str],
    space_id: str = "",
    files: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """Return the block with its two rulers.

    Args:
        models: repositories on the hub that the Space's page links to.
        space_id: owner and name, such as ``ada/playground``; a link preview then shows the picture.
        files: files to preload, by repository; without them the hub preloads the whole repository.

    Raises:
        InvalidValue: `space_id` is not of this form.
    """
    fields: dict[str, str | bool | Sequence[str]] = {
        "title": TITLE,
        "emoji": "🦙",
        "colorFrom": "yellow",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": sdk_version,
        "python_version": PYTHON,
        "app_file": "app.py",
        "license": "apache-2.0",
        "short_description": SHORT_DESCRIPTION,
    }
    if space_id:
        fields["thumbnail"] = f"https://huggingface.co/spaces/{check_space_id(space_id)}/resolve/main/{PICTURE}"
    fields |= {
        "hf_oauth": True,
        "suggested_hardware": recipe.hardware,
        "startup_duration_timeout": recipe.timeout,
        "models": models,
    }
    if recipe.cards:
        fields["preload_from_hub"] = [_preload(card.repo, files.get(card.repo, ())) for card in recipe.cards]
    return "---\n" + "".join(_entry(name, value) for name, value in fields.items()) + "---\n"


def static_front_matter(title: str) -> str:
    """Return the block of a Space that serves one page as it is."""
    fields = {
        "title": title,
        "emoji": "🦙",
        "colorFrom": "yellow",
        "colorTo": "gray",
        "sdk": "static",
        "app_file": "index.html",
        "short_description": STATIC_DESCRIPTION,
    }
    return "---\n" + "".join(_entry(name, value) for name, value in fields.items()) + "---\n"


def check_space_id(space_id: str) -> str:
    """Return the id of a Space; raise InvalidValue if it is not of the form ``owner/name``."""
    if not _SPACE_ID.fullmatch(space_id):
        raise InvalidValue(f"{space_id!r} is no Space; valid: owner/name, such as ada/playground")
    return space_id


def _preload(repo: str, files: Sequence[str]) -> str:
    """Return a repository with the files that the hub is to preload, if they are known."""
    return f"{repo} {','.join(files)}" if files else repo


def _entry(name: str, value: str | bool | Sequence[str]) -> str:
    if isinstance(value, bool):
        return f"{name}: {str(value).lower()}\n"
    if isinstance(value, str):
        return f"{name}: {_quoted(value)}\n"
    return f"{name}:\n" + "".join(f"  - {_quoted(item)}\n" for item in value)


def _quoted(text: str) -> str:
    """Return a YAML string: a JSON string is one, and keeps a version such as 6.10 from being read as a number."""
    return json.dumps(text, ensure_ascii=False)
