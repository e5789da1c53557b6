"""Texts of the Compare page.

Boundary: words, and functions that choose among them; no markup, no Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.records import ColumnState, Exactness, FinishReason
from playground.ui.texts.formats import LOADING, order, settings
from playground.ui.texts.language import Plural, _, joined

ABOUT = _("Small and old open models: answers may be wrong or offensive.")
DO_NOT_STORE = _("do not store")
AGREE = _("By comparing you agree to the {link}: instruction, answers and vote are stored and may be published.")
AGREE_LINK = _("terms")

# Composer

INSTRUCTION, INSTRUCTION_HINT = _("Instruction"), _("What should the models do?")
INPUT, INPUT_HINT = _("Input"), _("Text that the instruction is about")
SYSTEM, SYSTEM_HINT = _("System text"), _("Used instead of the model card's, if the prompt format has a system text")
ADD_INPUT = _("+ input")
ADD_SYSTEM = _("+ system")
SURPRISE = _("Surprise me")
STARTERS = _("Starters")
STARTERS_CATEGORY = _("Kind of starter")
STARTERS_MIXED = _("a bit of each")
MODE, BLIND, OPEN = _("Blind or open"), _("Blind"), _("Open")
COLUMNS = _("columns")
COMPARE = _("Compare")
COMPARE_AGAIN = _("Compare again")
REGENERATE = _("Regenerate")
STOP = _("Stop")
EDIT, EDIT_LABEL = _("edit"), _("Edit the instruction")
NEXT = _("Next battle")
NOT_STORED = _("not stored")

# Settings

SETTINGS = _("Models: {models} · Sampling: {sampling}")
MODELS_CHOSEN = _("Models")
MODELS_ANY = _("chosen for you")
MODELS_MINE = _("your choice")
MODEL_LABEL = _("model {number}")
OWN_SETTINGS, OWN_SETTINGS_HINT = _("settings of model {number}"), "temperature 0.2, seed 7"
SAMPLING_OF_CARDS = _("as each card says")
SAMPLING_OWN = _("chosen for each model")
FROM_CARD = _("from card")
FROM_CARD_OR_UP_TO = _("from card, or up to {most:,}")
SETTINGS_HINT = _(
    "Leave a field empty to use the value of each model's card. A value given here applies to every column; in open "
    "mode each model that you choose can have settings of its own too, the same model twice for example."
)

# Columns

NO_MODELS = _("No models run here, so nothing can be compared.")
NO_MODELS_RATE, NO_MODELS_LINK = _("You can {link} instead."), _("rate stored answers")
NO_MODELS_STUDY = _("Raters of a study open the link that they were given.")
INTRO_BLIND = _(
    "Your instruction goes to {columns} models at once. Their names stay hidden until you vote for the best answer."
)
INTRO_OPEN = _("Your instruction goes to {columns} models at once, each named above its answer.")
INTRO_REPEATED_BLIND = _(
    "Your instruction goes to all {models} models at once; to fill {columns} columns some answer twice. Their names "
    "stay hidden until you vote for the best answer."
)
INTRO_REPEATED_OPEN = _(
    "Your instruction goes to all {models} models at once, each named above its answer; to fill {columns} columns some "
    "answer twice."
)
INTRO_MINE_BLIND = _(
    "Your instruction goes to the models that you chose, in a random order. Their names stay hidden until you vote for "
    "the best answer."
)
INTRO_MINE_OPEN = _("Your instruction goes to the models that you chose, each named above its answer.")
RAW, RAW_LABEL = _("raw"), _("Show answer {letter} as plain text")
COPY, COPY_LABEL = _("copy"), _("Copy answer {letter}")
ENLARGE, ENLARGE_LABEL = _("enlarge"), _("Show answer {letter} at full width")
REPORT, REPORT_LABEL = _("report"), _("Report answer {letter}")
SHOW_ALL, SHOW_LESS = _("show all"), _("show less")
STOP_COLUMN, STOP_LABEL = _("stop"), _("Stop answer {letter}")
ANSWER_LABEL = _("Answer {letter}")
RAW_ANSWER_LABEL = _("Answer {letter} as plain text")
JUMP = _("Go to an answer")
COLUMN_STATES: Mapping[ColumnState, str] = {
    ColumnState.WAITING: _("waiting"),
    ColumnState.LOADING: LOADING,
    ColumnState.WRITING: _("writing…"),
    ColumnState.DONE: _("done"),
    ColumnState.STOPPED: _("stopped"),
    ColumnState.FAILED: _("failed"),
}
MARK_MINE, MARK = _("your choice"), _("chosen")
MARK_RANK = _("rank {rank}")
FAILED = _("This answer failed.")
FAILED_BLIND = _("This answer failed. The reason is shown after the vote.")
ERASED_INSTRUCTION = _("The instruction was erased by its rater.")
HIDDEN_INSTRUCTION = _("The instruction is hidden by the operator.")
ERASED_ANSWER = _("Erased by its rater.")
HIDDEN_ANSWER = _("Hidden by the operator.")
EMPTY_ANSWER = _("The model gave an empty answer.")
FIRST_WORD = _("{time} to the first word")
TOKENS = _("{count} tokens")
TOKENS_PER_S = _("{rate:.0f} tokens/s")
REASONING = _("Reasoning, {words} words")
REASONING_SO_FAR = _("reasoning, {words} words so far")
ONLY_REASONING = _("The model wrote reasoning and no answer. A higher limit of tokens leaves it room for one.")
FINISH_REASONS: Mapping[FinishReason, str] = {
    FinishReason.STOP: _("ended by itself"),
    FinishReason.LENGTH: _("reached the length limit; max_new_tokens in the settings raises it"),
    FinishReason.CANCELLED: _("stopped"),
    FinishReason.ERROR: _("failed"),
}
NOT_EXACT = _("not exact: {why}")
WHY_NOT_EXACT: Mapping[str, str] = {
    "text": _("its server was sent the prompt as text and made the token ids itself"),
    "messages": _("its server put the messages into a chat template of its own"),
}
"""By the `feed` of the model's card."""
NO_SYSTEM = _("system text not used: the prompt format of this model has none")
DETAILS = _("prompt, token ids, settings")
PROMPT_LABEL = _("Exact prompt ({count} tokens)")
PROMPT_SENT = _("Prompt as it was sent to the server")
IDS_LABEL = _("Its token ids")
CARD_STANDS_IN = _("stands in for")
CARD_LICENSE = _("license")
LICENSE_UNKNOWN = _("license unknown")
CARD_SOURCE = _("weights")
CARD_SETTINGS = _("settings")
CARD_RUN = _("ran on")
CARD_EXACT = _("token by token")
EXACTNESS: Mapping[Exactness, str] = {
    Exactness.EXACT: _("what the model writes alone"),
    Exactness.ROUNDED: _("what the model writes alone, up to rounding in 16 bit"),
}
TOGETHER: Plural = Plural("at most {count:,} answer written together", "at most {count:,} answers written together")
ALONE = _("written alone")
CARD_TEMPLATE = _("prompt template")
CARD_LIMITS = _("Limitations, as its card says:")

# Back to the last battle

OFFER = _("Your last comparison is not finished: {link}")
OFFER_WITHOUT_WORDS = _("continue it")
OFFER_CHARS = 80

# Status line

STATUS_WORKING = _("The models are answering.")
STATUS_OPEN = _("The answers are complete.")
STATUS_VOTED = _("Vote saved.")
STATUS_VOTED_UNSTORED = _("Your vote is kept in memory only, as this battle is.")
STATUS_REVEALED = _("The models are shown.")
STATUS_SHARED = _(
    "Somebody shares this battle with you. You can vote before you see the models; the leaderboard keeps votes of "
    "guests apart."
)
STATUS_FINAL = _("The vote is final.")
STATUS_ERASED = _("The texts of this battle were erased by its rater.")
STATUS_HIDDEN = _("The operator has hidden the texts of this battle. A vote that was given before still counts.")
STATUS_VOID: Mapping[str, str] = {
    "expired": _("This battle cannot be voted on: it was open for too long."),
    "interrupted": _("This battle cannot be voted on: the playground restarted while the models were answering."),
    "failed": _("This battle cannot be voted on: fewer than two answers succeeded."),
}

# Vote bar

QUESTION_TWO = _("Which answer is better?")
QUESTION_MORE = _("Which answer is best?")
TIE = _("Tie")
BOTH_BAD = _("Both bad")
ALL_BAD = _("All bad")
NOT_YET = _("You can vote when the answers are complete, or after Stop.")
NOT_YOURS = _("This battle belongs to somebody else; only they can vote on it.")
NAMES_AFTER = _("Names and numbers are shown after the vote")
VOTES_APART = _("Open votes are counted apart from blind ones")
SAVED, NOT_SAVED = _("Saved. {vote}"), _("{vote} Not stored.")
YOUR_VOTE: Mapping[str, str] = {
    "side": _("You chose {letter}."),
    "model": _("You chose {letter}: {model}."),
    "tie": _("You called it a tie."),
    "both_bad": _("You found both bad."),
    "all_bad": _("You found all bad."),
    "order": _("You ranked {order}."),
}
THE_VOTE: Mapping[str, str] = {
    "side": _("The vote went to {letter}."),
    "model": _("The vote went to {letter}: {model}."),
    "tie": _("The vote: a tie."),
    "both_bad": _("The vote: both bad."),
    "all_bad": _("The vote: all bad."),
    "order": _("The vote ranked {order}."),
}
"""The vote on somebody else's battle."""
RANK = _("rank them…")
RANK_HINT = _("best first")
RANK_EQUAL, RANK_EQUAL_LABEL = "=", _("The next letter is as good as the last one")
RANK_SAVE = _("Save order")
RANK_CANCEL = _("Cancel")
UNDO = _("Undo")
REVEAL = _("Reveal")
KEEP = _("Keep it")
KEEP_GOING, KEEP_GOING_HINT = _("keep going"), _("Start the next battle with a starter at once")
REASONS = _("Why? Optional, several possible")
REASON_CHIPS: Mapping[str, str] = {
    "correct": _("correct"),
    "complete": _("complete"),
    "clear": _("clear"),
    "length": _("the right length"),
    "style": _("well written"),
    "safe": _("harmless"),
}
COMMENT, COMMENT_HINT = _("Comment"), _("comment… (Enter saves it)")
NOTED, NOTED_UNSTORED = _("Saved. Thank you."), _("Noted, in memory only. Thank you.")
HEAD_TO_HEAD = _("here, {winner} beat {loser} in {share} of {votes}")
HEAD_TO_HEAD_MORE = _("{loser} in {share} of {votes}")
LINK_LEADERBOARD = _("leaderboard")
COPY_LINK, LINK_COPIED = _("copy link"), _("Link copied.")
SHARED = _("{question} Vote without knowing the models.")
JOIN, LOOK = _("Vote blind"), _("Show the models")
JOIN_TERMS = _("By voting you agree to the {link}")
WHY_CLOSE = _("drawn because {first} and {second} are close and have met {times}")
WHY_SELDOM = _("drawn because {first} and {second} have met {times}")
WHY_CHANCE = _("drawn at random")
WHY_EVEN_ODDS = _("{why} (chance {share})")
WHY_ODDS = _("{why} (chance {share}; an even draw gives {uniform})")
TIMES: Plural = Plural("{count:,} time", "{count:,} times")

# Differences

DIFFERENCES = _("Differences of two answers")
DIFFERENCES_LEFT, DIFFERENCES_RIGHT = _("Compare answer"), _("with answer")
DIFFERENCES_OF = _("only in answer {letter}")
NO_DIFFERENCES = _("The two answers are the same.")
NOT_COMPARED = _("Only the first {count:,} characters are compared; the rest is not marked.")

# Report

REPORT_TITLE = _("What is wrong with answer {letter}?")
REPORT_HINT = _("for example: offensive, dangerous, personal data")
REPORT_SEND = _("Send report")
REPORT_CANCEL = _("Cancel")
REPORT_NO_SIDE = _("The report names no answer. Open the form again from the answer.")
REPORT_EMPTY = _("Nothing was reported yet. Write in a few words what is wrong.")
REPORTED = _("Reported. The report is stored with this battle.")
REPORTED_UNSTORED = _("Reported. Like this battle, the report is kept in memory only.")

# Errors

NO_BATTLE = _("There is no battle on this page. Start a new one.")
NOT_A_NUMBER = _("{name} has to be a number such as 0.7; leave it empty to use the value of each model's card.")
NOT_SETTINGS = _("“{written}” is not a setting; write names and numbers such as: temperature 0.2, seed 7")
NO_INSTRUCTION = _("Write an instruction first, or choose a starter.")
STILL_WRITING = _("The answers are still being written. Press Stop first, then compare again.")
PAGE_CHANGED = _("This page was updated, and your vote was not saved. Reload the page, then vote again.")
CHANGED_ELSEWHERE = _("This battle changed in another tab. Vote again.")
VOTED_ELSEWHERE = _("You had already voted on this battle in another tab; that vote stands.")


def settings_title(mine: bool, given: Mapping[str, Any], own: bool = False) -> str:
    """Return the drawer's title, which names the settings for all models in it; `own` if some model has others."""
    models = MODELS_MINE if mine else MODELS_ANY
    sampling = (settings(given), SAMPLING_OWN if own else "")
    return SETTINGS.format(models=models, sampling=joined(" · ", sampling) or SAMPLING_OF_CARDS)


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
