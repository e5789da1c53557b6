"""Texts of the Data page and of its routes.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.ui.texts.formats import counted, size
from playground.ui.texts.language import Plural, _

ROWS: Plural = Plural("{count:,} row", "{count:,} rows")
BATTLES_MATCH: Plural = Plural("{count:,} judged battle", "{count:,} judged battles")

# Access

OPERATOR_ONLY = _(
    "The operator of this playground keeps the data of everybody to themselves. Your own battles and votes are on the "
    "page My data, at the foot of every page, and can be saved there as a file."
)
OPERATOR_ONLY_LEAD = _(
    "This page lists the judged battles of everybody and writes them as files. Here only the operator sees it."
)
ASK_OPERATOR = _("If you want the data, ask the person or group who gave you the address of this playground.")
ASK_OPERATOR_AT = _("If you want the data, ask the operator: {contact}")
OWN_DATA = _("Your own battles and votes are on {link}: you can read, save and erase them there.")
OPERATOR_HERE = _("You see this as the operator. PLAYGROUND_DATA=public opens it to everybody, with raters as numbers.")
RATERS_ARE_HIDDEN = _("Only the operator may select the votes of one rater, or see the ids of raters.")
QUERY_TOO_LONG = _("The address of this page is too long. Remove some of its filters.")

# Head

LEAD: Mapping[bool, str] = {
    True: _("{battles} with these filters. Browse them, look inside a format, or download a file."),
    False: _("{battles}. Browse them, look inside a format, or download a file."),
}
"""By whether there is a filter."""
LEAD_NONE: Mapping[bool, str] = {
    True: _("No judged battle matches these filters."),
    False: _("No battle was judged yet. The first vote on the Compare page shows here."),
}
ABOUT = _(
    "A battle is listed once its models are revealed. Battles whose words were erased or are hidden are never listed "
    "and are in no file."
)

# Filters

FILTERS = _("Filters")
MORE_FILTERS = _("More filters")
APPLY = _("Apply")
CLEAR = _("Clear all")
ANY = _("any")
WORDS_HINT = _("in instruction or answers")
SECOND_MODEL = _("Against")
LABELS: Mapping[str, str] = {
    "words": _("Words"),
    "models": _("Model"),
    "winner": _("Outcome"),
    "category": _("Category"),
    "reason": _("Reason"),
    "since": _("From day"),
    "until": _("To day"),
    "origin": _("Voters"),
    "mode": _("Mode"),
    "pairs": _("Models chosen by"),
    "sampling": _("Sampling"),
    "license": _("Licenses"),
    "imported": _("Imported votes"),
    "rater": _("Rater id"),
    "counted": _("In files, only votes that count on the leaderboard"),
    "ids": _("In files, raters by their ids instead of numbers"),
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "origin": {"person": _("people"), "program": _("programs"), "judge": _("judging models"), "shared": _("guests")},
    "mode": {"blind": _("blind"), "open": _("open")},
    "pairs": {"drawn": _("the arena"), "chosen": _("the visitor")},
    "sampling": {"card": _("as on the cards"), "changed": _("changed")},
    "license": {"commercial": _("commercial use only"), "other": _("all others only"), "apart": _("all, in two files")},
    "imported": {"only": _("only these"), "none": _("none")},
}
"""Values of a filter with few values, in words."""
WINNERS: Mapping[str, str] = {"tie": _("a tie"), "both_bad": _("all bad")}

# Formats

DOWNLOADS = _("Formats")
DOWNLOAD_LABEL = _("Download {format} as {container}")
DOWNLOAD_LABEL_PART = _("Download {format} as {container}: {part}")
PARTS: Mapping[str, str] = {"commercial": _("commercial use"), "other": _("other rows")}
CONTAINERS: Mapping[str, str] = {"jsonl": "JSONL", "json": "JSON", "csv": "CSV", "parquet": "Parquet"}
LOOK = _("Look inside")
LOOK_LABEL = _("Look inside {format}")
CLOSE = _("Close")
CLOSE_LABEL = _("Close {format}")
INSIDE = _("{rows}, about {size} as {container}.")
INSIDE_NONE = _("No row.")
ALL_COMMERCIAL = _("Licenses: every row allows commercial use.")
SOME_COMMERCIAL = _("Licenses: {commercial} for commercial use, {other} non-commercial or unknown.")
FIRST_ROWS = _("First rows of {format}")
PURPOSES: Mapping[str, str] = {
    "votes": _("Everything that is stored of a vote, without loss: for archives, and to import elsewhere."),
    "pairs": _("One flat row per judged pair: for a spreadsheet or a data frame."),
    "trl-preference": _("Prompt, chosen and rejected answer: for TRL's DPO and reward training."),
    "trl-unpaired": _("Single answers labelled good or bad: for TRL's KTO training."),
    "lmsys-33k": _("The battles of FastChat's Chatbot Arena data set: for analyses written for it."),
    "arena-140k": _("The newer arena data set, with metadata of each conversation: for analyses written for it."),
    "kaggle-55k": _("The table of Kaggle's LMSYS competition: for its notebooks."),
    "fastchat-log": _("The log of FastChat's server: for its own scripts."),
    "alpaca": _("Instructions with the winning answers: for supervised fine-tuning."),
    "llm-comparator": _("Two models side by side with their scores: for Google's LLM Comparator."),
    "autoarena": _("Answers and winners as a table: for AutoArena."),
}

# Files

ONE_AT_A_TIME = _("Your last file is still being made or sent. Wait until it is here, then try again.")
TOO_MANY_FILES = _("Too many files are being made for other visitors. Try again in {wait_s} s.")
ABANDONED = _("The visitor has left before the file was written.")
NO_TICKET = _("No download with this ticket is known.")
NO_MANIFEST = _("This manifest is not kept any more. Download the file again; its manifest comes with it.")
NOT_WRITTEN = _("The file could not be made: {reason}.")
DISK_FULL = _(
    "The file could not be made: the disk for temporary files on the server is full. Choose fewer votes by the "
    "filters, or ask the operator to free space, or to set TMPDIR to a folder on a larger disk."
)
TEMPORARY_FOLDER = _("the folder for temporary files cannot be used: {reason}")
STALLED = _("The download was stopped, because nothing was received for a minute. Try again.")
NO_FORMAT = _("The address names no format, or an unknown one; valid: format={valid}")
NO_NAME = _("{name!r} in the address is not a filter; valid: {valid}")
NO_CONTAINER = _("{format} is not written as {container}; valid: container={valid}")
APART_IS_TWO_FILES = _("license=apart is two files: ask for license=commercial, then for license=other.")
WAITING = _("Waiting for a turn.")
WAITING_BEHIND = _("Waiting for a turn: {ahead} before this one.")
WRITING = _("Writing the file.")
WRITING_SHARE = _("Writing the file: {share:.0%}.")
SENDING = _("Sending {size}.")
SENT = _("Done: {rows}, {size}.")
DOWNLOAD_STARTS = _("The download starts.")
DOWNLOAD_FAILED = _("The download failed. Try again.")
PROGRESS = _("Download")
MANIFEST = _("Manifest")
DISMISS = _("Close")

# Battles

BATTLES = _("Judged battles")
OLDER, NEWEST = _("Older battles"), _("Newest battles")
NO_BATTLES = _("No battle to show.")
NO_TEXT = _("(no visible text)")
BEST = _("{winner} won against {others}")
TIED = _("a tie between {models}")
ALL_BAD = _("all bad: {models}")
RANKED = _("ranked: {order}")
BECAUSE = _("because: {reasons}")


def join_names(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return ", ".join(names)


def progress(stage: str, ahead: int, share: float | None, rows: int, size_bytes: int) -> str:
    """Return the stage of a file in words."""
    match stage:
        case "waiting":
            return WAITING_BEHIND.format(ahead=ahead) if ahead else WAITING
        case "writing":
            return WRITING if share is None else WRITING_SHARE.format(share=share)
        case "sending":
            return SENDING.format(size=size(size_bytes))
    return SENT.format(rows=counted(rows, ROWS), size=size(size_bytes))
