"""Texts of the pages between a panel and a study.

Boundary: words; no markup.
"""

from __future__ import annotations

from playground.ui.texts.language import _

TITLE = _("This link does not open the study")
LATER = _("The study cannot be opened now. Try the link again in a minute.")
