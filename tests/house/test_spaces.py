"""Spaces.md agrees with the pins, the cards, the files and the settings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from playground.catalog.catalog import Catalog
from playground.settings import Settings
from tests.support.paths import ROOT

PINS = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def space_readme(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the output of the documented pipe on Spaces.md and README.md."""
    line = next(s.strip() for s in (ROOT / "Spaces.md").read_text().splitlines() if s.strip().startswith("sed "))
    target = tmp_path_factory.mktemp("space") / "README.md"
    subprocess.run(["bash", "-c", line.replace("/tmp/README.md", str(target))], cwd=ROOT, check=True)
    return target.read_text()


@pytest.fixture(scope="module")
def front_matter(space_readme: str) -> dict:
    assert space_readme.startswith("---\n")
    return yaml.safe_load(space_readme.split("---\n")[1])


def test_readme_of_the_space_is_front_matter_and_our_readme(space_readme: str) -> None:
    assert space_readme.split("---\n", 2)[2] == (ROOT / "README.md").read_text()


def test_front_matter_agrees_with_the_pins(front_matter: dict) -> None:
    assert front_matter["sdk"] == "gradio"
    assert front_matter["sdk_version"] == PINS["gradio"]
    assert tuple(map(int, front_matter["python_version"].split("."))) >= (3, 11)


def test_space_offers_the_login_of_its_operator(front_matter: dict) -> None:
    assert front_matter["hf_oauth"] is True


def test_front_matter_agrees_with_the_files(front_matter: dict) -> None:
    assert (ROOT / front_matter["app_file"]).is_file()
    assert front_matter["license"] == "apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert len(front_matter["short_description"]) <= 60


def test_front_matter_lists_the_hub_models_of_the_cards(front_matter: dict) -> None:
    settings = Settings()
    cards = Catalog.load(settings.card_folders, settings.template_folders).cards.values()
    assert front_matter.get("models", []) == [card.repo for card in cards if not Path(card.repo).is_absolute()]


def test_settings_named_in_the_text_exist() -> None:
    from playground.settings import table, variable

    known = {variable(setting.name) for setting in table()}
    assert set(re.findall(r"PLAYGROUND_[A-Z_]+", (ROOT / "Spaces.md").read_text())) <= known
