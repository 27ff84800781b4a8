"""Models of a project: made once, named by their content, removed with what was stored for them."""

from dataclasses import replace

import pytest

from parkade.domain.errors import Conflict, InUse, InvalidInput, ObjectNotFound
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import PROJECT_TAG
from tests.builders import a_config, a_model, a_variant, an_event, minutes
from tests.services.keeperworld import (
    BUCKET,
    NAME,
    PREFIX,
    PROJECT,
    KeeperWorld,
    a_model_part,
    a_variant_of,
    an_endpoint,
)

URL = f"s3://{BUCKET}/{PREFIX}/{'a' * 64}.tar.gz"
OTHER = f"s3://{BUCKET}/{PREFIX}/{'b' * 64}.tar.gz"


@pytest.fixture
def world():
    return KeeperWorld()


def there(world, url):
    bucket, key = url.removeprefix("s3://").split("/", 1)
    try:
        return bool(world.objects.stat(bucket, key))
    except ObjectNotFound:
        return False


def remove(world, part):
    world.models.remove(part.name, world.errand())


def test_it_is_made_once_with_the_projects_tag(world):
    world.store(URL)
    part = a_model_part()
    assert world.differs(part) is None
    assert world.apply(part)
    assert world.catalog.model(part.name).primary.data_url == URL
    assert world.catalog.tags("model", part.name) == {PROJECT_TAG: PREFIX}
    assert not world.apply(part)
    world.models.put(part, world.errand())


def test_its_data_has_to_be_stored(world):
    part = a_model_part()
    with pytest.raises(InvalidInput) as caught:
        world.models.put(part, world.errand())
    assert caught.value.message == f"{URL} is not stored"
    assert f"parkade model push FILE.tar.gz {URL}" in caught.value.hint
    assert world.models.found(part.name) is None


@pytest.mark.parametrize(
    "content",
    [
        {"data_url": ""},
        {"data_url": "s3://models/many/", "multi_model": True, "caches": False},
        {"environment": {"LEVEL": "info"}},
    ],
)
def test_what_is_told_is_what_was_wanted(world, content):
    world.store(URL)
    part = a_model_part(**{"url": content.pop("data_url", URL), **content})
    world.apply(part)
    assert world.models.found(part.name)["environment"] == content.get("environment", {})


def test_a_pipeline_is_made_of_its_containers(world):
    world.store(URL)
    containers = [
        {"image": name, "data_url": URL, "environment": {}, "hostname": name}
        for name in ("first", "second")
    ]
    part = Part(
        kind=Kind.MODEL, name="pipe", key="pipe", content={"containers": containers, "direct": True}
    )
    world.apply(part)
    model = world.catalog.model("pipe")
    assert ([each.hostname for each in model.containers], model.direct) == (
        ["first", "second"], True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"jumpstart": "huggingface-llm-falcon"}, "jumpstart is on AWS alone"),
        ({"package": "arn:aws:sagemaker:us-east-1:1:model-package/p"}, "package is on AWS alone"),
        ({"image": "unknown"}, "'unknown' is not known"),
        ({"colour": "red"}, "colour is not a key of a model"),
        ({"data_url": "here"}, "is not an s3:// address"),
        ({"environment": {"1": "x"}}, "Environment"),
    ],
)
def test_what_can_never_be_made_is_refused(world, content, words):
    part = a_model_part()
    part = replace(part, content={**part.content, **content})
    with pytest.raises(InvalidInput, match=words):
        world.models.check(part, PROJECT)


def test_another_model_of_its_name_is_left_alone(world):
    world.store(URL)
    part = a_model_part()
    world.catalog.add_model(a_model(part.name), an_event())
    with pytest.raises(Conflict, match="made of something else"):
        world.models.put(part, world.errand())


def test_removal_takes_its_archive_and_can_be_done_again(world):
    world.store(URL)
    world.documents = []
    part = a_model_part()
    world.apply(part)
    for _ in range(2):
        remove(world, part)
    assert world.models.found(part.name) is None
    assert world.catalog.tags("model", part.name) == {}
    assert not there(world, URL)


def test_an_archive_that_another_model_uses_stays(world):
    world.store(URL)
    world.documents = []
    part, other = a_model_part(), a_model_part("model-b", environment={"A": "b"})
    world.apply(part)
    world.apply(other)
    remove(world, part)
    assert there(world, URL)
    remove(world, other)
    assert not there(world, URL)


def test_an_archive_that_may_be_applied_again_stays_until_the_project_is_destroyed(world):
    for url in (URL, OTHER):
        world.store(url)
    old, new = a_model_part(), a_model_part(url=OTHER)
    world.apply(old)
    world.apply(new)
    world.documents = [replace(PROJECT, parts=(new,)), replace(PROJECT, parts=(old,))]
    remove(world, old)
    assert there(world, URL), "rolling back makes the model anew"
    world.documents = []
    remove(world, new)
    assert not there(world, URL)
    assert not there(world, OTHER)


def test_what_is_not_the_projects_own_stays(world):
    theirs = f"s3://{BUCKET}/TextDemo2/{'c' * 64}.tar.gz"
    notes = f"s3://{BUCKET}/{PREFIX}/notes.txt"
    for url in (URL, theirs, notes):
        world.store(url)
    world.documents = []
    mine, borrowed = a_model_part(), a_model_part("model-b", url=theirs)
    world.apply(mine)
    world.apply(borrowed)
    remove(world, mine)
    remove(world, borrowed)
    assert [there(world, url) for url in (URL, theirs, notes)] == [False, True, True]


def test_a_model_in_use_stays_and_says_by_whom(world):
    world.store(URL)
    part = a_model_part()
    world.apply(part)
    endpoint = an_endpoint(productionVariants=[a_variant_of(ModelName=part.name)], minutes=30)
    world.apply(endpoint)
    with pytest.raises(InUse, match=f"{NAME} needs endpoint config"):
        remove(world, part)
    world.expire()
    with pytest.raises(InUse, match="a lease or a booking"):
        remove(world, part)
    assert there(world, URL)
    world.apply(an_endpoint(minutes=30))
    remove(world, part)
    assert world.models.found(part.name) is None
    world.meter.start(NAME, amount=minutes(5), actor="ann")
    world.rest()
    assert world.runs() is not None


def test_former_configs_of_the_project_go_with_the_model(world):
    """They could start nothing any more; configs of others are theirs."""
    world.store(URL)
    part = a_model_part()
    world.apply(part)
    world.apply(an_endpoint(productionVariants=[a_variant_of(ModelName=part.name)]))
    former = world.config_of(NAME)
    theirs = a_config("theirs", variants=(a_variant(model_name=part.name),))
    world.provisioner.make_config(theirs, {}, "bob")
    world.apply(an_endpoint())
    assert former in world.configs(), "the deployer keeps it"
    remove(world, part)
    assert former not in world.configs()
    assert "theirs" in world.configs()
    assert world.models.found(part.name) is None


def test_how_it_stands_is_said(world):
    world.store(URL)
    part = a_model_part()
    assert world.models.condition(part).state == "missing"
    world.apply(part)
    assert world.models.condition(part).state == "there"
    world.objects.delete(BUCKET, URL.split("/", 3)[3])
    condition = world.models.condition(part)
    assert (condition.state, condition.troubled) == ("there", True)
    assert f"{URL} is not stored" in condition.text
