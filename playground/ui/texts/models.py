"""Texts of the Models page.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAD = (
    "Models that answer here: {here}. Other known models: {others}. Ratings come from blind votes on this playground."
)
LEAD_ALL = "Models that answer here: {here}. Ratings come from blind votes on this playground."
HERE = "Answering here"
OTHERS = "More models"
OTHERS_HINT = "These have a card and a prompt format here, but do not answer. Fetch their files on the command line."

# The operator's actions

LOAD, UNLOAD = "Load", "Unload"
ACTION_LABEL = "{action} {name}"
ADD, ADD_HINT, ADD_BUTTON = "Add a model by name", "card id, org/name, or a folder on this machine", "Add"
NOT_YOURS = "Only the operator may load and unload models. Reload this page to see how to become the operator."
NO_SUCH_ACTION = "This page can only load and unload models."
NO_NAME = "Write a card id, a hub id such as org/name, or the folder of a model."
UNREADABLE = "{name} cannot be read: {reason}."
LOADING = "{name} was asked to load; its card shows how far it is."
ADDED = "{name} was added; it answers here once it is loaded. Reload open Compare pages to choose it there."
UNLOADED = "{name} is unloaded; its memory is free again."
OPERATOR_HERE = "You are the operator in this browser."
OPERATOR_SIGN_OUT = "Sign out"
OPERATOR_HOW: Mapping[bool, str] = {
    True: (
        "To load and unload models, open the link that the terminal printed when this playground started, or {link}."
    ),
    False: "Only the operator loads and unloads models. If you are the operator, {link}.",
}
"""By whether the token was made at the start."""
OPERATOR_HOW_LINK = "enter the token"
OPERATOR_HOW_HUB = "The operator of this Space loads and unloads models: {link}."

# States

OFF = "not loaded"
ASLEEP = "not loaded; loads when it is asked"
QUEUED = "waiting to be loaded"
TURNS = "shares memory with other models; loads when it is asked"
READY = "ready"
READY_ON = "ready on {device}, loaded in {time}"
THIS_CPU = "this CPU"
FAILED = "could not be loaded"
FAILED_WHY = "could not be loaded: {reason}"

# Cards

MORE = "Details"
PARAMETERS = "{count} parameters"
STANDS_IN = "stands in for {name}"
NON_COMMERCIAL = "not for commercial use"
TERMS_UNSURE = "commercial use is unclear"
RATING = "rating here"
RATED = "{rating} ({lower} to {upper}) after {battles}"
RATED_TOO_FEW = "too few battles for a rating: {battles}"
NOT_RATED = "no votes yet"
PUBLISHED = "published figures"
WEIGHTS, WEIGHTS_FACTS = "weights", "{size}, {dtype}"
SOURCE = "from"
ARCHITECTURE = "architecture"
CONTEXT, CONTEXT_TOKENS = "context", "{count:,} tokens"
TEMPLATE = "prompt template"
SAMPLING, SAMPLING_FACTS = "sampling", "{params} ({source})"
SAMPLING_SOURCES: Mapping[str, str] = {"card": "from its card", "ours": "chosen for this playground"}
FILES = "files"
FILE_STATES: Mapping[str, str] = {
    "here": "on this machine",
    "elsewhere": "none here: another server runs it",
    "incomplete": "incomplete on this machine; this command resumes the download:",
    "missing": "not on this machine; this command fetches them:",
}
FILES_LOST = "{name} is not where its card says; correct the card or put it there"
FETCH = "python -m playground fetch {name}"
COPY, COPY_LABEL = "copy", "Copy the command that fetches {name}"
PLACEMENT = "memory"
CHECK = "checked when loaded"
CHECKED = (
    "passed: nothing missing or unexpected in its files, finite weights, token ids within its embedding, same output "
    "as generate of transformers"
)
CHECKED_NOTE = "{checked}. {note}"
CHECKED_EACH_TIME = "each time it is loaded"
UNCHECKED = "not yet: it is checked each time it is loaded"
LEDGER = "Every model ever tested here"
LEDGER_LEAD = "{here} answer here of {ever} ever tested ({variants})."
LEDGER_VARIANTS: tuple[str, str] = ("{count:,} variant", "{count:,} variants")
LEDGER_UNKNOWN = "The ledger is being read; reload the page in a moment."
LEDGER_HEAD = ("model", "weights", "format", "numbers", "first", "last", "battles", "drawn", "chance now", "state")
LEDGER_HERE, LEDGER_NEW = "answers here", "answers here; no battle yet"
LEDGER_RETIRED, LEDGER_NO_REASON = "retired: {why}", "does not answer here; its card gives no reason"
LIMITS = "Limitations"
NOTES = "Gaps and contradictions in its card"
