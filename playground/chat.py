"""A repository's own chat template, rendered as transformers renders it, and what of the result a visitor typed.

Boundary: knows a template's source, the names of special tokens and messages; no token ids, no models. The source is
somebody else's program: it runs in jinja2's sandbox, within limits of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from playground.errors import InvalidTemplate
from playground.markers import CONFIG_FILE, read_object

JINJA_FILE = "chat_template.jinja"
JSON_FILE = "chat_template.json"
MOST_CHARS = 2_000_000
"""A prompt that is longer than this is the work of a template that does not end."""
MOST_ROUNDS = 1_000_000
"""What all ranges of a rendering may count to, together."""
STAND_INS = range(0xF0000, 0xFFFFE)
"""Characters for private use: one that occurs nowhere stands for what a visitor typed."""
PROBE = "Zyzzyva"

Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered chat; `safe` is `text`, character for character, with a stand-in for each character of a visitor's."""

    text: str
    safe: str


def read_source(folder: Path) -> str:
    """The source of the folder's chat template; empty when it has none.

    Raises:
        TokenizerError: a file that cannot be read.
        InvalidTemplate: several templates, and none of them is called ``default``.
    """
    try:
        return (folder / JINJA_FILE).read_text("utf-8")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as problem:
        raise InvalidTemplate(f"{folder / JINJA_FILE} cannot be read ({problem}); fetch the model again") from problem
    for name in (CONFIG_FILE, JSON_FILE):
        found = read_object(folder / name).get("chat_template")
        if found:
            return _default(folder / name, found)
    return ""


def _default(path: Path, found: Any) -> str:
    """The template itself, or the one that is called so in a list of ``{name, template}``."""
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    if not isinstance(found, str):
        raise InvalidTemplate(f"{path}: 'chat_template' holds no template called 'default'; write a card with another")
    return found


def takes_system(source: str, names: Sequence[tuple[str, str]] = ()) -> bool:
    """Whether system text gets into the prompt; some templates refuse it, some drop it without a word.

    Raises:
        InvalidTemplate: the template does not even render an instruction alone, or loses it.
    """
    asked = {"role": "user", "content": PROBE}
    if PROBE not in render(source, names, [asked]):
        raise InvalidTemplate("the chat template leaves out what the user says; write a card with another template")
    told = PROBE.swapcase()
    try:
        return told in render(source, names, [{"role": "system", "content": told}, asked])
    except InvalidTemplate:
        return False


def render_chat(
    source: str,
    names: Sequence[tuple[str, str]],
    messages: Sequence[Message],
    first_letters: str,
    now: Callable[[], datetime] = datetime.now,
) -> Rendered:
    """The chat as text, and which of it the messages' contents are.

    The chat is rendered once as it is and once with a stand-in for what a visitor typed. A template that looks into the
    contents may then write something else; where it does, only characters in `first_letters` are stood in for, with
    one of which every special token begins.

    Raises:
        InvalidTemplate: the template fails, or what a visitor typed cannot be told from its own text.
    """
    moment = now()
    text = render(source, names, messages, lambda: moment)
    stand_in = _stand_in([source, text, *(text for _, text in names), *(m["content"] for m in messages)])
    for mask in (_all_but_the_ends, _letters(first_letters)):
        masked = [{**message, "content": mask(message["content"], stand_in)} for message in messages]
        try:
            safe = render(source, names, masked, lambda: moment)
        except InvalidTemplate:
            continue
        if _agree(text, safe, stand_in):
            return Rendered(text, safe)
    raise InvalidTemplate(
        "the chat template changes what is typed so that it cannot be told from the template's own words; "
        "write a card with another template"
    )


def _stand_in(texts: Iterable[str]) -> str:
    """A character that is in none of the texts; empty when all are taken, with which nothing agrees."""
    taken = set().union(*texts)
    return next((char for char in map(chr, STAND_INS) if char not in taken), "")


def _all_but_the_ends(text: str, stand_in: str) -> str:
    """White space at the ends stays: templates take it off."""
    inner = text.strip()
    return text.replace(inner, stand_in * len(inner)) if inner else text


def _letters(letters: str) -> Callable[[str, str], str]:
    return lambda text, stand_in: text.translate(dict.fromkeys(map(ord, letters), stand_in))


def _agree(text: str, safe: str, stand_in: str) -> bool:
    return len(text) == len(safe) and all(b in (a, stand_in) for a, b in zip(text, safe, strict=True))


# The sandbox


def render(
    source: str,
    names: Sequence[tuple[str, str]],
    messages: Sequence[Message],
    now: Callable[[], datetime] = datetime.now,
) -> str:
    """The messages in the template's form, ready for the answer.

    Args:
        names: special tokens by the names that templates use, such as ``bos_token``.

    Raises:
        InvalidTemplate: it is no template, refuses the messages, fails, or does not end.
    """
    try:
        return _written(_compiled(source), dict(names), [dict(message) for message in messages], now)
    except InvalidTemplate:
        raise
    except jinja2.TemplateSyntaxError as problem:
        raise InvalidTemplate(f"the chat template is broken in line {problem.lineno}: {problem.message}") from problem
    except RecursionError as problem:
        raise InvalidTemplate("the chat template does not end: it calls itself too deeply") from problem
    except (
        jinja2.TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
    ) as problem:
        words = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise InvalidTemplate(f"the chat template fails: {words}") from problem


def _written(
    template: jinja2.Template, names: Mapping[str, str], messages: list[dict[str, str]], now: Callable[[], datetime]
) -> str:
    values = {
        **names,
        "messages": messages,
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
        "strftime_now": lambda form: now().strftime(form),
        "range": Rounds(),
    }
    pieces: list[str] = []
    room = MOST_CHARS
    for piece in template.generate(values):
        pieces.append(piece)
        room -= len(piece) + 1
        if room < 0:
            raise InvalidTemplate(f"the chat template does not end: it wrote {MOST_CHARS:,} characters")
    return "".join(pieces)


class Rounds:
    """``range`` with a limit on what all the ranges of one rendering count to."""

    def __init__(self) -> None:
        self._left = MOST_ROUNDS

    def __call__(self, *limits: int) -> range:
        """The range."""
        counted = range(*limits)
        self._left -= len(counted) + 1
        if self._left < 0:
            raise InvalidTemplate(f"the chat template does not end: it counted to {MOST_ROUNDS:,}")
        return counted


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox; texts and lists cannot be multiplied beyond measure."""

    intercepted_binops = frozenset(["*", "**"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """The product or the power, within the limit."""
        if operator == "**" and _is_large(left, right):
            raise OverflowError(f"{left!r} ** {right!r} is too large")
        for repeated, times in ((left, right), (right, left)):
            if (
                isinstance(repeated, str | list | tuple)
                and isinstance(times, int)
                and len(repeated) * times > MOST_CHARS
            ):
                raise OverflowError(f"a text or list of more than {MOST_CHARS:,} would be made")
        return super().call_binop(context, operator, left, right)


def _is_large(base: Any, power: Any) -> bool:
    return isinstance(base, int | float) and isinstance(power, int | float) and (abs(base) > 10**6 or abs(power) > 64)


class GenerationTag(Extension):
    """``{% generation %}`` marks what an assistant says, for training; here it is text like any other."""

    tags = {"generation"}  # noqa: RUF012 - declared by jinja2

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What stands between the tags, in a scope of its own."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_said", lineno=line)
        return [nodes.CallBlock(call, [], [], body).set_lineno(line)]

    def _said(self, caller: Callable[[], str]) -> str:
        return caller()


class PlainNamespace(Namespace):
    """``namespace()`` that keeps no name beginning with an underscore."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # a template may have a variable called self
        self, *rest = args
        values = dict(*rest, **kwargs)
        for name in values:
            _check_name(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a chat template cannot keep {name!r}: it begins with an underscore")


class PlainDict:
    """``dict()`` without the attributes of the class."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        """The dictionary."""
        return dict(*args, **kwargs)

    def fromkeys(self, keys: Iterable[Any], value: Any = None) -> dict[Any, Any]:
        """As the class' own."""
        return dict.fromkeys(keys, value)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """jinja2's own escapes what HTML would misread, which no model was trained on."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


@lru_cache(maxsize=64)
def _compiled(source: str) -> jinja2.Template:
    environment = ChatEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols])
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "dict": PlainDict(), "namespace": PlainNamespace}
    del environment.globals["lipsum"]  # writes as much as it is asked to
    return environment.from_string(source)
