from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from playground.errors import InvalidTemplate
from playground.prompting.sandbox import MOST_CHARS, render

ASKED: Sequence[Mapping[str, str]] = [{"role": "user", "content": "Hi"}]
NESTED = "{% for a in [1] %}" * 21 + "{% endfor %}" * 21


@pytest.mark.parametrize(
    "source",
    [
        "{% macro f(n) %}{% for i in range(n) %}{{ i }}{% endfor %}{% endmacro %}{{ f(3) }}{{ messages[0].content }}",
        "{%- set x = namespace(a=[]) %}{% for m in messages %}{% set x.a = x.a + [m.role] %}{% endfor %}{{ x.a }}",
        "{{ messages | tojson(indent=2) }}{{ {'b': 1, 'a': 'é<'} | tojson(sort_keys=true) }}",
        "  {% if tools is none %}\n  none\n  {% endif %}\n{{ documents }}|{{ nothing }}|{{ add_generation_prompt }}",
        "{{ dict(a=1) }}{{ dict.fromkeys(['a'], 2) }}{% generation %} x {% endgeneration %}{{ 2 ** 10 }}{{ 'ab' * 3 }}",
        "{{ '%5.1f%%|%-4s' % (2.5, 'a') }}{{ '{:>6}|{{x}}'.format('a') }}{{ 'in 90000000 years, 5%' + ' ~' }}",
        "{% for a in [1, [2, 3]] recursive %}{{ loop(a) if a is iterable else a ~ ',' ~ loop.length }}{% endfor %}",
        "{% for a in 'ab' | map('upper') %}{{ loop.index }}/{{ loop.length }}{{ a }}{% else %}none{% endfor %}",
        "{% set x %}a{{ bos_token }}{% endset %}{{ x | replace('a', 'b') | center(9) }}{{ [1, 2] | batch(2) | list }}",
        "{{ messages[0].get('tools') }}{{ messages[0].items() | list }}{{ messages[-1:] }}{{ 1.5 ~ bos_token }}\n",
    ],
)
def test_rendered_text_equals_that_of_transformers(source: str) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    asked = [{"role": "user", "content": "Hi <é"}]
    ((theirs,), _) = render_jinja_template([asked], chat_template=source, add_generation_prompt=True, bos_token="<s>")
    assert render(source, (("bos_token", "<s>"),), asked) == theirs


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a\n{% for x in %}", "broken in line 2: "),
        ("{{ raise_exception('One turn only') }}", "refuses it: One turn only"),
        ("{{ messages.first.content }}", "fails: 'list object' has no attribute 'first'"),
        ("{{ messages[0].content + 1 }}", "fails: can only concatenate str"),
        ("{{ 1 / 0 }}", "fails: division by zero"),
        ("{{ ''.__class__.__mro__ }}", "fails: access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ messages.append(1) }}", "fails: "),
        ("{{ namespace(_a=1) }}", "fails: a chat template cannot keep '_a'"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "fails: maximum recursion depth exceeded"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "fails: Range too big"),
        (
            "{% for i in range(9999) %}{{ 'x' * 999 }}{% endfor %}",
            f"fails: it writes more than {MOST_CHARS:,} characters",
        ),
        pytest.param(" " * 500_001, "longer than 500,000 characters", id="long source"),
        ("{% break %}", "fails: 'break' outside loop"),
        pytest.param(NESTED, "fails: too many statically nested blocks", id="nested"),
    ],
)
def test_template_that_fails_is_explained(source: str, text: str) -> None:
    with pytest.raises(InvalidTemplate, match=f"^the chat template (is )?{text}"):
        render(source, (), ASKED)


def test_time_is_an_argument() -> None:
    then = datetime(2026, 11, 20)
    assert render("{{ strftime_now('%d %b %Y') }}", (), ASKED, lambda: then) == "20 Nov 2026"
