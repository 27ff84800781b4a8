"""The meter's stack, as it is synthesized."""

from parkade.adapters.aws.dynamodb import shape
from parkade.infra.naming import Title
from tests.infra.synthesizing import synthesized

_TOLD = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


def _sorted(told):
    return {
        name: sorted(value, key=str) if name == "AttributeDefinitions" else value
        for name, value in told.items()
    }


def test_the_table_is_the_one_that_the_stores_read_and_write():
    table = synthesized().only(Title.METER, "AWS::DynamoDB::Table")
    assert _sorted({name: table[name] for name in _TOLD}) == _sorted(shape.MAIN.description())
    assert table["TimeToLiveSpecification"] == {
        "AttributeName": shape.MAIN.goes_at,
        "Enabled": True,
    }


def test_the_table_is_encrypted_and_restorable_and_survives_its_stack():
    (table,) = synthesized().resources(Title.METER, "AWS::DynamoDB::Table").values()
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionPolicy"] == "Retain"
    (gone,) = synthesized(retains=False).resources(Title.METER, "AWS::DynamoDB::Table").values()
    assert gone["DeletionPolicy"] == "Delete"
