"""A chat template as a program: what it may use, and how much of it.

Boundary: jinja2's sandbox, with a budget for each rendering. Rounds of loops, ranges, calls and what is written are
counted; what one operator, call or filter makes is measured. That bounds a program that runs on and on. It is no wall
against one that is built to harm: a single step that multiplies two large texts (`join`, `replace`, `indent`), lists in
each other that are written out, and the time that filters take over large texts are not foreseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any

import jinja2
from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from playground.errors import InvalidTemplate

MOST_CHARS = 2_000_000
"""The longest prompt, text or list: what is longer is the work of a template that does not end."""
MOST_ROUNDS = 1_000_000
"""What all loops, ranges and calls of one rendering may count to, together."""
MOST_BITS = 4096
"""The largest whole number."""
BUDGET = "the budget"
"""Where a rendering finds its own: no name that a template could set."""
SIZED_FILTERS = ("batch", "center", "indent", "slice", "tojson", "wordwrap")
"""Filters that take a size."""
PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #*.\d]*")
BRACES = re.compile(r"\{[^{}]*[{}]")

Message = Mapping[str, str]


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
        RuntimeError,  # a loop that is changed while it runs
        SyntaxError,  # what jinja2 compiles is no Python: a break outside of a loop, or too many loops in each other
        TypeError,
        ValueError,
    ) as problem:
        words = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise InvalidTemplate(f"the chat template fails: {words}") from problem


def _written(
    template: jinja2.Template, names: Mapping[str, str], messages: list[dict[str, str]], now: Callable[[], datetime]
) -> str:
    kept, whole = Budget(), Budget()
    values = {
        **names,
        "messages": messages,
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
        "strftime_now": lambda form: now().strftime(form),
        "range": kept.range,
        BUDGET: kept,
    }
    return "".join(whole.write(piece) for piece in template.generate(values))


class Budget:
    """What a rendering has left."""

    def __init__(self) -> None:
        self._rounds, self._chars = MOST_ROUNDS, MOST_CHARS

    def count(self, rounds: int) -> None:
        """So many more rounds."""
        self._rounds -= rounds
        if self._rounds < 0:
            raise InvalidTemplate(f"the chat template does not end: it counted to {MOST_ROUNDS:,}")

    def write(self, piece: str) -> str:
        """The piece."""
        self._chars -= len(piece) + 1
        if self._chars < 0:
            raise InvalidTemplate(f"the chat template does not end: it wrote {MOST_CHARS:,} characters")
        return piece

    def range(self, *limits: int) -> range:
        """The range."""
        counted = range(*limits)
        self.count(len(counted))
        return counted


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox; loops, calls, operators and what is written go by the rendering's budget."""

    intercepted_binops = frozenset(["+", "*", "%", "**"])

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in list(tree.find_all((nodes.For, nodes.Output, nodes.Concat))):
            if isinstance(node, nodes.For):
                node.iter = _call("counted", [node.iter])
            elif isinstance(node, nodes.Output):
                node.nodes = [_call("written", [part]) for part in node.nodes]
            elif isinstance(node, nodes.Concat):
                node.nodes = [_call("joined", node.nodes)]
        tree.set_environment(self)
        return tree

    @pass_context
    def counted(self, context: Context, items: Any) -> Any:
        """What a loop is about to go through."""
        items = list(items) if isinstance(items, Iterator) else items
        context[BUDGET].count(len(items) if hasattr(items, "__len__") else 0)
        return items

    @pass_context
    def written(self, context: Context, value: Any) -> str:
        """What is about to be written, perhaps into a macro or a block that keeps it."""
        return str(context[BUDGET].write(str(value)))

    def joined(self, *parts: Any) -> str:
        """The parts of ``a ~ b`` as one text."""
        texts = [str(part) for part in parts]
        _check_length(sum(map(len, texts)))
        return "".join(texts)

    def call(self, context: Context, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The result of a call in the template, within the limits."""
        context[BUDGET].count(1)
        if isinstance(callee, LoopContext) and args:  # a recursive loop goes on
            args = (self.counted(context, args[0]), *args[1:])
        if isinstance(getattr(getattr(callee, "__wrapped__", callee), "__self__", None), str):
            _check_sizes((*args, *kwargs.values()))
        return _measured(super().call(context, callee, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format`, when its text asks for no excessive width."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_widths(BRACES.findall(value.__self__.replace("{{", "").replace("}}", "")), "{")
        return wrapped

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The result of an operator, within the limits."""
        _measured(left), _measured(right)
        if operator == "**" and _is_large(left, right):
            raise OverflowError(f"{left!r} ** {right!r} is too large")
        if operator == "*":
            _check_repetition(left, right)
            _check_repetition(right, left)
        if operator == "%" and isinstance(left, str):
            _check_widths(PERCENT.findall(left), "*")
        return _measured(super().call_binop(context, operator, left, right))


def _call(method: str, args: Iterable[nodes.Node]) -> nodes.Call:
    """A call of the environment's, put into a program."""
    return nodes.Call(nodes.EnvironmentAttribute(method), list(args), [], None, None)


def _measured(made: Any) -> Any:
    """What was made, when it is not too large."""
    if isinstance(made, int) and made.bit_length() > MOST_BITS:
        raise OverflowError(f"a number of more than {MOST_BITS:,} bits would be made")
    if isinstance(made, str | list | tuple | dict):
        _check_length(len(made))
    return made


def _check_length(length: int) -> None:
    if length > MOST_CHARS:
        raise OverflowError(f"a text or list of more than {MOST_CHARS:,} would be made")


def _check_repetition(repeated: Any, times: Any) -> None:
    if isinstance(repeated, str | list | tuple) and isinstance(times, int):
        _check_length(len(repeated) * times)


def _check_sizes(values: Iterable[Any]) -> None:
    _check_length(max((value for value in values if isinstance(value, int)), default=0))


def _check_widths(specs: Sequence[str], from_argument: str) -> None:
    """Refuse formats whose widths are too large together, or come from an argument."""
    if any(from_argument in spec[1:] for spec in specs):
        raise OverflowError("a width in a format has to be written out")
    _check_length(sum(int(width) for spec in specs for width in re.findall(r"\d+", spec)))


def _is_large(base: Any, power: Any) -> bool:
    return isinstance(base, int | float) and isinstance(power, int | float) and (abs(base) > 10**6 or abs(power) > 64)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter within the limits."""

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        if name in SIZED_FILTERS:
            _check_sizes((*args[1:], *kwargs.values()))
        if name == "format":
            _check_widths(PERCENT.findall(str(args[0])), "*")
        return _measured(function(*args, **kwargs))

    return bounded


# What templates may use


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
    environment.filters = {name: _bounded(name, function) for name, function in environment.filters.items()}
    environment.globals |= {"raise_exception": _refuse, "dict": PlainDict(), "namespace": PlainNamespace}
    del environment.globals["lipsum"]  # writes as much as it is asked to
    return environment.from_string(source)
