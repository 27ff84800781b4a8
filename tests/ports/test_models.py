"""The contract of models, on those in memory and on a real host."""

import asyncio

import pytest

from parkade.adapters.embedded.models import EmbeddedModels
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.models import MemoryModels
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.domain.errors import AlreadyExists, InvalidInput, ModelNotFound
from tests.builders import NOW, a_model
from tests.runtime.premises import Home

UNKNOWN = "nobody-plays-this"


@pytest.fixture(params=["memory", "embedded"])
def models(request, tmp_path):
    if request.param == "memory":
        catalog = MemoryCatalogStore(MemoryHistory(), MemoryRemainsStore())
        yield MemoryModels(catalog, ManualClock(NOW), unknown=[UNKNOWN])
        return
    home = Home(tmp_path)
    home.clock = ManualClock(NOW)
    with asyncio.Runner() as runner:
        host = home.host()
        runner.run(host.start())
        yield EmbeddedModels(host, home.store, lambda: None)
        runner.run(host.close())
    home.close()


def test_a_model_is_made_once_with_its_tags(models):
    model = a_model("blue", image="pytorch-inference")
    with pytest.raises(ModelNotFound):
        models.get("blue")
    models.make(model, {"team": "nlp"}, "ann")
    assert models.get("blue") == model
    assert models.all().records == (model,)
    assert models.tags("blue") == {"team": "nlp"}
    with pytest.raises(AlreadyExists):
        models.make(model, {}, "ann")


def test_an_image_that_nothing_plays_is_refused(models):
    unknown = a_model("blue", image=UNKNOWN)
    with pytest.raises(InvalidInput):
        models.require_playable(unknown)
    with pytest.raises(InvalidInput):
        models.make(unknown, {}, "ann")
    assert models.all().records == ()
    models.require_playable(a_model("blue", image="pytorch-inference"))


def test_one_that_is_gone_counts_as_removed_and_leaves_no_tags(models):
    models.make(a_model("blue", image="pytorch-inference"), {"team": "nlp"}, "ann")
    models.tag("blue", {"team": "vision"})
    assert models.tags("blue") == {"team": "vision"}
    for _ in range(2):
        models.remove("blue", "ann")
    with pytest.raises(ModelNotFound):
        models.get("blue")
    assert models.tags("blue") == {}
