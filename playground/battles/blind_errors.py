"""Reasons that the rater of a blind battle may be told for a failed answer.

Boundary: an error's words in, one sentence of a closed list out. The words are an engine's, a library's or a server's,
and may name the model, its files or its server; no part of them is in a sentence of the list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.messages import Message

FAILED = Message("This answer failed.")
SPENT = Message(
    "this model has spent its tokens of today; it answers again at 00:00 UTC, choose another model until then"
)
BLIND_ERRORS: Mapping[str, Message] = {
    r"out of memory": Message("There was not enough memory for this answer; shorten the text, or try again later."),
    r"answer was not finished after": Message("This answer took too long; ask for a shorter one, or try again later."),
    r"prompt has \d+ tokens|prompt and answer may take|prompt of this length|tokens, prompt and answer together"
    r"|the prompt is [\d,]+ tokens long": Message(
        "Prompt and answer were too long for this model; shorten the text, or ask for a shorter answer."
    ),
    r"interrupted by a restart": Message("The playground was restarted while this answer was written."),
    r"answers are being written; ask again|too many programs run": Message(
        "Too many answers are being written; ask again in a minute."
    ),
    r"no GPU time is left": Message(
        "No GPU time is left for you today; sign in at Hugging Face, or come back tomorrow."
    ),
    r"would take too much GPU time": Message("The answers would take too much GPU time; ask for shorter ones."),
    r"no GPU was free": Message("No GPU was free within a minute; ask once more."),
    r"no GPU could be had|the GPU could not be used": Message(
        "The GPU could not be used; reload the page and ask once more."
    ),
    r"the GPU was taken away": Message(
        "The GPU was taken away before the answer was finished; ask for a shorter answer, or once more."
    ),
    re.escape(SPENT): SPENT,
}
"""Pattern of an error's words -> sentence about it; any other error is `FAILED`."""


def blind_error(error: str) -> Message:
    """Return the sentence of the closed list for an error."""
    return next((said for pattern, said in BLIND_ERRORS.items() if re.search(pattern, error)), FAILED)
