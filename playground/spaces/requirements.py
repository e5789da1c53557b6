"""The requirements of a Space, made from the playground's own pins.

The hub installs them in one step with ``gradio[oauth,mcp]`` of the Space's `sdk_version` and with packages of its own.
A pin that contradicts those ends the build with ResolutionImpossible.

Boundary: text; asks no package index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from playground.errors import InvalidValue
from playground.spaces.recipe import CPU, ZEROGPU, Recipe

PINNED_BY_THE_HUB: Mapping[str, str] = MappingProxyType({"pydantic": "2.12.5"})
"""Packages that the hub's step limits, and the newest version that it allows: gradio's extra `mcp` asks for it."""
OF_ZEROGPU: Mapping[str, str] = MappingProxyType({"torch": "2.11.0", "spaces": "0.51.3"})
"""Versions on ZeroGPU: the newest torch that it supports (August 2026), and the package that lends the GPU."""
_PIN = re.compile(r"(?P<name>[\w-]+)(?P<extras>\[[\w,]+\])?==(?P<version>[\w.]+)")
_INDEX = re.compile(r"https?://[^\s#?]+")
HEAD = "# Written by `python -m playground space build`. The hub adds gradio[oauth,mcp] and packages of its own.\n"


def pins(requirements: str) -> dict[str, str]:
    """Return the pinned version of each package of a requirements file.

    Raises:
        InvalidValue: a line is not a pin.
    """
    return {pin["name"]: pin["version"] for pin in _read(requirements)}


def space_requirements(requirements: str, recipe: Recipe, torch_index: str = "") -> str:
    """Return the requirements.txt of a Space.

    Args:
        requirements: the playground's own.
        torch_index: address of an index with CPU builds of torch, which lack the CUDA libraries; "": the default one.

    Raises:
        InvalidValue: `torch_index` is not an address, or the Space has a GPU; or a line is not a pin.
    """
    if torch_index and recipe.kind != CPU:
        raise InvalidValue("--torch-index is for --kind cpu; a Space on a GPU needs torch's default build")
    if torch_index and not _INDEX.fullmatch(torch_index):
        raise InvalidValue(f"--torch-index is {torch_index!r}; valid: an address that begins with https://")
    lines = [f"--extra-index-url {torch_index}"] if torch_index else []
    others = {**PINNED_BY_THE_HUB, **(OF_ZEROGPU if recipe.kind == ZEROGPU else {})}
    for pin in _read(requirements):
        version = others.pop(pin["name"], pin["version"])
        lines.append(f"{pin['name']}{pin['extras'] or ''}=={version}")
    lines += [f"{name}=={version}" for name, version in others.items()]
    return HEAD + "\n".join(lines) + "\n"


def _read(requirements: str) -> list[re.Match[str]]:
    found = []
    for line in requirements.splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        if (pin := _PIN.fullmatch(text)) is None:
            raise InvalidValue(f"requirements.txt has the line {line!r}; a Space needs pins such as gradio==6.31.0")
        found.append(pin)
    return found
