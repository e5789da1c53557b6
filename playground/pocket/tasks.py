"""Tasks: what is asked and what a right answer has to hold, drawn from the material, not yet put into words.

Boundary: knows the material and a random source; no phrasing, no voice, no tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from playground.pocket.material import Material, Row

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
HELD_OUT_SHARE = 10
"""One pair of numbers in so many belongs to the test alone."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to be asked; `key` has to occur in a right answer."""

    kind: str
    slots: Row
    key: str = ""
    listed: tuple[str, ...] = ()  # what the answer lists, in its order
    pool: tuple[str, ...] = ()  # everything that it could have listed
    steps: tuple[str, ...] = ()  # of a sum


@dataclass(frozen=True, slots=True)
class Source:
    """Where tasks are drawn from; `held_out` draws the numbers of the test instead of those of the training."""

    material: Material
    random: Random
    held_out: bool = False


Draw = Callable[[Source], Task]


def capital_first(text: str) -> str:
    """`text` with a capital first letter, the rest unchanged."""
    return text[:1].upper() + text[1:]


def with_article(noun: str) -> str:
    """`a` or `an` and the noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def without_article(term: str) -> str:
    """`volcano` for `a volcano`."""
    first, _, rest = term.partition(" ")
    return rest if first in ("a", "an", "the") and rest else term


# facts


def _fact(kind: str, table: str, key: str = "") -> Draw:
    """Draws a row of a table of facts; `key` names the slot of the answer where it is not the table's own."""

    def draw(source: Source) -> Task:
        facts = source.material.facts[table]
        row = dict(source.random.choice(facts.rows))
        if "term" in row:
            row["name"] = without_article(row["term"])
        if "animal" in row:
            row["a_animal"], row["a_baby"] = with_article(row["animal"]), with_article(row["baby"])
        return Task(kind, row, key=without_article(row[key or facts.key]))

    return draw


# lists


def _circle(source: Source, items: list[str], most: int) -> tuple[str, ...]:
    """Two to `most` neighbours out of a circle of items, from anywhere in it."""
    count = source.random.randint(2, min(most, len(items)))
    start = source.random.randrange(len(items))
    return tuple(items[(start + i) % len(items)] for i in range(count))


def _count_word(source: Source, count: int) -> str:
    return NUMBER_WORDS[count] if source.random.random() < 0.75 else str(count)


def _list(source: Source) -> Task:
    things = source.random.choice(list(source.material.lists["things"]))
    items = source.material.lists["things"][things]
    listed = _circle(source, items, 6)
    return Task("list", {"things": things, "n": _count_word(source, len(listed))}, listed=listed, pool=tuple(items))


def _tips(source: Source) -> Task:
    topic = source.random.choice(list(source.material.lists["tips"]))
    items = source.material.lists["tips"][topic]
    listed = _circle(source, items, 4)
    return Task("tips", {"topic": topic, "n": _count_word(source, len(listed))}, listed=listed, pool=tuple(items))


# words


def _pair(kind: str, table: str) -> Draw:
    def draw(source: Source) -> Task:
        word, answer = source.random.choice(source.material.words[table]).split()
        return Task(kind, {"word": word, "answer": answer}, key=answer)

    return draw


def _opposite(source: Source) -> Task:
    answers = opposites(source.material.words["opposites"])
    word = source.random.choice(list(answers))
    return Task("opposite", {"word": word, "answer": answers[word]}, key=answers[word])


def opposites(pairs: list[str]) -> dict[str, str]:
    """Each word's opposite, both ways; where a word has several, the one that comes first in the file."""
    answers: dict[str, str] = {}
    for pair in pairs:
        word, opposite = pair.split()
        answers.setdefault(word, opposite)
        answers.setdefault(opposite, word)
    return answers


def _translate(source: Source) -> Task:
    english, *foreign = source.random.choice(source.material.words["translations"]).split("|")
    which = source.random.randrange(3)
    slots = {"english": english, "language": ("French", "Spanish", "German")[which], "foreign": foreign[which]}
    return Task("translate", slots, key=foreign[which])


# sums


def is_held_out(a: int, b: int) -> bool:
    """Whether a pair of numbers belongs to the test; small ones never do, they are what one learns by heart."""
    return a > 12 and (a * 31 + b * 17) % HELD_OUT_SHARE == 0


def _numbers(source: Source, draw: Callable[[Random], tuple[int, int]]) -> tuple[int, int]:
    while True:
        a, b = draw(source.random)
        if is_held_out(a, b) == source.held_out:
            return a, b


def _sum_task(kind: str, a: int, b: int, result: int, steps: list[str], sign: str) -> Task:
    steps = steps or [f"{a} {sign} {b} = {result}"]
    return Task(kind, {"a": str(a), "b": str(b), "result": str(result)}, key=str(result), steps=tuple(steps))


def _two_digits(random: Random) -> tuple[int, int]:
    top = random.choice((12, 40, 99, 99))
    return random.randint(1, top), random.randint(1, top)


def _add(source: Source) -> Task:
    a, b = _numbers(source, _two_digits)
    return _sum_task("add", a, b, a + b, add_steps(a, b), "+")


def add_steps(a: int, b: int) -> list[str]:
    """Tens first, then ones, then both together."""
    tens, ones = a // 10 * 10 + b // 10 * 10, a % 10 + b % 10
    steps = []
    if a >= 10 and b >= 10:
        steps.append(f"{a // 10 * 10} + {b // 10 * 10} = {tens}")
    if a % 10 and b % 10:
        steps.append(f"{a % 10} + {b % 10} = {ones}")
    if tens and ones:
        steps.append(f"{tens} + {ones} = {tens + ones}")
    return steps


def _subtract(source: Source) -> Task:
    a, b = _numbers(source, lambda random: _descending(_two_digits(random)))
    return _sum_task("subtract", a, b, a - b, subtract_steps(a, b), "-")


def _descending(pair: tuple[int, int]) -> tuple[int, int]:
    return max(pair), min(pair)


def subtract_steps(a: int, b: int) -> list[str]:
    """First the tens are taken away, then the ones."""
    if b < 10 or b % 10 == 0:
        return []
    between = a - b // 10 * 10
    return [f"{a} - {b // 10 * 10} = {between}", f"{between} - {b % 10} = {a - b}"]


def _multiply(source: Source) -> Task:
    a, b = _numbers(source, _factors)
    return _sum_task("multiply", a, b, a * b, multiply_steps(a, b), "*")


def _factors(random: Random) -> tuple[int, int]:
    if random.random() < 0.5:
        return random.randint(2, 12), random.randint(2, 12)
    return random.randint(13, 29), random.randint(2, 9)


def multiply_steps(a: int, b: int) -> list[str]:
    """Tens and ones each, then their sum; nothing for the small table."""
    if a <= 12 or a % 10 == 0:
        return []
    tens, ones = a // 10 * 10 * b, a % 10 * b
    return [f"{a // 10 * 10} * {b} = {tens}", f"{a % 10} * {b} = {ones}", f"{tens} + {ones} = {a * b}"]


def _divide(source: Source) -> Task:
    result, b = source.random.randint(2, 12), source.random.randint(2, 12)
    return _sum_task("divide", result * b, b, result, [], "/")


def _word_sum(kind: str, sign: int) -> Draw:
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


# sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in its forms."""

    subject: str  # as within a sentence
    now: str
    past: str
    base: str
    rest: str

    @classmethod
    def draw(cls, source: Source) -> Sentence:
        """Any subject with any action."""
        subject = source.random.choice(source.material.words["subjects"]).rsplit(" ", 1)[0]
        return cls(subject, *source.random.choice(source.material.words["actions"]).split("|"))

    def form(self, kind: str) -> str:
        """The sentence as `now`, `past`, `future`, `negative` or `ask`."""
        patterns = {
            "now": f"{self.subject} {self.now} {self.rest}.",
            "past": f"{self.subject} {self.past} {self.rest}.",
            "future": f"{self.subject} will {self.base} {self.rest}.",
            "negative": f"{self.subject} does not {self.base} {self.rest}.",
            "ask": f"does {self.subject} {self.base} {self.rest}?",
        }
        return capital_first(patterns[kind])


def _sentence(kind: str) -> Draw:
    def draw(source: Source) -> Task:
        sentence = Sentence.draw(source)
        answer = sentence.form(kind)
        return Task(kind, {"now": sentence.form("now"), "answer": answer}, key=answer)

    return draw


def _text(source: Source) -> str:
    """A word, a few words or a sentence."""
    words = source.material.words
    choice = source.random.random()
    if choice < 0.6:
        return str(source.random.choice(source.random.choice(words["opposites"]).split()))
    if choice < 0.8:
        things = source.random.choice(list(source.material.lists["things"].values()))
        return " ".join(source.random.sample(things, 2))
    return Sentence.draw(source).form("now")


def _upper(source: Source) -> Task:
    text = _text(source)
    return Task("upper", {"text": text, "answer": text.upper()}, key=text.upper())


def _lower(source: Source) -> Task:
    text = _text(source).lower()
    return Task("lower", {"shout": text.upper(), "answer": text}, key=text)


def _repeat(source: Source) -> Task:
    """Anything at all, so that copying is learnt and not only a few texts."""
    words = [_any_word(source) for _ in range(source.random.randint(1, 4))]
    text = " ".join(words)
    return Task("repeat", {"text": text, "answer": text}, key=text)


def _any_word(source: Source) -> str:
    choice = source.random.random()
    if choice < 0.3:
        return str(source.random.randint(0, 999))
    if choice < 0.5:
        return _made_up(source)
    if choice < 0.6:
        return source.random.choice(source.material.facts["capital"].rows)["country"].removeprefix("the ")
    if choice < 0.8:
        return str(source.random.choice(source.random.choice(source.material.words["opposites"]).split()))
    return str(source.random.choice(source.material.words["plurals"]).split()[1])


def _spell(source: Source) -> Task:
    choice = source.random.random()
    word = _made_up(source) if choice < 0.2 else source.random.choice(source.material.words["opposites"]).split()[0]
    answer = "-".join(word)
    return Task("spell", {"word": word, "answer": answer}, key=answer)


FILLERS = (
    "Many people have heard about it.",
    "It is a popular topic in schools.",
    "There are many books about it.",
    "You can read more about it in a library.",
    "Children often ask about it.",
    "It comes up in many quizzes.",
)


def _summary(source: Source) -> Task:
    facts = source.material.facts
    if source.random.random() < 0.6:
        row = source.random.choice(facts["define"].rows)
        main = f"{row['term']} is {row['is']}."
    else:
        row = source.random.choice(facts["which"].rows)
        main = f"{row['what']} is {row['answer']}."
    main = capital_first(main)
    text = " ".join([main, f"{row['more']}.", source.random.choice(FILLERS)])
    return Task("summary", {"text": text, "answer": main}, key=main)


# judging and reasoning


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


def _larger(source: Source) -> Task:
    top = source.random.choice((20, 99, 999))
    low, high = sorted(source.random.sample(range(1, top), 2))
    pair = [str(low), str(high)]
    source.random.shuffle(pair)
    return Task("larger", {"a": pair[0], "b": pair[1], "answer": str(high), "other": str(low)}, key=str(high))


# writing, code, talk


def _poem(source: Source) -> Task:
    topic = source.random.choice(source.material.writing["topics"])
    return Task("poem", {"topic": topic}, key=topic)


def _story(source: Source) -> Task:
    writing = source.material.writing
    hero, place, find = (source.random.choice(writing[name]) for name in ("heroes", "places", "finds"))
    slots = {"hero": hero, "the_hero": f"the {without_article(hero)}", "place": place, "find": find}
    return Task("story", slots, key=without_article(hero))


def _slogan(source: Source) -> Task:
    product = source.random.choice(source.material.writing["products"])
    return Task("slogan", {"product": product}, key=product)


def _letter(source: Source) -> Task:
    purpose, body = source.random.choice(source.material.writing["occasions"]).split("|")
    return Task("letter", {"purpose": purpose, "body": body}, key=body)


def _code(source: Source) -> Task:
    snippet = source.random.choice(source.material.snippets)
    return Task("code", snippet, key=snippet["about"])


def _talk(kind: str) -> Draw:
    return lambda source: Task(kind, {})


def _unknown(source: Source) -> Task:
    words = [_made_up(source) for _ in range(2)]
    return Task("unknown", {"odd": words[0], "name": capital_first(words[1])}, key="only a small model")


def _made_up(source: Source) -> str:
    """A word that no language has."""
    made_up = source.material.made_up
    parts = source.random.choices(made_up["parts"], k=source.random.choice((1, 1, 2)))
    return "".join(parts) + source.random.choice(made_up["ends"])


DRAWS: Mapping[str, Mapping[str, tuple[float, Draw]]] = {
    "facts": {
        "capital": (5.5, _fact("capital", "capital")),
        "country_of": (3, _fact("country_of", "capital", "country")),
        "define": (9.5, _fact("define", "define")),
        "explain": (5.5, _fact("explain", "explain")),
        "author": (2.2, _fact("author", "author")),
        "symbol": (2.4, _fact("symbol", "symbol")),
        "number": (1.8, _fact("number", "symbol", "number")),
        "which": (4.5, _fact("which", "which")),
        "young": (1, _fact("young", "young")),
        "sound": (1, _fact("sound", "young", "sound")),
        "measure": (2, _fact("measure", "measure")),
        "year": (1.2, _fact("year", "year")),
        "formula": (1.3, _fact("formula", "formula")),
    },
    "lists": {"list": (6, _list), "tips": (3.5, _tips)},
    "opposites": {"opposite": (11, _opposite)},
    "sums": {
        "add": (11, _add),
        "subtract": (9, _subtract),
        "multiply": (7, _multiply),
        "divide": (2.5, _divide),
        "gain": (3, _word_sum("gain", 1)),
        "loss": (3, _word_sum("loss", -1)),
    },
    "rewriting": {
        "upper": (4, _upper),
        "lower": (2.5, _lower),
        "plural": (1.6, _pair("plural", "plurals")),
        "past_word": (2, _pair("past_word", "pasts")),
        "past": (1.5, _sentence("past")),
        "future": (1.2, _sentence("future")),
        "negative": (1.2, _sentence("negative")),
        "ask": (1.3, _sentence("ask")),
        "summary": (2.2, _summary),
    },
    "words": {
        "synonym": (3, _pair("synonym", "synonyms")),
        "translate": (6, _translate),
        "repeat": (4, _repeat),
        "spell": (2, _spell),
    },
    "reasoning": {"feeling": (1.5, _feeling), "compare": (3.5, _compare), "odd": (4, _odd), "larger": (4, _larger)},
    "writing": {"poem": (1.6, _poem), "story": (1.6, _story), "slogan": (0.7, _slogan), "letter": (1, _letter)},
    "code": {"code": (2.4, _code)},
    "talk": {
        "greet": (0.8, _talk("greet")),
        "mood": (0.5, _talk("mood")),
        "who": (1.2, _talk("who")),
        "able": (0.5, _talk("able")),
        "thanks": (0.6, _talk("thanks")),
        "bye": (0.5, _talk("bye")),
        "joke": (0.5, _talk("joke")),
    },
    "unknown": {"unknown": (6, _unknown)},
}
"""Category -> kind -> (how often, relative to the others; how to draw one)."""
