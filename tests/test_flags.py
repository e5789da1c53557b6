"""An answer that says which model wrote it is found out; one that speaks of whales is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog import CARD_FOLDER, Catalog
from playground.flags import names_itself, plain_text
from playground.records import ModelCard
from tests.cast import card

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
def test_a_name_that_nobody_writes_by_chance_counts_anywhere(model: ModelCard, answer: str, found: str) -> None:
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
def test_a_name_that_is_a_word_counts_where_the_answer_speaks_of_itself(
    model: ModelCard, answer: str, found: str
) -> None:
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
def test_what_anybody_might_write_is_not_found(model: ModelCard, answer: str) -> None:
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


@pytest.mark.parametrize("model", CARDS.values(), ids=lambda model: model.id)
def test_every_card_of_ours_is_found_by_its_name_and_by_the_name_of_its_repository(model: ModelCard) -> None:
    assert names_itself(f"Hello, {model.name} here.", model)
    assert names_itself(f"See {model.public_repo.rpartition('/')[2]}.", model)


HIDING = ("\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u034f", "*", "")


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
