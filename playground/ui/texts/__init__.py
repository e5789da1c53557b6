"""Texts of every page: names, the header, messages that several pages use.

Each page has a module of its own here, and imports it as `texts`. A text is a whole sentence or label, with
`{placeholders}`, so that it can be translated by itself.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

TITLE = "Playground"
PAGE_COMPARE = "Compare"
PAGE_LEADERBOARD = "Leaderboard"
PAGE_MODELS = "Models"
PAGE_DATA = "Data"
PAGE_MY_DATA = "My data"
PAGE_TERMS = "Terms"
PAGE_ABOUT = "About"
PAGE_OPERATOR = "Operator"
PAGES = "Pages"
MORE_PAGES = "Your data, the terms and this playground"
SKIP_TO_ANSWERS = "Skip to the answers"
SKIP_TO_CONTENT = "Skip to the content"
READ_ONLY = "Nothing can be stored now: {reason}. Stored data can still be read, and “do not store” still compares."
NO_RATER = (
    "Your browser keeps no cookie for this page, so a battle could not be yours. Allow cookies, then reload the page."
)
TERMS_VERSION = "Version {version}"
TERMS_CONTACT = "This playground is run by: {contact}"
COUNTED = "Counted."
NOT_COUNTED = "Not counted: {reason}."
