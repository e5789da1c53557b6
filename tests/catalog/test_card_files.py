"""A card file becomes a card, or an error that names the file and the key."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import fields
from pathlib import Path

import pytest

from playground.catalog.card_files import read_card
from playground.catalog.catalog import Catalog
from playground.documents import keys_of
from playground.errors import InvalidCard
from playground.records import ModelCard, SamplingParams
from tests.support.paths import ROOT

CARD_KEYS = ", ".join(keys_of(ModelCard))
SAMPLING_KEYS = ", ".join(keys_of(SamplingParams))
README = (ROOT / "playground" / "catalog" / "cards" / "README.md").read_text()
GOOD = """
id = "mine"
name = "Mine"
repo = "./mine"
revision = "local"
license = "Apache-2.0"
architecture = "LlamaForCausalLM"
context_length = 2048
dtype = "float32"
template = "openalpaca"
sampling_source = "ours"
metrics = { MMLU = 25.3, ARC = 40 }
[sampling]
do_sample = true
temperature = 0.7
"""


def write(folder: Path, text: str = GOOD, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def safetensors(path: Path, **shapes: list[int]) -> None:
    """A file with a true header and no more data than its size needs."""
    header = json.dumps(
        {"__metadata__": {"format": "pt"}}
        | {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    ).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))


def test_a_file_becomes_a_card(tmp_path: Path) -> None:
    card = read_card(write(tmp_path))
    assert (card.id, card.name, card.repo) == ("mine", "Mine", str(tmp_path / "mine"))
    assert card.sampling == SamplingParams(do_sample=True, temperature=0.7)
    assert card.metrics == {"MMLU": 25.3, "ARC": 40.0}
    assert (card.num_parameters, card.size_bytes, card.engine, card.notes) == (0, 0, "local", ())


@pytest.mark.proves("cards with unknown keys, missing fields, wrong types")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("name =", "nmae ="), f"FILE: unknown key 'nmae'; valid keys: {CARD_KEYS}"),
        (GOOD.replace('license = "Apache-2.0"', ""), "FILE: missing 'license'; add it"),
        (GOOD.replace('"mine"', '"other"'), "FILE: 'id' is 'other'; it has to be the file's name, 'mine'"),
        (GOOD.replace("2048", '"2048"'), "FILE: 'context_length' is '2048'; it has to be a whole number"),
        (GOOD.replace("2048", "0"), "FILE: 'context_length' is 0; valid: 2 or more"),
        (GOOD.replace("2048", "true"), "FILE: 'context_length' is True; it has to be a whole number"),
        (GOOD.replace('"float32"', '"fp32"'), "FILE: 'dtype' is 'fp32'; valid: 'float32', 'float16' or 'bfloat16'"),
        (GOOD.replace('"ours"', '"theirs"'), "FILE: 'sampling_source' is 'theirs'; valid: 'card' or 'ours'"),
        (GOOD.replace('"Mine"', '" "'), "FILE: 'name' is empty; fill it in"),
        (GOOD.replace('"Mine"', "3"), "FILE: 'name' is 3; it has to be text"),
        (GOOD.replace('"./mine"', '"mine"'), "FILE: 'repo' is 'mine'; valid: a hub id such as 'org/name', or a folder"),
        (GOOD.replace('"./mine"', '"a/b/c"'), "FILE: 'repo' is 'a/b/c'; valid: a hub id"),
        (GOOD.replace("25.3", '"25.3"'), "FILE [metrics]: 'MMLU' is '25.3'; it has to be a number"),
        (GOOD.replace("0.7", "0"), "FILE [sampling]: 'temperature' is 0.0; valid: 0.01 to 5"),
        (GOOD.replace("0.7", '"0.7"'), "FILE [sampling]: 'temperature' is '0.7'; it has to be a number"),
        (GOOD.replace("0.7", "nan"), "FILE [sampling]: 'temperature' is nan; valid: 0.01 to 5"),
        (
            GOOD + "top_q = 1",
            f"FILE [sampling]: unknown key 'top_q'; valid keys: {SAMPLING_KEYS}",
        ),
        (GOOD.split("[sampling]")[0], "FILE: missing 'sampling'; add it"),
        (GOOD.split("[sampling]")[0] + "sampling = 3", "FILE: 'sampling' is 3; it has to be a table"),
        ('engine = "cloud"\n' + GOOD, "FILE: 'engine' is 'cloud'; valid: 'local', 'remote' or 'zerogpu'"),
        ("offload = 1\n" + GOOD, "FILE: 'offload' is 1; it has to be true or false"),
        ('offload = "no"\n' + GOOD, "FILE: 'offload' is 'no'; it has to be true or false"),
        (
            'offload = true\nengine = "remote"\nservers = ["http://a/v1"]\n' + GOOD,
            "FILE: 'offload' is for models that run here; leave it out, or write engine = \"local\"",
        ),
        (
            'offload = true\nquantization = "4bit"\n' + GOOD,
            "FILE: 'offload' and 'quantization' do not go together; leave one of them out",
        ),
        ("num_parameters = -1\n" + GOOD, "FILE: 'num_parameters' is -1; valid: 0 or more"),
        ('limitations = "x"\n' + GOOD, "FILE: 'limitations' is 'x'; it has to be a list"),
        ("limitations = [1]\n" + GOOD, "FILE: 'limitations[0]' is 1; it has to be text"),
        ('limitations = [""]\n' + GOOD, "FILE: 'limitations[0]' is ''; it has to be text that is not empty"),
        (GOOD.replace('"Apache-2.0"', "2020-01-01"), "FILE: 2020-01-01 is a date; write it in quotes"),
        (GOOD + "[sampling]", "FILE is not TOML in UTF-8: "),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidCard) as caught:
        read_card(path)
    assert words in str(caught.value).replace(str(path), "FILE")


def test_offload_is_off_by_default(tmp_path: Path) -> None:
    assert not any(card.offload for card in Catalog.load().cards.values())
    assert read_card(write(tmp_path, "offload = true\n" + GOOD)).offload
    assert not read_card(write(tmp_path, 'offload = false\nquantization = "8bit"\n' + GOOD)).offload


def test_a_repo_is_a_folder_or_a_hub_id(tmp_path: Path) -> None:
    for repo, expected in (
        ("org/name-3b", "org/name-3b"),
        ("../x", str(tmp_path.parent / "x")),
        (str(tmp_path), str(tmp_path)),
    ):
        assert read_card(write(tmp_path, GOOD.replace("./mine", repo))).repo == expected


def test_the_readme_names_every_key() -> None:
    for key in keys_of(ModelCard):
        assert f"| `{key}` |" in README


def test_the_readme_has_every_sampling_parameter_with_its_range() -> None:
    for parameter in fields(SamplingParams):
        valid = parameter.metadata["valid"] + ("; no effect without `do_sample`" * parameter.metadata["when_sampling"])
        assert f"| `{parameter.name}` | {json.dumps(parameter.default)} | {valid} |" in README


def test_the_readmes_example_is_a_card(tmp_path: Path) -> None:
    example = README.split("```toml\n")[1].split("```")[0]
    assert read_card(write(tmp_path, example, "my-llama.toml")).id == "my-llama"


@pytest.mark.parametrize("repo", ["./m\\u0000", "/m\\u0000"])
@pytest.mark.parametrize(
    ("card", "words"), [(GOOD, "'repo' is"), ('repo = "./mine"\n', "missing 'id'")], ids=["whole", "short"]
)
def test_repo_that_no_folder_can_have_is_refused(tmp_path: Path, card: str, words: str, repo: str) -> None:
    with pytest.raises(InvalidCard, match=rf"mine\.toml: {words}"):
        read_card(write(tmp_path, card.replace("./mine", repo)))


def test_sizes_are_read_from_the_weights_of_a_folder(tmp_path: Path) -> None:
    safetensors(tmp_path / "mine" / "model-1.safetensors", a=[10, 20], b=[5])
    safetensors(tmp_path / "mine" / "model-2.safetensors", c=[1000])
    card = read_card(write(tmp_path))
    assert card.num_parameters == 1205
    assert card.size_bytes == sum(path.stat().st_size for path in (tmp_path / "mine").iterdir())


def test_sizes_in_the_card_win(tmp_path: Path) -> None:
    safetensors(tmp_path / "mine" / "model.safetensors", a=[10])
    card = read_card(write(tmp_path, "num_parameters = 7\nsize_bytes = 9\n" + GOOD))
    assert (card.num_parameters, card.size_bytes) == (7, 9)


def test_a_hub_id_is_never_read_as_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org").mkdir()
    safetensors(tmp_path / "org" / "mine" / "model.safetensors", a=[10])
    shape = {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2}
    (tmp_path / "org" / "mine" / "config.json").write_text(json.dumps(shape))
    monkeypatch.chdir(tmp_path)
    card = read_card(write(tmp_path, GOOD.replace("./mine", "org/mine")))
    assert (card.num_parameters, card.size_bytes, card.kv_bytes_per_token) == (0, 0, 0)


REMOTE = """
id = "mine"
name = "Mine"
repo = "org/mine"
revision = "main"
license = "Apache-2.0"
architecture = "LlamaForCausalLM"
context_length = 2048
dtype = "float16"
sampling_source = "ours"
engine = "remote"
servers = ["http://127.0.0.1:1/v1"]
feed = "messages"
[sampling]
do_sample = true
"""


def test_card_of_messages_needs_no_template(tmp_path: Path) -> None:
    card = read_card(write(tmp_path, REMOTE))
    assert (card.template, card.feed) == ("server", "messages")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            REMOTE.replace('"messages"', '"chat"\ntemplate = "plain"'),
            "'feed' is 'chat'; valid: 'ids', 'text' or 'messages'",
        ),
        (REMOTE.replace('"messages"', '"text"'), "missing 'template'; add it"),
        (REMOTE.replace("feed =", 'template = "plain"\nfeed ='), "leave 'template' out with feed = \"messages\""),
        (REMOTE.replace('"messages"', '"text"\ntemplate = "server"'), "and name another one without it"),
        (
            REMOTE + "top_k = 40\n",
            "runs on a server that does not take top_k; set it to 0, or name it in 'server_params'",
        ),
        (
            REMOTE.replace("feed =", 'server_params = { top_j = "k" }\nfeed ='),
            "'server_params' names 'top_j'; valid: max_",
        ),
        (REMOTE.replace("feed =", 'key_variable = "a-b"\nfeed ='), "valid: the name of an environment variable"),
        (GOOD.replace("metrics", 'feed = "text"\nmetrics'), "'feed' is for remote cards; write engine = \"remote\""),
        (GOOD.replace("metrics", 'key_variable = "A"\nmetrics'), "'key_variable' is for remote cards"),
    ],
)
def test_feed_that_does_not_fit_the_card_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidCard) as caught:
        read_card(write(tmp_path, text))
    assert words in str(caught.value)


SWITCHES = "chat_template_kwargs = { enable_thinking = false }\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace('"openalpaca"', '"chat"').replace("metrics", SWITCHES + "metrics"),
        REMOTE.replace("feed", SWITCHES + "feed"),
    ],
)
def test_card_sets_switches_of_a_chat_template(tmp_path: Path, text: str) -> None:
    assert read_card(write(tmp_path, text)).chat_template_kwargs == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("metrics", SWITCHES + "metrics"), "'template' is 'openalpaca'; write template = \"chat\""),
        (
            GOOD.replace("metrics", "chat_template_kwargs = { x = [1] }\nmetrics"),
            "'x' is [1]; valid: true, false or text",
        ),
    ],
)
def test_switches_that_no_template_takes_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidCard) as caught:
        read_card(write(tmp_path, text))
    assert words in str(caught.value)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://example.org", "https://a b"])
def test_link_of_a_card_is_an_address(tmp_path: Path, address: str) -> None:
    text = GOOD.replace("metrics", f'links = {{ paper = "{address}" }}\nmetrics')
    with pytest.raises(InvalidCard, match=r"\[links\]: 'paper' is .*; valid: an address that begins with https://"):
        read_card(write(tmp_path, text))


def test_parameter_that_servers_take_is_named_in_the_card(tmp_path: Path) -> None:
    text = REMOTE.replace("feed =", 'server_params = { top_k = "top_k" }\nfeed =') + "top_k = 40\n"
    assert read_card(write(tmp_path, text)).sampling.top_k == 40


def test_cards_of_the_guide_to_servers_are_valid(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "servers.md").read_text()
    cards = [block for block in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL) if block.startswith("id =")]
    for block in cards:
        name = re.findall(r'id = "(.*?)"', block)[0]
        assert read_card(write(tmp_path, block, f"{name}.toml")).feed == "messages"
    assert len(cards) == 3
