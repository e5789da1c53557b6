"""Personal data in a text: e-mail addresses, phone numbers, IBANs, payment cards, keys of services, private keys.

Precise rather than complete: a number needs a checksum, an international prefix, a usual format or a word such as
"phone" before it. Addresses that are reserved for examples (RFC 2606), numbers that are reserved for fiction, public
hotlines and placeholders of keys are not personal.

Boundary: pure; a text in, findings out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class PersonalKind(StrEnum):
    """A kind of personal data."""

    EMAIL = "e-mail address"
    PHONE = "phone number"
    IBAN = "IBAN"
    CARD = "payment card"
    KEY = "key or token"
    PRIVATE_KEY = "private key"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One match in a text."""

    kind: PersonalKind
    match: str

    @property
    def masked(self) -> str:
        """The match with its middle left out, for lists that others may read."""
        shown = 2 if len(self.match) >= 10 else 1
        return f"{self.match[:shown]}…{self.match[-shown:]}"


_EMAIL = re.compile(
    r"(?<![\w.+/-])(?P<name>[^\W_][\w.+-]{0,63})"
    r"@(?P<domain>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?P<top>[^\W\d_]{2,24}))(?![\w@-])"
)
_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|net|org|edu)|(?:your|my)?-?(?:domain|company|website)\.(?:com|org|net))$"
    r"|\.(?:example|test|invalid|localhost|local|internal|lan)$",
    re.IGNORECASE,
)
_PLACEHOLDER_NAME = re.compile(r"your|(?:git|foo|someone|username)$", re.IGNORECASE)
_FILE_ENDINGS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "ts", "css", "json", "html"})

# Every pattern of numbers has a shorter one that rules it out faster.
_TWO_DIGITS = re.compile(r"[0-9][0-9]")
_SEVEN_DIGITS = re.compile(r"\d(?:[ ./()-]{0,3}\d){6}")
"""Every card and phone number has so many, as close together."""
_LAST_DIGITS = re.compile(r"[0-9]{3}[ .-][0-9]{4}")
_EIGHT_DIGITS = re.compile(r"[0-9]{4}[ -]?[0-9]{4}")
_AMEX = re.compile(r"[0-9]{4}[ -][0-9]{6}")
_COUNTRY = re.compile(r"[A-Z][A-Z][0-9][0-9]")
_NUMBER_WORDS = ("tel", "phone", "mobil", "handy", "cell", "fax", "whatsapp", "call me", "text me")
_INTERNATIONAL = re.compile(
    r"(?<![\w+./])(?<!\d[ -])(?P<prefix>\+|00)(?P<number>[1-9]\d{0,14}(?:[ ./-]?(?:\(\d{1,5}\)|\d{1,12})){0,6})(?!\w)"
)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w+./-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d(?P<gap>[.-]))"
    r"[2-9]\d\d(?(gap)(?P=gap)|[ .-])\d{4}(?![\w-]|\.\d)"
)
_NAMED = re.compile(
    r"\b(?:tel|telefon|telephone|phone|mobile|mobil|handy|cell|fax|whatsapp|call me|text me)\b[^\w\n+]{0,3}"
    r"(?:(?:number|no|nr|nummer|is|ist|at|on|me|under|unter)\b[^\w\n+]{0,3}){0,3}"
    r"(?P<number>\+?\(?\d(?:[ ./()-]{0,2}\d){6,14})(?!\w)",
    re.IGNORECASE,
)
_DATES = re.compile(r"(?:(?:19|20)\d\d[ ./-]*(?:19|20)\d\d|\d{4}[./-]\d\d?[./-]\d\d?|\d\d?[./-]\d\d?[./-]\d{4})\D*$")
_COUNTRY_CODE = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-689]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[058]\d|9[679]\d"
)
"""The calling codes of the international numbering plan, ITU-T E.164."""
_COUNTING = ("12345678901234567890", "01234567890123456789", "98765432109876543210")
_TOLL_FREE = re.compile(r"8(?:00|33|44|55|66|77|88)")

_IBAN = re.compile(r"(?<!\w)(?P<country>[A-Z]{2})\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_IBAN_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "EG", "GT", "HU", "LB", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
}
"""Characters of an IBAN by country."""
_CARD = re.compile(
    r"(?<![\w.,-])(?:\d{14,19}|\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}|\d{4}[ -]\d{6}[ -]\d{5})"
    r"(?![\w-]|[.,]\d)"
)
_CARD_NUMBER = re.compile(
    r"4\d{15}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
"""Prefixes and lengths of Visa, Mastercard, American Express, Diners Club, Discover, JCB and UnionPay."""

_KEYS = re.compile(
    r"(?<![\w-])(?:hf_(?P<hf>[A-Za-z0-9]{30,})|sk-(?:proj-|ant-|or-|svcacct-)?(?P<sk>[A-Za-z0-9_-]{20,})"
    r"|[spr]k_live_(?P<stripe>[A-Za-z0-9]{16,})|(?:AKIA|ASIA)(?P<aws>[0-9A-Z]{16})|gh[pousr]_(?P<gh>[A-Za-z0-9]{36,})"
    r"|github_pat_(?P<pat>\w{22,})|glpat-(?P<gl>[\w-]{20,})|xox[abeprs]-(?P<slack>[A-Za-z0-9-]{10,})"
    r"|AIza(?P<google>[\w-]{35})|npm_(?P<npm>[A-Za-z0-9]{36})|pypi-(?P<pypi>[\w-]{50,})"
    r"|eyJ(?P<jwt>[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}))(?![\w-])"
)
_KEY_PREFIXES = (
    *("hf_", "sk-", "k_live_", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("AIza", "npm_", "pypi-", "eyJ"),
)
_LONGEST_WORD = 16
"""Characters without a hyphen that a key with hyphens has."""
_DISTINCT = 8
"""Characters that differ in a real key: a placeholder has fewer."""
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")


def find_personal(text: str) -> Iterator[PersonalData]:
    """Yield what looks personal in a text, kind by kind."""
    if "@" in text:
        yield from (PersonalData(PersonalKind.EMAIL, found[0]) for found in _EMAIL.finditer(text) if _is_email(found))
    if any(prefix in text for prefix in _KEY_PREFIXES):
        yield from (PersonalData(PersonalKind.KEY, found[0]) for found in _KEYS.finditer(text) if _is_key(found))
    if "PRIVATE KEY" in text:
        yield from (PersonalData(PersonalKind.PRIVATE_KEY, found[0]) for found in _PRIVATE_KEY.finditer(text))
    if _TWO_DIGITS.search(text):
        yield from _numbers(text)


def _is_email(found: re.Match[str]) -> bool:
    return not (
        found["top"].lower() in _FILE_ENDINGS
        or _RESERVED.search(found["domain"])
        or _PLACEHOLDER_NAME.match(found["name"])
        or found["name"].endswith(".")
    )


def _is_key(found: re.Match[str]) -> bool:
    secret = found[str(found.lastgroup)]
    if found.lastgroup == "sk" and (
        not any(char.isdigit() for char in secret) or max(map(len, secret.split("-"))) < _LONGEST_WORD
    ):
        return False  # words with hyphens
    return len(set(secret)) >= _DISTINCT and "EXAMPLE" not in secret.upper()


def _numbers(text: str) -> Iterator[PersonalData]:
    """Yield IBANs, cards and phone numbers; a number is of the first kind that it fits."""
    taken: list[str] = []
    is_long = _SEVEN_DIGITS.search(text) is not None
    for finding in (*_ibans(text), *(_cards(text) if is_long else ()), *(_phones(text) if is_long else ())):
        if not any(finding.match in earlier or earlier in finding.match for earlier in taken):
            taken.append(finding.match)
            yield finding


def _ibans(text: str) -> Iterator[PersonalData]:
    if not _COUNTRY.search(text):
        return
    for found in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(found["country"], 0)
        for end in range(len(found[0]), 14, -1):  # the pattern may take a word after the number
            chars = found[0][:end].replace(" ", "")
            if len(chars) == length and _mod_97(chars) == 1:
                yield PersonalData(PersonalKind.IBAN, found[0][:end].rstrip())
                break


def _mod_97(iban: str) -> int:
    """Return the remainder of ISO 7064: 1 if the check digits are right."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97


def _cards(text: str) -> Iterator[PersonalData]:
    if not _EIGHT_DIGITS.search(text) and not _AMEX.search(text):
        return
    for found in _CARD.finditer(text):
        digits = _digits(found[0])
        if _CARD_NUMBER.fullmatch(digits) and _luhn(digits) and len(set(digits)) > 1:
            yield PersonalData(PersonalKind.CARD, found[0])


def _luhn(digits: str) -> bool:
    """Return True if the last digit is the check digit of ISO/IEC 7812."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _phones(text: str) -> Iterator[PersonalData]:
    if "+" in text or "00" in text:
        for found in _INTERNATIONAL.finditer(text):
            if _is_international(found["prefix"], found["number"]):
                yield PersonalData(PersonalKind.PHONE, found[0])
    if _LAST_DIGITS.search(text):
        for found in _NORTH_AMERICAN.finditer(text):
            if _is_reachable(_digits(found[0])):
                yield PersonalData(PersonalKind.PHONE, found[0])
    lower = text.lower()
    if any(word in lower for word in _NUMBER_WORDS):
        for found in _NAMED.finditer(text):
            if not _DATES.match(found["number"]) and _is_reachable(_digits(found["number"])):
                yield PersonalData(PersonalKind.PHONE, found["number"])


def _is_international(prefix: str, number: str) -> bool:
    """Return True for a country's code and as many digits as a number has there; a decimal fraction is none."""
    digits, gaps = _digits(number), [char for char in number if not char.isdigit()]
    if gaps == ["."] or not _COUNTRY_CODE.match(digits) or digits.endswith("00000"):
        return False
    if digits[0] == "1":
        return len(digits) == 11 and digits[1] in "23456789" and _is_reachable(digits)
    fewest = 9 if gaps and prefix == "+" else 10
    return fewest <= len(digits) <= 15 and _is_reachable(digits)


def _is_reachable(digits: str) -> bool:
    """Return False for numbers of fiction (555), public hotlines, and digits that only count or repeat."""
    number = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if len(set(number)) <= 2 or any(number in counting for counting in _COUNTING):
        return False
    is_american = len(number) == 10 and number[0] in "23456789" and number[3] in "23456789"
    if is_american and (number[:3] == "555" or number[3:6] == "555" or _TOLL_FREE.match(number)):
        return False
    return not (len(number) == 7 and number.startswith("555"))


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isascii() and char.isdigit())
