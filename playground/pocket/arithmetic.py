"""Draw sums with their steps, word problems and comparisons of numbers.

Boundary: numbers and steps; knows no phrasing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from playground.pocket.task import Draw, Source, Task

HELD_OUT_SHARE = 10
"""One in this many pairs of numbers belongs to the test alone."""


def is_held_out(a: int, b: int) -> bool:
    """Return True if a pair of numbers belongs to the test; small ones are to be learned by heart and never do."""
    return a > 12 and (a * 31 + b * 17) % HELD_OUT_SHARE == 0


def _numbers(source: Source, draw: Callable[[Random], tuple[int, int]]) -> tuple[int, int]:
    while True:
        a, b = draw(source.random)
        if is_held_out(a, b) == source.held_out:
            return a, b


def _sum(kind: str, a: int, b: int, result: int, steps: Sequence[str]) -> Task:
    return Task(kind, {"a": str(a), "b": str(b), "result": str(result)}, key=str(result), steps=tuple(steps))


def _two_digits(random: Random) -> tuple[int, int]:
    top = random.choice((12, 40, 99, 99))
    return random.randint(1, top), random.randint(1, top)


def add(source: Source) -> Task:
    a, b = _numbers(source, _two_digits)
    return _sum("add", a, b, a + b, add_steps(a, b))


def add_steps(a: int, b: int) -> list[str]:
    """Return the steps: tens, then ones, then both together."""
    tens, ones = a // 10 * 10 + b // 10 * 10, a % 10 + b % 10
    steps = []
    if a >= 10 and b >= 10:
        steps.append(f"{a // 10 * 10} + {b // 10 * 10} = {tens}")
    if a % 10 and b % 10:
        steps.append(f"{a % 10} + {b % 10} = {ones}")
    if tens and ones:
        steps.append(f"{tens} + {ones} = {tens + ones}")
    return steps or [f"{a} + {b} = {a + b}"]


def subtract(source: Source) -> Task:
    a, b = _numbers(source, _descending)
    return _sum("subtract", a, b, a - b, subtract_steps(a, b))


def _descending(random: Random) -> tuple[int, int]:
    pair = _two_digits(random)
    return max(pair), min(pair)


def subtract_steps(a: int, b: int) -> list[str]:
    """Return the steps: minus the tens, then minus the ones."""
    if b < 10 or b % 10 == 0:
        return [f"{a} - {b} = {a - b}"]
    between = a - b // 10 * 10
    return [f"{a} - {b // 10 * 10} = {between}", f"{between} - {b % 10} = {a - b}"]


def multiply(source: Source) -> Task:
    a, b = _numbers(source, _factors)
    return _sum("multiply", a, b, a * b, multiply_steps(a, b))


def _factors(random: Random) -> tuple[int, int]:
    if random.random() < 0.5:
        return random.randint(2, 12), random.randint(2, 12)
    return random.randint(13, 29), random.randint(2, 9)


def multiply_steps(a: int, b: int) -> list[str]:
    """Return the steps: tens and ones each, then their sum; one step for products of the small table."""
    if a <= 12 or a % 10 == 0:
        return [f"{a} * {b} = {a * b}"]
    tens, ones = a // 10 * 10 * b, a % 10 * b
    return [f"{a // 10 * 10} * {b} = {tens}", f"{a % 10} * {b} = {ones}", f"{tens} + {ones} = {a * b}"]


def divide(source: Source) -> Task:
    result, b = source.random.randint(2, 12), source.random.randint(2, 12)
    a = result * b
    return _sum("divide", a, b, result, [f"{a} / {b} = {result}"])


def word_problem(kind: str, sign: int) -> Draw:
    def draw(source: Source) -> Task:
        b = source.random.randint(1, 10)
        a = source.random.randint(b + 1, 30)
        reasoning = source.material.words["reasoning"]
        slots = {
            "a": str(a),
            "b": str(b),
            "result": str(a + sign * b),
            "name": source.random.choice(reasoning["names"]),
            "things": source.random.choice(reasoning["things"]),
        }
        return Task(kind, slots, key=slots["result"])

    return draw


def larger(source: Source) -> Task:
    top = source.random.choice((20, 99, 999))
    low, high = sorted(source.random.sample(range(1, top), 2))
    pair = [str(low), str(high)]
    source.random.shuffle(pair)
    return Task("larger", {"a": pair[0], "b": pair[1], "answer": str(high), "other": str(low)}, key=str(high))
