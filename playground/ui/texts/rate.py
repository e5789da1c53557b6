"""Texts of the Rate page: its frame, its keys, and the words that its script fills in.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from playground.ui.texts.keys import HIDE
from playground.ui.texts.language import _

# Frame

NOTE_TITLE = _("You compare two answers at a time")
NOTE = _(
    "Each battle is an instruction with two stored answers of two models. Read both, then say which is better. The "
    "next battle comes at once; you see neither the models nor the votes of others."
)
NOTE_KEYS = _("Keys are quicker than the mouse: ? lists them.")
NOTE_CLOSE = _("Got it")
AGREE = _("By voting you agree to the {link}: your vote is stored and may be published.")
TASK = _("Instruction")
INPUT = _("Input")
SYSTEM = _("System text")
TOOLS = _("View of the answers")
TOGETHER, TOGETHER_HINT = _("scroll together"), _("Scroll both answers together")
RAW, RAW_HINT = _("raw"), _("Show both answers as plain text")
DIFFERS, DIFFERS_HINT = _("differences"), _("Mark the words in which the answers differ")
KEYS_ON, KEYS_ON_HINT = _("keys"), _("Vote by keys")
CHOICES = _("Your vote")
MUCH, SLIGHTLY = _("{letter} much better"), _("{letter} slightly better")
SKIP = _("Skip")
REASONS, WHY, WHY_REQUIRED = _("Reasons"), _("Why?"), _("Why? (needed)")
AGAIN = _("Look again")
UNDO_LAST = _("Undo the last vote")
CODE = _("Your code for the panel:")
TO_PANEL = _("Back to the panel")
TO_COMPARE = _("Compare with an instruction of your own")
WRITE_TITLE = _("Write an instruction")
WRITE_LEAD = _(
    "Two models answer it, and you say which answer is better. Ask what you would really want to know, and write "
    "nothing personal."
)
WRITE_AGREE = _("By asking you agree to the {link}: your instruction is stored and may be published.")
WRITE_FIELD = _("Your instruction")
WRITE_SEND = _("Ask two models")

LEGEND: tuple[tuple[str, str], ...] = (
    ("a b", _("better answer")),
    ("t", _("tie")),
    ("n", _("none is good")),
    ("s", _("skip")),
    ("u", _("undo")),
)
"""The most used keys, in one line."""
KEYS: tuple[tuple[str, str], ...] = (
    ("a b", _("this answer is better; also ← and →")),
    ("⇧ a b", _("this answer is much better, where that is asked")),
    ("t", _("tie")),
    ("n", _("none is good")),
    ("1 2 3 …", _("the answer to the marked question, where there is one; else a reason, on and off")),
    ("0", _("pass the marked question")),
    ("⌫", _("back to the question before")),
    ("d", _("mark the words in which the answers differ, on and off")),
    ("s", _("skip this battle; others get it instead")),
    ("u", _("undo the last vote")),
    ("?", HIDE),
)
"""All keys."""

# Words of the script

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "loading": _("Looking for the next battle…"),
        "away": _("The next battle comes when the server is back."),
        "empty": _("There is nothing to rate"),
        "answering": _("Two models are answering your instruction…"),
        "empty_instruction": _("The instruction is empty; write what the models should do."),
        "not_sent": _("The server does not take your instruction now. It is sent again until it does."),
        "done": _("That was all for now. Thank you!"),
        "ended": _("The study is over for you"),
        "refused": _("This link does not open anything to rate"),
        "progress": _("{done} of {of}"),
        "left": _("{done} of {of}, about {minutes} min left"),
        "soon": _("{done} of {of}, less than a minute left"),
        "today": _("{done} today"),
        "next": _("Next battle. {instruction}"),
        "back": _("Your last vote is taken back. {instruction}"),
        "gone": _("The battle before cannot be shown any more; this is another one."),
        "held": _("Not yet: a vote in the first second does not count. Vote again."),
        "uncounted": _("Your last vote is saved, but not counted: {reason}."),
        "undone": _("Your last vote is taken back. Vote again."),
        "nothing": _("There is no vote of this sitting to take back."),
        "kept": _("The last vote stands: {reason}"),
        "no_answer": _("The server does not answer. Your vote is taken back as soon as it does."),
        "criterion": _("Answer this first: {question}"),
        "reason": _("Give a reason first: {question}"),
        "reason_for": _("Reason: {question}"),
        "optional": _("optional"),
        "why": WHY,
        "why_required": WHY_REQUIRED,
    }
)
"""The words of `rate.js`, `rate_view.js` and `rate_criteria.js`, by name."""
