"""Texts of every page: names, the header, messages that several pages use.

Each page has a module of its own here, and imports it as `texts`. A text is a whole sentence or label, with
`{placeholders}`, so that it can be translated by itself.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from playground.ui.texts.language import _

TITLE = _("Playground")
PAGE_COMPARE = _("Compare")
PAGE_RATE = _("Rate")
PAGE_LEADERBOARD = _("Leaderboard")
PAGE_MODELS = _("Models")
PAGE_DATA = _("Data")
PAGE_MY_DATA = _("My data")
PAGE_TERMS = _("Terms")
PAGE_ABOUT = _("About")
PAGE_OPERATOR = _("Operator")
PAGES = _("Pages")
MORE_PAGES = _("Your data, the terms and this playground")
SKIP_TO_ANSWERS = _("Skip to the answers")
SKIP_TO_CONTENT = _("Skip to the content")
READ_ONLY = _("Nothing can be stored now: {reason}. Stored data can still be read, and “do not store” still compares.")
NO_RATER = _(
    "Your browser keeps no cookie for this page, so a battle could not be yours. Allow cookies, then reload the page."
)
TERMS_VERSION = _("Version {version}")
TERMS_CONTACT = _("This playground is run by: {contact}")
COUNTED = _("Counted.")
NOT_COUNTED = _("Not counted: {reason}.")
