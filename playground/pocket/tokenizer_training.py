"""Train a card's tokenizer and write its files in the format of 2023's repositories.

Boundary: text in, tokenizer files out; the ids of special tokens are those of the card's family.
"""

from __future__ import annotations

import io
import json
import string
from collections.abc import Iterable, Mapping
from pathlib import Path

REQUIRED_CHARACTERS = string.ascii_letters + string.digits + string.punctuation + "äöüßéèñ"


def train_sentencepiece(texts: Iterable[str], vocab_size: int, normalizer: str, folder: Path) -> None:
    """Write `tokenizer.model`: BPE with byte fallback, digits split, ids ``<unk>`` 0, ``<s>`` 1, ``</s>`` 2.

    No piece contains a line break: it becomes a byte, as in the OpenLLaMA family, or a space if the normalizer
    makes it one.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in texts for line in text.split("\n") if line.strip()),
        model_writer=model,
        model_type="bpe",
        vocab_size=vocab_size,
        normalization_rule_name=normalizer,
        remove_extra_whitespaces=True,
        byte_fallback=True,
        split_digits=True,
        character_coverage=1.0,
        required_chars=REQUIRED_CHARACTERS,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    specials = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    first, last = (
        {"add_bos_token": True, "add_eos_token": False},
        {"pad_token": None, "tokenizer_class": "LlamaTokenizer"},
    )
    _write_config(folder, specials, first, last)


def train_byte_level(
    texts: Iterable[str],
    vocab_size: int,
    tokens: Iterable[str],
    specials: Mapping[str, str],
    tokenizer: str,
    folder: Path,
) -> None:
    """Write `tokenizer.json`: byte-level BPE, digits split, `tokens` as special tokens from id 0 on."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(tokens),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    model.train_from_iterator(texts, trainer)
    model.save(str(folder / "tokenizer.json"))
    _write_config(folder, specials, {"add_prefix_space": False}, {"tokenizer_class": tokenizer})


def _write_config(
    folder: Path, specials: Mapping[str, str], first: Mapping[str, object], last: Mapping[str, object]
) -> None:
    config = {**first, **specials, "clean_up_tokenization_spaces": False, "model_max_length": 512, **last}
    for name, content in (("special_tokens_map", dict(specials)), ("tokenizer_config", config)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
