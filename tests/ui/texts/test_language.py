"""The language of a visitor, and texts that are said in it."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from playground.messages import Counted, Message, joined
from playground.ui.rendering import escape, with_link
from playground.ui.texts.language import Language, Plural, _, all_said, negotiated, read_languages, said, speaking
from tests.support.paths import ROOT
from tests.support.pseudo import TAG, PseudoTranslations
from tests.support.translatable import texts

GERMAN, BRAZILIAN = Language("de", PseudoTranslations()), Language("pt-BR", PseudoTranslations())
KNOWN = {"Hello", "Hello {name}", "See {link}.", "{votes} votes", "not counted: {reason} of {who!r}", "So: {why}"}
PSEUDO = Language(TAG, PseudoTranslations(KNOWN))
GREETING = _("Hello {name}")
CATALOG = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=n != 1;\\n"

msgid "Hello {name}"
msgstr "Hallo {name}"

msgid "{count} vote"
msgid_plural "{count} votes"
msgstr[0] "{count} Stimme"
msgstr[1] "{count} Stimmen"
"""


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,de;q=0.5", "de"),
        ("en-GB,de", "en"),
        ("de;q=0.4,en;q=0.5", "en"),
        ("de; q=0.1, en;q=0.9", "en"),
        ("en; q=0.5, de; q=0.9", "de"),
        ("de;q=0", "en"),
        ("PT-br", "pt-BR"),
        ("pt", "en"),
        ("de;q=many, pt-BR", "pt-BR"),
        (";;=,,", "en"),
    ],
)
def test_the_language_is_the_one_the_visitor_likes_best(accepted: str, tag: str) -> None:
    assert negotiated(accepted, (GERMAN, BRAZILIAN)).tag == tag


def test_a_text_is_said_in_the_language_of_the_moment() -> None:
    assert (str(GREETING), f"{GREETING}", GREETING.format(name="Ada")) == (GREETING, GREETING, "Hello Ada")
    with speaking(PSEUDO):
        assert GREETING.format(name="Ada") == "[Ħéłłó Ada···]"
        assert f"{_('Hello')}" == str(_("Hello")) == said(_("Hello")) == escape(_("Hello")) == "[Ħéłłó·]"
        assert with_link(_("See {link}."), "<a>") == "[Šéé <a>.··]"
        assert GREETING == "Hello {name}"  # as a string it stays English
    assert str(GREETING) == "Hello {name}"


def test_other_strings_are_left_alone() -> None:
    with speaking(PSEUDO):
        assert said("an answer") == escape("an answer") == "an answer"
        assert all_said({"label": _("Hello"), "choices": [(_("Hello"), "hello")]}) == {
            "label": "[Ħéłłó·]",
            "choices": [["[Ħéłłó·]", "hello"]],
        }


def test_a_message_keeps_what_it_was_made_of() -> None:
    inside = Message("{votes} votes", votes=3)
    message = Message("not counted: {reason} of {who!r}", reason=inside, who="Ada")
    assert message == "not counted: 3 votes of 'Ada'"
    with speaking(PSEUDO):
        assert said(message) == "[ñóŧ çóúñŧéđ: [3 ṽóŧéš···] óƒ 'Ada'········]"
        assert said(copy.deepcopy(message)) == said(pickle.loads(pickle.dumps(message))) == said(message)
        assert _("So: {why}").format(why=inside) == "[Šó: [3 ṽóŧéš···]··]"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="needs Debian's gettext")
def test_a_compiled_catalog_is_a_language(tmp_path: Path) -> None:
    folder = tmp_path / "de_AT" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "playground.po").write_text(CATALOG, "utf-8")
    subprocess.run(["msgfmt", "-o", folder / "playground.mo", folder / "playground.po"], check=True)
    (german,) = read_languages(tmp_path)
    assert (german.tag, german.direction) == ("de-AT", "ltr")
    votes = Plural("{count} vote", "{count} votes")
    with speaking(german):
        assert GREETING.format(name="Ada") == "Hallo Ada"
        assert [votes.of(count).format(count=count) for count in (1, 2)] == ["1 Stimme", "2 Stimmen"]
        assert str(_("not in the catalog")) == "not in the catalog"
        assert str(_("")) == ""  # gettext would return the head of the catalog


def test_numbers_have_the_forms_of_the_language() -> None:
    with speaking(Language(TAG, PseudoTranslations({"{count:,} vote"}))):
        assert said(Counted("{count:,} vote", "{count:,} votes", count=1)) == "[1 ṽóŧé···]"
        votes = Counted("{count:,} vote", "{count:,} votes", count=1200)
        assert said(joined(": ", (votes, "", "Ada"))) == "[1,200 ṽóŧéš···]: Ada"
        assert said(pickle.loads(pickle.dumps(votes))) == "[1,200 ṽóŧéš···]"
    assert (votes, joined(" ", ())) == ("1,200 votes", "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs Debian's gettext")
def test_the_documented_command_finds_every_text(tmp_path: Path) -> None:
    (command,) = re.findall(
        r"^find playground .*\\\n(?:.*\\\n)*.*$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M
    )
    found = tmp_path / "playground.pot"
    subprocess.run(["bash", "-c", command.replace("playground.pot", str(found))], cwd=ROOT, check=True)
    subprocess.run(["msgfmt", "--check-format", "-o", tmp_path / "playground.mo", found], check=True)
    parsed = re.findall(r'^msgid ((?:".*"\n)+)', found.read_text("utf-8"), re.M)
    ids = {"".join(map(ast.literal_eval, lines.splitlines())) for lines in parsed} - {""}
    assert ids == texts().keys()


def test_no_catalog_leaves_english_alone(tmp_path: Path) -> None:
    assert read_languages(tmp_path) == ()
    assert Language("ar", PseudoTranslations()).direction == Language("fa-IR", PseudoTranslations()).direction == "rtl"
