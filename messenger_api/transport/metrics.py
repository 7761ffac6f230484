"""`/metrics`: figures for Prometheus, read from the database, so that any process tells the same."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from itertools import accumulate

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from messenger_api.domain.errors import TryLater
from messenger_api.domain.figures import FIGURES, MILLION, SUM, Figure, Kind
from messenger_api.guard import comes_from_here
from messenger_api.services.operator import Operator
from messenger_api.services.operator.figures import Values
from messenger_api.services.operator.health import OutboxHealth
from messenger_api.services.operator.push import PushCredentials
from messenger_api.services.sms.report import TextReport
from messenger_api.settings import Settings
from messenger_api.version import VERSION


def metrics_blueprint(settings: Settings, operator: Operator) -> Blueprint:
    """The page, for whoever holds METRICS_TOKEN, or else for this machine alone."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(operator))

    @blueprint.get("/metrics")
    def metrics() -> Response:
        if not _may_read(settings):
            return Response("Not for you.\n", status=403, mimetype="text/plain")
        try:
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        except TryLater:
            return Response("The database does not answer.\n", status=503, mimetype="text/plain")

    return blueprint


def _may_read(settings: Settings) -> bool:
    if not settings.metrics_token:
        # Not through a proxy on this machine, be it configured or not.
        return comes_from_here(request.environ, settings.trusted_proxy_header)
    given = request.headers.get("Authorization", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())


class _Collector(Collector):
    """Reads the figures anew for every request."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the database need not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read all figures. Raises TryLater."""
        version = GaugeMetricFamily("messenger_info", "The program.", labels=["version"])
        version.add_metric([VERSION], 1)
        yield version
        yield from _of_outbox(self._operator.health.outbox())
        yield from _of_texts(self._operator.texts.read())
        for figure in FIGURES:
            yield _counted(figure, self._operator.figures.totals(figure))
        yield _of_credentials(self._operator.push)


def _of_outbox(found: OutboxHealth) -> Iterator[Metric]:
    items = GaugeMetricFamily("messenger_outbox_items", "Work that follows answers.", labels=["state"])
    items.add_metric(["queued"], found.queued)
    items.add_metric(["dead"], found.dead)
    yield items
    yield GaugeMetricFamily(
        "messenger_outbox_oldest_seconds", "How long the oldest item that is due has waited.", found.oldest
    )


def _of_credentials(push: PushCredentials) -> Metric:
    ends = GaugeMetricFamily(
        "messenger_push_credential_ends_timestamp_seconds",
        "When a credential ends that mesibo was handed for push.",
        labels=["kind", "app", "place"],
    )
    for kept in push.kept():
        if kept.ends_at:
            ends.add_metric([kept.kind, kept.app, kept.place], kept.ends_at)
    return ends


def _of_texts(found: TextReport) -> Iterator[Metric]:
    names = ["period", "currency"]
    spent = GaugeMetricFamily("messenger_sms_budget_spent", "What texts have cost.", labels=names)
    most = GaugeMetricFamily("messenger_sms_budget_limit", "What texts may cost.", labels=names)
    for budget in found.budgets:
        spent.add_metric([budget.period, found.currency], budget.spent)
        most.add_metric([budget.period, found.currency], budget.most)
    yield from (spent, most)
    codes = GaugeMetricFamily(
        "messenger_sms_codes_hour", "Codes of the last hour.", labels=["country", "what"]
    )
    paused = GaugeMetricFamily(
        "messenger_sms_country_paused", "1 while its codes are not entered.", labels=["country"]
    )
    for country in found.countries:
        codes.add_metric([country.country, "sent"], country.sent)
        codes.add_metric([country.country, "entered"], country.entered)
        paused.add_metric([country.country], int(country.paused))
    yield from (codes, paused)
    texts = GaugeMetricFamily(
        "messenger_sms_texts_day", "Texts of the last 24 hours.", labels=["provider", "country", "outcome"]
    )
    for sending in found.sendings:
        texts.add_metric([sending.provider, sending.country, sending.outcome], sending.texts)
    yield texts


def _counted(figure: Figure, values: Values) -> Metric:
    if figure.kind is Kind.HISTOGRAM:
        return _histogram(figure, values)
    counter = CounterMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels, value in values.items():
        counter.add_metric(labels, value)
    return counter


def _histogram(figure: Figure, values: Values) -> Metric:
    histogram = HistogramMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels in sorted({labels[:-1] for labels in values}):
        counts = accumulate(values.get((*labels, place), 0) for place in figure.places)
        buckets = list(zip(figure.places, counts, strict=True))
        histogram.add_metric(labels, buckets, values.get((*labels, SUM), 0) / MILLION)
    return histogram
