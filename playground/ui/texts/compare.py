"""Texts of the Compare page.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.records import ColumnState, FinishReason
from playground.ui.texts.formats import LOADING, order, settings

ABOUT = "Small and old open models: answers may be wrong or offensive."
DO_NOT_STORE = "do not store"
AGREE = "By comparing you agree to the {link}: instruction, answers and vote are stored and may be published."
AGREE_LINK = "terms"

# Composer

INSTRUCTION, INSTRUCTION_HINT = "Instruction", "What should the models do?"
INPUT, INPUT_HINT = "Input", "Text that the instruction is about"
SYSTEM, SYSTEM_HINT = "System text", "Used instead of the model card's, if the prompt format has a system text"
ADD_INPUT = "+ input"
ADD_SYSTEM = "+ system"
SURPRISE = "Surprise me"
STARTERS = "Starters"
STARTERS_CATEGORY = "Kind of starter"
STARTERS_MIXED = "a bit of each"
MODE, BLIND, OPEN = "Blind or open", "Blind", "Open"
COLUMNS = "columns"
COMPARE = "Compare"
COMPARE_AGAIN = "Compare again"
REGENERATE = "Regenerate"
STOP = "Stop"
EDIT, EDIT_LABEL = "edit", "Edit the instruction"
NEXT = "Next battle"
NOT_STORED = "not stored"

# Settings

SETTINGS = "Models: {models} · Sampling: {sampling}"
MODELS_CHOSEN = "Models"
MODELS_ANY = "chosen for you"
MODELS_MINE = "your choice"
MODEL_LABEL = "model {number}"
OWN_SETTINGS, OWN_SETTINGS_HINT = "settings of model {number}", "temperature 0.2, seed 7"
SAMPLING_OF_CARDS = "as each card says"
SAMPLING_OWN = "chosen for each model"
FROM_CARD = "from card"
SETTINGS_HINT = (
    "Leave a field empty to use the value of each model's card. A value given here applies to every column; in open "
    "mode each model that you choose can have settings of its own too, the same model twice for example."
)

# Columns

INTRO_BLIND = (
    "Your instruction goes to {columns} models at once. Their names stay hidden until you vote for the best answer."
)
INTRO_OPEN = "Your instruction goes to {columns} models at once, each named above its answer."
INTRO_REPEATED_BLIND = (
    "Your instruction goes to all {models} models at once; to fill {columns} columns some answer twice. Their names "
    "stay hidden until you vote for the best answer."
)
INTRO_REPEATED_OPEN = (
    "Your instruction goes to all {models} models at once, each named above its answer; to fill {columns} columns some "
    "answer twice."
)
INTRO_MINE_BLIND = (
    "Your instruction goes to the models that you chose, in a random order. Their names stay hidden until you vote for "
    "the best answer."
)
INTRO_MINE_OPEN = "Your instruction goes to the models that you chose, each named above its answer."
RAW, RAW_LABEL = "raw", "Show answer {letter} as plain text"
COPY, COPY_LABEL = "copy", "Copy answer {letter}"
ENLARGE, ENLARGE_LABEL = "enlarge", "Show answer {letter} at full width"
REPORT, REPORT_LABEL = "report", "Report answer {letter}"
SHOW_ALL, SHOW_LESS = "show all", "show less"
STOP_COLUMN, STOP_LABEL = "stop", "Stop answer {letter}"
RAW_ANSWER_LABEL = "Answer {letter} as plain text"
JUMP = "Go to an answer"
COLUMN_STATES: Mapping[ColumnState, str] = {
    ColumnState.WAITING: "waiting",
    ColumnState.LOADING: LOADING,
    ColumnState.WRITING: "writing…",
    ColumnState.DONE: "done",
    ColumnState.STOPPED: "stopped",
    ColumnState.FAILED: "failed",
}
MARK_MINE, MARK = "your choice", "chosen"
MARK_RANK = "rank {rank}"
FAILED = "This answer failed."
FAILED_BLIND = "This answer failed. The reason is shown after the vote."
ERASED_ANSWER = "Erased by its rater."
HIDDEN_ANSWER = "Hidden by the operator."
EMPTY_ANSWER = "The model gave an empty answer."
REASONING = "Reasoning, {words} words"
REASONING_SO_FAR = "reasoning, {words} words so far"
ONLY_REASONING = "The model wrote reasoning and no answer. A higher limit of tokens leaves it room for one."
FIRST_WORD = "{time} to the first word"
TOKENS = "{count} tokens"
TOKENS_PER_S = "{rate:.0f} tokens/s"
FINISH_REASONS: Mapping[FinishReason, str] = {
    FinishReason.STOP: "ended by itself",
    FinishReason.LENGTH: "reached the length limit",
    FinishReason.CANCELLED: "stopped",
    FinishReason.ERROR: "failed",
}
NO_SYSTEM = "system text not used: the prompt format of this model has none"
DETAILS = "prompt, token ids, settings"
PROMPT_LABEL = "Exact prompt ({count} tokens)"
IDS_LABEL = "Its token ids"
CARD_STANDS_IN = "stands in for"
CARD_LICENSE = "license"
LICENSE_UNKNOWN = "license unknown"
CARD_SOURCE = "weights"
CARD_SETTINGS = "settings"
CARD_RUN = "ran on"
CARD_TEMPLATE = "prompt template"
CARD_LIMITS = "Limitations, as its card says:"

# Back to the last battle

OFFER = "Your last comparison is not finished: {link}"
OFFER_WITHOUT_WORDS = "continue it"
OFFER_CHARS = 80

# Status line

STATUS_WORKING = "The models are answering."
STATUS_OPEN_TWO = "The answers are complete. Which is better?"
STATUS_OPEN_MORE = "The answers are complete. Which is best?"
STATUS_VOTED = "Vote saved."
STATUS_VOTED_UNSTORED = "Your vote is kept in memory only, as this battle is."
STATUS_REVEALED = "The models are shown."
STATUS_SHARED = "Somebody shares this battle with you. You can vote before you see the models."
STATUS_FINAL = "The vote is final."
STATUS_ERASED = "The texts of this battle were erased by its rater."
STATUS_HIDDEN = "The operator has hidden the texts of this battle. A vote that was given before still counts."
STATUS_VOID: Mapping[str, str] = {
    "expired": "This battle cannot be voted on: it was open for too long.",
    "interrupted": "This battle cannot be voted on: the playground restarted while the models were answering.",
    "failed": "This battle cannot be voted on: fewer than two answers succeeded.",
}

# Vote bar

QUESTION_TWO = "Which answer is better?"
QUESTION_MORE = "Which answer is best?"
TIE = "Tie"
BOTH_BAD = "Both bad"
ALL_BAD = "All bad"
NOT_YET = "You can vote when the answers are complete, or after Stop."
NOT_YOURS = "This battle belongs to somebody else; only they can vote on it."
NAMES_AFTER = "Names and numbers are shown after the vote"
VOTES_APART = "Open votes are counted apart from blind ones"
SAVED, NOT_SAVED = "Saved. {vote}", "{vote} Not stored."
YOUR_VOTE: Mapping[str, str] = {
    "side": "You chose {letter}.",
    "model": "You chose {letter}: {model}.",
    "tie": "You called it a tie.",
    "both_bad": "You found both bad.",
    "all_bad": "You found all bad.",
    "order": "You ranked {order}.",
}
THE_VOTE: Mapping[str, str] = {
    "side": "The vote went to {letter}.",
    "model": "The vote went to {letter}: {model}.",
    "tie": "The vote: a tie.",
    "both_bad": "The vote: both bad.",
    "all_bad": "The vote: all bad.",
    "order": "The vote ranked {order}.",
}
"""The vote on somebody else's battle."""
RANK = "rank them…"
RANK_HINT = "best first"
RANK_EQUAL, RANK_EQUAL_LABEL = "=", "The next letter is as good as the last one"
RANK_SAVE = "Save order"
RANK_CANCEL = "Cancel"
UNDO = "Undo"
REVEAL = "Reveal"
KEEP = "Keep it"
KEEP_GOING, KEEP_GOING_HINT = "keep going", "Start the next battle with a starter at once"
REASONS = "Why? Optional, several possible"
REASON_CHIPS: Mapping[str, str] = {
    "correct": "correct",
    "complete": "complete",
    "clear": "clear",
    "length": "the right length",
    "style": "well written",
    "safe": "harmless",
}
COMMENT, COMMENT_HINT = "Comment", "comment… (Enter saves it)"
NOTED, NOTED_UNSTORED = "Saved. Thank you.", "Noted, in memory only. Thank you."
HEAD_TO_HEAD, HEAD_TO_HEAD_MORE = "here, {winner} beat {loser} in {share} of {votes}", "{loser} in {share} of {votes}"
WHY_CLOSE = "drawn because {first} and {second} are close and have met {times}"
WHY_SELDOM = "drawn because {first} and {second} have met {times}"
WHY_CHANCE = "drawn at random"
WHY_ODDS = "{why} (probability {share}; {uniform} if all were as likely)"
TIMES: tuple[str, str] = ("{count:,} time", "{count:,} times")
LINK_LEADERBOARD = "leaderboard"
COPY_LINK, LINK_COPIED = "copy link", "Link copied."
SHARED = "{question} Vote without knowing the models."
JOIN, LOOK = "Vote blind", "Show the models"
JOIN_TERMS = "By voting you agree to the {link}"

# Differences

DIFFERENCES = "Differences of two answers"
DIFFERENCES_LEFT, DIFFERENCES_RIGHT = "Compare answer", "with answer"
DIFFERENCES_OF = "only in answer {letter}"
NO_DIFFERENCES = "The two answers are the same."

# Report

REPORT_TITLE = "What is wrong with answer {letter}?"
REPORT_HINT = "for example: offensive, dangerous, personal data"
REPORT_SEND = "Send report"
REPORT_CANCEL = "Cancel"
REPORT_NO_SIDE = "The report names no answer. Open the form again from the answer."
REPORT_EMPTY = "Nothing was reported yet. Write in a few words what is wrong."
REPORTED = "Reported. The report is stored with this battle."
REPORTED_UNSTORED = "Reported. Like this battle, the report is kept in memory only."

# Errors

NO_BATTLE = "There is no battle on this page. Start a new one."
NOT_A_NUMBER = "{name} has to be a number such as 0.7; leave it empty to use the value of each model's card."
NOT_SETTINGS = "“{written}” is no setting; write names and numbers such as: temperature 0.2, seed 7"
NO_INSTRUCTION = "Write an instruction first, or choose a starter."
STILL_WRITING = "The answers are still being written. Press Stop first, then compare again."
PAGE_CHANGED = "This page was updated, and your vote was not saved. Reload the page, then vote again."
CHANGED_ELSEWHERE = "This battle changed in another tab. Vote again."
VOTED_ELSEWHERE = "You had already voted on this battle in another tab; that vote stands."

LEGEND: tuple[tuple[str, str], ...] = (
    ("Ctrl ↵", "compare"),
    ("a b c …", "best answer"),
    ("t", "tie"),
    ("n", "none is good"),
    ("o", "rank them"),
    ("↵", "next battle"),
)
"""The most used keys, in one line."""
KEYS: tuple[tuple[str, str], ...] = (
    ("Ctrl ↵", "compare; on a Mac also ⌘ ↵"),
    ("Esc", "stop the answers; while typing, leave the field"),
    ("s", "surprise me"),
    ("a b c …", "this answer is best"),
    ("t", "tie"),
    ("n", "none is good"),
    ("o", "rank them: letters and =, then Enter; Esc leaves it"),
    ("u", "undo the vote"),
    ("r", "reveal the models"),
    ("↵", "next battle; with “keep going” a starter runs at once"),
    ("?", "show or hide this list"),
)
"""All keys."""
KEYS_TITLE, KEYS_ALL, KEYS_CLOSE = "Keys", "all keys (?)", "Close"


def settings_title(mine: bool, given: Mapping[str, Any], own: bool = False) -> str:
    """Return the drawer's title, which names the settings for all models in it; `own` if some model has others."""
    models = MODELS_MINE if mine else MODELS_ANY
    sampling = [words for words in (settings(given), SAMPLING_OWN if own else "") if words]
    return SETTINGS.format(models=models, sampling=" · ".join(sampling) or SAMPLING_OF_CARDS)


def chosen(choice: str, num_columns: int, model: str = "", mine: bool = True) -> str:
    """Return a vote as a sentence, with the chosen model if it may be known."""
    key = choice if choice in ("tie", "both_bad") else "model" if model else "side" if len(choice) == 1 else "order"
    if key == "both_bad" and num_columns > 2:
        key = "all_bad"
    return (YOUR_VOTE if mine else THE_VOTE)[key].format(letter=choice.upper(), model=model, order=order(choice))


def head_to_heads(met: Sequence[tuple[str, str, str, str]]) -> str:
    """Return how often one side's model beat each other's here: sides, share and votes."""
    words = (HEAD_TO_HEAD, *[HEAD_TO_HEAD_MORE] * (len(met) - 1))
    return ", ".join(
        text.format(winner=side.upper(), loser=other.upper(), share=share, votes=votes)
        for text, (side, other, share, votes) in zip(words, met, strict=False)
    )
