"""What is left over, missing, or paid for by nobody: `/v1/audit`."""

from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.audit import AuditView, FindingView, FixForm, FixView, MendedView

routes = router("Audit", "/v1/audit")


@routes.get("")
async def audit(services: Both, _caller: Operator) -> AuditView:
    """Look for what is left over, missing, or paid for by nobody. Changes nothing."""
    return AuditView(findings=[FindingView.of(each) for each in await services.audit().findings()])


@routes.post("/fix")
async def fix_findings(services: Both, caller: Admin, form: FixForm) -> FixView:
    """Put findings right, where that is safe.

    Each is looked for again first: one that is gone is passed over. No endpoint is stopped, and
    nothing is deleted that is in use.
    """
    mended = await services.audit().fix(form.ids, actor=caller.name)
    services.changed()
    return FixView(mended=[MendedView.of(each) for each in mended])
