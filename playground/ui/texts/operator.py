"""Texts of the Operator page.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.records import BattleState, ModerationCounts
from playground.ui.texts.formats import Plural, counted

LINK, LINK_WAITING = "Operator", "Operator ({count})"
LINK_LABEL = "For the operator"
LEAD_QUIET = "Nothing waits for you."
LEAD = "{reports} on {battles} to review."
HIDDEN_COUNT = "{battles} hidden."
REPORTS: Plural = ("{count:,} new report", "{count:,} new reports")
BATTLES: Plural = ("{count:,} battle", "{count:,} battles")
NOT_YOURS = "Only the operator may see this page. Reload it to see how to become the operator."
NO_SUCH_ACTION = "This page can only hide a battle, show it again, and dismiss its reports."

# Battles

REPORTED, HIDDEN, FOUND = "Reported battles", "Hidden battles", "The battle you looked up"
NONE_REPORTED = "No report waits for you."
NONE_HIDDEN = "No battle is hidden."
MORE = "{count:,} more; review these first."
LOOK_UP, LOOK_UP_HINT, LOOK_UP_BUTTON = "Look up a battle", "its id, or a link to it", "Look up"
HIDE, SHOW, DISMISS = "Hide", "Show again", "Dismiss"
ACTION_LABELS: Mapping[str, str] = {
    "hide": "Hide the battle of {time}",
    "show": "Show the battle of {time} again",
    "dismiss": "Dismiss the reports on the battle of {time}",
}
DONE: Mapping[str, str] = {
    "hide": (
        "Hidden: nobody but you sees the words of this battle, and no export has them; the same holds for battles on "
        "the same answers. Its vote still counts. You can show it again."
    ),
    "show": "Shown again, to everybody who could see it before.",
    "dismiss": "Dismissed. The battle stays as it is.",
}
BATTLE_OF = "Battle of {time}"
REPORT_OF, REPORT_OF_BATTLE = "Answer {letter}", "The battle"
REPORT_REVIEWED = "reviewed"
NO_REPORTS = "Nobody has reported it."
HIDDEN_SINCE = "hidden since {time}"
ERASED = "erased by its rater"
STATES: Mapping[BattleState, str] = {
    BattleState.GENERATING: "being written",
    BattleState.OPEN: "open",
    BattleState.VOTED: "voted",
    BattleState.REVEALED: "revealed",
    BattleState.VOID: "void",
}
WORDS = "Instruction and answers"
INSTRUCTION, INPUT, SYSTEM = "Instruction", "Input", "System text"
ANSWER = "Answer {letter}"
NO_ANSWER = "no answer"
CUT = "{text}… ({count:,} characters more; look the battle up to read them)"

# Publication

PUBLICATION = "Publication"
CHECK = "Check what would be published"
PUBLISH = "Publish to {repo} now"
NO_PUBLICATION = (
    "To publish from this page, set PLAYGROUND_PUBLICATION to the name of a public dataset on the hub, such as "
    "ada/votes, and HF_TOKEN to a token that may write to it."
)
PUBLISHING = "Working…"
PUBLISHING_STEPS: Mapping[str, str] = {
    "survey": "Reading the votes…",
    "board": "Computing the leaderboard…",
    "votes": "Writing the votes…",
    "answers": "Writing the answers…",
    "upload": "Uploading…",
    "squash": "Removing earlier revisions…",
}
PUBLISHING_OF = "{step} {done:,} of {total:,}"
NOT_PUBLISHED = "Nothing was published: {error}."
CHECKED, CHECKED_LEFT_OUT = "{votes} would be published.", "{checked} Left out: {reasons}."
LEFT_OUT_OF = "{votes:,} {words}"
PUBLISHED = "Published to {repo}: {votes}."
PUBLISHED_SAME = "{repo} has the same {votes} already."
PUBLISHED_PRIVATE = "The dataset is private; make it public in its settings on the hub."
PUBLISHED_NOWHERE = "Nothing was sent to the hub."
HELD_BACK = "Held back because they look personal"
RELEASE, RELEASE_LABEL = "Publish it", "Publish the battle {battle} although it looks personal"
HIDE_HELD_BACK = "Hide the battle {battle}"
NO_SUCH_RELEASE = "Here a battle can only be hidden, or published although it looks personal."

# State of the playground

STATE = "This playground"
STORE = "store"
STATUS_REASONS = "{status}: {reasons}"
STATUS, STATUS_WORDS = "status", "{status}; {running:,} of {most:,} comparisons running"
VOTES, VOTES_NONE = "votes", "none yet"
VOTES_ALL = "{votes:,}, all of them count"
VOTES_SOME = "{votes:,}; left out: {reasons}"
VOTES_REASON = "{votes:,} {words} ({share})"
DISK, DISK_WORDS = "disk", "{free} free of {total}; the database has {size}"
DISK_UNKNOWN = "free space unknown; the database has {size}"
JOURNAL, JOURNAL_OK = "journal", "complete"
JOURNAL_LAG, JOURNAL_ERROR = "{lag:,} events behind", "cannot be written; see the log"
JOURNAL_NONE = "none is written"
VERSIONS = "versions"

# Pairs

PAIRS = "Which pair next"
PAIRS_WAITING = "After {votes} that count: all pairs are equally likely."
PAIRS_UNIFORM = "All pairs are equally likely: PLAYGROUND_PAIRS is “uniform”, or no vote was read yet."
PAIRS_LEAD = (
    "Chances of the next blind battle of two models, after {votes} that count; {uniform} if all were as likely."
)
PAIRS_MORE = "{count:,} more pairs, none of them likelier."
PAIRS_HEAD = ("pair", "chance", "votes")
PAIRS_OF = "{first} and {second}"


def lead(counts: ModerationCounts) -> str:
    """Return what waits for the operator, and what they have hidden."""
    text = LEAD_QUIET
    if counts.reports:
        text = LEAD.format(reports=counted(counts.reports, REPORTS), battles=counted(counts.reported, BATTLES))
    hidden = HIDDEN_COUNT.format(battles=counted(counts.hidden, BATTLES)) if counts.hidden else ""
    return f"{text} {hidden}".rstrip()


def link(reports: int) -> str:
    """Return the words of the link to the page."""
    return LINK_WAITING.format(count=reports) if reports else LINK
