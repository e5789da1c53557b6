"""The catalog finds cards, checkpoints, templates and tokenizers by name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.catalog.card_files import read_card
from playground.catalog.catalog import Catalog
from playground.errors import InvalidCard, InvalidTemplate, InvalidValue, PromptTooLong, TokenizerError, Unknown
from playground.records import Instruction, SamplingParams
from tests.catalog.test_card_files import GOOD, write
from tests.support.chats import write_chat
from tests.support.paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "openllama-tokenizers"
POCKET = ["pocket-galpaca", "pocket-mamba-gpt", "pocket-minotaur", "pocket-openalpaca", "pocket-orca-mini"]
# Our own cards


def test_the_pocket_models_are_the_default_line_up() -> None:
    catalog = Catalog.load()
    assert [card.id for card in catalog.line_up()] == POCKET


@pytest.mark.parametrize("model_id", POCKET)
def test_pocket_cards_are_marked_as_toys(model_id: str) -> None:
    card = Catalog.load().card(model_id)
    assert card.stands_in_for
    assert card.stands_in_for in card.limitations[0]
    assert card.limitations[0].startswith("A toy")
    assert (card.revision, card.license, card.dtype, card.context_length) == ("local", "Apache-2.0", "float32", 512)
    assert (card.sampling_source, card.engine) == ("ours", "local")
    assert card.sampling.max_new_tokens <= 96
    assert card.repo == str(ROOT / "playground" / "pocket" / "weights" / model_id)
    assert Catalog.load().template_of(card).id == model_id.removeprefix("pocket-")


def test_loading_is_quick_and_needs_no_model_library() -> None:
    code = (
        "import sys, time; began = time.process_time(); from playground.catalog.catalog import Catalog;"
        "imported = time.process_time(); Catalog.load(); loaded = time.process_time();"
        "heavy = {'torch', 'transformers', 'numpy', 'sentencepiece', 'tokenizers', 'gradio'} & set(sys.modules);"
        "assert not heavy, heavy; print(imported - began, loaded - imported)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    _, load_s = map(float, done.stdout.split())
    assert load_s < 0.2  # measured: 0.007


def test_self_names_come_from_the_card_and_its_system_texts(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace('template = "openalpaca"', 'template = "named"\nself_names = ["Zorblax", "Qwen"]'))
    templates = tmp_path / "templates"
    templates.mkdir()
    plain = (ROOT / "prompts" / "templates" / "orca-mini.toml").read_text()
    told = re.sub("^default_system = .*$", 'default_system = "You are Qwen, made by Acme."', plain, flags=re.MULTILINE)
    (templates / "named.toml").write_text(told.replace('id = "orca-mini"', 'id = "named"'))
    assert read_card(tmp_path / "mine.toml").self_names == ("Zorblax", "Qwen")
    assert Catalog.load([tmp_path], [templates]).card("mine").self_names == ("Zorblax", "Qwen", "Acme")
    (tmp_path / "mine").mkdir()
    says = "{{ 'You are Mine by Else.' }}{% for message in messages %}{{ message.content }}{% endfor %}"
    (tmp_path / "mine" / "chat_template.jinja").write_text(says)
    assert Catalog.load([tmp_path], [templates]).card("mine").self_names == ("Zorblax", "Qwen", "Acme", "Mine", "Else")


# The catalog


def test_cards_of_the_operator_join_the_built_in_ones(tmp_path: Path) -> None:
    write(tmp_path)
    folder = ROOT / "playground" / "catalog" / "cards"
    catalog = Catalog.load([folder, tmp_path])
    assert list(catalog.cards) == [*Catalog.load().cards, "mine"]
    assert [card.id for card in catalog.line_up()] == POCKET
    assert [card.id for card in catalog.line_up(["mine", "pocket-galpaca"])] == ["mine", "pocket-galpaca"]


def test_a_later_card_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace('"mine"', '"pocket-galpaca"'), "pocket-galpaca.toml")
    catalog = Catalog.load([ROOT / "playground" / "catalog" / "cards", tmp_path])
    assert catalog.card("pocket-galpaca").name == "Mine"
    assert set(catalog.cards) == set(Catalog.load().cards)


def test_without_pocket_models_all_cards_are_the_line_up(tmp_path: Path) -> None:
    write(tmp_path)
    assert [card.id for card in Catalog.load([tmp_path]).line_up()] == ["mine"]


def test_unknown_models_and_templates_are_refused_with_the_valid_ones(tmp_path: Path) -> None:
    catalog = Catalog.load()
    with pytest.raises(Unknown) as caught:
        catalog.card("gpt-4")
    assert str(caught.value) == f"unknown model 'gpt-4'; valid: {', '.join(catalog.cards)}"
    with pytest.raises(Unknown, match="unknown model 'x'; valid: galpaca-30b, "):
        catalog.line_up(["pocket-galpaca", "x"])
    with pytest.raises(Unknown, match="unknown template 'x'; valid: chat, galpaca, galpaca:code, "):
        catalog.template("x")
    path = write(tmp_path, GOOD.replace('"openalpaca"', '"alpaca"'))
    with pytest.raises(InvalidCard, match=f"{path}: unknown template 'alpaca'; valid: chat, galpaca, galpaca:code, "):
        Catalog.load([tmp_path])


def test_a_model_named_twice_is_refused() -> None:
    with pytest.raises(
        InvalidValue, match="a model is named twice in pocket-galpaca, pocket-galpaca; name each one once"
    ):
        Catalog.load().line_up(["pocket-galpaca", "pocket-galpaca"])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCard, match=r"nowhere is not a folder; name one that holds \.toml files"):
        Catalog.load([tmp_path / "nowhere"])
    with pytest.raises(InvalidTemplate, match=r"nowhere is not a folder"):
        Catalog.load(template_folders=[tmp_path / "nowhere"])


# Prompts


@pytest.fixture
def mine(tmp_path: Path) -> Catalog:
    write(tmp_path)
    (tmp_path / "mine").mkdir()
    shutil.copy(FIXTURES / "preview.model", tmp_path / "mine" / "tokenizer.model")
    return Catalog.load([tmp_path])


def test_a_prompt_has_the_cards_template_or_another_one(mine: Catalog) -> None:
    prompt = mine.prompt("mine", Instruction("Hi"))
    assert (prompt.template_id, prompt.token_ids[:2], prompt.token_ids[-2:]) == ("openalpaca", (1, 1), (2, 1))
    assert mine.prompt("mine", Instruction("Hi"), "plain").text == "Hi"
    with pytest.raises(InvalidTemplate, match="mine: mine has no chat template; name another template"):
        mine.prompt("mine", Instruction("Hi"), "chat")


def test_tokenizers_are_read_once(mine: Catalog) -> None:
    card = mine.card("mine")
    assert mine.tokenizer_of(card) is mine.tokenizer_of(card)


def test_a_prompt_that_does_not_fit_names_the_model(mine: Catalog) -> None:
    with pytest.raises(PromptTooLong, match=r"^Mine: the prompt is .* the format openalpaca takes at most 1,024"):
        mine.prompt("mine", Instruction("hello " * 2000))
    assert mine.check_fits("mine", Instruction("Hi"), SamplingParams()).text.count("Hi") == 1
    with pytest.raises(PromptTooLong, match=r"Mine reads at most 2,048 tokens, prompt and answer together"):
        mine.check_fits("mine", Instruction("Hi"), SamplingParams(max_new_tokens=2047))


@pytest.mark.parametrize("name", ["tokenizer.model", "tokenizer.json"])
@pytest.mark.parametrize("template", ["openalpaca", "chat"])
def test_errors_about_a_folder_do_not_tell_its_path(tmp_path: Path, template: str, name: str) -> None:
    home = tmp_path / "my models"
    (home / "Mine 3B").mkdir(parents=True)
    write(home, GOOD.replace("./mine", "./Mine 3B").replace("openalpaca", template))
    (home / "Mine 3B" / name).write_bytes(b"{torn")
    with pytest.raises(TokenizerError, match=rf"^mine: .*Mine 3B/{name}") as caught:
        Catalog.load([home]).prompt("mine", Instruction("Hi"))
    assert str(tmp_path) not in str(caught.value)
    assert "my models" not in str(caught.value)


def test_a_template_is_checked_with_each_tokenizer(tmp_path: Path, mine: Catalog) -> None:
    (tmp_path / "templates").mkdir()
    form = (ROOT / "prompts" / "templates" / "openalpaca.toml").read_text()
    write(tmp_path / "templates", form, "openalpaca.toml")
    other = form.replace('id = "openalpaca"', 'id = "other"').replace("stop_ids = [2]", "stop_ids = [9999]")
    write(tmp_path / "templates", other, "other.toml")
    write(tmp_path, GOOD.replace('"mine"', '"again"').replace('"openalpaca"', '"other"'), "again.toml")
    catalog = Catalog.load([tmp_path], [tmp_path / "templates"])
    assert catalog.prompt("mine", Instruction("Hi")).token_ids
    for model_id, template_id in (("mine", "other"), ("again", "")):
        with pytest.raises(TokenizerError, match=rf"^{model_id}: template other: .* has no token 9999"):
            catalog.prompt(model_id, Instruction("Hi"), template_id)


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(TokenizerError, match=r"^mine: no tokenizer in .*mine: it has to hold tokenizer.model or"):
        Catalog.load([tmp_path]).prompt("mine", Instruction("Hi"))


def test_a_card_without_files_says_how_to_fetch_them(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("./mine", "org/mine"))
    with pytest.raises(TokenizerError, match=r"^mine: org/mine is not on this machine; fetch it: .* fetch mine$"):
        Catalog.load([tmp_path]).prompt("mine", Instruction("Hi"))


def test_a_template_for_another_tokenizer_is_refused(tmp_path: Path, mine: Catalog) -> None:
    form = (
        (ROOT / "prompts" / "templates" / "openalpaca.toml").read_text().replace("stop_ids = [2]", "stop_ids = [9999]")
    )
    (tmp_path / "templates").mkdir()
    write(tmp_path / "templates", form, "openalpaca.toml")
    catalog = Catalog.load([tmp_path], [tmp_path / "templates"])
    with pytest.raises(TokenizerError, match=r"^mine: template openalpaca: .* has no token 9999, only 4000 of them"):
        catalog.prompt("mine", Instruction("Hi"))


# Checkpoints by name


@pytest.fixture
def talker(tmp_path: Path) -> Path:
    """A folder with a chat template and no card."""
    folder = tmp_path / "Talker"
    folder.mkdir()
    write_chat(folder)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 512}')
    return folder


def test_a_folder_is_a_model_like_any_other(talker: Path) -> None:
    catalog = Catalog.load()
    cards = catalog.line_up([str(talker), "pocket-galpaca"])
    assert [card.id for card in cards] == ["talker", "pocket-galpaca"]
    assert list(catalog.cards)[-1] == "talker"
    assert catalog.card("talker") is catalog.known("talker") is catalog.card(str(talker)) is cards[0]
    prompt = catalog.check_fits("talker", Instruction("a<|im_end|>b"), SamplingParams())
    assert (prompt.template_id, prompt.text) == (
        "chat",
        "<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n",
    )
    assert catalog.prompt("talker", Instruction("Hi"), "plain").text == "Hi"
    assert catalog.template_of(cards[0]) is catalog.template_of(cards[0])


def test_an_id_from_a_visitor_is_not_read_as_a_path(talker: Path) -> None:
    with pytest.raises(Unknown, match=f"unknown model '{talker}'; valid: "):
        Catalog.load().known(str(talker))


def test_two_models_of_the_same_name_are_refused(talker: Path, tmp_path: Path) -> None:
    other = shutil.copytree(talker, tmp_path / "elsewhere" / "talker")
    with pytest.raises(InvalidCard, match=r"there is another model 'talker'; give the folder a name of its own"):
        Catalog.load().line_up([str(talker), str(other)])
    galpaca = shutil.copytree(talker, tmp_path / "pocket-galpaca")
    with pytest.raises(InvalidCard, match="there is another model 'pocket-galpaca'"):
        Catalog.load().card(str(galpaca))
    with pytest.raises(InvalidValue, match="a model is named twice"):
        Catalog.load().line_up([str(talker), f"{talker}/"])


def test_an_unfetched_hub_id_says_how_to_fetch_it() -> None:
    with pytest.raises(Unknown, match=r"^nobody/nothing is not on this machine; fetch it first: python -m playground"):
        Catalog.load().card("nobody/nothing")


def test_a_card_may_name_the_chat_template_of_its_repository(talker: Path, tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("./mine", "./Talker").replace('"openalpaca"', '"chat"'))
    catalog = Catalog.load([tmp_path])
    assert catalog.prompt("mine", Instruction("Hi")).text.startswith("<|im_start|>user\nHi")
    (talker / "chat_template.jinja").write_text("{% for")
    with pytest.raises(InvalidTemplate, match="mine: the chat template is broken in line 1"):
        Catalog.load([tmp_path]).prompt("mine", Instruction("Hi"))
    shutil.rmtree(talker)
    with pytest.raises(TokenizerError, match=r"mine: no tokenizer in .*Talker: it has to hold"):
        Catalog.load([tmp_path]).prompt("mine", Instruction("Hi"))


def test_a_card_finds_the_files_of_a_fetched_repository(
    talker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path, GOOD.replace("./mine", "org/mine").replace('"local"', f'"{"0" * 40}"').replace("openalpaca", "chat")
    )
    snapshot = tmp_path / "hub" / "models--org--mine" / "snapshots" / ("0" * 40)
    shutil.copytree(talker, snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    catalog = Catalog.load([tmp_path])
    assert catalog.prompt("mine", Instruction("Hi"), "plain").token_ids
    assert catalog.prompt("mine", Instruction("Hi")).template_id == "chat"


def test_two_commits_of_a_repository_are_two_models(
    talker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = tmp_path / "hub" / "models--org--mine" / "snapshots"
    names = [f"org/mine@{digit * 40}" for digit in "01"]
    for name, greeting in zip(names, ("Hello", "Good day"), strict=True):
        folder = shutil.copytree(talker, snapshots / name.partition("@")[2])
        (folder / "chat_template.jinja").write_text(f"{greeting}: {{{{ messages[-1].content }}}}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    catalog = Catalog.load()
    assert [card.id for card in catalog.line_up(names)] == names
    assert [catalog.prompt(name, Instruction("Ann")).text for name in names] == ["Hello: Ann", "Good day: Ann"]


def test_a_branch_fetched_again_has_its_new_tokenizer(
    talker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "hub" / "models--org--mine"
    (home / "refs").mkdir(parents=True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    text = GOOD.replace("./mine", "org/mine").replace('"local"', '"main"')
    write(tmp_path, text.replace('"openalpaca"', '"chat"'))
    write(tmp_path, text.replace('"mine"', '"bare"').replace('"openalpaca"', '"plain"'), "bare.toml")
    catalog = Catalog.load([tmp_path])
    prompts, tokenizers = [], []
    for digit, greeting in (("0", "Hello"), ("1", "Good day")):
        folder = shutil.copytree(talker, home / "snapshots" / (digit * 40))
        (folder / "chat_template.jinja").write_text(f"{greeting}: {{{{ messages[-1].content }}}}")
        (home / "refs" / "main").write_text(digit * 40)
        prompts.append(catalog.prompt("mine", Instruction("Ann")).text)
        tokenizers.append(catalog.tokenizer_of(catalog.card("bare")))
    assert prompts == ["Hello: Ann", "Good day: Ann"]
    assert tokenizers[0] is not tokenizers[1]


def test_reading_a_tokenizer_does_not_block_cards(talker: Path) -> None:
    catalog = Catalog.load()
    with catalog._files._lock, ThreadPoolExecutor(1) as pool:
        assert pool.submit(catalog.card, str(talker)).result(timeout=30).id == "talker"
        assert pool.submit(lambda: (catalog.known("talker"), list(catalog.cards)[-1])).result(timeout=30)[1] == "talker"


def test_threads_find_the_same_checkpoint(talker: Path) -> None:
    catalog = Catalog.load()
    with ThreadPoolExecutor(4) as pool:
        cards = list(pool.map(catalog.card, [str(talker)] * 16))
        prompts = list(pool.map(lambda text: catalog.prompt("talker", Instruction(text)), ["</s>", "Hi"] * 16))
    assert len({id(card) for card in cards}) == 1
    assert len(set(prompts)) == 2


def test_making_prompts_is_quick(mine: Catalog) -> None:
    mine.prompt("mine", Instruction("Hi"))
    began = time.thread_time()
    for _ in range(100):
        mine.prompt("mine", Instruction("What is an alpaca? " * 20))
    assert time.thread_time() - began < 2


def test_damaged_checkpoint_that_is_added_is_refused_and_forgotten(talker: Path) -> None:
    catalog = Catalog.load()
    (talker / "model.safetensors").write_bytes(b"cut")
    words = "talker: model.safetensors has no header that can be read"
    with pytest.raises(InvalidCard, match=re.escape(words)), catalog.trying(str(talker)):
        pytest.fail("it is refused before anything is done with it")
    assert "talker" not in catalog.cards
    (talker / "model.safetensors").unlink()
    with pytest.raises(TokenizerError), catalog.trying(str(talker)):
        raise TokenizerError("refused later")
    assert "talker" not in catalog.cards
    with catalog.trying(str(talker)) as card:
        pass
    assert catalog.known("talker") is card


def test_known_card_that_is_refused_stays(talker: Path) -> None:
    catalog = Catalog.load()
    catalog.card(str(talker))
    with pytest.raises(TokenizerError), catalog.trying(str(talker)):
        raise TokenizerError("refused later")
    assert "talker" in catalog.cards
