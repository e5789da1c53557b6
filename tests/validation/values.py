"""Values of any JSON type, for the tests of every function."""

from __future__ import annotations

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=10,
)


def deep_list(depth: int = 5000) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value
