"""Texts of the Operator page about studies.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ui.texts.language import Plural, _

TITLE = _("Studies that are running")
LEAD = _("Numbers only: nobody is excluded by them. Close a study with the command study close.")
CLOSED_TITLE = _("Studies that are closed")
CLOSED = _("closed on {day}: {why}")
CLOSED_VOTES: Plural = Plural("{count:,} vote", "{count:,} votes")
CLOSED_BOARD = _("leaderboard")
VOTES = _("{votes:,} of {wanted:,} votes")
RESERVED: Plural = Plural("{count:,} battle is being judged", "{count:,} battles are being judged")
COMPLETE = _("{complete:,} of {battles:,} battles have every vote that they need")
ALIKE = _("two raters of a battle judge alike in {share}")
WRITTEN: Plural = Plural("raters wrote {count:,} instruction", "raters wrote {count:,} instructions")
BEING_ANSWERED: Plural = Plural("{count:,} is being answered", "{count:,} are being answered")
FRUITLESS: Plural = Plural("{count:,} has no answers to judge", "{count:,} have no answers to judge")
RATERS = _("Raters")
HEADS: tuple[str, ...] = (
    _("Rater"),
    _("Votes"),
    _("Repeats alike"),
    _("Attention right"),
    _("Like others"),
    _("Skipped"),
    _("Under 1 s"),
    _("Minutes"),
    _("A rather than B, by thirds of the votes"),
    _("Ties, by thirds"),
    _("Seconds for a decision, by thirds"),
)
DIFFERENCES: Plural = Plural("Raters differ on {count:,} battle", "Raters differ on {count:,} battles")
DIFFERENCES_LEAD = _(
    "Judge them yourself: your judgement is stored beside the votes and counts as none. Models are not named."
)
UNRESOLVED: Plural = Plural("{count:,} waits for you.", "{count:,} wait for you.")
SHOW_ALL, SHOW_OPEN = _("Show those you have judged too"), _("Show only those you have not judged")
MORE = _("{count:,} more; judge these first.")
BATTLE = _("Battle {number}")
VOTE = _("Rater {rater}: {outcome}")
SECONDS = _("{seconds} s")
OWN = _("You: {outcome}")
OUTCOMES: Mapping[str, str] = {
    "a": _("the first answer"),
    "b": _("the second answer"),
    "tie": _("a tie"),
    "both_bad": _("none is good"),
}
FIRST, SECOND = _("First answer"), _("Second answer")
SAVED = _("Saved: {outcome} for battle {number} of {study}.")
NO_SUCH_PRESS = _("Only battles on which raters differ can be judged here.")
