"""Texts of the Models page.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ui.texts.language import Plural, _

LEAD = _(
    "Models that answer here: {here}. Other known models: {others}. Ratings come from blind votes on this playground."
)
LEAD_ALL = _("Models that answer here: {here}. Ratings come from blind votes on this playground.")
HERE = _("Answering here")
OTHERS = _("More models")
OTHERS_HINT = _("These have a card and a prompt format here, but do not answer. Fetch their files on the command line.")

# The operator's actions

LOAD, UNLOAD = _("Load"), _("Unload")
ACTION_LABEL = _("{action} {name}")
ADD, ADD_HINT, ADD_BUTTON = _("Add a model by name"), _("card id, org/name, or a folder on this machine"), _("Add")
NOT_YOURS = _("Only the operator may load and unload models. Reload this page to see how to become the operator.")
NO_SUCH_ACTION = _("This page can only load and unload models.")
NO_NAME = _("Write a card id, a hub id such as org/name, or the folder of a model.")
UNREADABLE = _("{name} cannot be read: {reason}.")
LOADING = _("{name} was asked to load; its card shows how far it is.")
ADDED = _("{name} was added; it answers here once it is loaded. Reload open Compare pages to choose it there.")
UNLOADED = _("{name} is unloaded; its memory is free again.")
OPERATOR_HERE = _("You are the operator in this browser.")
OPERATOR_SIGN_OUT = _("Sign out")
OPERATOR_HOW: Mapping[bool, str] = {
    True: (
        _("To load and unload models, open the link that the terminal printed when this playground started, or {link}.")
    ),
    False: _("Only the operator loads and unloads models. If you are the operator, {link}."),
}
"""By whether the token was made at the start."""
OPERATOR_HOW_LINK = _("enter the token")
OPERATOR_HOW_HUB = _("The operator of this Space loads and unloads models: {link}.")

# States

OFF = _("not loaded")
ASLEEP = _("not loaded; loads when it is asked")
QUEUED = _("waiting to be loaded")
TURNS = _("shares memory with other models; loads when it is asked")
READY = _("ready")
READY_ON = _("ready on {device}, loaded in {time}")
THIS_CPU = _("this CPU")
SPENT = _("has spent its {count:,} tokens of today; answers again at 00:00 UTC")
FAILED = _("could not be loaded")
FAILED_WHY = _("could not be loaded: {reason}")

# Cards

MORE = _("Details")
PARAMETERS = _("{count} parameters")
STANDS_IN = _("stands in for {name}")
NON_COMMERCIAL = _("not for commercial use")
TERMS_UNSURE = _("commercial use is unclear")
RATING = _("rating here")
RATED = _("{rating} ({lower} to {upper}) after {battles}")
RATED_TOO_FEW = _("too few battles for a rating: {battles}")
NOT_RATED = _("no votes yet")
PUBLISHED = _("published figures")
TESTED, UNTESTED = _("tested"), _("no: its facts were read, its weights never run with this program")
SWITCHES = _("switches of its chat template")
LINKS, CITATION = _("more about it"), _("to cite")
WEIGHTS, WEIGHTS_FACTS = _("weights"), _("{size}, {dtype}")
SOURCE = _("from")
ARCHITECTURE = _("architecture")
CONTEXT, CONTEXT_TOKENS = _("context"), _("{count:,} tokens")
DAILY_TOKENS, DAILY_COUNT = _("limit"), _("{count:,} tokens a day")
TEMPLATE = _("prompt template")
TOKENIZER = _("tokenizer")
FEEDS: Mapping[str, str] = {
    "text": _("{template}, sent to its server as text: not exact"),
    "messages": _("its server's own: not exact"),
}
"""By the `feed` of a card; `ids` needs no words."""
SAMPLING, SAMPLING_FACTS = _("sampling"), _("{params} ({source})")
SAMPLING_SOURCES: Mapping[str, str] = {"card": _("from its card"), "ours": _("chosen for this playground")}
FILES = _("files")
FILE_STATES: Mapping[str, str] = {
    "here": _("on this machine"),
    "elsewhere": _("none here: another server runs it"),
    "incomplete": _("incomplete on this machine; this command resumes the download:"),
    "missing": _("not on this machine; this command fetches them:"),
}
FILES_LOST = _("{name} is not where its card says; correct the card or put it there")
FETCH = "python -m playground fetch {name}"
COPY, COPY_LABEL = _("copy"), _("Copy the command that fetches {name}")
PLACEMENT = _("memory")
CHECK = _("checked when loaded")
CHECKED = _(
    "passed: nothing missing or unexpected in its files, finite weights, token ids within its embedding, same output "
    "as generate of transformers"
)
CHECKED_NOTE = _("{checked}. {note}")
CHECKED_EACH_TIME = _("each time it is loaded")
UNCHECKED = _("not yet: it is checked each time it is loaded")
LIMITS = _("Limitations")
NOTES = _("Gaps and contradictions in its card")
LEDGER = _("Every model ever tested here")
LEDGER_LEAD = _("Models ever tested here: {ever} ({variants}). Answering now: {here}.")
LEDGER_VARIANTS: Plural = Plural("{count:,} variant", "{count:,} variants")
LEDGER_UNKNOWN = _("The ledger is being read; reload the page in a moment.")
LEDGER_HEAD = (
    _("model"),
    _("weights"),
    _("format"),
    _("numbers"),
    _("first"),
    _("last"),
    _("battles"),
    _("drawn"),
    _("chance now"),
    _("state"),
)
LEDGER_HERE, LEDGER_NEW = (_("answers here"), _("answers here; no battle yet"))
LEDGER_RETIRED, LEDGER_NO_REASON = (_("retired: {why}"), _("does not answer here; its card gives no reason"))
