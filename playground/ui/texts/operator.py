"""Texts of the Operator page.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.records import BattleState, ModerationCounts
from playground.ui.texts.formats import counted
from playground.ui.texts.language import Plural, _

LINK, LINK_WAITING = _("Operator"), _("Operator ({count})")
LINK_LABEL = _("For the operator")
LEAD_QUIET = _("Nothing waits for you.")
LEAD = _("{reports} on {battles} to review.")
HIDDEN_COUNT = _("{battles} hidden.")
REPORTS: Plural = Plural("{count:,} new report", "{count:,} new reports")
BATTLES: Plural = Plural("{count:,} battle", "{count:,} battles")
NOT_YOURS = _("Only the operator may see this page. Reload it to see how to become the operator.")
NO_SUCH_ACTION = _("This page can only hide a battle, show it again, and dismiss its reports.")

# Battles

REPORTED, HIDDEN, FOUND = _("Reported battles"), _("Hidden battles"), _("The battle you looked up")
NONE_REPORTED = _("No report waits for you.")
NONE_HIDDEN = _("No battle is hidden.")
MORE = _("{count:,} more; review these first.")
LOOK_UP, LOOK_UP_HINT, LOOK_UP_BUTTON = _("Look up a battle"), _("its id, or a link to it"), _("Look up")
HIDE, SHOW, DISMISS = _("Hide"), _("Show again"), _("Dismiss")
ACTION_LABELS: Mapping[str, str] = {
    "hide": _("Hide the battle of {time}"),
    "show": _("Show the battle of {time} again"),
    "dismiss": _("Dismiss the reports on the battle of {time}"),
}
DONE: Mapping[str, str] = {
    "hide": _(
        "Hidden: nobody but you sees the words of this battle, and no export has them; the same holds for battles on "
        "the same answers. Its vote still counts. You can show it again."
    ),
    "show": _("Shown again, to everybody who could see it before."),
    "dismiss": _("Dismissed. The battle stays as it is."),
}
BATTLE_OF = _("Battle of {time}")
REPORT_OF, REPORT_OF_BATTLE = _("Answer {letter}"), _("The battle")
REPORT_REVIEWED = _("reviewed")
NO_REPORTS = _("Nobody has reported it.")
HIDDEN_SINCE = _("hidden since {time}")
ERASED = _("erased by its rater")
STATES: Mapping[BattleState, str] = {
    BattleState.GENERATING: _("being written"),
    BattleState.OPEN: _("open"),
    BattleState.VOTED: _("voted"),
    BattleState.REVEALED: _("revealed"),
    BattleState.VOID: _("void"),
}
WORDS = _("Instruction and answers")
INSTRUCTION, INPUT, SYSTEM = _("Instruction"), _("Input"), _("System text")
ANSWER = _("Answer {letter}")
NO_ANSWER = _("no answer")
CUT = _("{text}… ({count:,} characters more; look the battle up to read them)")

# Publication

PUBLICATION = _("Publication")
CHECK = _("Check what would be published")
PUBLISH = _("Publish to {repo} now")
NO_PUBLICATION = _(
    "To publish from this page, set PLAYGROUND_PUBLICATION to the name of a public dataset on the hub, such as "
    "ada/votes, and HF_TOKEN to a token that may write to it."
)
PUBLISHING = _("Working…")
PUBLISHING_STEPS: Mapping[str, str] = {
    "survey": _("Reading the votes…"),
    "board": _("Computing the leaderboard…"),
    "votes": _("Writing the votes…"),
    "answers": _("Writing the answers…"),
    "upload": _("Uploading…"),
    "squash": _("Removing earlier revisions…"),
}
PUBLISHING_OF = _("{step} {done:,} of {total:,}")
NOT_PUBLISHED = _("Nothing was published: {error}.")
CHECKED, CHECKED_LEFT_OUT = _("{votes} would be published."), _("{checked} Left out: {reasons}.")
LEFT_OUT_OF = _("{votes:,} {words}")
PUBLISHED = _("Published to {repo}: {votes}.")
PUBLISHED_SAME = _("{repo} has the same {votes} already.")
PUBLISHED_PRIVATE = _("The dataset is private; make it public in its settings on the hub.")
PUBLISHED_NOWHERE = _("Nothing was sent to the hub.")
HELD_BACK = _("Held back because they look personal")
RELEASE, RELEASE_LABEL = _("Publish it"), _("Publish the battle {battle} although it looks personal")
HIDE_HELD_BACK = _("Hide the battle {battle}")
NO_SUCH_RELEASE = _("Here a battle can only be hidden, or published although it looks personal.")

# State of the playground

STATE = _("This playground")
STORE = _("store")
STATUS_REASONS = _("{status}: {reasons}")
STATUSES: Mapping[str, str] = {"ok": _("ok"), "degraded": _("degraded"), "failing": _("failing")}
STATUS, STATUS_WORDS = _("status"), _("{status}; {running:,} of {most:,} comparisons running")
VOTES, VOTES_NONE = _("votes"), _("none yet")
VOTES_ALL = _("{votes:,}, all of them count")
VOTES_SOME = _("{votes:,}; left out: {reasons}")
VOTES_REASON = _("{votes:,} {words} ({share})")
DISK, DISK_WORDS = _("disk"), _("{free} free of {total}; the database has {size}")
DISK_UNKNOWN = _("free space unknown; the database has {size}")
JOURNAL, JOURNAL_OK = _("journal"), _("complete")
JOURNAL_LAG, JOURNAL_ERROR = _("{lag:,} events behind"), _("cannot be written; see the log")
JOURNAL_NONE = _("none is written")
VERSIONS = _("versions")

# Pairs

PAIRS = _("Which pair next")
PAIRS_WAITING = _("After {votes} that count: all pairs are equally likely.")
PAIRS_UNIFORM = _("All pairs are equally likely: PLAYGROUND_PAIRS is “uniform”, or no vote was read yet.")
PAIRS_LEAD = _(
    "Chances of the next blind battle of two models, after {votes} that count; an even draw gives {uniform}."
)
PAIRS_MORE = _("{count:,} more pairs, none of them likelier.")
PAIRS_HEAD = (_("pair"), _("chance"), _("votes"))
PAIRS_OF = _("{first} and {second}")


def lead(counts: ModerationCounts) -> str:
    """Return what waits for the operator, and what they have hidden."""
    text: str = LEAD_QUIET
    if counts.reports:
        text = LEAD.format(reports=counted(counts.reports, REPORTS), battles=counted(counts.reported, BATTLES))
    hidden = HIDDEN_COUNT.format(battles=counted(counts.hidden, BATTLES)) if counts.hidden else ""
    return f"{text} {hidden}".rstrip()


def link(reports: int) -> str:
    """Return the words of the link to the page."""
    return LINK_WAITING.format(count=reports) if reports else LINK
