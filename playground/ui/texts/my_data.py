"""Texts of the page My data.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.records import BattleState, Belongings, Erased, OwnBattle
from playground.ui.texts.formats import BATTLES, ERASED_BATTLES, NOTES, VOTES, counted, order, standing

FILE_NAME = "playground-my-data.json"
SAVE = "Save as a file"
ERASE = "Erase…"
ERASE_NOW = "Erase everything"
KEEP = "Keep it"
LATEST = "Your battles"
LATEST_SOME = "Your latest {count} battles"
RECEIPT = "Receipt"
RECEIPT_HINT = (
    "The receipt that this browser keeps in a cookie is the only proof that this data is yours. Keep a copy in a safe "
    "place: with it you can see and erase the data from any browser, and so can anyone else who has it."
)
RECEIPT_OWN, RECEIPT_HIDDEN = "Receipt of this browser", "hidden"
RECEIPT_SHOW = "Show"
RECEIPT_OTHER, RECEIPT_OTHER_HINT = "Receipt of another browser", "32 digits and letters a to f"
RECEIPT_OPEN = "Open"
NO_RECEIPT = "This is no receipt: a receipt has 32 characters, digits and letters a to f. Copy all of it and try again."
OTHER_SHOWN = "This is the data of that receipt. Clear the field and press Open to see this browser's data again."

STORED: Mapping[bool, str] = {
    True: "Stored for this browser: {battles}, {votes}, {notes}.",
    False: "Stored for that receipt: {battles}, {votes}, {notes}.",
}
"""By whether the data is of this browser, as the two below."""
NOTHING_STORED: Mapping[bool, str] = {
    True: "Nothing is stored for this browser.",
    False: "Nothing is stored for that receipt.",
}
QUESTION: Mapping[bool, str] = {
    True: (
        "This erases the instructions and answers of {battles} of this browser, and {notes}. It cannot be undone. "
        "Open battles can no longer be voted on. Your votes stay, without any text, and still count."
    ),
    False: (
        "This erases the instructions and answers of {battles} of that receipt, and {notes}. It cannot be undone. "
        "Open battles can no longer be voted on. The votes stay, without any text, and still count."
    ),
}
ONLY_VOTES_LEFT = "No texts are left of {battles}, only votes."
NOTHING_TO_ERASE = "There is nothing to erase."
ERASED = "Erased: the texts of {battles}, and {notes}."
ERASED_BATTLE = "erased"
HIDDEN_BATTLE = "hidden by the operator"
NO_TEXT = "(no visible text)"
CHOSE, RANKED = "you chose {letter}", "you ranked {order}"
CHOICES: Mapping[str, str] = {"tie": "a tie", "both_bad": "none was good"}
NO_VOTE: Mapping[BattleState, str] = {
    BattleState.GENERATING: "being written",
    BattleState.OPEN: "no vote yet",
    BattleState.VOID: "no vote",
}


def stored(data: Belongings, mine: bool) -> str:
    """Return how much is stored of a rater."""
    text = NOTHING_STORED[mine]
    if data.battles or data.votes or data.notes:
        text = STORED[mine].format(
            battles=counted(data.battles, BATTLES), votes=counted(data.votes, VOTES), notes=counted(data.notes, NOTES)
        )
    left = ONLY_VOTES_LEFT.format(battles=counted(data.erased, ERASED_BATTLES)) if data.erased else ""
    return f"{text} {left}".rstrip()


def question(data: Belongings, mine: bool) -> str:
    """Return what would be erased."""
    return QUESTION[mine].format(battles=counted(data.battles, BATTLES), notes=counted(data.notes, NOTES))


def erased(gone: Erased) -> str:
    """Return what was erased."""
    if not (gone.battles or gone.notes):
        return NOTHING_TO_ERASE
    return ERASED.format(battles=counted(gone.battles, BATTLES), notes=counted(gone.notes, NOTES))


def vote(battle: OwnBattle) -> str:
    """Return the vote on a battle in short, and whether it counts."""
    if battle.choice is None:
        text = NO_VOTE.get(battle.state, NO_VOTE[BattleState.OPEN])
    elif len(battle.choice) == 1:
        text = CHOSE.format(letter=battle.choice.upper())
    else:
        text = CHOICES.get(battle.choice) or RANKED.format(order=order(battle.choice))
    return text if battle.standing is None else f"{text} · {standing(battle.standing)}"
