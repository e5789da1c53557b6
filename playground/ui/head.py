"""The part of the head that all pages share: styles, scripts, and the words that scripts show.

Boundary: files of `assets` and texts in, HTML out; the tags of one page are `http.page_head`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from playground.records import SIDES
from playground.ui.http.page_head import hub_page
from playground.ui.texts.compare import ANSWER_LABEL, LINK_COPIED, REASON_CHIPS
from playground.ui.texts.language import all_said
from playground.ui.texts.rate import WORDS as RATE_WORDS
from playground.ui.texts.refusals import CONNECTION, VOTE_NOTE

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    *("storage", "folds", "connection", "battle", "waiting_votes", "starters", "draft", "history"),  # in this order
    *("folding", "keys"),  # a field is unfolded before it gets the focus
    *("ranking", "guess", "models", "views", "data", "leaderboard", "direction", "language"),
    *("rate_criteria", "rate_view", "rate"),
)
SHEETS = ("style", "pages", "leaderboard", "composer", "answers", "votebar", "rate", "answer_text", "print")


def head(space_id: str) -> str:
    """Return the styles and the scripts of every page, with words in the present language.

    Args:
        space_id: owner and name of the Space that this is, whose address links to battles have; "" elsewhere.
    """
    words = {
        "connection-words": CONNECTION,
        "vote-note-words": VOTE_NOTE,
        "link-words": {"base": hub_page(space_id), "copied": LINK_COPIED},
        "rate-words": RATE_WORDS,
        "reason-words": REASON_CHIPS,
        "answer-words": {side: ANSWER_LABEL.format(letter=side.upper()) for side in SIDES},
    }
    styles = "".join(f"<style>{_text(f'{name}.css')}</style>" for name in SHEETS)
    data = "".join(f"<script type='application/json' id='{id}'>{_json(said)}</script>" for id, said in words.items())
    scripts = "".join(f"<script>{_text(f'{name}.js')}</script>" for name in SCRIPTS)
    return f"{styles}{data}{scripts}"


def _json(words: Mapping[str, str]) -> str:
    """Return JSON that may stand in a script element."""
    return json.dumps(all_said(words)).replace("<", "\\u003c")


def _text(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")
