"""Titles and descriptions of the pages, as a browser's tab and the preview of a link show them.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from playground.ui.texts.language import _

START_TITLE = _("Playground: compare open instruction models")
PAGE_TITLE = _("{page} · Playground")
COMPARE = _("Type one instruction, and two to six open models answer it side by side. Say which answer is better.")
RATE = _("Two stored answers at a time, without names: say which is better, and the next two come at once.")
LEADERBOARD = _("Open instruction models, ranked by votes on blind comparisons, with honest intervals.")
MODELS = _("The models that answer here: size, license, settings and limitations.")
DATA = _("Comparisons and votes of this playground, to browse, filter and download.")
MY_DATA = _("Your comparisons and votes: see them, download them, erase them.")
TERMS = _("The terms of this playground: what is stored with each comparison, and what may be published.")
ABOUT = _("About this playground: what it is for, its source and API, how the ranking is made, how to cite it.")
OPERATOR = _("For whoever runs this playground.")
BATTLE_TITLE = _("One instruction, several answers · Playground")
BATTLE = _("Somebody shares a comparison with you: one instruction and its answers, side by side.")
"""For every battle the same: it tells neither the models nor what was chosen."""
PICTURE = _("Two answers side by side, A and B, and the question which is better")
NO_SCRIPT = _(
    "The playground shows answers while models write them, and needs JavaScript for it. Allow JavaScript for this "
    "page, then reload it."
)
