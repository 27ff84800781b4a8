"""The adapters of AWS as clients of a whole Parkade: signed requests, real workers, one endpoint's life."""

import pytest

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.passage import Passage
from parkade.adapters.aws.sagemaker.scaling import SageMakerScaling
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.sights import MemorySightStore
from parkade.adapters.system.clock import SystemClock
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.target import Resource
from tests.aws_account import write_config
from tests.clients.account import account, variant
from tests.house import wait_for
from tests.wired import account_of


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    with account(tmp_path_factory.mktemp("house")) as made:
        made.model("no-op")
        made.config("config", variant())
        yield made


@pytest.fixture
def aws_account(own, tmp_path):
    keys = own.house.ok("POST", "/v1/aws-key", headers={"Authorization": own.house.token}).json()
    config = tmp_path / "config"
    write_config(
        config,
        own.house.url,
        region="us-east-1",
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        services="own",
    )
    with config.open("a") as file:
        # Where the house answers for STS.
        file.write(f"[services own]\nsts =\n  endpoint_url = {own.house.url}/sts\n")
    return account_of(config)


def test_an_endpoint_lives_sleeps_and_comes_back_with_what_it_had(aws_account):
    clock, history, remains = SystemClock(), MemoryHistory(), MemoryRemainsStore()
    kept, shelf = MemoryKeptStore(), Shelf(aws_account)
    sights = Sights(aws_account, MemorySightStore(), clock, shelf=shelf)
    tags = Tags(aws_account, Arns(aws_account), MemoryCatalogStore(history, remains))
    hosting = SageMakerHosting(
        aws_account,
        sights=sights,
        tags=tags,
        remains=remains,
        clock=clock,
        aftercare=Aftercare(aws_account, kept, clock),
    )
    scaling = SageMakerScaling(aws_account, sights=sights, kept=kept, history=history, clock=clock)

    def serves():
        seen = hosting.endpoints().get("live")
        return seen is not None and (seen.status, seen.healthy) == ("InService", 1)

    tags.put("endpoint", "live", {"team": "nlp"})
    hosting.create("live", "config")
    wait_for(serves, why="live to serve")
    passage = Passage(aws_account, seconds=60)
    answer = passage.invoke("live", b'{"text": "coin"}', {"content-type": "application/json"})
    assert answer.status == 200, answer
    resource = Resource("live", "AllTraffic")
    scaling.register(resource, "ann", least=1, most=3)
    tracking = Tracking(target=100.0, metric=Predefined.INVOCATIONS_PER_INSTANCE)
    scaling.put_policy(resource, "keep", "ann", tracking=tracking)

    hosting.sleep("live")
    wait_for(lambda: "live" not in hosting.endpoints(), why="live to be gone")
    assert (remains.get("live").tags, list(kept.all())) == ({"team": "nlp"}, ["live"])
    # SageMaker would have done so.
    aws_account.client("application-autoscaling").deregister_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=resource.id,
        ScalableDimension=resource.dimension.value,
    )
    assert scaling.target(resource).most == 3

    hosting.create("live", "config")
    wait_for(serves, why="live to serve again")
    wait_for(lambda: hosting.endpoints() and not kept.all(), why="its scaling to be put on")
    assert tags.present("endpoint", "live") == {"team": "nlp"}
    assert [each.tracking for each in scaling.policies(resource).records] == [tracking]
    hosting.delete("live")
    wait_for(lambda: "live" not in hosting.endpoints(), why="live to be gone")
