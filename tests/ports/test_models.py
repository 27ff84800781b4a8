"""The contract of models: in memory, on a real host, and on SageMaker's API of it."""

import pytest

from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.models import SageMakerModels, require_address
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.embedded.models import EmbeddedModels
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.models import MemoryModels
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.domain.errors import AlreadyExists, InvalidInput, ModelNotFound
from tests.builders import NOW, a_model
from tests.runtime.premises import Home
from tests.wired import Loop, wired

UNKNOWN = "nobody-plays-this"
ROLE = "arn:aws:iam::000000000000:role/models"


@pytest.fixture(params=["memory", "embedded", "sagemaker"])
def models(request, tmp_path):
    if request.param == "memory":
        catalog = MemoryCatalogStore(MemoryHistory(), MemoryRemainsStore())
        yield MemoryModels(catalog, ManualClock(NOW), unknown=[UNKNOWN])
        return
    home = Home(tmp_path)
    home.clock = ManualClock(NOW)
    loop = Loop()
    host = home.host()
    loop.run(host.start())
    if request.param == "embedded":
        yield EmbeddedModels(host, home.store, lambda: None)
    else:
        parts = {"catalog": home.store, "clock": home.clock, "history": home.history}
        with wired(loop, tmp_path, host=host, **parts) as built:
            yield on_sagemaker(built.account, home.clock)
    loop.run(host.close())
    loop.close()
    home.close()


def on_sagemaker(account, clock):
    history = MemoryHistory()
    return SageMakerModels(
        account,
        shelf=Shelf(account, role_arn=ROLE),
        tags=Tags(account, Arns(account), MemoryCatalogStore(history, MemoryRemainsStore())),
        history=history,
        clock=clock,
        playable=_known,
    )


def _known(image):
    if image == UNKNOWN:
        require_address(image)


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


@pytest.mark.parametrize(
    "image",
    [
        "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1",
        "registry.example.com/models/own@sha256:00ff",
        "arn:aws:sagemaker:eu-west-1:000000000000:model-package/mine/3",
    ],
)
def test_what_sagemaker_could_pull_is_an_address(image):
    require_address(image)


@pytest.mark.parametrize("image", ["sagemaker-scikit-learn:1.2", "a/b", "arn:aws:s3:::bucket/x"])
def test_a_short_name_is_none_of_sagemakers(image):
    with pytest.raises(InvalidInput, match="registry") as refused:
        require_address(image)
    assert refused.value.field == "Image"
