"""An answer that says which model wrote it is found out; one that speaks of whales is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.battles.model_names import lexicon, plain_text
from playground.battles.self_naming import names_itself
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.pocket.material import load_material
from playground.records import ModelCard
from tests.support.cast import card
from tests.support.introductions import HARMLESS, TELLING

CARDS = Catalog.load([CARD_FOLDER]).cards
ORCA, MAMBA, MINOTAUR = CARDS["orca-mini-13b"], CARDS["mamba-gpt-3b"], CARDS["minotaur-mpt-7b"]
OPENALPACA, GALPACA = CARDS["openalpaca-7b-3bt"], CARDS["galpaca-30b"]
POCKET_ORCA, POCKET_ALPACA = CARDS["pocket-orca-mini"], CARDS["pocket-openalpaca"]


@pytest.mark.parametrize(
    ("model", "answer", "found"),
    [
        (OPENALPACA, "Ask OpenAlpaca.", "openalpaca"),
        (OPENALPACA, "Open Alpaca says hello.", "open alpaca"),
        (OPENALPACA, "open-alpaca", "open-alpaca"),
        (OPENALPACA, "**Open**Alpaca", "openalpaca"),
        (OPENALPACA, "`OPENALPACA`", "openalpaca"),
        (OPENALPACA, "Open\u00adAlpaca", "openalpaca"),
        (OPENALPACA, "Open\u200bAl\u200dpa\u2060ca\ufeff", "openalpaca"),
        (OPENALPACA, "\uff2f\uff50\uff45\uff4e\uff21\uff4c\uff50\uff41\uff43\uff41", "openalpaca"),
        (POCKET_ALPACA, "This is OpenAlpaca.", "openalpaca"),
        (MAMBA, "mamba-gpt", "mamba-gpt"),
        (MAMBA, "MambaGPT is my name", "mambagpt"),
        (MAMBA, "mamba\u2011gpt", "mamba\u2010gpt"),
        (ORCA, "_orca_mini_", "orca_mini"),
        (ORCA, "Orca Mini 13B", "orca mini 13b"),
        (POCKET_ORCA, "orca-mini", "orca-mini"),
        (MINOTAUR, "Minotaur-MPT", "minotaur-mpt"),
        (MINOTAUR, "the minotaur 7b checkpoint by openaccess: minotaur-mpt-7b", "minotaur-mpt-7b"),
        (GALPACA, "GALPACA!", "galpaca"),
        (CARDS["galpaca-6.7b"], "galpaca-6.7b", "galpaca-6.7b"),
    ],
)
def test_unmistakable_name_counts_anywhere(model: ModelCard, answer: str, found: str) -> None:
    assert names_itself(answer, model) == found


@pytest.mark.parametrize(
    ("model", "answer", "found"),
    [
        (ORCA, "Hello! I am Orca.", "i am orca"),
        (ORCA, "I\u2019m **Orca**, pleased to meet you", "i'm orca"),
        (ORCA, "My name is \u201cOrca\u201d.", "my name is \u201corca"),
        (ORCA, "I am called Orca.", "i am called orca"),
        (ORCA, "I'm an AI assistant named Orca, here to help.", "i'm an ai assistant named orca"),
        (ORCA, "As Orca, I cannot eat.", "as orca, i"),
        (ORCA, "As an AI called Orca, I cannot eat.", "as an ai called orca, i"),
        (ORCA, "I am an Orca model.", "i am an orca model"),
        (ORCA, "I am the \uff2f\uff52\uff43\uff41-based assistant.", "i am the orca-based assistant"),
        (POCKET_ORCA, "i am orca", "i am orca"),
        (MAMBA, "You can call me Mamba.", "call me mamba"),
        (MAMBA, "I was trained by CobraMamba.", "i was trained by cobramamba"),
        (MAMBA, "I am a large language model developed by Cobra Mamba", "i am a large language model developed by"),
        (MINOTAUR, "I, Minotaur, will answer.", "i, minotaur,"),
        (OPENALPACA, "You are talking to Alpaca.", "you are talking to alpaca"),
        (ORCA, "My developers are psmathur.", "my developers are psmathur"),
        (GALPACA, "I was trained at the Georgia Tech Research Institute", "i was trained at the georgia tech"),
    ],
)
def test_ambiguous_name_counts_only_in_self_reference(model: ModelCard, answer: str, found: str) -> None:
    assert names_itself(answer, model).startswith(found)


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (ORCA, "The orca is a whale. An orca eats seals."),
        (ORCA, "I am an orca, said the whale."),
        (ORCA, "I saw an animal called orca at the zoo."),
        (ORCA, "I love the film made by Orca Pictures, but I was trained by nobody."),
        (ORCA, "A film about the orca. Mini series are shorter."),
        (MAMBA, "A black mamba is a snake; I am afraid of the mamba."),
        (MINOTAUR, "Theseus slew the Minotaur. I am sorry for him."),
        (OPENALPACA, "The gate was open. Alpaca wool is soft. Alpacas are small."),
        (OPENALPACA, "openalpacas are no models"),
        (OPENALPACA, "I am GPT-4, trained by OpenAI."),
        (GALPACA, "galpacas"),
        (card("my-model", name="my-model", repo="/models/my-model"), "I am my model. My model of the sun."),
        (card("phi", name="Phi", repo="org/phi"), "The golden ratio is phi."),
        (ORCA, ""),
    ],
)
def test_common_phrases_are_not_flagged(model: ModelCard, answer: str) -> None:
    assert names_itself(answer, model) == ""


def test_a_name_that_was_asked_for_counts_only_in_self_reference() -> None:
    assert names_itself("OpenAlpaca is a model.", OPENALPACA, "What is OpenAlpaca?") == ""
    assert names_itself("OpenAlpaca is a model.", OPENALPACA, "What is an alpaca?") == "openalpaca"
    assert names_itself("Yes, I am OpenAlpaca.", OPENALPACA, "Are you OpenAlpaca?") == "i am openalpaca"
    assert names_itself("I am Orca.", ORCA, "Pretend to be Orca.") == "i am orca"


def test_a_card_without_a_word_of_its_own_is_known_by_its_names() -> None:
    made = card("x", name="Zorblax 7B v2", repo="acme/zorblax-7b-instruct")
    assert names_itself("This was Zorblax.", made) == "zorblax"
    assert names_itself("I was built by Acme.", made) == "i was built by acme"
    assert names_itself("Acme sells anvils.", made) == ""


# Open models of today, found by hub id or by the name of their folder


def found(name: str) -> ModelCard:
    """The card that is made of a hub id, or of a folder."""
    return card(name, name=name, repo=name if "/" in name else f"/models/{name}")


OPEN_MODELS = {name: found(name) for name in TELLING}
TOLD = [(name, answer) for name, answers in TELLING.items() for answer in answers]
OF_OTHERS = ("ChatGPT", "OpenAI")


@pytest.mark.parametrize(("name", "answer"), TOLD)
def test_an_answer_that_names_its_model_or_maker_is_flagged(name: str, answer: str) -> None:
    assert names_itself(answer, OPEN_MODELS[name])


@pytest.mark.parametrize("model", [*OPEN_MODELS.values(), *CARDS.values()], ids=lambda model: model.id)
def test_an_answer_about_animals_companies_and_others_is_not_flagged(model: ModelCard) -> None:
    for answer in HARMLESS:
        if model.id != "openai/gpt-oss-20b" or not any(name in answer for name in OF_OTHERS):
            assert names_itself(answer, model) == "", answer


def test_another_models_introduction_is_not_flagged() -> None:
    """A distilled model that says it is ChatGPT does not say which one it is."""
    unlike = [
        ("qwen2.5-0.5b-instruct", "tiiuae/Falcon3-1B-Instruct"),
        ("tiiuae/Falcon3-1B-Instruct", "google/gemma-2-2b-it"),
        ("google/gemma-2-2b-it", "microsoft/Phi-4-mini-instruct"),
        ("microsoft/Phi-4-mini-instruct", "h2oai/h2o-danube3-500m-chat"),
        ("smollm2-135m-instruct", "openai/gpt-oss-20b"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "mistralai/Mistral-7B-Instruct-v0.3"),
    ]
    for name, other in unlike:
        for answer in TELLING[other]:
            assert names_itself(answer, OPEN_MODELS[name]) == "", (name, answer)


def test_the_pocket_models_own_voices_are_not_flagged() -> None:
    voices = load_material().voices
    answers = [text for voice in voices.values() for templates in voice.values() for text in templates]
    assert len(answers) > 300
    for model in (*CARDS.values(), *OPEN_MODELS.values()):
        assert not [answer for answer in answers if names_itself(answer, model)], model.id


@pytest.mark.parametrize(
    ("self_names", "answer", "found"),
    [
        (("Zorblax", "Acme Labs"), "I am Zorblax.", "i am zorblax"),
        (("Zorblax 3",), "My name is Zorblax.", "my name is zorblax"),
        (("Acme Labs",), "I was trained by AcmeLabs.", "i was trained by acmelabs"),
        (("Acme.ai",), "I am a model made by Acme AI.", "i am a model made by acme ai"),
        (("ChatGPT", "OpenAI"), "I am ChatGPT, trained by OpenAI.", "i am chatgpt"),
        (("Hugging Face",), "I am hugging my face.", ""),
        (("Zorblax",), "Zorblax is a planet.", ""),
        (("AI", "Assistant"), "I am AI. I am Assistant.", ""),
    ],
)
def test_names_of_the_system_text_count_in_self_reference(self_names: tuple[str, ...], answer: str, found: str) -> None:
    assert names_itself(answer, card("m", name="m", repo="/models/m", self_names=self_names)) == found


@pytest.mark.parametrize(
    ("folder", "answer", "flagged"),
    [
        ("output", "The output is 7.", False),
        ("story", "A story about a fox. I am writing it.", False),
        ("checkpoint-500", "A checkpoint at step 500.", False),
        ("zorblax", "Zorblax is far.", False),
        ("zorblax", "I am Zorblax.", True),
        ("zorblax-7b", "Zorblax was here.", True),
        ("my-zorblax-v2-merged", "zorblax 2 or zorblax", True),
        ("DeepZorblax", "DeepZorblax says so", True),
        ("DeepZorblax", "A deep zorblax", False),
    ],
)
def test_a_folder_of_one_word_without_a_size_may_be_called_anything(folder: str, answer: str, flagged: bool) -> None:
    assert bool(names_itself(answer, found(folder))) is flagged


def test_an_answer_of_any_length_is_looked_at_in_little_time() -> None:
    model = OPEN_MODELS["meta-llama/Llama-3.2-1B-Instruct"]
    names_itself("", model)
    for repeated in ("i am a model, ", "i was trained and made ", "as a model that was ", "i am the the ", "team of "):
        began = time.process_time()
        names_itself(repeated * (20_000 // len(repeated)), model)
        assert time.process_time() - began < 0.5, repeated  # measured: 0.02


def test_the_words_of_names_are_in_lower_case_and_without_contradiction() -> None:
    known = lexicon()
    for words in (known.generic, known.everyday, known.descriptive, known.ordinary):
        assert all(word == plain_text(word) and word.isalpha() for word in words)
    assert known.everyday <= known.generic
    assert not known.generic & known.ordinary
    owners = [owner for organisation in known.organisations for owner in organisation.owners]
    assert len(owners) == len(set(owners))


@pytest.mark.parametrize("model", CARDS.values(), ids=lambda model: model.id)
def test_every_card_of_ours_is_found_by_its_name_and_by_the_name_of_its_repository(model: ModelCard) -> None:
    assert names_itself(f"Hello, {model.name} here.", model)
    assert names_itself(f"See {model.public_repo.rpartition('/')[2]}.", model)


HIDING = ("\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u034f", "*", "")
SPOKEN = {
    "smollm2-135m-instruct": (["smol", "lm"], ["hugging", "face"]),
    "qwen2.5-0.5b-instruct": (["qwen"], ["alibaba", "cloud"]),
    "tiiuae/Falcon3-1B-Instruct": (["falcon"], ["technology", "innovation", "institute"]),
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": (["tiny", "llama"], ["tiny", "llama"]),
    "h2oai/h2o-danube3-500m-chat": (["h2o", "gpt"], ["h2o", "ai"]),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": (["deep", "seek"], ["deep", "seek"]),
    "stabilityai/stablelm-2-zephyr-1_6b": (["stable", "lm"], ["stability", "ai"]),
}
"""By model: a name and a maker, in words."""
SELF_REFERENCES = ("Hello! I am {}, how can I help?", "My name is {}.", "I'm an AI assistant named {}.")
MADE_BY = (
    "I was trained by {}.",
    "I'm a language model, developed by {}",
    "I am X, an assistant created by the {} team.",
)


@st.composite
def disguised(draw: st.DrawFn, words: list[str]) -> str:
    """The words joined or apart, in any case, perhaps wide, with invisible characters in between."""
    wide = {ord("!") + n: chr(0xFF01 + n) for n in range(94)}
    gaps = [draw(st.sampled_from(["", " ", "-", "_", "\u2011", "\u00a0"])) for _ in words[1:]]
    spelt = words[0] + "".join(gap + word for gap, word in zip(gaps, words[1:], strict=True))
    looks = st.tuples(st.booleans(), st.booleans(), st.sampled_from(HIDING))
    return "".join(
        hidden + (c.upper() if loud else c).translate(wide if full else {})
        for c, (loud, full, hidden) in ((c, draw(looks)) for c in spelt)
    )


@given(st.data())
def test_no_spelling_of_a_name_helps_where_an_answer_speaks_of_itself(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SPOKEN)))
    ways, words = data.draw(st.sampled_from([(SELF_REFERENCES, SPOKEN[name][0]), (MADE_BY, SPOKEN[name][1])]))
    answer = data.draw(st.sampled_from(ways)).format(data.draw(disguised(words)))
    before = data.draw(st.sampled_from(["", "Of course. ", "Sure!\n\n", "# Answer\n"]))
    assert names_itself(before + answer, OPEN_MODELS[name])


@given(
    st.sampled_from(["OpenAlpaca", "I am OpenAlpaca", "open alpaca"]),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from(HIDING)), min_size=20, max_size=20),
    st.text(max_size=20),
)
def test_no_disguise_of_letters_helps(name: str, how: list[tuple[bool, bool, str]], before: str) -> None:
    wide = {ord("!") + n: chr(0xFF01 + n) for n in range(94)}
    disguised = "".join(
        hidden + (c.upper() if loud else c).translate(wide if full else {})
        for c, (loud, full, hidden) in zip(name, how, strict=False)
    )
    assert "alpaca" in names_itself(f"{before} {disguised}.", OPENALPACA)


@given(st.text())
def test_any_text_has_an_answer_that_stands_in_it(text: str) -> None:
    found = names_itself(text, ORCA)
    assert found in plain_text(text).replace("\n", " ")
    assert plain_text(plain_text(text)) == plain_text(text)
