"""Render a chat template in jinja2's sandbox, with the filters and globals that transformers gives it.

A template is code of its checkpoint, which the operator chose to fetch. The sandbox keeps it from files, the network
and the interpreter, and a source or a text that is too long is refused. Time and memory are not bounded beyond
jinja2's own limit of 100,000 for `range`: a template that loops without an end, or doubles a text again and again,
blocks the thread that renders it until the process is ended.

Boundary: source, names and messages in, text out; knows no files and no tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from playground.errors import InvalidTemplate
from playground.records.prompts import Variables

MOST_SOURCE_CHARS = 500_000
MOST_CHARS = 2_000_000
"""Length of a rendered text."""

Message = Mapping[str, str]


class TemplateFailure(InvalidTemplate):
    """A template that is valid, and refuses these messages or fails on them."""


class _Refusal(jinja2.TemplateError):
    """A template's own ``raise_exception``."""


def render(
    source: str,
    names: Variables,
    messages: Sequence[Message],
    now: Callable[[], datetime] = datetime.now,
) -> str:
    """Return the messages in the template's form, ready for the answer.

    Args:
        names: special tokens by the names that templates use, such as ``bos_token``, and switches.

    Raises:
        InvalidTemplate: the source is no template or too long.
        TemplateFailure: the template refuses the messages, fails, or writes too much.
    """
    if len(source) > MOST_SOURCE_CHARS:
        raise InvalidTemplate(f"the chat template is longer than {MOST_SOURCE_CHARS:,} characters")
    try:
        return _write(_compile(source), dict(names), [dict(message) for message in messages], now)
    except jinja2.TemplateSyntaxError as problem:
        raise InvalidTemplate(f"the chat template is broken in line {problem.lineno}: {problem.message}") from problem
    except _Refusal as problem:
        raise TemplateFailure(f"the chat template refuses it: {_one_line(problem)}") from problem
    except (
        jinja2.TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RuntimeError,  # a recursion without end, or a dictionary that changes while it is iterated over
        SyntaxError,  # jinja2 compiles some templates to invalid Python: a break outside of a loop, too many loops
        TypeError,
        ValueError,
    ) as problem:
        raise TemplateFailure(f"the chat template fails: {_one_line(problem)}") from problem


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200] or type(problem).__name__


def _write(
    template: jinja2.Template, names: Mapping[str, object], messages: list[dict[str, str]], now: Callable[[], datetime]
) -> str:
    values = {
        **names,
        "messages": messages,
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
        "strftime_now": lambda form: now().strftime(form),
    }
    pieces, length = [], 0
    for piece in template.generate(values):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_CHARS:
            raise ValueError(f"it writes more than {MOST_CHARS:,} characters")
    return "".join(pieces)


@lru_cache(maxsize=64)
def _compile(source: str) -> jinja2.Template:
    """Compile a template as transformers does."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "dict": PlainDict(), "namespace": PlainNamespace}
    return environment.from_string(source)


class GenerationTag(Extension):
    """``{% generation %}`` marks the assistant's text for training; here it is text like any other."""

    tags = {"generation"}  # noqa: RUF012 - declared by jinja2

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the nodes between the tags, in a scope of their own."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return [nodes.Scope(body).set_lineno(line)]


class PlainNamespace(Namespace):
    """``namespace()`` that refuses names beginning with an underscore."""

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
        return dict(*args, **kwargs)

    def fromkeys(self, keys: Iterable[Any], value: Any = None) -> dict[Any, Any]:
        return dict.fromkeys(keys, value)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Replace jinja2's filter, which escapes characters for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise _Refusal(message)
