"""Draw tasks of every kind from the material.

Boundary: knows the material and a random source; no phrasing, no voice, no tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.pocket import arithmetic, rewriting
from playground.pocket.task import Draw, Source, Task, capital_first, made_up_word, with_article, without_article

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_FACTS = {"country_of": ("capital", "country"), "number": ("symbol", "number"), "sound": ("young", "sound")}
"""Kinds of fact that are drawn from another kind's table, with the slot of their answer."""


def draw_task(category: str, kind: str, source: Source) -> Task:
    """Draw a task of a kind that `data/tasks.toml` lists."""
    if category == "facts":
        return _fact(kind, source)
    if category == "talk":
        return Task(kind, {})
    return _DRAWS[kind](source)


def _fact(kind: str, source: Source) -> Task:
    table, key = _FACTS.get(kind, (kind, ""))
    facts = source.material.facts[table]
    row = dict(source.random.choice(facts.rows))
    if "term" in row:
        row["name"] = without_article(row["term"])
    if "animal" in row:
        row["a_animal"], row["a_baby"] = with_article(row["animal"]), with_article(row["baby"])
    return Task(kind, row, key=without_article(row[key or facts.key]))


def _list(kind: str, table: str, slot: str, most: int) -> Draw:
    """Draw two to `most` neighbours from anywhere in a circle of items."""

    def draw(source: Source) -> Task:
        topic = source.random.choice(list(source.material.lists[table]))
        items: Sequence[str] = source.material.lists[table][topic]
        count = source.random.randint(2, min(most, len(items)))
        start = source.random.randrange(len(items))
        listed = tuple(items[(start + i) % len(items)] for i in range(count))
        number = NUMBER_WORDS[count] if source.random.random() < 0.75 else str(count)
        return Task(kind, {slot: topic, "n": number}, listed=listed, pool=tuple(items))

    return draw


def _feeling(source: Source) -> Task:
    feelings = source.material.words["feelings"]
    answer, mood = source.random.choice((("positive", "pleased"), ("negative", "disappointed")))
    text = source.random.choice(feelings[answer]).replace("{thing}", source.random.choice(feelings["things"]))
    return Task("feeling", {"text": text, "answer": answer, "mood": mood}, key=answer)


def _compare(source: Source) -> Task:
    reasoning = source.material.words["reasoning"]
    more, most, least = source.random.choice(reasoning["qualities"]).split()
    names = source.random.sample(reasoning["names"], 3)
    facts = [f"{names[0]} is {more} than {names[1]}.", f"{names[1]} is {more} than {names[2]}."]
    source.random.shuffle(facts)
    quality, answer = source.random.choice(((most, names[0]), (least, names[2])))
    slots = {"first": " ".join(facts), "quality": quality, "answer": answer, "order": ", ".join(names)}
    return Task("compare", slots, key=answer)


def _odd(source: Source) -> Task:
    groups = source.material.words["reasoning"]["groups"]
    group, other = source.random.sample(list(groups), 2)
    answer = source.random.choice(groups[other])
    words = [*source.random.sample(groups[group], 3), answer]
    source.random.shuffle(words)
    return Task("odd", {"words": ", ".join(words), "answer": answer, "group": group}, key=answer)


def _writing(kind: str, table: str, slot: str) -> Draw:
    def draw(source: Source) -> Task:
        subject = source.random.choice(source.material.writing[table])
        return Task(kind, {slot: subject}, key=subject)

    return draw


def _story(source: Source) -> Task:
    writing = source.material.writing
    hero, place, find = (source.random.choice(writing[name]) for name in ("heroes", "places", "finds"))
    slots = {"hero": hero, "the_hero": f"the {without_article(hero)}", "place": place, "find": find}
    return Task("story", slots, key=without_article(hero))


def _letter(source: Source) -> Task:
    purpose, body = source.random.choice(source.material.writing["occasions"]).split("|")
    return Task("letter", {"purpose": purpose, "body": body}, key=body)


def _code(source: Source) -> Task:
    snippet = source.random.choice(source.material.snippets)
    return Task("code", snippet, key=snippet["about"])


def _unknown(source: Source) -> Task:
    words = [made_up_word(source) for _ in range(2)]
    return Task("unknown", {"odd": words[0], "name": capital_first(words[1])}, key="only a small model")


_DRAWS: Mapping[str, Draw] = {
    "list": _list("list", "things", "things", 6),
    "tips": _list("tips", "tips", "topic", 4),
    "opposite": rewriting.opposite,
    "add": arithmetic.add,
    "subtract": arithmetic.subtract,
    "multiply": arithmetic.multiply,
    "divide": arithmetic.divide,
    "gain": arithmetic.word_problem("gain", 1),
    "loss": arithmetic.word_problem("loss", -1),
    "upper": rewriting.upper,
    "lower": rewriting.lower,
    "plural": rewriting.pair("plural", "plurals"),
    "past_word": rewriting.pair("past_word", "pasts"),
    "past": rewriting.sentence("past"),
    "future": rewriting.sentence("future"),
    "negative": rewriting.sentence("negative"),
    "ask": rewriting.sentence("ask"),
    "summary": rewriting.summary,
    "synonym": rewriting.pair("synonym", "synonyms"),
    "translate": rewriting.translate,
    "repeat": rewriting.repeat,
    "spell": rewriting.spell,
    "feeling": _feeling,
    "compare": _compare,
    "odd": _odd,
    "larger": arithmetic.larger,
    "poem": _writing("poem", "topics", "topic"),
    "story": _story,
    "slogan": _writing("slogan", "products", "product"),
    "letter": _letter,
    "code": _code,
    "unknown": _unknown,
}
