"""`/healthz` and `/readyz`, for load balancers and for whoever is called at night."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, request

from messenger_api.domain.errors import TryLater
from messenger_api.domain.probes import is_probe
from messenger_api.services import Services
from messenger_api.storage import facts, outbox
from messenger_api.transport.proxies import PEER
from messenger_api.version import VERSION

# An update message older than this means that nobody delivers: no worker runs, or mesibo is away.
OUTBOX_STALE_SECONDS = 300
# Something waits, and for so long no worker has noted that it looks after the outbox.
UNATTENDED_SECONDS = 15
WORKER_GONE_SECONDS = 60


def health_blueprint(services: Services, schema_is_current: Callable[[], bool]) -> Blueprint:
    """The process, and whether it can do its work."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        found = {"status": "ok", "version": VERSION}
        asked, settings = request.args.get("probe", ""), services.settings
        if asked and is_probe(asked, settings.secret_key, int(time.time())):
            found |= _address()
        return _answer(found, 200)

    @blueprint.get("/readyz")
    def readyz() -> Response:
        checks = _checks(services, schema_is_current)
        ready = checks["database"] == "ok" and checks["schema"] == "ok"
        return _answer({"status": "ok" if ready else "unavailable", **checks}, 200 if ready else 503)

    return blueprint


def _address() -> dict[str, str]:
    """Whom the doctor's request is counted as, and the proxy that said so, "" if none did."""
    return {"client": request.remote_addr or "", "peer": request.environ.get(PEER, "")}


def _checks(services: Services, schema_is_current: Callable[[], bool]) -> dict[str, str]:
    """A stale outbox is told but does not take the server out of service: it answers all the same."""
    try:
        schema = "ok" if schema_is_current() else "run messenger-api db upgrade"
        status = services.database.run(lambda tx: outbox.status(tx, services.database.now()))
    except TryLater:
        return {"database": "unavailable", "schema": "unknown", "outbox": "unknown"}
    return {"database": "ok", "schema": schema, "outbox": _outbox(services, status.oldest)}


def _outbox(services: Services, oldest: int) -> str:
    """Whether anybody delivers, when something has waited for a while."""
    if oldest > UNATTENDED_SECONDS:
        now = services.database.now()
        beat = int(services.database.run(lambda tx: facts.read(tx, facts.WORKER)) or 0)
        if abs(now - beat) > WORKER_GONE_SECONDS:
            return f"nobody delivers: run messenger-api worker; oldest item waits {oldest} s"
    return f"oldest item waits {oldest} s" if oldest > OUTBOX_STALE_SECONDS else "ok"


def _answer(members: dict[str, str], status: int) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(members), status=status, headers=headers)
