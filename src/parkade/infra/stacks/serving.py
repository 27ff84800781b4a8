"""Endpoints that serve the project's own models: variants by weight, capture, scaling, guardrails."""

from __future__ import annotations

from parkade.infra.constructs.hosting import HostingStack
from parkade.infra.naming import Title


class ModelServingStack(HostingStack):
    """Models, endpoint configs and endpoints of the project's own files."""

    title = Title.SERVING
    about = "models, endpoint configs and endpoints of the project's own files"
    room = "serving"
