"""Write the folder of a static Space: one page, which the hub serves as it is.

Boundary: writes below one folder; what the page says is the caller's.
"""

from __future__ import annotations

from pathlib import Path

from playground.spaces.build import Built, write_files
from playground.spaces.front_matter import static_front_matter
from playground.spaces.recipe import STATIC

PAGE = "index.html"
README = """
# {title}

A ranking of open instruction models from votes, with its method, examples and a search over the votes.
It is one file, `index.html`, which needs no server and no network: download it, and it works as well.

The license of each answer is that of its model; what raters wrote and their votes are free for
any use (CC0 1.0); instructions from files have the license of their source.
"""


def build_static(folder: Path, page: bytes, title: str, *, replace: bool = False) -> Built:
    """Write a static Space with this page to a folder, which is created if missing.

    Raises:
        InvalidValue: the folder holds something else, or a changed file of an earlier build; nothing was written.
    """
    files = {
        "README.md": (static_front_matter(title) + README.format(title=title)).encode(),
        PAGE: page,
    }
    marker = write_files(folder, STATIC, files, [PAGE], replace=replace)
    return Built(STATIC, str(folder), len(files) + 1, sum(map(len, files.values())), marker.code, "", ())
