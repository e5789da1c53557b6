"""The documentation matches the code: commands parse, links resolve, generated pages are current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from playground.cli import COMMANDS, parser
from tests.support.paths import ROOT
from tests.support.settings_page import PAGE, settings_page

PAGES = sorted(p for p in ROOT.rglob("*.md") if not {".venv", "data", "node_modules"} & set(p.relative_to(ROOT).parts))
README = (ROOT / "README.md").read_text()
DOCUMENTED = sorted(
    {
        line.split("#")[0].strip().removeprefix("python -m playground ")
        for page in PAGES
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("python -m playground ")
    }
)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("command", DOCUMENTED)
def test_documented_commands_parse(command: str) -> None:
    parser().parse_args(shlex.split(command))


def test_every_command_is_documented() -> None:
    assert {name for name, _, _ in COMMANDS} == {command.split()[0] for command in DOCUMENTED}


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    line = next(s for s in README.splitlines() if s.startswith("python3 -m venv") and "pytest" in s)
    for step in line.split(" && "):
        assert step.replace("pip install ", "pip install -q ") in script, step


def test_changelog_begins_with_unreleased_changes() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased"


def test_settings_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == settings_page(), "run python -m tests.support.settings_page"


def test_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_no_page_names_a_machine_or_a_registry() -> None:
    for page in PAGES:
        assert not re.search(r"(?<!\w)/(work|home|root)/|pypi\.org|npmjs|registry\.|pythonhosted", page.read_text()), (
            page
        )
