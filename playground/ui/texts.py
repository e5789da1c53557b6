"""Every word of the page, in one place, ready to be translated.

Boundary: words, and the few functions that put numbers into them; no markup, no Gradio, nothing of how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from playground.records import (
    WHEN_SAMPLING,
    BattleState,
    Belongings,
    ColumnState,
    Erased,
    FinishReason,
    OwnBattle,
    SamplingParams,
    Standing,
)

TITLE = "Playground"
COMPARE_ROOM = "Compare"
LEADERBOARD_ROOM = "Leaderboard"
MODELS_ROOM = "Models"
YOURS_ROOM = "Yours"
TERMS_ROOM = "Terms"
SKIP = "Skip to the answers"
SKIP_TO_CONTENT = "Skip to the content"
ROOMS = "Rooms"

# What the models are, and what is kept

ABOUT = "Small and old open models: answers may be wrong or offensive."
DO_NOT_STORE = "do not store"
AGREE, AGREE_LINK = "By comparing you agree to the", "terms"
AGREE_TO_WHAT = "instruction, answers and vote are stored and may be published."
MORE_ROOMS = "About this page and you"

READ_ONLY = "Nothing is stored here now: {reason}. What is stored can be looked at; “do not store” still compares."
# Composer

INSTRUCTION = "Instruction"
INSTRUCTION_HINT = "What should the models do?"
INPUT = "Input"
INPUT_HINT = "Text that the instruction is about"
SYSTEM = "System text"
SYSTEM_HINT = "Replaces the card's own, where its format has a place for it"
ADD_INPUT = "+ input"
ADD_SYSTEM = "+ system"
SURPRISE = "Surprise me"
STARTERS = "Starters"
STARTERS_MIXED = "a bit of each"
STARTERS_CATEGORY = "Kind of starter"
BLIND = "Blind"
OPEN = "Open"
MODE = "Blind or open"
COLUMNS = "columns"
MODELS_CHOSEN = "Models"
MODELS_ANY = "the arena's choice"
MODELS_MINE = "my choice"
SETTINGS_MODELS, SETTINGS_SAMPLING, SETTINGS_AS_CARDS = "Models", "Sampling", "as each card says"
MODEL_LABEL = "model {number}"
AS_CARD = "card"
SETTINGS_HINT = "Empty: as each card says. A value here is used for every column."
COMPARE = "Compare"
COMPARE_AGAIN = "Compare again"
REGENERATE = "Regenerate"
STOP = "Stop"
NEXT = "Next battle"
SAMPLING: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "repetition_penalty": "repetition_penalty",
    "max_new_tokens": "max_new_tokens",
    "seed": "seed",
}

# Refusals at the door

NO_SUCH_PLACE = "There is nothing at this address."
BROKEN = "Something went wrong here, and not because of you. Try again."
ORIGIN_REFUSED = (
    "This page takes requests from its own address only. If you run it behind a proxy, the proxy has to pass on the "
    "address that visitors see; in nginx: proxy_set_header Host $http_host;"
)
CONNECTION: Mapping[str, str] = MappingProxyType(
    {
        "away": "The server does not answer. What you see stays here; this note goes away when the server is back.",
        "address": (
            "Nothing can be sent from this page: you opened it at {here}, but its server was told another address.\n"
            "If you run this page: the proxy in front of it has to pass on the address that visitors see. In nginx:\n"
            "proxy_set_header Host $http_host;\n"
            "proxy_set_header X-Forwarded-Proto $scheme;\n"
            "and start the playground with FORWARDED_ALLOW_IPS set to the proxy's address. "
            "docs/hosting.md has a whole configuration."
        ),
        "path": (
            "Nothing can be sent from this page: it is shown below {path}, and its server does not know that.\n"
            "If you run this page: start the playground with GRADIO_ROOT_PATH={path}. "
            "docs/hosting.md has a whole configuration."
        ),
    }
)
"""What `connection.js` says while events cannot be sent."""
TOO_MANY_OPEN = (
    "Too much is open at once from your address: {count} requests. Close some of this page's tabs, then try again."
)
TOO_OFTEN = "That was quick: one visitor may send {what} a minute. Try again in {seconds} second{s}."
TOO_OFTEN_KINDS: Mapping[str, str] = {
    "compare": "{count} comparisons",
    "vote": "{count} votes",
    "note": "{count} reasons, comments and reports",
    "view": "{count} requests",
}

# Columns

COMPOSE_SAYS_BLIND = (
    "Your instruction goes to {columns} models at once. "
    "Their names stay hidden until you have said which answer is best."
)
COMPOSE_SAYS_OPEN = "Your instruction goes to {columns} models at once, each named above its answer."
RAW, RAW_LABEL = "raw", "Show answer {letter} as plain text"
COPY, COPY_LABEL = "copy", "Copy answer {letter}"
ENLARGE, ENLARGE_LABEL = "enlarge", "Give answer {letter} the whole width"
REPORT = "report"
REPORT_LABEL = "Report answer {letter}"
STOP_COLUMN = "stop"
RAW_ANSWER_LABEL = "Answer {letter} as plain text"
JUMP = "Go to an answer"
DETAILS = "prompt, token ids, settings"
PROMPT_LABEL = "Exact prompt ({count} tokens)"
IDS_LABEL = "Its token ids"
FAILED_BLIND = "This answer could not be made. The reason is shown after the vote."
FAILED = "This answer could not be made."
UNDER_A_TENTH = "under 0.1 s"
FIRST_WORD = "{time} to the first word"
TOKENS = "{count} tokens"
TOKENS_PER_S = "{rate:.0f} tokens/s"
CARD_STANDS_IN = "stands in for"
CARD_LICENSE = "license"
CARD_SOURCE = "weights"
CARD_SETTINGS = "settings"
CARD_RUN = "ran on"
CARD_TEMPLATE = "prompt template"
CARD_LIMITS = "What its card says it cannot do:"
ERASED_ANSWER = "Erased by its rater."
EMPTY_ANSWER = "The model ended without a word."
NO_SYSTEM = "system text not used: this model's format has no place for it"

COLUMN_STATES: Mapping[ColumnState, str] = {
    ColumnState.WAITING: "waiting",
    ColumnState.LOADING: "loading…",
    ColumnState.WRITING: "writing…",
    ColumnState.DONE: "done",
    ColumnState.STOPPED: "stopped",
    ColumnState.FAILED: "failed",
}
LOADING_ABOUT = "loading, about {time}"
FINISH_REASONS: Mapping[FinishReason, str] = {
    FinishReason.STOP: "ended by itself",
    FinishReason.LENGTH: "reached the longest answer",
    FinishReason.CANCELLED: "stopped by you",
    FinishReason.ERROR: "failed",
}

# Status line

STATUS_WORKING = "The models are answering."
STATUS_OPEN_TWO = "The answers are here. Which is better?"
STATUS_OPEN_MORE = "The answers are here. Which is best?"
STATUS_VOTED = "Vote saved."
STATUS_REVEALED = "The models are shown."
STATUS_FINAL = "The vote is final."  # of a battle whose models were known
STATUS_ERASED = "The words of this battle were erased by its rater."
STATUS_VOID = "There is no vote on this one: {reason}."
VOID_REASONS: Mapping[str, str] = {
    "expired": "it has been open for too long",
    "interrupted": "the program was restarted while the models were answering",
    "failed": "fewer than two answers could be made",
}
NOT_STORED = "not stored"

# Vote bar

QUESTION_TWO = "Which answer is better?"
QUESTION_MORE = "Which answer is best?"
TIE = "Tie"
BOTH_BAD = "Both bad"
ALL_BAD = "All bad"
NOT_YET = "when the answers are done, or press Stop"
NOT_YOURS = "This battle belongs to somebody else; only they can vote on it."
NAMES_AFTER = "Names and numbers after the vote"
YOU_KNOW_NAMES = "Open votes are kept apart from blind ones"
SAVED = "Saved. {words}"
CHOSE, OTHERS_CHOSE = "You chose {letter}.", "The vote went to {letter}."
SAID_TIE, OTHERS_TIE = "You called it a tie.", "The vote: a tie."
SAID_BAD, OTHERS_BAD = "You found {words}.", "The vote: {words}."
UNDO = "Undo"
REVEAL = "Reveal"
KEEP = "Keep it"  # where there is nothing to reveal
REASONS = "Why? Optional, several possible"
REASON_CHIPS: Mapping[str, str] = {
    "correct": "correct",
    "complete": "complete",
    "clear": "clear",
    "length": "the right length",
    "style": "well written",
    "safe": "harmless",
}
COMMENT = "Comment"
COMMENT_HINT = "comment… (Enter saves it)"
NOTED = "Thank you, noted."
LINK_LEADERBOARD = "leaderboard"
LINK_BATTLE = "link to this battle"

# Report

REPORT_TITLE = "What is wrong with answer {letter}?"
REPORT_HINT = "for example: offensive, dangerous, personal data"
REPORT_SEND = "Send report"
REPORT_CANCEL = "Cancel"
REPORT_NO_SIDE = "The report names no answer. Open it from the answer that it is about."
REPORT_EMPTY = "Say in a few words what is wrong; nothing has been reported yet."
REPORTED = "Reported. The report is stored with this battle."
REPORTED_UNSTORED = "Reported. Like this battle, the report is kept in memory only."

# Messages

NO_RATER = (
    "This browser keeps no cookie for this page, so a battle could not be yours. Allow cookies, then reload the page."
)
NO_BATTLE = "There is no battle on this page. Start a new one."
NOT_A_NUMBER = "{name} has to be a number, such as 0.7; leave it empty for what each card says."
NO_INSTRUCTION = "Write an instruction first, or take a starter."
STILL_WRITING = "The answers are still being written. Press Stop first, then compare again."
PAGE_CHANGED = "The page was updated meanwhile, and your vote was not saved. Reload the page, then vote again."
CHANGED_ELSEWHERE = "This battle changed in another tab. Vote again."

LEGEND: tuple[tuple[str, str], ...] = (
    ("Ctrl ↵", "compare"),
    ("Esc", "stop"),
    ("a b c …", "best answer"),
    ("t", "tie"),
    ("n", "none is good"),
    ("u", "undo"),
    ("r", "reveal"),
    ("↵", "next battle"),
)

# Leaderboard

BOARD_EMPTY_CATEGORY = "No votes on {category} yet."
BOARD_EMPTY_LEAD = "The first blind votes move the leaderboard at once."
BOARD_EMPTY_LINK = "Compare now"
BOARD_LEAD = "{votes} by {raters}."
BOARD_CATEGORY = "Instructions"
BOARD_ALL = "all"
BOARD_VIEW = "Votes"
BOARD_VIEWS: Mapping[str, str] = {
    "people": "people",
    "programs": "programs",
    "chosen": "chosen pairs",
    "all": "every vote",
}
BOARD_PROVISIONAL = "–"
BOARD_RATINGS = "Rating, with 95 % intervals"
BOARD_HEAT = "How often the row beats the column (fitted)"
BOARD_TABLE = "All models"
BOARD_TRUST = "Can these votes be trusted?"
BOARD_HEAD: Mapping[str, str] = {
    "rank": "rank",
    "model": "model",
    "rating": "rating",
    "interval": "95 %",
    "battles": "battles",
    "wins": "wins",
    "both_bad": "all bad",
    "license": "license",
}

# Yours

TERMS_VERSION = "In force since {version}."
YOURS_SAVE = "Save as a file"
YOURS_ERASE = "Erase…"
YOURS_ERASE_NOW = "Erase it all"
YOURS_KEEP = "Keep it"
YOURS_LATEST = "Your battles"
YOURS_LATEST_SOME = "Your latest {count} battles"
YOURS_RECEIPT = "Receipt"
YOURS_RECEIPT_HINT = (
    "The number that this browser keeps in a cookie is the only proof that all this is yours. Keep a copy where nobody "
    "else reads it: with it you can see and erase everything from any browser, and so can whoever else has it."
)
YOURS_RECEIPT_OWN = "Receipt of this browser"
YOURS_RECEIPT_HIDDEN = "hidden"
YOURS_RECEIPT_SHOW = "Show"
YOURS_RECEIPT_OTHER = "Receipt of another browser"
YOURS_RECEIPT_OTHER_HINT = "32 digits and letters a to f"
YOURS_LOOK = "Look"
YOURS_NO_RECEIPT = "This is no receipt: one has 32 characters, digits and the letters a to f. Copy it again as a whole."
YOURS_OTHER_SHOWN = "This is what belongs to that receipt. Empty the field and press Look to see this browser's."
YOURS_NOTHING_TO_ERASE = "Nothing is stored that could be erased."
YOURS_ERASED = "Erased: the words of {battles}, and {notes}."
YOURS_ERASED_BATTLE = "erased"
YOURS_NO_WORDS = "without visible words"
YOURS_NOTHING = "Nothing {whose} is stored."
YOURS_LEAD = "Stored {whose}: {battles}, {votes}, {notes}."
YOURS_LEFT = "Of {battles} no words are left, only what was judged."
YOURS_WHOSE = {True: "of this browser", False: "of that receipt"}
YOURS_QUESTION = (
    "Gone for good: the instructions and answers of {battles} {whose}, and {notes}. What is open takes no vote any "
    "more. Which answers you preferred stays, without words, and counts."
)
COUNTS = "Counted."
COUNTS_NOT = "Not counted: {reason}."
OWN_CHOICES: Mapping[str, str] = {"tie": "a tie", "both_bad": "none was good"}
OWN_CHOSE = "you chose {letter}"
OWN_UNJUDGED: Mapping[BattleState, str] = {
    BattleState.GENERATING: "being written",
    BattleState.OPEN: "no vote yet",
    BattleState.VOID: "no vote",
}

# Models

MODELS_LEAD = "{here} answer here, {others} more can be had. Ratings come from blind votes here."
MODELS_LEAD_ALL = "{here} answer here. Ratings come from blind votes here."
MODELS_HERE = "Answering here"
MODELS_OTHERS = "More models"
MODELS_OTHERS_HINT = (
    "Known here, with card and prompt format, but not answering. Files are fetched on the command line."
)
MODELS_LOAD = "Load"
MODELS_UNLOAD = "Unload"
MODELS_ACTION_LABEL = "{action} {name}"
MODELS_NOT_YOURS = "Only the operator may load and unload models. Reload this page to see how to become the operator."
MODELS_NO_SUCH_ACTION = "This page can load and unload models, nothing else."
MODELS_NO_NAME = "Write a card id, a hub id such as org/name, or the folder of a model."
MODELS_UNREADABLE = "{name} cannot be read: {reason}."
MODELS_ADD = "Add a model by name"
MODELS_ADD_HINT = "card id, org/name, or a folder on this machine"
MODELS_ADD_BUTTON = "Add"
MODELS_LOADING = "{name} is being loaded."
MODELS_ADDED = (
    "{name} is being loaded and answers here from now on; a Compare page that is open offers it once reloaded."
)
MODELS_UNLOADED = "{name} is unloaded; its memory is free again."

# The operator

OPERATOR_TITLE = "Operator"
OPERATOR_LEAD = (
    "The operator loads and unloads models and has no limits. Open the link that the terminal printed when this "
    "playground started, or type its token here."
)
OPERATOR_LEAD_SET = (
    "The operator loads and unloads models and has no limits. The token is that of PLAYGROUND_OPERATOR_TOKEN."
)
OPERATOR_LABEL = "Token"
OPERATOR_BUTTON = "Become the operator"
OPERATOR_WRONG = (
    "This is not the operator's token. A new one is made at each start, unless PLAYGROUND_OPERATOR_TOKEN is set."
)
OPERATOR_TOO_OFTEN = "Too many wrong tokens came from your address. Try again in {wait} seconds."
OPERATOR_HUB = "Sign in with Hugging Face"
OPERATOR_IS_ELSE = (
    "You are signed in to Hugging Face as {name}, who is not an operator of this playground. PLAYGROUND_OPERATORS "
    "names the operators."
)
OPERATOR_IS_AUTHOR = (
    "You are signed in to Hugging Face as {name}. The operator of this playground is the Space's author, {author}. If "
    "{author} is an organisation, set PLAYGROUND_OPERATORS to the user names of its operators."
)
OPERATOR_BACK = "Models"
OPERATOR_HERE = "You are the operator in this browser."
OPERATOR_SIGN_OUT = "Sign out"
OPERATOR_HOW = "To load and unload models, open the link that the terminal printed when this playground started"
OPERATOR_HOW_SET = "To load and unload models, you have to be the operator"
OPERATOR_HOW_TOKEN = "or enter the token"
OPERATOR_HOW_TOKEN_SET = "enter the token"
OPERATOR_HOW_HUB = "The operator of this Space loads and unloads models:"
OPERATOR_PRINTED = "* To load and unload models, open this link; whoever has it is the operator: {url}"
OPERATOR_PRINTED_SET = "* To load and unload models, open {url} and enter the token of PLAYGROUND_OPERATOR_TOKEN"

# A private instance

PASSWORD_TITLE = "This playground is private"
PASSWORD_LEAD = "Enter its password to go on."
PASSWORD_LABEL = "Password"
PASSWORD_BUTTON = "Go on"
PASSWORD_WRONG = "This is not the password of this playground."
PASSWORD_TOO_OFTEN = "Too many wrong passwords came from your address. Try again in {wait} seconds."
PASSWORD_WANTED = (
    "This playground is private: send its password as HTTP Basic, with any user name; in a browser, open the start "
    "page."
)
PASSWORD_FRAMED = "Inside another site's frame your browser keeps no cookie of this playground."
PASSWORD_FRAMED_LINK = "Open it in a tab of its own"

MODEL_OFF = "not loaded"
MODEL_ASLEEP = "not loaded; whoever asks for it brings it up"
MODEL_QUEUED = "waiting to be loaded"
MODEL_TURNS = "takes turns in memory; comes up when it is asked"
MODEL_READY = "ready on {device}, loaded in {time}"
MODEL_READY_ONLY = "ready"
MODEL_FAILED = "could not be loaded"
MODEL_FAILED_WHY = "could not be loaded: {reason}"
THIS_CPU = "this CPU"
MODEL_MORE = "All about it"
MODEL_NON_COMMERCIAL = "not for commercial use"
MODEL_TERMS_UNSURE = "commercial use is not certain"
MODEL_PARAMETERS = "{count} parameters"
MODEL_STANDS_IN = "stands in for {name}"
MODEL_CHECK = "checked when loaded"
MODEL_CHECKED = (
    "passed: nothing missing or unexpected in its files, finite weights, token ids within its embedding, writes what "
    "transformers’ generate writes"
)
MODEL_CHECKED_EACH_TIME = "each time it is loaded"
MODEL_PLACEMENT = "memory"
MODEL_UNCHECKED = "not yet: it is checked each time it is loaded"
MODEL_WEIGHTS = "weights"
MODEL_WEIGHTS_WORDS = "{size}, {dtype}"
MODEL_SOURCE = "from"
MODEL_ARCHITECTURE = "architecture"
MODEL_CONTEXT = "context"
MODEL_CONTEXT_WORDS = "{count:,} tokens"
MODEL_TEMPLATE = "prompt template"
MODEL_SAMPLING = "sampling"
MODEL_SAMPLING_WORDS = "{params} ({whose})"
MODEL_SAMPLING_SOURCE: Mapping[str, str] = {"card": "as its card says", "ours": "chosen by us"}
MODEL_FILES = "files"
MODEL_FILES_STATE: Mapping[str, str] = {
    "here": "on this machine",
    "elsewhere": "none here: another server runs it",
    "incomplete": "incomplete on this machine; this goes on where it stopped:",
    "missing": "not on this machine; this fetches them:",
}
MODEL_FILES_LOST = "{name} is not where its card says; correct the card or put it there"
MODEL_FETCH = "python -m playground fetch {name}"
MODEL_COPY_LABEL = "Copy the command that fetches {name}"
MODEL_PUBLISHED = "published figures"
MODEL_RATING = "rating here"
MODEL_RATED = "{rating:.0f} ({lower:.0f} to {upper:.0f}) after {battles} battles"
MODEL_RATED_TOO_FEW = "too few votes to say: {battles} so far"
MODEL_NOT_RATED = "no votes yet"
MODEL_LIMITS = "What it cannot do"
MODEL_NOTES = "Where its card is silent or contradicts itself"


def loading(eta_s: float | None) -> str:
    """A model on its way, with the estimate of the seconds that are left where there is one."""
    return LOADING_ABOUT.format(time=about(eta_s)) if eta_s is not None else COLUMN_STATES[ColumnState.LOADING]


def about(value: float) -> str:
    """A duration that is only guessed: 1 s, 12 s, 2 min."""
    return f"{max(1.0, value):.0f} s" if value < 120 else f"{value / 60:.0f} min"


def size(count: int) -> str:
    """Bytes as disks are sold: 7.7 MB, 13.3 GB."""
    unit, scale = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6)
    return f"{count / scale:.1f} {unit}"


def seconds(value: float) -> str:
    """A duration as people say it: 0.4 s, 12 s, 2 min."""
    if value < 0.05:
        return UNDER_A_TENTH
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def parameters(count: int) -> str:
    """A model's size: 3.1M, 7B."""
    unit, scale = ("B", 1e9) if count >= 1e9 else ("M", 1e6)
    size = count / scale
    return f"{size:.0f}{unit}" if size >= 99.5 or size == round(size) else f"{size:.1f}{unit}"


def overrides(values: Mapping[str, Any]) -> str:
    """Changed settings as a note: "temperature 0.7 · top_k 40"; empty when none is."""
    return " · ".join(f"{SAMPLING.get(name, name)} {value}" for name, value in values.items())


def settings_title(mine: bool, given: Mapping[str, Any]) -> str:
    """What is behind the drawer with models and sampling, so that it need not be opened to be known."""
    models = f"{SETTINGS_MODELS}: {MODELS_MINE if mine else MODELS_ANY}"
    return f"{models} · {SETTINGS_SAMPLING}: {overrides(given) or SETTINGS_AS_CARDS}"


def sampling(params: SamplingParams, seed: int) -> str:
    """One column's settings in words."""
    return f"{defaults(params)} · seed {seed}"


def defaults(params: SamplingParams) -> str:
    """A card's settings in words."""
    words = [f"max_new_tokens {params.max_new_tokens}", f"repetition_penalty {params.repetition_penalty:g}"]
    sampled = [f"{name} {getattr(params, name):g}" for name in WHEN_SAMPLING] if params.do_sample else ["greedy"]
    return " · ".join([*sampled, *words])


def chosen(choice: str, num_columns: int, name: str = "", mine: bool = True) -> str:
    """A stored choice as a sentence; with the chosen model's name where it may be known."""
    if choice == "tie":
        return SAID_TIE if mine else OTHERS_TIE
    if choice == "both_bad":
        words = BOTH_BAD if num_columns == 2 else ALL_BAD
        return (SAID_BAD if mine else OTHERS_BAD).format(words=words.lower())
    letter = f"{choice.upper()}: {name}" if name else choice.upper()
    return (CHOSE if mine else OTHERS_CHOSE).format(letter=letter)


def counted(count: int, one: str, more: str = "") -> str:
    """1 battle, 2 battles, 1,200 battles."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def yours_lead(there: Belongings, mine: bool) -> str:
    """How much is stored of a rater."""
    whose, left = YOURS_WHOSE[mine], ""
    if there.erased:
        left = f" {YOURS_LEFT.format(battles=counted(there.erased, 'erased battle'))}"
    if not (there.battles or there.votes or there.notes):
        return YOURS_NOTHING.format(whose=whose) + left
    return (
        YOURS_LEAD.format(
            whose=whose,
            battles=counted(there.battles, "battle"),
            votes=counted(there.votes, "vote"),
            notes=_notes(there.notes),
        )
        + left
    )


def yours_question(there: Belongings, mine: bool) -> str:
    """What erasing would take away."""
    battles = counted(there.battles, "battle")
    return YOURS_QUESTION.format(battles=battles, whose=YOURS_WHOSE[mine], notes=_notes(there.notes))


def yours_erased(erased: Erased) -> str:
    """What an erasure took away."""
    if not (erased.battles or erased.notes):
        return YOURS_NOTHING_TO_ERASE
    return YOURS_ERASED.format(battles=counted(erased.battles, "battle"), notes=_notes(erased.notes))


def _notes(count: int) -> str:
    return counted(count, "comment or report", "comments and reports")


def standing(vote: Standing) -> str:
    """Whether the leaderboard counts a vote."""
    return COUNTS if vote.counts else COUNTS_NOT.format(reason=vote.why_not)


def kinds(votes: Sequence[tuple[str, int]]) -> str:
    """How many votes there are of each kind: "people 60 · programs 150"."""
    return " · ".join(f"{name} {number:,}" for name, number in votes)


def own_choice(battle: OwnBattle) -> str:
    """What its rater said of a battle, in a list, and whether that counts."""
    chose = _own_choice(battle)
    return chose if battle.standing is None else f"{chose} · {standing(battle.standing)}"


def _own_choice(battle: OwnBattle) -> str:
    if battle.choice is None:
        return OWN_UNJUDGED.get(battle.state, OWN_UNJUDGED[BattleState.OPEN])
    return OWN_CHOICES.get(battle.choice) or OWN_CHOSE.format(letter=battle.choice.upper())


def saved(choice: str, num_columns: int) -> str:
    """What the page says when a vote has been saved."""
    return SAVED.format(words=chosen(choice, num_columns))


def too_often(kind: str, per_minute: int, wait_s: int) -> str:
    """Why a request is refused that comes too soon."""
    what = TOO_OFTEN_KINDS[kind].format(count=per_minute)
    return TOO_OFTEN.format(what=what, seconds=wait_s, s="" if wait_s == 1 else "s")
