"""The client of mesibo's backend API as the settings describe it, and what to do about its refusals."""

from __future__ import annotations

import structlog

from messenger_api import request_id
from messenger_api.domain.counting import Accumulator
from messenger_api.domain.figures import MESIBO_CALLS, MESIBO_SECONDS
from messenger_api.domain.health.findings import BREACHED
from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, Timeouts
from messenger_api.settings import Settings
from messenger_api.throttle import Throttle

log = structlog.get_logger(__name__)

_seldom = Throttle()


def mesibo_client(settings: Settings, figures: Accumulator | None = None) -> MesiboClient:
    """The client that the keys `MESIBO_...` and `GROUP_EXPIRY...` describe; `figures` count its calls."""

    def count(op: str, outcome: str, seconds: float) -> None:
        if figures:
            figures.count(MESIBO_CALLS, op, outcome)
            figures.observe(MESIBO_SECONDS, seconds, op)

    return MesiboClient(
        settings.mesibo_api_url,
        settings.mesibo_app_token,
        style=settings.mesibo_api_style,
        timeouts=Timeouts(settings.mesibo_connect_timeout, settings.mesibo_timeout),
        max_calls=settings.mesibo_max_calls,
        group_expiry=settings.group_expiry,
        group_extension=settings.group_expiry_extension,
        on_app_token_refused=log_refused_app_token,
        on_call=count,
        headers=_headers,
    )


def _headers() -> dict[str, str]:
    """The id of the request that mesibo is called for."""
    found = request_id.current()
    return {request_id.HEADER: found} if found else {}


def log_refused_app_token(refusal: MesiboRefused) -> None:
    """Tell the operator, once a minute, what can be done about it."""
    if _seldom.is_due("app token"):
        to_do = BREACHED if refusal.is_breach else "check MESIBO_APP_TOKEN and MESIBO_API_URL"
        log.error("mesibo.app_token_refused", error=refusal.label, to_do=to_do)
