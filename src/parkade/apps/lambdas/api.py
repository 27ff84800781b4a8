"""`api`: the management API, as API Gateway calls it.

It is the application of the embedded server, without what one machine alone has. Tokens are looked
at here once more: the authorizer's answer may be some minutes old, and a token that was revoked is to
change nothing.

All is imported on import, unlike in the other functions: that is what SnapStart keeps. Services are
built at the first call, with the credentials of the process that answers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mangum import Mangum

from parkade.apps.cloud.app import create_app
from parkade.apps.cloud.means import Means
from parkade.apps.cloud.wiring import build
from parkade.apps.lambdas import means
from parkade.apps.lambdas.start import Function

if TYPE_CHECKING:
    from collections.abc import Callable

    from mangum.types import LambdaContext

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings


def _build(settings: FunctionSettings) -> Callable[[Any, Call], Any]:
    services = build(Means.of_function(means.account(settings), settings))
    application = Mangum(create_app(services, streams=False), lifespan="off")

    def answer(event: Any, call: Call) -> Any:
        # The application asks nothing of Lambda's context.
        return application(event, cast("LambdaContext", call))

    return answer


handler = Function(_build)
