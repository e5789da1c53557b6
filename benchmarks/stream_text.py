"""Benchmark 10: CPU time to decode streams of 512, 1,024 and 2,048 tokens to text, token by token.

Run ``python benchmarks/stream_text.py [--rounds 5]``. Compares the playground with transformers' TextIteratorStreamer
and with decoding everything after each token, for sentencepiece with byte fallback and byte-level BPE, on prose in one
paragraph (no line break settles earlier text) and with a line break after every 40 words. No model. Exit status 1 if
our text differs from that of the whole sequence.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

import sentencepiece
import torch
from transformers import LlamaTokenizer, TextIteratorStreamer

from benchmarks.rounds import EQUAL, Contender, Figure, Figures, Spent, in_turns, machine, parse, show
from benchmarks.words import text, train_sentencepiece, write_vocabulary
from playground.prompting.tokenization import SentencePieceTokenizer, Tokenizer

LENGTHS = (512, 1_024, 2_048)
OURS = "ours"
COLUMNS = tuple(Figure(str(n), f"{n:,} tokens, ms of CPU", 2, less_is_better=True) for n in LENGTHS)
SHORTEST_S = 0.05
"""CPU time for which a length is repeated, because ours takes a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A tokenizer in three implementations."""

    name: str
    ours: Tokenizer
    theirs: Any  # transformers'
    whole: Callable[[list[int]], str]  # all ids at once, by the tokenizer's own library


def sentencepiece_kind(folder: Path) -> Kind:
    """Return a tokenizer like Llama's."""
    folder.mkdir()
    path = folder / "tokenizer.model"
    path.write_bytes(train_sentencepiece())
    library = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = {library.id_to_piece(token_id): token_id for token_id in range(library.get_piece_size())}
    theirs = LlamaTokenizer(vocab=pieces, merges=[])  # decoding needs no merges
    return Kind("sentencepiece", SentencePieceTokenizer(path), theirs, library.decode)


def bpe_kind(folder: Path) -> Kind:
    """Return a tokenizer like OPT's and MPT's."""
    folder.mkdir()
    vocabulary = write_vocabulary(folder)
    backend = vocabulary.theirs.backend_tokenizer
    return Kind("byte-level BPE", vocabulary.ours, vocabulary.theirs, lambda ids: str(backend.decode(ids)))


def stream_ours(kind: Kind, ids: Sequence[int]) -> str:
    stream = kind.ours.stream()
    return "".join([stream.feed(token_id) for token_id in ids]) + stream.finish()


def stream_again(kind: Kind, ids: Sequence[int]) -> str:
    """Decode everything so far after every token (FastChat: after every second one)."""
    so_far: list[int] = []
    shown = ""
    for token_id in ids:
        so_far.append(token_id)
        shown = kind.whole(so_far)
    return shown


def stream_theirs(kind: Kind, ids: Sequence[int]) -> str:
    streamer = TextIteratorStreamer(kind.theirs)
    for token in torch.tensor(ids).split(1):  # as `generate` passes them
        streamer.put(token)
    streamer.end()
    return "".join(streamer)


def figures(kind: Kind, ids: Sequence[int], stream: Callable[[Kind, Sequence[int]], str]) -> Figures:
    """Return milliseconds of CPU for each length."""
    cost = {str(length): milliseconds(lambda n=length: stream(kind, ids[:n])) for length in LENGTHS}
    right = [stream(kind, ids[:length]) == kind.whole(list(ids[:length])) for length in LENGTHS]
    return cost | {EQUAL: sum(right) / len(right)}


def milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call, from enough calls to measure it."""
    end = time.process_time() + SHORTEST_S
    calls = 0
    with Spent() as spent:
        while calls == 0 or time.process_time() < end:
            work()
            calls += 1
    return 1000 * spent.cpu_s / calls


def compare(kind: Kind, prose: str, words: str, rounds: int) -> bool:
    """Print one table; return True if our text was right."""
    ids = kind.ours.encode(prose)[: LENGTHS[-1]]
    print(f"\n{kind.name}, {words}\n")
    everyone = {
        OURS: stream_ours,
        "TextIteratorStreamer": stream_theirs,
        "decoding everything again": stream_again,
    }
    contenders = [Contender(name, lambda way=way: figures(kind, ids, way)) for name, way in everyone.items()]
    results = in_turns(contenders, rounds)
    show(results, OURS, COLUMNS)
    return all(one[EQUAL] == 1.0 for one in results.figures[OURS])


def main() -> None:
    chosen = parse(__doc__)
    print(machine(chosen.rounds, "transformers", "tokenizers", "sentencepiece"))
    with tempfile.TemporaryDirectory() as folder:
        kinds = sentencepiece_kind(Path(folder) / "llama"), bpe_kind(Path(folder) / "bpe")
        right = [
            compare(kind, text(4_000, 7, line_words=line_words), words, chosen.rounds)
            for kind in kinds
            for words, line_words in (("one paragraph", 0), ("a line break after every 40 words", 40))
        ]
    if not all(right):
        sys.exit("our text is not that of the whole sequence")


if __name__ == "__main__":
    main()
