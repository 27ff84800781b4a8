"""Damaged rows of the maintainer's tables: told apart, and in nobody's way."""

import pytest

from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.remains import SqliteRemainsStore
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unreadable
from tests.builders import NOW, a_recorded_endpoint, an_event, minutes


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "parkade.db")
    yield opened
    opened.close()


def spoil(database, statement):
    with database.writing() as connection:
        assert connection.execute(statement).rowcount == 1


def delete(catalog, name):
    going = a_recorded_endpoint(name, status=EndpointStatus.DELETING)
    catalog.put_endpoint(going, an_event("endpoint.deleting"))


def test_damaged_tags_hide_no_others_and_do_not_keep_an_endpoint_from_going(database):
    catalog = SqliteCatalogStore(database)
    catalog.put_tags("endpoint", "ant", {"a": "1"})
    catalog.put_tags("endpoint", "falcon", {"a": "1"})
    spoil(database, "UPDATE tags SET tags = 'torn' WHERE name = 'falcon'")
    found = catalog.tagged("endpoint")
    assert found.tags == {"ant": {"a": "1"}}
    assert list(found.unreadable) == ["falcon"]
    with pytest.raises(Unreadable, match="falcon"):
        catalog.tags("endpoint", "falcon")
    delete(catalog, "falcon")
    assert SqliteRemainsStore(database).get("falcon").tags == {}


def test_damaged_remains_hide_no_others_are_told_by_name_and_go_in_time(database):
    catalog, remains = SqliteCatalogStore(database), SqliteRemainsStore(database)
    delete(catalog, "ant")
    delete(catalog, "falcon")
    spoil(database, "UPDATE remains SET content = '{}' WHERE endpoint_name = 'falcon'")
    assert [each.endpoint_name for each in remains.all().records] == ["ant"]
    assert list(remains.all().unreadable) == ["falcon"]
    with pytest.raises(Unreadable, match="falcon"):
        remains.get("falcon")
    remains.settle("falcon", terms=None, tags={})
    remains.forget(NOW + minutes(1))
    assert remains.all().unreadable == {}
