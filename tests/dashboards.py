"""Projects as dashboards see them: any, and one that has everything."""

from hypothesis import strategies as st

from parkade.domain.dashboard.subject import Subject, Watched

names = st.text("abcXYZ019-", min_size=1, max_size=8)
few = st.lists(names, max_size=3, unique=True).map(tuple)


@st.composite
def endpoints(draw):
    variants = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    return Watched(
        name=draw(names),
        variants=tuple(variants),
        asynchronous=draw(st.booleans()),
        multi_model=tuple(variants[: draw(st.integers(0, 1))]),
    )


subjects = st.builds(
    Subject,
    prefix=names,
    project=names,
    stage=names,
    routes=st.lists(names.map("/{}".format), max_size=3, unique=True).map(tuple),
    endpoints=st.lists(endpoints(), max_size=3, unique_by=lambda each: each.name).map(tuple),
    alarms=few,
    tested=st.sampled_from(["", "Route", "Endpoint"]),
    owners=few,
)


WHOLE = Subject(
    prefix="ShopDemo",
    project="Shop",
    stage="Demo",
    routes=("/text",),
    endpoints=(
        Watched(name="ShopDemo-text", variants=("a", "b")),
        Watched(name="ShopDemo-slow", variants=("a",), asynchronous=True),
        Watched(name="ShopDemo-many", variants=("a",), multi_model=("a",)),
    ),
    alarms=("ShopDemo-overall-calls",),
    tested="Route",
    owners=("ann",),
)
