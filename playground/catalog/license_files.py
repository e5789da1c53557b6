"""Read the license of a checkpoint from its README.md or its license file.

Boundary: names only; which of them allow commercial use is a list of `exchange.licenses`.
"""

from __future__ import annotations

import re
from pathlib import Path

from playground.records import spdx

FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt")
TITLES = {"apache license": "Apache-2.0", "mit license": "MIT", "the mit license": "MIT"}
"""The titles of the texts of well-known licenses."""
MAX_CHARS = 100


def license_of(folder: Path) -> str:
    """Return the license in the front matter of README.md, as SPDX spells it.

    "other" with a name is that name. Without either, it is the title of the license file; "unknown" without any.
    """
    said = _front_matter(folder / "README.md")
    license = said.get("license", "")
    if license in ("", "other"):
        license = said.get("license_name", "") or _title(folder) or license
    return spdx(license)


def _title(folder: Path) -> str:
    """Return the title of the folder's license file; empty if it has none that names a license."""
    for name in FILES:
        try:
            lines = (folder / name).read_text("utf-8").splitlines()
        except (OSError, ValueError):
            continue
        title = next((line.strip(" #*\t\ufeff") for line in lines if line.strip()), "")[:MAX_CHARS]
        if re.search(r"licen[cs]e|agreement|terms", title, re.IGNORECASE):
            return TITLES.get(title.casefold(), title)
    return ""


def _front_matter(path: Path) -> dict[str, str]:
    """Return the plain ``key: text`` lines of the YAML between the first two ``---``."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return {}
    head = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(?:\n|$)", text, re.DOTALL)
    lines = re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", head[1], re.MULTILINE) if head else []
    return {key: value.strip("'\"[] ") for key, value in lines}
