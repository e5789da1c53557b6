"""Texts of the box on agreement on the Leaderboard page.

Boundary: words; the sentences with numbers come from `ratings.agreement_words`.
"""

from __future__ import annotations

from playground.ui.texts.language import _

TITLE = _("Do raters agree?")
SIDES = _("Wins of each model by the place of its answer")
SIDES_NOTE = _(
    "Wins of decided pairs when the answer stood first or further left, and when it did not. "
    "The intervals of all differences hold together; one without 0 is a bias."
)
HEAD = (_("model"), _("earlier"), _("later"), _("difference"), _("interval"))
SHARE_OF = _("{share} of {pairs}")
INTERVAL = _("{lower} to {upper}")
