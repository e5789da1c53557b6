"""Texts of the page My data.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.records import BattleState, Belongings, Erased, OwnBattle
from playground.ui.texts.formats import BATTLES, ERASED_BATTLES, NOTES, VOTES, counted, order, standing
from playground.ui.texts.language import _, joined

FILE_NAME = "playground-my-data.json"
SAVE = _("Save as a file")
ERASE = _("Erase…")
ERASE_NOW = _("Erase everything")
KEEP = _("Keep it")
LATEST = _("Your battles")
LATEST_SOME = _("Your latest {count} battles")
RECEIPT = _("Receipt")
RECEIPT_HINT = _(
    "The receipt that this browser keeps in a cookie is the only proof that this data is yours. Keep a copy in a safe "
    "place: with it you can see and erase the data from any browser, and so can anyone else who has it."
)
RECEIPT_OWN, RECEIPT_HIDDEN = _("Receipt of this browser"), _("hidden")
RECEIPT_SHOW = _("Show")
RECEIPT_OTHER, RECEIPT_OTHER_HINT = _("Receipt of another browser"), _("32 digits and letters a to f")
RECEIPT_OPEN = _("Open")
NO_RECEIPT = _(
    "This is not a receipt: a receipt has 32 characters, digits and letters a to f. Copy all of it and try again."
)
OTHER_SHOWN = _("This is the data of that receipt. Clear the field and press Open to see this browser's data again.")

STORED: Mapping[bool, str] = {
    True: _("Stored for this browser: {battles}, {votes}, {notes}."),
    False: _("Stored for that receipt: {battles}, {votes}, {notes}."),
}
"""By whether the data is of this browser, as the two below."""
NOTHING_STORED: Mapping[bool, str] = {
    True: _("Nothing is stored for this browser."),
    False: _("Nothing is stored for that receipt."),
}
QUESTION: Mapping[bool, str] = {
    True: _(
        "This erases the instructions and answers of {battles} of this browser, and {notes}. It cannot be undone. "
        "Open battles can no longer be voted on. Your votes stay, without any text, and still count."
    ),
    False: _(
        "This erases the instructions and answers of {battles} of that receipt, and {notes}. It cannot be undone. "
        "Open battles can no longer be voted on. The votes stay, without any text, and still count."
    ),
}
PANEL_ID: Mapping[bool, str] = {
    True: _("The id under which a panel knows you is stored too, to pay you."),
    False: _("The id under which a panel knows this rater is stored too, to pay them."),
}
PANEL_ID_QUESTION: Mapping[bool, str] = {
    True: _(
        "This deletes the id under which a panel knows you. It cannot be undone: nobody can pay you by that id "
        "afterwards."
    ),
    False: _(
        "This deletes the id under which a panel knows this rater. It cannot be undone: nobody can pay them by that id "
        "afterwards."
    ),
}
ONLY_VOTES_LEFT = _("No texts are left of {battles}, only votes.")
NOTHING_TO_ERASE = _("There is nothing to erase.")
ERASED = _("Erased: the texts of {battles}, and {notes}.")
PANEL_ID_ERASED = _("Deleted: the id under which a panel knew the rater.")
ERASED_BATTLE = _("erased")
HIDDEN_BATTLE = _("hidden by the operator")
NO_TEXT = _("(no visible text)")
CHOSE, RANKED = _("you chose {letter}"), _("you ranked {order}")
CHOICES: Mapping[str, str] = {"tie": _("a tie"), "both_bad": _("none was good")}
NO_VOTE: Mapping[BattleState, str] = {
    BattleState.GENERATING: _("being written"),
    BattleState.OPEN: _("no vote yet"),
    BattleState.VOID: _("no vote"),
}


def stored(data: Belongings, mine: bool) -> str:
    """Return how much is stored of a rater."""
    text = NOTHING_STORED[mine]
    if data.battles or data.votes or data.notes:
        text = STORED[mine].format(
            battles=counted(data.battles, BATTLES), votes=counted(data.votes, VOTES), notes=counted(data.notes, NOTES)
        )
    elif data.panel_ids:
        text = ""
    id = PANEL_ID[mine] if data.panel_ids else ""
    left = ONLY_VOTES_LEFT.format(battles=counted(data.erased, ERASED_BATTLES)) if data.erased else ""
    return joined(" ", (text, id, left))


def question(data: Belongings, mine: bool) -> str:
    """Return what would be erased."""
    words = QUESTION[mine].format(battles=counted(data.battles, BATTLES), notes=counted(data.notes, NOTES))
    of_words = words if data.battles or data.notes else ""
    return joined(" ", (of_words, PANEL_ID_QUESTION[mine] if data.panel_ids else ""))


def erased(gone: Erased) -> str:
    """Return what was erased."""
    words = ERASED.format(battles=counted(gone.battles, BATTLES), notes=counted(gone.notes, NOTES))
    of_words = words if gone.battles or gone.notes else ""
    return joined(" ", (of_words, PANEL_ID_ERASED if gone.panel_ids else "")) or NOTHING_TO_ERASE


def vote(battle: OwnBattle) -> str:
    """Return the vote on a battle in short, and whether it counts."""
    if battle.choice is None:
        text = NO_VOTE.get(battle.state, NO_VOTE[BattleState.OPEN])
    elif len(battle.choice) == 1:
        text = CHOSE.format(letter=battle.choice.upper())
    else:
        text = CHOICES.get(battle.choice) or RANKED.format(order=order(battle.choice))
    return text if battle.standing is None else f"{text} · {standing(battle.standing)}"
