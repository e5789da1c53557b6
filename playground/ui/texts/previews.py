"""Titles and descriptions of the pages, as a browser's tab and the preview of a link show them.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

START_TITLE = "Playground: compare open instruction models"
PAGE_TITLE = "{page} · Playground"
COMPARE = "Type one instruction, and two to six open models answer it side by side. Say which answer is better."
LEADERBOARD = "Open instruction models, ranked by votes on blind comparisons, with honest intervals."
MODELS = "The models that answer here: size, license, settings and limitations."
DATA = "Comparisons and votes of this playground, to browse, filter and download."
MY_DATA = "Your comparisons and votes: see them, download them, erase them."
TERMS = "The terms of this playground: what is stored with each comparison, and what may be published."
ABOUT = "About this playground: what it is for, its source and API, how the ranking is made, how to cite it."
OPERATOR = "For whoever runs this playground."
BATTLE_TITLE = "One instruction, several answers · Playground"
BATTLE = "Somebody shares a comparison with you: one instruction and its answers, side by side."
"""For every battle the same: it tells neither the models nor what was chosen."""
PICTURE = "Two answers side by side, A and B, and the question which is better"
NO_SCRIPT = (
    "The playground shows answers while models write them, and needs JavaScript for it. Allow JavaScript for this "
    "page, then reload it."
)
