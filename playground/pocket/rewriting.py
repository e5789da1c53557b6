"""Draw tasks that change words, sentences and texts: case, tense, spelling, synonyms, translation, summaries.

Boundary: words and sentences; knows no phrasing of the task.
"""

from __future__ import annotations

from playground.pocket.task import Draw, Source, Task, capital_first, made_up_word

_FORMS = {
    "now": "{subject} {now} {rest}.",
    "past": "{subject} {past} {rest}.",
    "future": "{subject} will {base} {rest}.",
    "negative": "{subject} does not {base} {rest}.",
    "ask": "does {subject} {base} {rest}?",
}


def _draw_sentence(source: Source) -> dict[str, str]:
    """Draw any subject with any action; return the sentence in each of `_FORMS`."""
    subject = source.random.choice(source.material.words["subjects"]).rsplit(" ", 1)[0]
    now, past, base, rest = source.random.choice(source.material.words["actions"]).split("|")
    words = {"subject": subject, "now": now, "past": past, "base": base, "rest": rest}
    return {form: capital_first(pattern.format(**words)) for form, pattern in _FORMS.items()}


def sentence(form: str) -> Draw:
    def draw(source: Source) -> Task:
        forms = _draw_sentence(source)
        return Task(form, {"now": forms["now"], "answer": forms[form]}, key=forms[form])

    return draw


def pair(kind: str, table: str) -> Draw:
    def draw(source: Source) -> Task:
        word, answer = source.random.choice(source.material.words[table]).split()
        return Task(kind, {"word": word, "answer": answer}, key=answer)

    return draw


def opposite(source: Source) -> Task:
    answers: dict[str, str] = {}
    for first, second in map(str.split, source.material.words["opposites"]):
        answers.setdefault(first, second)  # of several opposites of a word the first one counts
        answers.setdefault(second, first)
    word = source.random.choice(list(answers))
    return Task("opposite", {"word": word, "answer": answers[word]}, key=answers[word])


def translate(source: Source) -> Task:
    english, *foreign = source.random.choice(source.material.words["translations"]).split("|")
    which = source.random.randrange(3)
    slots = {"english": english, "language": ("French", "Spanish", "German")[which], "foreign": foreign[which]}
    return Task("translate", slots, key=foreign[which])


def _draw_text(source: Source) -> str:
    """Draw a word, two words or a sentence."""
    choice = source.random.random()
    if choice < 0.6:
        return _draw_word(source)
    if choice < 0.8:
        things = source.random.choice(list(source.material.lists["things"].values()))
        return " ".join(source.random.sample(things, 2))
    return _draw_sentence(source)["now"]


def _draw_word(source: Source) -> str:
    return str(source.random.choice(source.random.choice(source.material.words["opposites"]).split()))


def upper(source: Source) -> Task:
    text = _draw_text(source)
    return Task("upper", {"text": text, "answer": text.upper()}, key=text.upper())


def lower(source: Source) -> Task:
    text = _draw_text(source).lower()
    return Task("lower", {"shout": text.upper(), "answer": text}, key=text)


def repeat(source: Source) -> Task:
    """Draw one to four words of any kind, so that the model learns to copy and not only a few texts."""
    text = " ".join([_draw_any_word(source) for _ in range(source.random.randint(1, 4))])
    return Task("repeat", {"text": text, "answer": text}, key=text)


def _draw_any_word(source: Source) -> str:
    choice = source.random.random()
    if choice < 0.3:
        return str(source.random.randint(0, 999))
    if choice < 0.5:
        return made_up_word(source)
    if choice < 0.6:
        return source.random.choice(source.material.facts["capital"].rows)["country"].removeprefix("the ")
    if choice < 0.8:
        return _draw_word(source)
    return str(source.random.choice(source.material.words["plurals"]).split()[1])


def spell(source: Source) -> Task:
    choice = source.random.random()
    word = made_up_word(source) if choice < 0.2 else source.random.choice(source.material.words["opposites"]).split()[0]
    answer = "-".join(word)
    return Task("spell", {"word": word, "answer": answer}, key=answer)


def summary(source: Source) -> Task:
    facts = source.material.facts
    if source.random.random() < 0.6:
        row = source.random.choice(facts["define"].rows)
        main = f"{row['term']} is {row['is']}."
    else:
        row = source.random.choice(facts["which"].rows)
        main = f"{row['what']} is {row['answer']}."
    main = capital_first(main)
    text = " ".join([main, f"{row['more']}.", source.random.choice(source.material.words["fillers"])])
    return Task("summary", {"text": text, "answer": main}, key=main)
