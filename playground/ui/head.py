"""The part of a page's head that scripts and styles need: both, and the words that scripts show.

Boundary: files of `assets` and texts in, HTML out; the tags of one page are `http.page_head`'s, and its list of scripts
and sheets is in `linked_page`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from playground.records import SIDES
from playground.ui.http.page_head import hub_page
from playground.ui.texts.compare import ANSWER_LABEL, LINK_COPIED, REASON_CHIPS
from playground.ui.texts.language import all_said
from playground.ui.texts.rate import WORDS as RATE_WORDS
from playground.ui.texts.refusals import CONNECTION, VOTE_NOTE

ASSETS = Path(__file__).parent / "assets"
SHEETS = (
    *("style.css", "models.css", "data.css", "operator.css", "own.css", "leaderboard.css", "composer.css"),
    *("answers.css", "votebar.css", "rate.css", "answer_text.css", "print.css"),
)
"""All style sheets, in the order in which pages have them."""
SCRIPTS = (
    *(
        "storage.js",
        "forget.js",
        "folds.js",
        "connection.js",
        "battle.js",
        "waiting_votes.js",
        "starters.js",
        "draft.js",
        "recall.js",
    ),
    *("history.js", "folding.js", "tools.js", "keys.js"),  # a field is unfolded before it gets the focus
    *("ranking.js", "guess.js", "models.js", "views.js", "data.js", "leaderboard.js"),
    *("direction.js", "language.js", "rate_criteria.js", "rate_view.js", "rate_write.js", "rate.js"),
)
"""All scripts, likewise."""
OF_EVERY_PAGE = frozenset(
    (
        *("style.css", "print.css", "storage.js", "folds.js", "connection.js", "direction.js", "language.js"),
        "forget.js",
        "waiting_votes.js",  # a vote that waits for the server is sent from any page
    )
)


def head(parts: Collection[str], space_id: str) -> str:
    """Return styles and scripts of a page, with words in the present language.

    Args:
        parts: names of its sheets and scripts, beside those of every page.
        space_id: owner and name of the Space that this is, whose address links to battles have; "" elsewhere.
    """
    used = {*parts, *OF_EVERY_PAGE}
    styles = "".join(f"<style>{_text(name)}</style>" for name in SHEETS if name in used)
    words = {id: said for name, of_script in _words(space_id).items() if name in used for id, said in of_script.items()}
    data = "".join(f"<script type='application/json' id='{id}'>{_json(said)}</script>" for id, said in words.items())
    scripts = "".join(f"<script>{_text(name)}</script>" for name in SCRIPTS if name in used)
    return f"{styles}{data}{scripts}"


def _words(space_id: str) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the words of scripts, by the id of their element, by script."""
    return {
        "connection.js": {"connection-words": CONNECTION},
        "waiting_votes.js": {"vote-note-words": VOTE_NOTE},
        "tools.js": {"link-words": {"base": hub_page(space_id), "copied": LINK_COPIED}},
        "keys.js": {"answer-words": {side: ANSWER_LABEL.format(letter=side.upper()) for side in SIDES}},
        "rate_view.js": {"rate-words": RATE_WORDS, "reason-words": REASON_CHIPS},
    }


def _json(words: Mapping[str, str]) -> str:
    """Return JSON that may stand in a script element."""
    return json.dumps(all_said(words)).replace("<", "\\u003c")


def _text(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")
