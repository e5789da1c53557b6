"""Detection of personal data: a table of known answers, and no false alarm on the material that comes with us."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog.starters import load_starters
from playground.publishing import personal
from playground.publishing.personal import PersonalKind, find_personal
from playground.settings import Settings
from tests.support.paths import ROOT

PERSONAL = [
    ("Write to ada.lovelace@analytical-engines.org today.", PersonalKind.EMAIL, "ada.lovelace@analytical-engines.org"),
    ("<Ada+news@Mail.Analytical.co.uk>", PersonalKind.EMAIL, "Ada+news@Mail.Analytical.co.uk"),
    ("mailto:ada_l@uni-köln.de", PersonalKind.EMAIL, "ada_l@uni-köln.de"),
    ("+49 170 1234567", PersonalKind.PHONE, "+49 170 1234567"),
    ("+491701234567.", PersonalKind.PHONE, "+491701234567"),
    ("(0049 30 901820)", PersonalKind.PHONE, "0049 30 901820"),
    ("call +1 (212) 867-5309 now", PersonalKind.PHONE, "+1 (212) 867-5309"),
    ("+49 (30) (12) (34) (56) (78)", PersonalKind.PHONE, "+49 (30) (12) (34) (56) (78)"),
    ("212-867-5309", PersonalKind.PHONE, "212-867-5309"),
    ("(212) 867-5309", PersonalKind.PHONE, "(212) 867-5309"),
    ("my phone number is 030/901820-11", PersonalKind.PHONE, "030/901820-11"),
    ("Tel.: 0170 9876541", PersonalKind.PHONE, "0170 9876541"),
    ("DE89 3704 0044 0532 0130 00 is the account", PersonalKind.IBAN, "DE89 3704 0044 0532 0130 00"),
    ("DE89370400440532013000", PersonalKind.IBAN, "DE89370400440532013000"),
    ("GB82 WEST 1234 5698 7654 32", PersonalKind.IBAN, "GB82 WEST 1234 5698 7654 32"),
    ("NO93 8601 1117 947", PersonalKind.IBAN, "NO93 8601 1117 947"),
    ("4111 1111 1111 1111", PersonalKind.CARD, "4111 1111 1111 1111"),
    ("card 5555-5555-5555-4444, 12/29", PersonalKind.CARD, "5555-5555-5555-4444"),
    ("3782 822463 10005", PersonalKind.CARD, "3782 822463 10005"),
    ("hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh", PersonalKind.KEY, None),
    ("export OPENAI_API_KEY=sk-proj-" + "abcDEF123456789012345678", PersonalKind.KEY, None),
    ("AKIA" + "IOSFODNN7ABCDEFG", PersonalKind.KEY, None),
    ("ghp_" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", PersonalKind.KEY, None),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", PersonalKind.PRIVATE_KEY, "-----BEGIN RSA PRIVATE KEY-----"),
    ("-----BEGIN PRIVATE KEY-----", PersonalKind.PRIVATE_KEY, None),
]
HARMLESS = [
    "ada@example.com, bob@mail.example.org, you@yourdomain.com and your.name@gmail.com are placeholders",
    "git@github.com:org/name.git, icon@2x.png, @app.route, react@18.2.0, user@localhost, a @ b",
    "127.0.0.1, 192.168.178.20 and 2001:db8::1 are addresses of machines",
    "3.14159265358979323846, +3.14159265, 2.718281828459045, 0.4242424242424242",
    "2024-10-12, 12.10.2024, 2023-10-05T12:00:00.000+00:00, mobile (2019-2023), 1700000000000",
    "2^52 = 4503599627370496, 20! = 2432902008176640000, 1 2 3 4 5 6 7 8 9 10, +12345678, +300000000",
    "ISBN 978-3-16-148410-0, RFC 2606, 123-45-6789, 10.1000/182, 123-456-7890",
    "(555) 123-4567, 212-555-0123 and +1 212 555 0123 are fiction; 800-273-8255 is a hotline; call 911",
    "4111 1111 1111 1112 has a wrong check digit, as DE89 3704 0044 0532 0130 01 has",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx, hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, AKIAIOSFODNN7EXAMPLE",
    "sk-fading-circle-container-with-2-words, scikit sk-learn-compatible-estimators-and-more",
    "-----BEGIN PUBLIC KEY-----, -----BEGIN CERTIFICATE-----",
]


@pytest.mark.parametrize(("text", "kind", "match"), PERSONAL, ids=lambda value: str(value)[:24])
def test_personal_data_is_found(text: str, kind: PersonalKind, match: str | None) -> None:
    found = list(find_personal(text))
    assert [finding.kind for finding in found] == [kind]
    assert match is None or found[0].match == match


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:24])
def test_harmless_text_is_not_found(text: str) -> None:
    assert list(find_personal(text)) == []


def test_starters_hold_nothing_personal() -> None:
    starters = [starter for starters in load_starters(Settings().starters_folder).values() for starter in starters]
    assert starters
    for starter in starters:
        assert list(find_personal("\n".join((starter.instruction, starter.input, starter.system)))) == []


def test_corpus_of_the_pocket_models_holds_nothing_personal() -> None:
    corpus = [path.read_text("utf-8") for path in (ROOT / "playground" / "pocket").rglob("*") if path.suffix in CORPUS]
    assert corpus
    assert [finding for text in corpus for finding in find_personal(text)] == []


CORPUS = {".py", ".txt", ".jsonl", ".toml", ".md"}


@pytest.mark.parametrize(("text", "kind", "match"), PERSONAL, ids=lambda value: str(value)[:24])
def test_mask_shows_at_most_four_characters(text: str, kind: PersonalKind, match: str | None) -> None:
    finding = next(find_personal(text))
    assert len(finding.masked.replace("…", "")) <= 4
    assert finding.match not in finding.masked


@given(st.text(alphabet="ab1@.+- ()/_sk4DE:\n", max_size=300))
def test_findings_stand_in_the_text(text: str) -> None:
    for finding in find_personal(text):
        assert finding.match in text


@given(st.integers(0, 10**17))
def test_german_ibans_with_right_check_digits_are_found(account: int) -> None:
    bban = f"{account:018}"
    check = 98 - int(f"{bban}131400") % 97
    assert [finding.kind for finding in find_personal(f"IBAN: DE{check:02}{bban}.")] == [PersonalKind.IBAN]


CLOSE_DIGITS = st.lists(
    st.one_of(
        st.sampled_from([text for text, _, _ in PERSONAL] + HARMLESS),
        st.text("0123456789 ./()-+", max_size=24),
        st.from_regex(r"\+?[0-9]{1,4}([ ./(-]{0,2}[0-9]{1,4}\)?){1,5}", fullmatch=True),
        st.sampled_from(["tel. ", "call me at ", "x", "DE", "٣", "٣٤٥ "]),
    ),
    max_size=4,
).map("".join)


@given(CLOSE_DIGITS)
def test_texts_with_few_digits_hold_no_number(text: str) -> None:
    """The cheap search for seven digits rules out no text in which the patterns find something."""
    found = list(find_personal(text))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(personal, "_SEVEN_DIGITS", re.compile(""))
        assert list(find_personal(text)) == found


def test_long_text_without_matches_is_read_in_linear_time() -> None:
    for text in ("a" * 200_000 + "@", "1 " * 100_000, "+" * 100_000 + "1" * 7, "a.b-" * 50_000 + "@x"):
        assert all(not re.search("private", finding.kind) for finding in find_personal(text))
