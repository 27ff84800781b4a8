"""Pages of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import listing

KEYS = st.lists(st.text("ab/-", min_size=1, max_size=6), unique=True).map(sorted)


def walk(keys, limit, **options):
    found, after = [], ""
    while True:
        page = listing.page(keys, limit=limit, after=after, **options)
        assert len(page.keys) + len(page.prefixes) <= limit
        found += sorted([*page.keys, *page.prefixes])
        after = page.following
        if not after:
            return found


@given(keys=KEYS, limit=st.integers(1, 4), prefix=st.sampled_from(["", "a", "a/", "-"]))
def test_pages_put_together_are_the_list(keys, limit, prefix):
    assert walk(keys, limit, prefix=prefix) == [key for key in keys if key.startswith(prefix)]


@given(keys=KEYS, limit=st.integers(1, 4), delimiter=st.sampled_from(["/", "-", "a/"]))
def test_with_a_delimiter_each_name_comes_once_whatever_the_limit(keys, limit, delimiter):
    together = {
        key[: key.find(delimiter) + len(delimiter)] if delimiter in key else key for key in keys
    }
    assert walk(keys, limit, delimiter=delimiter) == sorted(together)


@pytest.mark.parametrize(
    ("after", "found"),
    [("", ["a", "b/", "c"]), ("a", ["b/", "c"]), ("b/", ["c"]), ("b/1", ["b/", "c"])],
)
def test_what_comes_after_a_key_within_a_group_still_names_the_group(after, found):
    page = listing.page(["a", "b/1", "b/2", "c"], delimiter="/", after=after, limit=9)
    assert sorted([*page.keys, *page.prefixes]) == found
