"""Chat templates in the styles of real repositories, and small tokenizers of four families."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from playground.catalog.checkpoint_files import read_chat
from playground.prompting.prompt import build_prompt
from playground.records import Instruction, Prompt

MARKERS = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "<end_of_turn>"]
PARTS = [*MARKERS, "[INST]", "<</SYS>>", "### Response:", "<|user|>", "<", "|im_end|>", " ", "  ", "\n", "a", "llama"]
PARTS += ["{{ 1 }}", "{% raw %}", '"', "\\n", "羊", "🦙", "é", "\U000f0000", "▁"]
TYPED = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
"""Texts with the markers and the syntax of templates that a visitor may type."""
CORPUS = [
    "What is an alpaca? How is it different from a llama?",
    "Below is an instruction. Write a response that completes it.",
    "system user assistant model Instruction Response Today is",
    "  two  spaces\n\nand lines\t羊驼 🦙 é",
]


@dataclass(frozen=True)
class Style:
    """A template, its special tokens, and True if it has a place for system text."""

    source: str
    special: tuple[str, ...] = ()
    takes_system: bool = True


STYLES = {
    "chatml": Style(
        "{% for message in messages %}\n{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
        "'<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
        ("<|im_start|>", "<|im_end|>"),
    ),
    "inst": Style(
        "{% if messages[0]['role'] == 'system' %}\n"
        "    {% set rest = messages[1:] %}\n"
        "    {% set told = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}\n"
        "{% else %}\n"
        "    {% set rest = messages %}\n"
        "    {% set told = '' %}\n"
        "{% endif %}\n"
        "{% for message in rest %}\n"
        "    {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\n"
        "        {{ raise_exception('The speakers have to take turns') }}\n"
        "    {% endif %}\n"
        "    {% set said = told + message['content'] if loop.first else message['content'] %}\n"
        "    {% if message['role'] == 'user' %}\n"
        "        {{ bos_token + '[INST] ' + said.strip() + ' [/INST]' }}\n"
        "    {% else %}\n"
        "        {{ ' ' + said.strip() + ' ' + eos_token }}\n"
        "    {% endif %}\n"
        "{% endfor %}",
    ),
    "headers": Style(
        "{{- bos_token }}\n"
        "{%- for message in messages %}\n"
        "    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}\n"
        "    {{- message.content | trim + '<|eot_id|>' }}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n"
        "    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n"
        "{%- endif %}\n",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ),
    "bars": Style(
        "{% for message in messages %}\n"
        "{% if message['role'] == 'user' %}\n{{ '<|user|>\\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'system' %}\n{{ '<|system|>\\n' + message['content'] + eos_token }}\n"
        "{% endif %}\n"
        "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n"
        "{% endfor %}",
    ),
    "turns": Style(
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role here') }}{% endif %}"
        "{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + "
        "'<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        ("<start_of_turn>", "<end_of_turn>"),
        takes_system=False,
    ),
    "alpaca": Style(
        "Below is an instruction. Write a response that completes it.\n\n"
        "{% for message in messages if message.role == 'user' %}\n"
        "### Instruction:\n{{ message.content }}\n\n{% endfor %}\n### Response:\n",
        takes_system=False,
    ),
    "thinking": Style(
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
        "{% endfor %}{{ '<|im_start|>assistant\\n' if add_generation_prompt }}"
        "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
        "{{ '<|effort|>' + reasoning_effort if reasoning_effort is defined }}",
        ("<|im_start|>", "<|im_end|>"),
    ),
    "dated": Style(
        "{%- set ns = namespace(told='') %}\n"
        "{%- for message in messages %}\n"
        "    {%- if message.role == 'system' %}{% set ns.told = message.content %}{% endif %}\n"
        "{%- endfor %}\n"
        "{{- '<|im_start|>system\\nToday is ' + strftime_now('%d %B %Y') + '\\n' }}\n"
        "{{- ({'told': ns.told} | tojson) + '<|im_end|>' }}\n"
        "{%- for message in messages %}\n"
        "    {%- if message.role != 'user' %}{% continue %}{% endif %}\n"
        "    {%- generation %}{{ '<|im_start|>user\\n' + message.content + '<|im_end|>' }}{% endgeneration %}\n"
        "    {%- break %}\n"
        "{%- endfor %}\n"
        "{{- '<|im_start|>assistant\\n' if add_generation_prompt }}",
        ("<|im_start|>", "<|im_end|>"),
    ),
}


def byte_level(special: tuple[str, ...]) -> Library:
    """Train a tokenizer like GPT-2's and Llama 3's, with a run of spaces as an added token."""
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<unk>", "<s>", "</s>", *special],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    library.train_from_iterator(CORPUS * 3, trainer)
    library.add_tokens([AddedToken("  ", normalized=True, special=False)])
    return library


def byte_fallback(special: tuple[str, ...], first_only: bool) -> Library:
    """Build one like Llama's and Mistral's, where the normalizer marks each word or only the first is marked."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    symbols = ["<unk>", "<s>", "</s>", *bytes_, "▁", *sorted(set("<|>" + "".join(CORPUS)) - set(" \n\t🦙羊驼"))]
    merges = [("▁", "a"), ("a", "l"), ("▁", "i"), ("▁i", "s"), ("e", "r"), ("u", "s"), ("▁", "u"), ("<", "|")]
    pieces = [*symbols, *("".join(merge) for merge in merges)]
    library = Library(
        models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    if first_only:
        library.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        library.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    library.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    library.add_special_tokens([AddedToken(token, normalized=False) for token in ("<unk>", "<s>", "</s>", *special)])
    return library


def unigram(special: tuple[str, ...]) -> Library:
    """Train one like T5's, which marks each word, also after special tokens, and has unknown characters."""
    library = Library(models.Unigram())
    library.normalizer = normalizers.NFKC()
    library.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    library.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150,
        special_tokens=["<unk>", "<s>", "</s>", *special],
        unk_token="<unk>",
        show_progress=False,
    )
    library.train_from_iterator(CORPUS * 3, trainer)
    return library


FAMILIES = {
    "byte-level": byte_level,
    "prepend": lambda special: byte_fallback(special, first_only=False),
    "first": lambda special: byte_fallback(special, first_only=True),
    "unigram": unigram,
}


def write_chat(folder: Path, style: str = "chatml", family: str = "byte-level") -> Any:
    """Write the tokenizer files of a repository as transformers does; return its tokenizer, read from them."""
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=FAMILIES[family](STYLES[style].special),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        chat_template=STYLES[style].source,
    )
    made.save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


@cache
def small_llama(folder: Path) -> Path:
    """Write a checkpoint that answers, with a ChatML template and the usual files; return its folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = write_chat(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=256, initializer_range=0.3, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)
    (folder / "generation_config.json").write_text(
        json.dumps({"do_sample": True, "temperature": 0.7, "top_p": 0.9, "eos_token_id": [2, 4], "pad_token_id": 0})
    )
    (folder / "README.md").write_text("---\nlanguage:\n- en\nlicense: apache-2.0\n---\n# A small Llama\n")
    return folder


class Repository:
    """The tokenizer files of a repository, read by transformers and by us."""

    def __init__(self, folder: Path, style: str, family: str) -> None:
        self.theirs = write_chat(folder, style, family)
        self.template, self.tokenizer = read_chat(folder)

    def prompt(self, instruction: str, system: str = "") -> Prompt:
        return build_prompt(self.template, self.tokenizer, Instruction(instruction, "", system))

    def expected(self, instruction: str, system: str = "") -> tuple[str, list[int]]:
        messages = [{"role": "user", "content": instruction}]
        if system and self.template.takes_system:
            messages.insert(0, {"role": "system", "content": system})
        said: Mapping[str, Any] = {"add_generation_prompt": True, "return_dict": False}
        text = self.theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return text, self.theirs.apply_chat_template(messages, **said)


def letters(text: str) -> str:
    return text.strip().replace("▁", " ").replace(" ", "")


def write(folder: Path, name: str, data: object) -> None:
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data))
