"""`/healthz` and `/readyz`, for load balancers and operators; `/readyz` is a page where a browser asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from messenger_api.domain.errors import TryLater
from messenger_api.domain.health.judgement import Judgement
from messenger_api.domain.probes import is_probe
from messenger_api.services.operator.health import Health, OutboxHealth
from messenger_api.services.operator.judgement import Judge
from messenger_api.settings import Settings
from messenger_api.transport.addresses import wants_page
from messenger_api.transport.pages import page
from messenger_api.transport.private import may_see_figures
from messenger_api.transport.proxies import PEER
from messenger_api.version import VERSION


def health_blueprint(
    settings: Settings, health: Health, judge: Judge, schema_to_do: Callable[[], str]
) -> Blueprint:
    """The process, and whether it can do its work.

    Args:
        settings: whoever holds the SECRET_KEY is told by `/healthz` whom a request is counted as
            (`domain.probes`).
        health: asks database and outbox.
        judge: says whether people can log in, which the body of `/readyz` tells and its status does not: a
            load balancer must not take every machine out for a neighbour's fault.
        schema_to_do: what to do about tables of another version; "" for those of this one. Raises TryLater.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        found = {"status": "ok", "version": VERSION}
        asked = request.args.get("probe", "")
        if asked and is_probe(asked, settings.secret_key, int(time.time())):
            found |= _address()
        return _answer(found, 200)

    @blueprint.get("/readyz")
    def readyz() -> Response:
        checks = _checks(health, schema_to_do)
        there = checks["database"] == "ok"
        ready = there and checks["schema"] == "ok"
        judgement = judge.recent() if there else judge.without_database()
        told = _judgement(judgement, details=may_see_figures(settings))
        found = {"status": "ok" if ready else "unavailable", **checks, **told}
        status = 200 if ready else 503
        answer = page("health.html", status, **found) if wants_page(request) else _answer(found, status)
        answer.vary.add("Accept")
        return answer

    return blueprint


def _address() -> dict[str, str]:
    """Whom the doctor's request is counted as, and the proxy that said so, "" if none did."""
    return {"client": request.remote_addr or "", "peer": request.environ.get(PEER, "")}


def _checks(health: Health, schema_to_do: Callable[[], str]) -> dict[str, str]:
    """A stale outbox is told but does not take the server out of service: it answers all the same."""
    try:
        schema = schema_to_do() or "ok"
        outbox = _outbox(health.outbox())
    except TryLater:
        return {"database": "unavailable", "schema": "unknown", "outbox": "unknown"}
    return {"database": "ok", "schema": schema, "outbox": outbox}


def _outbox(found: OutboxHealth) -> str:
    """Whether anybody delivers, when something has waited for a while."""
    waits = f"oldest item waits {found.oldest} s"
    if found.is_unattended:
        return f"nobody delivers: run messenger-api worker; {waits}"
    return waits if found.is_stale else "ok"


def _judgement(judgement: Judgement, *, details: bool) -> dict[str, Any]:
    """Whether people can log in, and why not: to strangers without amounts, names and what to do."""
    if details:
        findings = msgspec.to_builtins(judgement.findings)
    else:
        findings = [{"code": f.code, "severity": f.severity, "said": f.said} for f in judgement.findings]
    return {"login": judgement.login, "said": judgement.headline(), "findings": findings}


def _answer(members: Mapping[str, Any], status: int) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(members), status=status, headers=headers)
