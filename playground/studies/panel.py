"""The panel of a study, which sends raters and pays them: its keys in the study's file, codes and addresses.

Boundary: pure; `panel_links` reads whom it sends, `panel_outcomes` decides how a rater's work ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, NonNegativeInt, PositiveInt

from playground.documents import strict_keys
from playground.errors import InvalidValue

PROLIFIC_REDIRECT = "https://app.prolific.com/submissions/complete?cc={code}"
PROLIFIC_ID = re.compile(r"[0-9A-Za-z]{10,64}")
"""The form of Prolific's ids. Today they are 24 hexadecimal digits; a live study outlasts a change of that."""
FIELDS = ("code", "rater")
"""Placeholders of an address that a rater is sent back to."""
_CODE = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Outcome(StrEnum):
    """The end of a panel rater's work."""

    COMPLETE = "complete"
    SCREENED_OUT = "screened_out"  # the check was not passed
    ATTENTION_FAILED = "attention_failed"  # too few attention items were right
    OUR_FAULT = "our_fault"  # there are fewer battles than the rater was to judge
    INCOMPLETE = "incomplete"  # the rater let too many battles go; no code


@strict_keys
@dataclass(frozen=True, slots=True)
class Redirect:
    """Addresses of the panel, by outcome; without one a rater sees the code alone."""

    complete: str | None = None
    screened_out: str | None = None
    attention_failed: str | None = None
    our_fault: str | None = None


@strict_keys
@dataclass(frozen=True, slots=True)
class Panel:
    """The keys of ``[panel]``."""

    kind: Literal["prolific", "link"]
    complete: str  # a code, as the next three
    our_fault: str
    screened_out: str | None = None
    attention_failed: str | None = None
    attention_right: Annotated[float, Field(ge=0, le=1)] = 0.5  # of the judged attention items; below it they failed
    attention_items: PositiveInt = 2  # with fewer judged ones nobody fails
    study_id: str | None = None  # Prolific's STUDY_ID
    jwks: str | None = None  # keys of Prolific's signed links: a file, an https address, or the key set itself
    audience: str | None = None  # of signed links: the address of this playground
    redirect: Redirect | None = None
    keep_ids_days: NonNegativeInt = 90  # days from the study's end until the panel's ids are deleted

    def __post_init__(self) -> None:
        codes = [code for _, code in self.codes()]
        for name, code in self.codes():
            if not _CODE.fullmatch(code):
                raise InvalidValue(f"{name.value!r} is {code!r}; valid: a code of letters, digits, '_' and '-'")
        if len(set(codes)) < len(codes):
            raise InvalidValue(
                "two outcomes have the same code; give each its own, or the panel cannot tell them apart"
            )
        if self.kind == "prolific":
            self._check_prolific()
        else:
            given = [name for name in ("study_id", "jwks", "audience") if getattr(self, name) is not None]
            if given:
                raise InvalidValue(f'{given[0]!r} is only for kind = "prolific"; leave it out')
        self._check_redirect()

    def _check_prolific(self) -> None:
        if self.study_id is None or not PROLIFIC_ID.fullmatch(self.study_id):
            raise InvalidValue(
                f"'study_id' is {self.study_id!r}; valid: the id of the study at Prolific, which stands in the address"
                " of its draft"
            )
        if (self.jwks is None) != (self.audience is None):
            raise InvalidValue("signed links need both 'jwks' and 'audience'; give both, or neither")
        if self.jwks is not None and "://" in self.jwks and not is_key_set(self.jwks) and not _is_safe(self.jwks):
            raise InvalidValue(f"'jwks' is {self.jwks!r}; valid: a file, or an address with https://")
        if self.audience is not None and not _is_address(self.audience):
            raise InvalidValue(f"'audience' is {self.audience!r}; valid: the address of this playground, with https://")

    def _check_redirect(self) -> None:
        for field in fields(Redirect):
            address = None if self.redirect is None else getattr(self.redirect, field.name)
            if address is not None and not (_is_address(address) and _has_only_known_fields(address)):
                raise InvalidValue(
                    f"'redirect.{field.name}' is {address!r}; valid: an address with https://, in which {{code}} and"
                    " {rater} are filled in"
                )

    def codes(self) -> Iterator[tuple[Outcome, str]]:
        """Yield the outcomes that have a code, with it."""
        for outcome in Outcome:
            code = self.code_of(outcome)
            if code is not None:
                yield outcome, code

    def code_of(self, outcome: Outcome) -> str | None:
        """Return the code of an outcome; None if it has none."""
        return None if outcome is Outcome.INCOMPLETE else getattr(self, outcome.value)

    def address_of(self, outcome: Outcome, rater: str | None) -> str | None:
        """Return where a rater goes at the end; None if the panel named no address, or their id is deleted."""
        code = self.code_of(outcome)
        if code is None:
            return None
        named = None if self.redirect is None else getattr(self.redirect, outcome.value)
        pattern = named or (PROLIFIC_REDIRECT if self.kind == "prolific" else None)
        if pattern is None or (rater is None and "rater" in _fields_of(pattern)):
            return None
        return pattern.format(code=quote(code, safe=""), rater=quote(rater or "", safe=""))


def is_key_set(text: str) -> bool:
    """Return True for a key set itself, in contrast to the name of a file or an address."""
    return text.lstrip().startswith("{")


def check_key_set(text: str) -> None:
    """Raise InvalidValue unless the text is a JSON Web Key Set with a key."""
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise InvalidValue(f"is no JSON: {error}") from error
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) and "kty" in key for key in keys):
        raise InvalidValue('is not a key set; valid: {"keys": [{"kty": "RSA", …}]}')


def _is_address(text: str) -> bool:
    try:
        found = urlsplit(text)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and bool(found.hostname) and text.isprintable() and " " not in text


def _is_safe(address: str) -> bool:
    """Return True if nobody on the way can change what is read there."""
    host = urlsplit(address).hostname if _is_address(address) else None
    return address.startswith("https://") or host in ("localhost", "127.0.0.1", "::1")


def _fields_of(pattern: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]


def _has_only_known_fields(pattern: str) -> bool:
    try:
        return set(_fields_of(pattern)) <= set(FIELDS) and bool(pattern.format(code="", rater=""))
    except (ValueError, LookupError):
        return False
