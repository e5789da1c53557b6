"""Texts of refused requests, and of the note that says why nothing can be sent.

Boundary: words; no markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from playground.ui.texts.language import _

NO_SUCH_PLACE = _("There is no page at this address.")
BROKEN = _("Something went wrong on the server. Try again.")
ORIGIN_REFUSED = _(
    "This page accepts requests from its own address only. A proxy in front of it has to pass on the address that "
    "visitors use; in nginx: proxy_set_header Host $http_host;"
)
CONNECTION: Mapping[str, str] = MappingProxyType(
    {
        "away": _(
            "The server does not answer. This page stays as it is; this note disappears when the server is back."
        ),
        "address": _(
            "Nothing can be sent from this page: you opened it at {here}, but its server was told another address.\n"
            "If you run this page: the proxy in front of it has to pass on the address that visitors use. In nginx:\n"
            "proxy_set_header Host $http_host;\n"
            "proxy_set_header X-Forwarded-Proto $scheme;\n"
            "and start the playground with FORWARDED_ALLOW_IPS set to the proxy's address. "
            "docs/hosting.md has a complete configuration."
        ),
        "path": _(
            "Nothing can be sent from this page: it is shown below {path}, and its server does not know that.\n"
            "If you run this page: start the playground with GRADIO_ROOT_PATH={path}. "
            "docs/hosting.md has a complete configuration."
        ),
    }
)
"""The note of `connection.js`, by the kind of trouble."""
VOTE_NOTE: Mapping[str, str] = MappingProxyType(
    {
        "waiting": _("Your vote ({choice}) is kept. It is sent when the server is back."),
        "waiting_more": _("Votes that are kept here: {count}. They are sent when the server is back."),
        "saved": _("Your vote ({choice}) is saved."),
        "saved_more": _("The votes that waited are saved."),
        "other": _("Your vote ({choice}) was not saved: this battle already has a vote ({stored})."),
        "refused": _("Your vote ({choice}) was not saved: {reason}"),
        "tie": _("tie"),
        "both_bad": _("none is good"),
    }
)
"""The note of `waiting_votes.js`, and the names of choices that are not a letter."""
VOTE_MALFORMED = _(
    "the body has to be JSON with battle (an id), choice (text) and revision (of the battle as it was shown, "
    "a whole number); it may have strength, reasons, criteria and decision_ms, and nothing else"
)
DECISION_MALFORMED = _("decision_ms has to be a whole number of milliseconds")
STRENGTH_MALFORMED = _("strength has to be much, slightly or null")
REASONS_MALFORMED = _("reasons have to be a list of names")
CRITERIA_MALFORMED = _(
    "criteria have to be an object of answers, each with choice and perhaps reason, both text, and nothing else"
)
RATE_MALFORMED = _(
    "the body has to be JSON with study and key (text or null) and have (a list of at most 3 ids of battles)"
)
WRITE_MALFORMED = _("the body has to be JSON with study, key and instruction (texts), and nothing else")
UNDO_MALFORMED = _("the body has to be JSON with battle (an id) and revision (a whole number), and nothing else")
SKIP_MALFORMED = _("the body has to be JSON with battle (an id), and nothing else")
DIFFERENCES_MALFORMED = _("the body has to be JSON with battle (an id), and nothing else")
DIFFERENCES_FOREIGN = _("This battle is somebody else's: open it on the page Rate that has it.")
TOO_MANY_OPEN = _(
    "Too many requests are open from your address ({count}). Close some tabs of this page, then try again."
)
TOO_OFTEN: Mapping[str, str] = MappingProxyType(
    {
        "compare": _("Too many comparisons: each visitor may start {count} a minute. Try again in {wait_s} s."),
        "vote": _("Too many votes: each visitor may send {count} a minute. Try again in {wait_s} s."),
        "note": _(
            "Too many reasons, comments and reports: each visitor may send {count} a minute. Try again in {wait_s} s."
        ),
        "view": _("Too many requests: each visitor may send {count} a minute. Try again in {wait_s} s."),
    }
)


def too_often(kind: str, per_minute: int, wait_s: int) -> str:
    """Return why a request is refused that comes too soon."""
    return TOO_OFTEN[kind].format(count=per_minute, wait_s=wait_s)
