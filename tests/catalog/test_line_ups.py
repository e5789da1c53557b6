"""Line-ups: lists of models that a name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.errors import InvalidCard, InvalidValue, Unknown
from tests.catalog.test_card_files import GOOD, write

CATALOG = Catalog.load()


def write_line_up(folder: Path, name: str, text: str) -> Path:
    (folder / "line_ups").mkdir(exist_ok=True)
    path = folder / "line_ups" / f"{name}.toml"
    path.write_text(text)
    return path


def ids(catalog: Catalog, *names: str) -> list[str]:
    return [card.id for card in catalog.line_up(names)]


@pytest.mark.parametrize("name", CATALOG.line_ups)
def test_line_up_stands_for_its_models_in_order(name: str) -> None:
    assert ids(CATALOG, name) == list(CATALOG.line_ups[name].models)
    assert CATALOG.line_ups[name].description.endswith(".")


def test_built_in_line_ups_are_the_documented_ones() -> None:
    assert list(CATALOG.line_ups) == ["24gb", "five", "laptop", "pocket"]
    assert ids(CATALOG) == ids(CATALOG, "pocket")
    stand_ins = {CATALOG.card(model).stands_in_for for model in CATALOG.line_ups["pocket"].models}
    assert stand_ins <= set(CATALOG.line_ups["five"].models)


def test_line_ups_and_models_mix_and_no_model_comes_twice() -> None:
    laptop = list(CATALOG.line_ups["laptop"].models)
    assert ids(CATALOG, "pocket-galpaca", "laptop") == ["pocket-galpaca", *laptop]
    with pytest.raises(InvalidValue, match=r"a model is named twice in laptop, qwen3-0\.6b; name each one once"):
        ids(CATALOG, "laptop", "qwen3-0.6b")


def test_unknown_name_is_refused_with_cards_and_line_ups() -> None:
    with pytest.raises(Unknown) as caught:
        ids(CATALOG, "laptops")
    assert str(caught.value) == f"unknown model 'laptops'; valid: {', '.join((*CATALOG.cards, *CATALOG.line_ups))}"


def test_line_up_of_the_operator_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path)
    write_line_up(tmp_path, "laptop", 'description = "Mine."\nmodels = ["mine", "pocket-galpaca"]')
    assert ids(Catalog.load([CARD_FOLDER, tmp_path]), "laptop") == ["mine", "pocket-galpaca"]


def test_retired_model_is_left_out_of_a_line_up(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("[sampling]", 'retired = "its server was switched off"\n[sampling]'))
    write_line_up(tmp_path, "ours", 'description = "Ours."\nmodels = ["mine", "pocket-galpaca"]')
    assert ids(Catalog.load([CARD_FOLDER, tmp_path]), "ours") == ["pocket-galpaca"]


def test_line_up_whose_models_are_all_retired_is_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("[sampling]", 'retired = "its server was switched off"\n[sampling]'))
    write_line_up(tmp_path, "ours", 'description = "Ours."\nmodels = ["mine"]')
    with pytest.raises(InvalidValue, match="line-up 'ours': all its models are retired; name other models"):
        ids(Catalog.load([CARD_FOLDER, tmp_path]), "ours")


@pytest.mark.parametrize("name", CATALOG.line_ups)
def test_card_with_the_name_of_a_built_in_line_up_is_named_with_its_file(tmp_path: Path, name: str) -> None:
    card = write(tmp_path, GOOD.replace('id = "mine"', f'id = "{name}"'), f"{name}.toml")
    with pytest.raises(InvalidCard) as caught:
        Catalog.load([CARD_FOLDER, tmp_path])
    assert f"a card has the same name, {card}; rename the one of the two files that is yours" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("ours", 'description = "Ours."\nmodels = ["gpt-4"]', "'models' names 'gpt-4'; valid: mine"),
        ("mine", 'description = "Mine."\nmodels = ["mine"]', "a card has the same name, "),
        ("ours", 'description = "Ours."', "missing 'models'; add it"),
        ("ours", 'description = "Ours."\nmodels = []', "'models' is []"),
        ("ours", 'description = " "\nmodels = ["mine"]', "'description' is empty; fill it in"),
        ("ours", 'models = ["mine"]\nmodel = "mine"', "unknown key 'model'; valid keys: description, models"),
        ("Ours", 'description = "Ours."\nmodels = ["mine"]', "it has to be the file's name"),
        ("ours", "models = [", "is not TOML in UTF-8"),
    ],
)
def test_wrong_line_up_is_refused_with_file_and_key(tmp_path: Path, name: str, text: str, problem: str) -> None:
    write(tmp_path)
    path = write_line_up(tmp_path, name, text)
    with pytest.raises(InvalidCard) as caught:
        Catalog.load([tmp_path])
    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)
