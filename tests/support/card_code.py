"""The code on each card's page: prompt ids, sampling and text, with sentencepiece and tokenizers alone.

Each has a small vocabulary and a sequence of tokens for a checkpoint that answers in the card's format, with the cases
that a real answer may have: ``<s>`` first and within, a leading space, characters of several tokens, the model's own
markers, a stop id or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from playground.catalog.catalog import Catalog
from playground.records import Instruction
from tests.support.paths import ROOT

LLAMA = ROOT / "tests" / "fixtures" / "openllama-tokenizers"
POCKET = ROOT / "playground" / "pocket" / "weights"
SYSTEM = "You are an AI assistant that follows instruction extremely well. Help as much as you can."
BELOW = "Below is an instruction that describes a task"
WRITE = "Write a response that appropriately completes the request.\n\n"
Ids = list[int]


@dataclass(frozen=True)
class Snippet:
    """One card's code: prompt ids, the arguments of ``generate``, and text of answer ids."""

    tokenizer: Path
    prompt: Callable[[Any, Instruction], Ids]
    asks: dict[str, Any]  # arguments of `generate`; empty if the card has none
    eos: int
    text: Callable[[Any, Ids], str]
    ours: tuple[str, ...] = ()  # stop strings that the playground adds
    answer: str = ""  # of the small checkpoint
    pairs: tuple[tuple[str | int, str | int], ...] = ()  # other tokens that may follow a token


def openalpaca_prompt(pieces: Any, asked: Instruction) -> Ids:
    text = f"### Instruction:\n{asked.instruction}\n\n### Response:"
    if asked.input:
        text = f"### Input:\n{asked.input}\n\n{text}"
    encoded = [1, *pieces.encode(text)]  # its tokenizer put <s> in front
    return [1, *encoded, 2, 1]


def openalpaca_text(pieces: Any, ids: Ids) -> str:
    return str(pieces.decode([token_id for token_id in ids if token_id not in (1, 2)])).strip()


def mamba_gpt_prompt(pieces: Any, asked: Instruction) -> Ids:
    text = "\n".join(filter(None, [asked.instruction, asked.input]))
    return [*pieces.encode(f"<|prompt|>{text}"), 2, *pieces.encode("<|answer|>")]


def plain_text(pieces: Any, ids: Ids) -> str:
    return str(pieces.decode([token_id for token_id in ids if token_id != 2]))


def orca_mini_prompt(pieces: Any, asked: Instruction) -> Ids:
    given = f"### Input:\n{asked.input}\n\n" if asked.input else ""
    user = f"### User:\n{asked.instruction}\n\n"
    return [1, *pieces.encode(f"### System:\n{asked.system or SYSTEM}\n\n{user}{given}### Response:\n")]


def minotaur_prompt(tokenizer: Any, asked: Instruction) -> Ids:
    text = "\n".join(filter(None, [asked.instruction, asked.input]))
    return list(tokenizer.encode(f"USER: {text}\nASSISTANT:", add_special_tokens=False).ids)


def minotaur_text(tokenizer: Any, ids: Ids) -> str:
    kept = [token_id for token_id in ids if token_id != 0]
    return str(tokenizer.decode(kept, skip_special_tokens=False)).split("USER:")[0].removeprefix(" ")


def galpaca_prompt(tokenizer: Any, asked: Instruction) -> Ids:
    above = f"{BELOW}. {WRITE}"
    given = ""
    if asked.input:
        above = f"{BELOW}, paired with an input that provides further context. {WRITE}"
        given = f"### Input:\n{asked.input}\n\n"
    text = f"{above}### Instruction:\n{asked.instruction}\n\n{given}### Response:"
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def galpaca_text(tokenizer: Any, ids: Ids) -> str:
    kept = [token_id for token_id in ids if token_id not in (0, 1, 2)]
    return str(tokenizer.decode(kept, skip_special_tokens=False))


OPENALPACA = Snippet(
    LLAMA / "preview.model",
    openalpaca_prompt,
    {"do_sample": True, "top_k": 50, "top_p": 0.9, "max_new_tokens": 128},
    eos=2,
    text=openalpaca_text,
    answer="An alpaca is soft, 羊驼 🦙!",
    pairs=((1, 1), (1, "▁An"), ("!", 1), ("<0x99>", 2)),
)
ORCA_MINI = Snippet(
    LLAMA / "v1id.model",
    orca_mini_prompt,
    {"do_sample": True, "temperature": 0.7, "top_p": 1.0, "top_k": 50, "max_new_tokens": 1024},
    eos=2,
    text=plain_text,
    answer="1. red\n2. green\n羊驼",
    pairs=(("<0x0A>", "▁"), ("<0xBC>", 2)),
)
GALPACA = Snippet(
    POCKET / "pocket-galpaca" / "tokenizer.json",
    galpaca_prompt,
    {},
    eos=2,
    text=galpaca_text,
    answer="\nAlpacas hum 羊 ",
    pairs=((":", "Ċ"), ("Ċ", "Ċ"), ("Ġ", 4), (4, 0), (0, "A"), ("Ġhum", 7), (7, 2)),
)
SNIPPETS = {
    "openalpaca-7b-2bt": OPENALPACA,
    "openalpaca-7b-3bt": OPENALPACA,
    "mamba-gpt-3b": Snippet(
        LLAMA / "v1nfkc.model",
        mamba_gpt_prompt,
        {
            "do_sample": False,
            "min_new_tokens": 2,
            "max_new_tokens": 1024,
            "repetition_penalty": 1.2,
            "renormalize_logits": True,
        },
        eos=2,
        text=plain_text,
        ours=("<|prompt|>", "<|answer|>"),
        answer="Sure: red, green 🦙",
        # the marker in pieces that stand once in it, so that each knows what comes next
        pairs=(
            *((">", "▁Sure"), ("<0x99>", 2), ("<0x99>", "<"), ("<", "|"), ("|", "pro"), ("pro", "mpt")),
            *(("mpt", "<0x7C>"), ("<0x7C>", "<0x3E>"), ("<0x3E>", 2)),
        ),
    ),
    "orca-mini-13b": ORCA_MINI,
    "minotaur-mpt-7b": Snippet(
        POCKET / "pocket-minotaur" / "tokenizer.json",
        minotaur_prompt,
        {},
        eos=0,
        text=minotaur_text,
        ours=("USER:",),
        answer=" An alpaca hums 🦙\nUSER:",
        pairs=((":", "ĠAn"),),
    ),
    "galpaca-30b": GALPACA,
    "galpaca-6.7b": GALPACA,
}
POCKET_CODE = {
    card.id: replace(SNIPPETS[card.stands_in_for], tokenizer=next(Path(card.repo).glob("tokenizer.[mj]*")))
    for card in Catalog.load().line_up()
}
CODE = SNIPPETS | POCKET_CODE


def vocabulary(snippet: Snippet) -> Any:
    """Return the tokenizer as the card's code loads it."""
    if snippet.tokenizer.suffix == ".model":
        return SentencePieceProcessor(model_file=str(snippet.tokenizer))
    tokenizer = Tokenizer.from_file(str(snippet.tokenizer))
    tokenizer.encode_special_tokens = True
    return tokenizer


def pairs_of(snippet: Snippet) -> list[tuple[int, int]]:
    """Return pairs of ids: the second follows the first in the small checkpoint's answers."""
    reader = vocabulary(snippet)
    number = reader.piece_to_id if isinstance(reader, SentencePieceProcessor) else reader.token_to_id
    ids = reader.encode(snippet.answer)
    ids = ids if isinstance(ids, list) else ids.ids
    named = [tuple(each if isinstance(each, int) else number(each) for each in pair) for pair in snippet.pairs]
    return [*pairwise(ids), *named]
