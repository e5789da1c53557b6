"""Texts of the Data page and of its routes.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.ui.texts.formats import Plural, counted, size

ROWS: Plural = ("{count:,} row", "{count:,} rows")
BATTLES_MATCH: Plural = ("{count:,} judged battle", "{count:,} judged battles")

# Access

OPERATOR_ONLY = (
    "The operator of this playground keeps the data of everybody to themselves. Your own battles and votes are on the "
    "page My data, at the foot of every page, and can be saved there as a file."
)
OPERATOR_ONLY_LEAD = "Only the operator sees the data of everybody here. Your own battles and votes are on {link}."
OPERATOR_HERE = "You see this as the operator. PLAYGROUND_DATA=public opens it to everybody, with raters as numbers."
RATERS_ARE_HIDDEN = "Only the operator may select the votes of one rater, or see the ids of raters."
QUERY_TOO_LONG = "The address of this page is too long. Remove some of its filters."

# Head

LEAD: Mapping[bool, str] = {
    True: "{battles} with these filters. Browse them, look inside a format, or download a file.",
    False: "{battles}. Browse them, look inside a format, or download a file.",
}
"""By whether there is a filter."""
LEAD_NONE: Mapping[bool, str] = {
    True: "No judged battle matches these filters.",
    False: "No battle was judged yet. The first vote on the Compare page shows here.",
}
ABOUT = (
    "A battle is listed once its models are revealed. Battles whose words were erased or are hidden are never listed "
    "and are in no file."
)

# Filters

FILTERS = "Filters"
MORE_FILTERS = "More filters"
APPLY = "Apply"
CLEAR = "Clear all"
ANY = "any"
WORDS_HINT = "in instruction or answers"
SECOND_MODEL = "Against"
LABELS: Mapping[str, str] = {
    "words": "Words",
    "models": "Model",
    "winner": "Outcome",
    "category": "Category",
    "reason": "Reason",
    "since": "From day",
    "until": "To day",
    "origin": "Voters",
    "mode": "Mode",
    "pairs": "Models chosen by",
    "sampling": "Sampling",
    "license": "Licenses",
    "imported": "Imported votes",
    "rater": "Rater id",
    "counted": "In files, only votes that count on the leaderboard",
    "ids": "In files, raters by their ids instead of numbers",
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "origin": {"person": "people", "program": "programs", "judge": "judging models", "shared": "guests"},
    "mode": {"blind": "blind", "open": "open"},
    "pairs": {"drawn": "the arena", "chosen": "the visitor"},
    "sampling": {"card": "as on the cards", "changed": "changed"},
    "license": {"commercial": "commercial use only", "other": "all others only", "apart": "all, in two files"},
    "imported": {"only": "only these", "none": "none"},
}
"""Values of a filter with few values, in words."""
WINNERS: Mapping[str, str] = {"tie": "a tie", "both_bad": "all bad"}

# Formats

DOWNLOADS = "Formats"
DOWNLOAD_LABEL = "Download {format} as {container}"
DOWNLOAD_LABEL_PART = "Download {format} as {container}: {part}"
PARTS: Mapping[str, str] = {"commercial": "commercial use", "other": "other rows"}
CONTAINERS: Mapping[str, str] = {"jsonl": "JSONL", "json": "JSON", "csv": "CSV", "parquet": "Parquet"}
LOOK = "Look inside"
LOOK_LABEL = "Look inside {format}"
CLOSE = "Close"
CLOSE_LABEL = "Close {format}"
INSIDE = "{rows}, about {size} as {container}."
INSIDE_NONE = "No row."
ALL_COMMERCIAL = "Licenses: every row allows commercial use."
SOME_COMMERCIAL = "Licenses: {commercial} for commercial use, {other} non-commercial or unknown."
FIRST_ROWS = "First rows of {format}"
PURPOSES: Mapping[str, str] = {
    "votes": "Everything that is stored of a vote, without loss: for archives, and to import elsewhere.",
    "pairs": "One flat row per judged pair: for a spreadsheet or a data frame.",
    "trl-preference": "Prompt, chosen and rejected answer: for TRL's DPO and reward training.",
    "trl-unpaired": "Single answers labelled good or bad: for TRL's KTO training.",
    "lmsys-33k": "The battles of FastChat's Chatbot Arena data set: for analyses written for it.",
    "arena-140k": "The newer arena data set, with metadata of each conversation: for analyses written for it.",
    "kaggle-55k": "The table of Kaggle's LMSYS competition: for its notebooks.",
    "fastchat-log": "The log of FastChat's server: for its own scripts.",
    "alpaca": "Instructions with the winning answers: for supervised fine-tuning.",
    "llm-comparator": "Two models side by side with their scores: for Google's LLM Comparator.",
    "autoarena": "Answers and winners as a table: for AutoArena.",
}

# Files

ONE_AT_A_TIME = "Your last file is still being made or sent. Wait until it is here, then try again."
TOO_MANY_FILES = "Too many files are being made for other visitors. Try again in {wait_s} s."
ABANDONED = "The visitor has left before the file was written."
NO_TICKET = "No download with this ticket is known."
NO_MANIFEST = "This manifest is not kept any more. Download the file again; its manifest comes with it."
NOT_WRITTEN = "The file could not be made: {reason}."
DISK_FULL = (
    "The file could not be made: the disk for temporary files on the server is full. Choose fewer votes by the "
    "filters, or ask the operator to free space, or to set TMPDIR to a folder on a larger disk."
)
TEMPORARY_FOLDER = "the folder for temporary files cannot be used: {reason}"
STALLED = "The download was stopped, because nothing was received for a minute. Try again."
NO_FORMAT = "The address names no format, or an unknown one; valid: format={valid}"
NO_NAME = "{name!r} in the address is no filter; valid: {valid}"
NO_CONTAINER = "{format} is not written as {container}; valid: container={valid}"
APART_IS_TWO_FILES = "license=apart is two files: ask for license=commercial, then for license=other."
WAITING = "Waiting for a turn."
WAITING_BEHIND = "Waiting for a turn: {ahead} before this one."
WRITING = "Writing the file."
WRITING_SHARE = "Writing the file: {share:.0%}."
SENDING = "Sending {size}."
SENT = "Done: {rows}, {size}."
DOWNLOAD_STARTS = "The download starts."
DOWNLOAD_FAILED = "The download failed. Try again."
PROGRESS = "Download"
MANIFEST = "Manifest"
DISMISS = "Close"

# Battles

BATTLES = "Judged battles"
OLDER, NEWEST = "Older battles", "Newest battles"
NO_BATTLES = "No battle to show."
NO_TEXT = "(no visible text)"
BEST = "{winner} won against {others}"
TIED = "a tie between {models}"
ALL_BAD = "all bad: {models}"
RANKED = "ranked: {order}"
BECAUSE = "because: {reasons}"


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
