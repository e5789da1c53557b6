"""The keys of the Compare page, and the words around the list of any page.

Boundary: words; what a key does is the page's.
"""

from __future__ import annotations

from playground.ui.texts.language import _

HIDE = _("show or hide this list")
TITLE, ALL, CLOSE = _("Keys"), _("all keys (?)"), _("Close")

LEGEND: tuple[tuple[str, str], ...] = (
    ("Ctrl ↵", _("compare")),
    ("a b c …", _("best answer")),
    ("t", _("tie")),
    ("n", _("none is good")),
    ("o", _("rank them")),
    ("↵", _("next battle; in the empty field surprise me")),
)
"""The most used keys, in one line."""
KEYS: tuple[tuple[str, str], ...] = (
    ("Ctrl ↵", _("compare; on a Mac also ⌘ ↵")),
    ("Esc", _("stop the answers; while typing, leave the field")),
    ("s", _("surprise me; while the instruction is empty also Enter in it")),
    ("a b c …", _("this answer is best")),
    ("t", _("tie")),
    ("n", _("none is good")),
    ("o", _("rank them: letters and =, then Enter; Esc leaves it")),
    ("u", _("undo the vote")),
    ("r", _("reveal the models")),
    ("g", _("keep going, or no more")),
    ("1 2 3 …", _("which model it was, where that is asked")),
    ("↵", _("next battle, with “keep going” a starter at once; on a shared battle, vote blind")),
    ("?", _("show or hide this list; in the instruction only while it is empty")),
)
"""All keys."""
