"""A checkpoint's files make its card, or an error that names the missing file and the next step."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from playground.battles.self_naming import names_itself
from playground.catalog.card_files import read_card
from playground.catalog.catalog import Catalog
from playground.catalog.checkpoint_files import card_named, card_of, folder_named, read_chat, self_names
from playground.catalog.weights import check_weights, weights_size
from playground.errors import InvalidCard, InvalidTemplate, Unknown
from playground.records import Instruction, ModelCard, SamplingParams
from tests.support.chats import STYLES, write_chat

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
    "eos_token_id": 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with everything but weights."""
    made = tmp_path / "My Model_2b"
    made.mkdir()
    write_chat(made)
    write(made, "config.json", CONFIG)
    return made


def write(folder: Path, name: str, data: Any) -> None:
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data))


def card_with(folder: Path, **changes: Any) -> ModelCard:
    """Return the card after changes to `config.json`; None removes a key."""
    write(folder, "config.json", {key: value for key, value in (CONFIG | changes).items() if value is not None})
    return card_of(folder, str(folder))


# What the files say


def test_a_folder_becomes_a_card(folder: Path) -> None:
    card = card_of(folder, str(folder))
    assert (card.id, card.name, card.repo, card.revision) == ("my-model_2b", "My Model_2b", str(folder), "local")
    assert (card.architecture, card.context_length, card.dtype) == ("LlamaForCausalLM", 4096, "bfloat16")
    assert (card.template, card.license, card.public_repo) == ("chat", "unknown", "My Model_2b")
    assert (card.sampling, card.sampling_source) == (SamplingParams(512), "card")


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", ("Qwen", "Alibaba Cloud")),
        ("You are a helpful AI assistant named SmolLM, trained by Hugging Face", ("SmolLM", "Hugging Face")),
        ("You are a helpful assistant.", ()),
    ],
)
@pytest.mark.parametrize("file", ["chat_template.jinja", "tokenizer_config.json"])
def test_self_names_come_from_the_chat_templates_system_text(
    folder: Path, system: str, names: tuple[str, ...], file: str
) -> None:
    source = (
        "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n" + system + "<|im_end|>\\n' }}{% endif %}"
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}{% endfor %}"
    )
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    write(folder, file, source if file.endswith("jinja") else {"chat_template": source})
    card = card_of(folder, str(folder))
    assert card.self_names == names
    assert bool(names_itself(f"I am a language model made by {names[-1] if names else 'you'}.", card)) == bool(names)


def test_self_names_are_found_in_all_branches_of_a_template(folder: Path) -> None:
    says = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    write(folder, "chat_template.jinja", "{% if tools %}{{ '\\nYou are Zorblax, made by Acme.' }}{% endif %}" + says)
    assert self_names(folder) == ("Zorblax", "Acme")
    write(folder, "chat_template.jinja", "{% set name = 'Zorblax' %}{{ 'You are ' + name + '.' }}" + says)
    assert self_names(folder) == ("Zorblax",)


def test_a_folder_without_a_usable_template_has_no_self_names(folder: Path, tmp_path: Path) -> None:
    assert self_names(tmp_path) == ()
    write(folder, "chat_template.jinja", "You are Qwen. {{ broken")
    assert self_names(folder) == ()
    (folder / "chat_template.jinja").unlink()
    write(folder, "tokenizer_config.json", "no JSON")
    assert self_names(folder) == ()


def test_a_snapshot_becomes_a_card_of_its_commit(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "hub" / "models--org--Name-3B"
    (home / "snapshots").mkdir(parents=True)
    (home / "refs").mkdir()
    folder.rename(home / "snapshots" / COMMIT)
    write(home / "refs", "main", COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("org/Name-3B", f"org/Name-3B@{COMMIT}", "org/Name-3B@main"):
        card = card_named(name)
        assert card is not None
        assert (card.id, card.repo, card.revision) == (name, "org/Name-3B", COMMIT)
    with pytest.raises(Unknown) as caught:
        card_named("org/other@v1")
    assert str(caught.value) == (
        "org/other@v1 is not on this machine; fetch it first: python -m playground fetch org/other@v1"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "bfloat16"),
        ({"torch_dtype": None}, "float32"),
        ({"dtype": "float16"}, "float16"),
        ({"torch_dtype": "torch.float16"}, "float16"),
        ({"torch_dtype": "float8_e4m3fn"}, "float32"),
    ],
)
def test_the_dtype_is_that_of_the_config(folder: Path, changes: dict[str, Any], expected: str) -> None:
    assert card_with(folder, **changes).dtype == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 4096),
        ({"max_position_embeddings": None, "max_seq_len": 2048}, 2048),
        ({"max_position_embeddings": None, "n_positions": 1024}, 1024),
        ({"max_position_embeddings": None, "text_config": {"max_position_embeddings": 512}}, 512),
    ],
)
def test_the_context_length_has_several_keys(folder: Path, changes: dict[str, Any], expected: int) -> None:
    assert card_with(folder, **changes).context_length == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, SamplingParams(512)),
        ({"do_sample": True, "temperature": 0.6, "top_p": 0.9}, SamplingParams(512, 0, True, 0.6, 50, 0.9)),
        ({"do_sample": True, "top_k": 20, "top_p": None}, SamplingParams(512, do_sample=True, top_k=20)),
        ({"do_sample": True, "min_p": 0.15}, SamplingParams(512, do_sample=True, top_k=50, min_p=0.15)),
        ({"min_new_tokens": 5, "num_beams": 4, "eos_token_id": [2]}, SamplingParams(512)),
        ({"do_sample": True, "temperature": 0.0, "top_k": 1}, SamplingParams(512, top_k=1)),
        ({"repetition_penalty": 1.1, "transformers_version": "5.23"}, SamplingParams(512, repetition_penalty=1.1)),
    ],
)
def test_sampling_is_that_of_the_repository(folder: Path, said: dict[str, Any], expected: SamplingParams) -> None:
    write(folder, "generation_config.json", said)
    assert card_of(folder, str(folder)).sampling == expected


@pytest.mark.parametrize(
    ("said", "context_length", "expected"),
    [
        (None, 300, 150),
        (None, 1024, 256),
        (None, 8192, 1024),
        (None, 131_072, 4096),
        (2048, 8192, 2048),
        (32_768, 40_960, 20_480),
        (100_000, 131_072, 32_768),
        (0, 8192, 1024),
        ("many", 8192, 1024),
    ],
)
def test_tokens_of_an_answer_are_the_repositorys_or_follow_from_the_context(
    folder: Path, said: object, context_length: int, expected: int
) -> None:
    write(folder, "generation_config.json", {} if said is None else {"max_new_tokens": said})
    assert card_with(folder, max_position_embeddings=context_length).sampling.max_new_tokens == expected


def test_an_answer_may_take_half_of_a_short_context(folder: Path) -> None:
    assert card_with(folder, max_position_embeddings=100).sampling.max_new_tokens == 50


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("---\nlicense: mit\n---\n# x", "MIT"),
        ("---\r\ntags: []\r\nlicense: 'apache-2.0'\r\n---\r\n", "Apache-2.0"),
        ("---\nlicense: other\nlicense_name: llama3\n---\n", "llama3"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlanguage: en\n---\nlicense: mit\n", "unknown"),
        ("# x\nlicense: mit\n", "unknown"),
    ],
)
def test_the_license_is_that_of_the_front_matter(folder: Path, page: str, expected: str) -> None:
    write(folder, "README.md", page)
    assert card_of(folder, str(folder)).license == expected


# What is missing


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architectures": None}, "config.json names no architecture; write a card that does"),
        ({"architectures": []}, "config.json names no architecture"),
        ({"max_position_embeddings": None}, r"config.json does not give the context length \(max_position_"),
        ({"max_position_embeddings": True}, "config.json does not give the context"),
    ],
)
def test_an_incomplete_config_is_refused(folder: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidCard, match=f"^{folder}: {words}"):
        card_with(folder, **changes)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["config.json"], "it has no config.json; name the folder of a checkpoint"),
        (["tokenizer.json"], "it has no tokenizer; it has to hold tokenizer.model or tokenizer.json"),
        (["chat_template.jinja"], "it has no chat template, so its prompt format is unknown; write a card that"),
    ],
)
def test_a_missing_file_is_named(folder: Path, names: list[str], words: str) -> None:
    for name in names:
        (folder / name).unlink()
    with pytest.raises(InvalidCard, match=f"^{folder}: {words}"):
        card_of(folder, str(folder))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("config.json", "{", "config.json cannot be read as JSON"),
        ("config.json", "[]", "config.json is not a JSON object"),
        ("chat_template.jinja", "{% for", "the chat template is broken in line 1"),
        ("chat_template.jinja", "Hello", "the chat template leaves out what the user says"),
        (
            "generation_config.json",
            {"top_p": 2},
            r"generation_config.json: 'top_p' is 2.0; valid: above 0, to 1; correct",
        ),
        ("generation_config.json", {"do_sample": "yes"}, "generation_config.json: 'do_sample' is 'yes'"),
    ],
)
def test_an_unusable_file_is_named(folder: Path, name: str, data: Any, words: str) -> None:
    write(folder, name, data)
    with pytest.raises(InvalidCard, match=words):
        card_of(folder, str(folder))


def test_names_are_folders_hub_ids_or_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert folder_named("here") is None
    (tmp_path / "here" / "config.json").write_text("{}")
    assert folder_named("here") == tmp_path / "here"
    for name in ("./x", "../x", str(tmp_path / "x")):
        with pytest.raises(InvalidCard, match="there is no such folder; correct the path"):
            card_named(name)
    for name in ("", "gpt-4", "a/b/c", "org/name@", "org/name@../x", "a\0b", "org/ name"):
        assert card_named(name) is None


# The format


def test_the_template_is_that_of_the_files(folder: Path) -> None:
    write(folder, "generation_config.json", {"eos_token_id": [4, 2, 99999]})
    template, tokenizer = read_chat(folder)
    assert template.hash == hashlib.sha256(STYLES["chatml"].source.encode()).hexdigest()
    assert template.chat == STYLES["chatml"].source
    assert (template.id, template.strip, template.stop_ids) == ("chat", "none", (4, 2))
    assert [tokenizer.token(i) for i in template.drop_ids] == ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]


def test_all_ends_in_the_files_stop_an_answer(folder: Path) -> None:
    write(folder, "config.json", CONFIG | {"eos_token_id": 3})
    assert read_chat(folder)[0].stop_ids == (3, 2)


def test_a_folder_without_a_chat_template_is_refused(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(InvalidTemplate, match="My Model_2b has no chat template; name another template"):
        read_chat(folder)


# Sizes


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 8, b"\x05\0\0\0\0\0\0\0[1,2]", b"\x02\0\0\0\0\0\0\0{}", b"\x09" + bytes(20)]
)
def test_torn_weights_have_no_known_parameters(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(data)
    assert weights_size(tmp_path) == (0, len(data))


def test_a_dangling_link_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"12345")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "gone")
    assert weights_size(tmp_path) == (0, 5)


def test_the_size_of_bin_files_is_known(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"12345")
    assert weights_size(tmp_path) == (0, 5)


def test_refused_text_names_the_model_and_the_next_step(folder: Path) -> None:
    refuses = "{% if 'war' in messages[0].content %}{{ raise_exception('Only peace') }}{% endif %}"
    write(folder, "chat_template.jinja", refuses + "{{ messages[0].content }}")
    catalog = Catalog.load()
    assert catalog.prompt(str(folder), Instruction("Hi")).text == "Hi"
    with pytest.raises(InvalidTemplate) as caught:
        catalog.prompt(str(folder), Instruction("war"))
    assert str(caught.value) == (
        f"{folder.name}: no prompt can be made of this text: the chat template refuses it: Only peace; "
        "change the text, or choose another model"
    )


def safetensors(path: Path, size: int = 24, **header: Any) -> None:
    """Write a file of one tensor of 24 bytes."""
    tensors = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}} | header
    text = json.dumps(tensors).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))


def test_whole_weights_pass(tmp_path: Path) -> None:
    check_weights(tmp_path)
    safetensors(tmp_path / "model.safetensors", __metadata__={"format": "pt"})
    check_weights(tmp_path)


@pytest.mark.parametrize(("size", "real"), [(20, 20), (0, 0), (25, 25)])
def test_cut_weights_are_refused_by_their_header(tmp_path: Path, size: int, real: int) -> None:
    safetensors(tmp_path / "model.safetensors")
    whole = (tmp_path / "model.safetensors").stat().st_size
    safetensors(tmp_path / "model.safetensors", size)
    words = (
        rf"^model.safetensors has {whole - 24 + real} bytes, and {whole} by its header: it is damaged; fetch the model"
    )
    with pytest.raises(InvalidCard, match=words):
        check_weights(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\x05\0\0\0\0\0\0\0[1,2]", b'\x08\0\0\0\0\0\0\0{"a": 1}'])
def test_weights_without_a_header_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(InvalidCard, match=r"model.safetensors has (no header|a header without sizes)"):
        check_weights(tmp_path)


def test_missing_shard_is_named(tmp_path: Path) -> None:
    safetensors(tmp_path / "model-1.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    write(tmp_path, "model.safetensors.index.json", index)
    with pytest.raises(InvalidCard, match=r"model-2.safetensors is missing, which model.safetensors.index.json names"):
        check_weights(tmp_path)


@pytest.mark.parametrize("end", ["x", None, [1], 2.5])
def test_header_with_wrong_offsets_is_refused(tmp_path: Path, end: object) -> None:
    safetensors(tmp_path / "model.safetensors", a={"dtype": "F32", "shape": [1], "data_offsets": [0, end]})
    with pytest.raises(InvalidCard, match="has a header without sizes: it is damaged"):
        check_weights(tmp_path)


@pytest.mark.parametrize("name", ["x" * 300, "../model.safetensors", "/etc/passwd", "a\0b", "\ud800", "x\ny", "", ".."])
def test_index_names_plain_files_only(tmp_path: Path, name: object) -> None:
    write(tmp_path, "model.safetensors.index.json", {"weight_map": {"a": name}})
    with pytest.raises(InvalidCard, match=r"^model.safetensors.index.json names '.*', which is not a plain file name"):
        check_weights(tmp_path)


def test_index_of_a_form_that_is_not_used_is_not_checked(tmp_path: Path) -> None:
    safetensors(tmp_path / "model.safetensors")
    write(tmp_path, "pytorch_model.bin.index.json", {"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}})
    check_weights(tmp_path)


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("---\nlicense: other\nlicense_name: gemma\n---\n", "GEMMA TERMS OF USE\n", "gemma"),
        (
            "---\nlicense: other\n---\n",
            "\n  LLAMA 2 COMMUNITY LICENSE AGREEMENT\nVersion\n",
            "LLAMA 2 COMMUNITY LICENSE AGREEMENT",
        ),
        ("---\nlicense: other\n---\n", "All rights reserved.\n", "other"),
        ("---\nlicense: mit\n---\n", "Apache License\n", "MIT"),
        ("# No front matter\n", "                Apache License\n  Version 2.0\n", "Apache-2.0"),
        ("", "# MIT License\n", "MIT"),
        ("", "", "unknown"),
    ],
)
def test_license_file_names_a_license_that_the_page_does_not(folder: Path, page: str, text: str, expected: str) -> None:
    write(folder, "README.md", page)
    write(folder, "LICENSE", text)
    assert card_of(folder, str(folder)).license == expected


SHORT = 'repo = "./My Model_2b"\ntemplate = "chat"\n'


def test_short_card_takes_the_rest_from_the_checkpoint(folder: Path) -> None:
    write(folder, "generation_config.json", {"do_sample": True, "temperature": 0.6, "top_p": 0.9})
    path = folder.parent / "mine.toml"
    path.write_text(SHORT)
    known, card = card_of(folder, str(folder)), read_card(path)
    assert (card.id, card.name, card.repo, card.template) == ("mine", known.name, str(folder), "chat")
    assert (card.architecture, card.context_length, card.dtype) == ("LlamaForCausalLM", 4096, "bfloat16")
    assert (card.sampling, card.sampling_source) == (known.sampling, "card")
    path.write_text(SHORT + 'name = "Mine"\ndtype = "float32"\n[sampling]\ntop_p = 0.5\n')
    changed = read_card(path)
    assert (changed.name, changed.dtype) == ("Mine", "float32")
    assert changed.sampling == known.sampling.changed({"top_p": 0.5})
    assert changed.sampling_source == "ours"


def test_short_card_of_an_unusable_checkpoint_says_why(folder: Path) -> None:
    path = folder.parent / "mine.toml"
    path.write_text(SHORT)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(
        InvalidCard, match=r"mine.toml: 'id' is left out, and cannot be read from the model: .*no chat template"
    ):
        read_card(path)
    path.write_text(SHORT.replace('"chat"', "3"))
    with pytest.raises(InvalidCard, match=r"mine.toml: 'template' is 3; it has to be text"):
        read_card(path)
    path.write_text(SHORT.replace("chat", "orca-mini"))
    assert read_card(path).template == "orca-mini"
    path.write_text(SHORT.replace("My Model_2b", "gone"))
    with pytest.raises(InvalidCard, match=r"mine.toml: missing 'id', 'name', 'revision', "):
        read_card(path)


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_bin_without_its_end_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "pytorch_model-00001-of-00002.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", bytes(10_000))
    check_weights(tmp_path)
    size = int(path.stat().st_size * kept)
    os.truncate(path, size)
    with pytest.raises(InvalidCard, match=rf"^{path.name} is cut: its end is missing after {size:,} bytes; fetch"):
        check_weights(tmp_path)


def test_bin_that_is_not_used_or_has_no_end_of_its_own_is_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"\x80\x02\x8a\x0al, as torch wrote before archives")
    check_weights(tmp_path)
    path.write_bytes(b"PK\x03\x04 cut")
    safetensors(tmp_path / "model.safetensors")
    check_weights(tmp_path)
