"""Endpoints of projects: what is settled of a content is what is told once it stands so."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.deploy import naming
from parkade.domain.idle import IdleRules
from parkade.domain.project import contents
from parkade.domain.project import endpoint as endpoints
from parkade.domain.project import terms as settling
from parkade.domain.project.endpoint import Stand
from parkade.domain.project.part import Kind, Part
from parkade.domain.terms import Terms

NAME = "TextDemo-text"
RULES = IdleRules()
MAYBE_TERMS = {
    "keep": st.none() | st.just({"by_minutes": 5, "when_left_minutes": 5, "at_most_minutes": 60}),
    "schedule": st.none() | st.just("mon-fri 09:00-17:00 Europe/Berlin"),
    "maintain": st.sampled_from(
        [None, {"watch": "on"}, {"watch": "off"}, {"watch": "by_tag"}, {"stop_after": 9}]
    ),
    "sleep": st.none() | st.builds(lambda m: {"after_minutes": m}, st.integers(1, 9)),
    "wake": st.none() | st.just({"minutes": 5, "at_most_minutes": 60}),
}
SCALING = st.none() | st.builds(
    lambda least, more: {"autoscalingMinCapacity": least, "autoscalingMaxCapacity": least + more},
    st.integers(1, 3),
    st.integers(0, 3),
)


@st.composite
def parts(draw):
    """A part of one or two variants, which says or leaves out anything that may be left out."""
    names = draw(st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True))
    content = {
        "endpointName": NAME,
        "deploy": draw(st.booleans()),
        "productionVariants": [
            {
                "VariantName": name,
                "ModelName": draw(st.sampled_from(["blue", "green"])),
                "InstanceType": "ml.c5.large",
                "InitialInstanceCount": draw(st.integers(1, 4)),
                "InitialVariantWeight": draw(st.integers(1, 4)),
            }
            for name in names
        ],
        "scaling": {name: draw(SCALING) for name in names if draw(st.booleans())},
        "tags": draw(st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["1", "2"]))),
    }
    capture = {"InitialSamplingPercentage": 5, "DestinationS3Uri": "s3://captured/text"}
    optional = {**MAYBE_TERMS, "DataCaptureConfig": st.sampled_from([None, capture])}
    for key, given_values in optional.items():
        if draw(st.booleans()):
            content[key] = draw(given_values)
    return Part(kind=Kind.ENDPOINT, name=NAME, key="text", content=content)


def stand(wanted, before):
    """How it stands once it is made as wanted: what the keeper, the meter and the deployer do."""
    order = wanted.order
    deployed = wanted.deploy or (before is not None and before.deployed)
    held = before.terms if before else Terms(endpoint_name=NAME)
    terms = settling.settle(held, wanted.terms, RULES) if deployed else held
    scaling = dict(before.scaling) if before else {}
    for name, each in order.scaling.items() if deployed else ():
        if each is None:
            scaling.pop(name, None)
        else:
            scaling[name] = each
    names = {variant.name for variant in order.variants}
    return Stand(
        config=naming.wanted_content(order, endpoints.former(before)),
        deployed=deployed,
        owner=((before.owner if before else None) or order.owner or "ann") if deployed else None,
        scaling={name: each for name, each in scaling.items() if name in names},
        tags=endpoints.tags_of(wanted, before.tags if before else {}),
        terms=terms,
    )


def told(stood):
    return {key: value for key, value in endpoints.told(stood).items() if key != "owner"}


def settled(wanted, before):
    whole = endpoints.settled(wanted, before, RULES)
    return {key: value for key, value in whole.items() if key != "owner"}


@settings(max_examples=40)
@given(st.lists(parts(), min_size=1, max_size=4))
def test_what_is_settled_is_what_is_told_once_it_stands(steps):
    before, former = None, None
    for part in steps:
        wanted = endpoints.read(part, former)
        after = stand(wanted, before)
        assert contents.fields(settled(wanted, before), told(after)) == ()
        again = endpoints.read(part, part.content)
        assert contents.fields(settled(again, after), told(after)) == (), "again does nothing"
        before, former = after, part.content


@settings(max_examples=40)
@given(parts(), parts())
def test_what_was_said_and_is_said_no_more_is_taken_away(former, part):
    before = stand(endpoints.read(former), None)
    after = settled(endpoints.read(part, former.content), before)
    for key in former.content.keys() - part.content.keys():
        assert after[key] is None
    for name in former.content["tags"].keys() - part.content["tags"].keys():
        assert name not in after["tags"]


@settings(max_examples=40)
@given(parts(), parts(), st.integers(1, 9))
def test_counts_that_run_go_on_within_their_bounds(former, part, count):
    wanted = endpoints.read(part)
    before = stand(endpoints.read(former), None)
    before = replace(
        before,
        deployed=True,
        config=replace(
            before.config,
            variants=tuple(replace(each, instance_count=count) for each in before.config.variants),
        ),
    )
    held = {each.name for each in before.config.variants}
    for each in endpoints.settled(wanted, before, RULES)["productionVariants"]:
        bounds = wanted.order.scaling.get(each["VariantName"])
        if each["VariantName"] in held:
            expected = count if bounds is None else bounds.clamped(count)
            assert each["InitialInstanceCount"] == expected
