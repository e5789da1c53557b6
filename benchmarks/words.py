"""Made-up text and small real tokenizers trained on it, the same on every machine.

Boundary: text and token ids; no model, no measuring.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from benchmarks.models import STOP_ID
from playground.prompting.tokenization import FastTokenizer

_CONSONANTS = (*"bcdfghklmnprstvw", "st", "tr", "ch")
_VOWELS = (*"aeiou", "ai", "ea", "ou")
_FOREIGN = ("αλπακας", "über", "façade", "лама", "東京", "草を食べる", "🦙", "naïve", "Straße")
_NUM_WORDS = 12_000
_VOCAB_SIZE = 8_000


@dataclass(frozen=True, slots=True)
class Request:
    """One visitor's request."""

    text: str
    token_ids: tuple[int, ...]
    max_new_tokens: int
    stop_ids: tuple[int, ...] = (STOP_ID,)  # an answer ends with one of them


def text(num_words: int, seed: int, *, line_words: int = 0) -> str:
    """Return sentences of made-up words, frequent and rare ones, some in other scripts.

    Args:
        line_words: words between line breaks; 0: one paragraph.
    """
    chance = random.Random(seed)
    lexicon = _lexicon()
    weights = [1 / rank for rank in range(1, len(lexicon) + 1)]
    drawn = chance.choices(lexicon, weights, k=num_words)
    words = [word + ("." if number % 11 == 10 else "") for number, word in enumerate(drawn)]
    if not line_words:
        return " ".join(words)
    return "\n".join(" ".join(words[i : i + line_words]) for i in range(0, num_words, line_words))


def _lexicon() -> list[str]:
    """Return all words, the most frequent first."""
    chance = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < _NUM_WORDS:
        syllables = (chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(1, 4)))
        found["".join(syllables)] = None
    words = list(found)
    for number, word in enumerate(_FOREIGN):
        words.insert(7 + 23 * number, word)
    return words


def train_bpe() -> Tokenizer:
    """Train a byte-level BPE with 8,000 ids, like those of GPT-2, OPT and MPT."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCAB_SIZE,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(_lexicon()), text(40_000, 1)], trainer)
    return tokenizer


def train_sentencepiece() -> bytes:
    """Train a sentencepiece model with byte fallback, like Llama's; some scripts are encoded as bytes."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text(40_000, 1, line_words=40).splitlines()),
        model_writer=model,
        vocab_size=_VOCAB_SIZE // 2,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=0.995,
        normalization_rule_name="identity",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One tokenizer, loaded by the playground and by transformers."""

    ours: FastTokenizer
    theirs: Any


def write_vocabulary(folder: Path) -> Vocabulary:
    """Write the byte-level BPE to `folder`."""
    path = folder / "tokenizer.json"
    train_bpe().save(str(path))
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(path), bos_token="<s>", pad_token="<pad>", eos_token="</s>")
    return Vocabulary(FastTokenizer(path), theirs)


def visitors(
    vocabulary: Vocabulary, count: int, seed: int, *, prompt: tuple[int, int] = (10, 120), new: tuple[int, int]
) -> list[Request]:
    """Return requests whose prompt and answer lengths in tokens are uniform between two bounds."""
    chance = random.Random(seed)
    return [
        request(vocabulary, chance.randint(*prompt), chance.randint(*new), seed=chance.randrange(2**32))
        for _ in range(count)
    ]


def instructions(vocabulary: Vocabulary, count: int, seed: int, longest: int) -> list[Request]:
    """Return requests like instruction data: most answers short, some long (log-normal, median 45 tokens)."""
    chance = random.Random(seed)
    lengths = [min(longest, max(4, round(chance.lognormvariate(3.8, 0.8)))) for _ in range(count)]
    prompts = [min(120, max(10, round(chance.lognormvariate(3.5, 0.5)))) for _ in range(count)]
    return [
        request(vocabulary, prompt, new, seed=chance.randrange(2**32))
        for prompt, new in zip(prompts, lengths, strict=True)
    ]


def request(vocabulary: Vocabulary, prompt_tokens: int, max_new_tokens: int, seed: int) -> Request:
    """Return a request whose prompt has about `length` tokens."""
    words = vocabulary.theirs.decode(vocabulary.theirs(text(prompt_tokens, seed)).input_ids[:prompt_tokens])
    return Request(words, vocabulary.ours.encode(words), max_new_tokens)
