"""`/metrics`: figures for Prometheus, read from the database, so that any process tells the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from platform import python_version

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from messenger_api.domain import figures
from messenger_api.domain.errors import TryLater
from messenger_api.domain.figures import MILLION, SUM, Figure, Kind
from messenger_api.domain.health.findings import KNOWN, Login
from messenger_api.domain.health.judgement import Judgement
from messenger_api.services.operator import Operator
from messenger_api.services.operator.figures import Values
from messenger_api.services.operator.health import Health
from messenger_api.services.sms.report import TextReport
from messenger_api.settings import Settings
from messenger_api.transport.private import may_see_figures
from messenger_api.version import VERSION


def metrics_blueprint(settings: Settings, operator: Operator) -> Blueprint:
    """The page, for whoever holds METRICS_TOKEN, or else for this machine alone."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(operator))

    @blueprint.get("/metrics")
    def metrics() -> Response:
        if not may_see_figures(settings):
            return Response("Not for you.\n", status=403, mimetype="text/plain")
        try:
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        except TryLater:
            return Response("The database does not answer.\n", status=503, mimetype="text/plain")

    return blueprint


class _Collector(Collector):
    """Reads the figures anew for every request."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the database need not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read all figures. Raises TryLater."""
        operator = self._operator
        yield _gauge(figures.INFO, [((VERSION, python_version(), operator.health.database), 1)])
        yield from _of_outbox(operator.health)
        yield from _of_texts(operator.texts.read())
        kept = [each for each in operator.push.kept() if each.ends_at]
        yield _gauge(figures.PUSH_ENDS, [((each.kind, each.app, each.place), each.ends_at) for each in kept])
        disks = list(operator.machine.disks())
        yield _gauge(figures.DISK_FREE, [((disk.place,), disk.free) for disk in disks])
        yield _gauge(figures.DISK_SIZE, [((disk.place,), disk.size) for disk in disks])
        for figure in figures.FIGURES:
            yield _counted(figure, operator.figures.totals(figure))
        for figure in figures.DATED:
            yield _last(figure, operator.figures.lasts(figure))
        yield from _of_judgement(operator.judge.recent())


def _of_outbox(health: Health) -> Iterator[Metric]:
    found = health.outbox()
    yield _gauge(figures.OUTBOX_ITEMS, [(("queued",), found.queued), (("dead",), found.dead)])
    kinds = health.outbox_kinds()
    yield _gauge(figures.OUTBOX_KINDS, [((kind, state), count) for kind, state, count in kinds])
    yield _gauge(figures.OUTBOX_OLDEST, [((), found.oldest)])


def _of_texts(found: TextReport) -> Iterator[Metric]:
    money, countries = found.currency, found.countries
    yield _gauge(figures.BUDGET_SPENT, [((each.period, money), each.spent) for each in found.budgets])
    yield _gauge(figures.BUDGET_LIMIT, [((each.period, money), each.most) for each in found.budgets])
    sent = [((each.country, "sent"), each.sent) for each in countries]
    entered = [((each.country, "entered"), each.entered) for each in countries]
    yield _gauge(figures.CODES_HOUR, [*sent, *entered])
    yield _gauge(figures.COUNTRY_PAUSED, [((each.country,), int(each.paused)) for each in countries])
    texts = [((each.provider, each.country, each.outcome), each.texts) for each in found.sendings]
    yield _gauge(figures.TEXTS_DAY, texts)


def _gauge(figure: Figure, values: Iterable[tuple[Sequence[str], float]]) -> Metric:
    gauge = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels, value in values:
        gauge.add_metric(labels, value)
    return gauge


def _counted(figure: Figure, values: Values) -> Metric:
    if figure.kind is Kind.HISTOGRAM:
        return _histogram(figure, values)
    counter = CounterMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels, value in values.items():
        counter.add_metric(labels, value)
    return counter


def _last(figure: Figure, values: Values) -> Metric:
    gauge = GaugeMetricFamily(figure.last, "When that last happened.", labels=figure.labels)
    for labels, second in values.items():
        gauge.add_metric(labels, second)
    return gauge


def _histogram(figure: Figure, values: Values) -> Metric:
    histogram = HistogramMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels in sorted({labels[:-1] for labels in values}):
        counts = accumulate(values.get((*labels, place), 0) for place in figure.places)
        buckets = list(zip(figure.places, counts, strict=True))
        histogram.add_metric(labels, buckets, values.get((*labels, SUM), 0) / MILLION)
    return histogram


def _of_judgement(judgement: Judgement) -> Iterator[Metric]:
    found = Counter(finding.code for finding in judgement.findings)
    yield _gauge(figures.LOGIN_POSSIBLE, [((), int(judgement.login is not Login.NO))])
    yield _gauge(figures.LOGIN_LIMITED, [((), int(judgement.login is Login.LIMITED))])
    yield _gauge(figures.FINDINGS, [((code,), found[code]) for code in KNOWN])
