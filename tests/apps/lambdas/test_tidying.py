"""Once a day what is too old is forgotten; what cannot be keeps nothing else from it."""

from datetime import timedelta

from parkade.apps.lambdas.tidying import Tidying
from parkade.domain.errors import Unavailable
from tests.builders import NOW

AT = NOW.replace(hour=3, minute=17)


def test_once_a_day_all_of_it_is_forgotten(caplog):
    forgotten = []

    def failing(_):
        raise Unavailable("no table")

    tidying = Tidying({"what was spent": failing, "what is left": forgotten.append})
    for minute in range(-2, 3):
        tidying(AT + timedelta(minutes=minute))
    tidying(AT + timedelta(days=1))
    assert forgotten == [AT, AT + timedelta(days=1)]
    assert caplog.text.count("what was spent is not forgotten: no table") == 2
