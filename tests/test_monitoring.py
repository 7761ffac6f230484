"""Rules and dashboard for those who watch: as generated, understood by promtool, and each alert played."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from messenger_api.domain.alerts import ALERTS, Alert
from messenger_api.domain.figures import DATED, FIGURES, GAUGES, Kind
from messenger_api.domain.health.facts import Disk, Facts
from messenger_api.domain.health.judgement import judge
from tests.processes import program
from tests.product import Product
from tests.scripts import script

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "operations" / "alerts.md"
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
MINUTES = 200
BY_NAME = {alert.name: alert for alert in ALERTS}

Values = Callable[[int], float | None]


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- What is written


def test_the_files_are_those_that_the_declarations_make() -> None:
    made = script("make-monitoring")
    assert RULES.read_text() == made.rules(), "run make fix"
    assert DASHBOARD.read_text() == made.dashboard(), "run make fix"


def test_every_figure_has_a_panel() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    for figure in (*FIGURES, *GAUGES):
        assert any(re.search(rf"\b{figure.sample}\b", expr) for expr in asked), figure.name
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len(set(places)) == len(places)


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))
    assert list(sections) == [alert.name for alert in ALERTS]
    assert [name for name, text in sections.items() if "**Do:**" not in text] == []
    for alert in ALERTS:
        path, _, anchor = alert.page.partition("#")
        assert ROOT / path == PAGE
        assert anchor == alert.name.lower()


def test_links_of_the_page_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGE.read_text()):
        path, _, anchor = link.partition("#")
        assert (PAGE.parent / path).exists(), link
        assert path or anchor.upper() in {name.upper() for name in BY_NAME}, link  # others: tests/guide


def test_alerts_ask_for_what_metrics_tells(product: Product) -> None:
    named = {word for alert in ALERTS for word in re.findall(r"messenger_\w+", alert.expr)}
    figures = {figure.sample for figure in (*FIGURES, *GAUGES)} | {figure.last for figure in DATED}
    assert named <= figures
    product.log_in("919876543210")
    assert product.parts.bookkeeper.keep()
    page = product.http.get("/metrics").text
    told = set(re.findall(r"^(messenger_\w+)", page, re.M))
    declared = {figure.name: figure for figure in (*FIGURES, *GAUGES)}
    types = dict(re.findall(r"^# TYPE (messenger_\w+) (\w+)$", page, re.M))
    for name, figure in declared.items():
        known = f"{name}_total" if figure.kind is Kind.COUNTER else name
        assert types[known] == figure.kind
    assert {"messenger_requests_total", "messenger_request_seconds_bucket"} <= told
    assert {figure.last for figure in DATED} <= told


# --- Each alert, played


@dataclass(frozen=True)
class Story:
    """Series by minute, and the minutes in which the alert is not there yet, is there, and is over."""

    series: Mapping[str, Values]
    quiet: int
    fires: int
    over: int
    labels: Mapping[str, str] = field(default_factory=dict)


def while_(begin: int, end: int, value: float, otherwise: float | None) -> Values:
    return lambda minute: value if begin <= minute < end else otherwise


def growing(by: float, begin: int = 0, end: int = MINUTES) -> Values:
    """A counter that grows by so much a minute from `begin` to `end`."""
    return lambda minute: by * max(0, min(minute, end) - begin)


def last_at(*spans: tuple[int, int]) -> Values:
    """The second in which something last happened that happens each minute of these spans."""

    def value(minute: int) -> float | None:
        happened = [each for begin, end in spans for each in range(begin, min(end, minute + 1))]
        return 60 * max(happened) if happened else None

    return value


def outage(name: str, bad: str, good: str = "ok", more: str = "") -> dict[str, Values]:
    """Well, from minute 5 on failing, and from minute 16 on well again."""
    return {
        f'{name}_last_timestamp_seconds{{{more}outcome="{good}"}}': last_at((0, 5), (16, MINUTES)),
        f'{name}_last_timestamp_seconds{{{more}outcome="{bad}"}}': last_at((5, 16)),
    }


INFO = 'messenger_info{version="%s"}'
CALLS = 'messenger_requests_total{op="login",error="%s"}'
SENT = 'messenger_texts_total{provider="twilio",country="DE",outcome="%s"}'
RECEIPT = 'messenger_text_receipts_total{provider="twilio",country="DE",outcome="%s"}'
SECONDS = 'messenger_request_seconds_bucket{op="getcontacts",le="%s"}'
SPENT = 'messenger_sms_budget_%s{period="day",currency="USD"}'
CREDENTIAL = 'messenger_push_credential_ends_timestamp_seconds{kind="apn",app="org.x",place="sandbox"}'
DISK = 'messenger_disk_free_bytes{place="files"}'
REFUSED = 'messenger_refusals_total{limit="%s",mode="enforce"}'
MESIBO, TEXTS = "messenger_mesibo_calls", "messenger_texts"
DAY = {"period": "day"}
FILES = {"place": "files"}

STORIES = [
    ("MessengerSaysNothing", Story({INFO % "1": while_(11, 31, 1, None)}, 30, 42, 0)),
    ("MessengerSaysNothing", Story({INFO % "1": lambda m: None if 10 < m < 31 else 1}, 19, 22, 32)),
    ("MessengerLoginImpossible", Story({"messenger_login_possible": while_(5, 20, 0, 1)}, 5, 6, 20)),
    ("MessengerMesiboAway", Story(outage(MESIBO, "unreachable", more='op="useradd",'), 6, 7, 16)),
    ("MessengerMesiboAway", Story(outage(MESIBO, "unreachable", "refused"), 6, 7, 16)),
    # Nobody asks any more: what was is not what is.
    (
        "MessengerMesiboAway",
        Story({f'{MESIBO}_last_timestamp_seconds{{outcome="unreachable"}}': last_at((5, 7))}, 6, 7, 22),
    ),
    ("MessengerAppTokenRefused", Story(outage(MESIBO, "token_refused"), 5, 6, 16)),
    ("MessengerAppTokenRefused", Story(outage(MESIBO, "breached"), 5, 6, 16)),
    ("MessengerTextsFailing", Story(outage(TEXTS, "unavailable", "sent"), 6, 7, 16)),
    (
        "MessengerBudgetSpent",
        Story({SPENT % "spent": while_(5, 20, 25, 10), SPENT % "limit": lambda _m: 25}, 4, 5, 20, DAY),
    ),
    # Raised by an operator.
    (
        "MessengerBudgetSpent",
        Story(
            {SPENT % "spent": while_(5, MINUTES, 25, 10), SPENT % "limit": while_(20, MINUTES, 100, 25)},
            4,
            5,
            20,
            DAY,
        ),
    ),
    ("MessengerBudgetSpent", Story({REFUSED % "sms_budget_day": growing(1, 5, 20)}, 4, 8, 40)),
    (
        "MessengerBudgetNearlySpent",
        Story({SPENT % "spent": while_(5, 20, 20, 19), SPENT % "limit": lambda _m: 25}, 4, 5, 20, DAY),
    ),
    (
        "MessengerFaults",
        Story({CALLS % "none": growing(60), CALLS % "TRYLATER": growing(10, 5, 20)}, 9, 15, 32),
    ),
    ("MessengerDiskFull", Story({DISK: while_(5, 15, 1e6, 1e10)}, 5, 6, 15, FILES)),
    ("MessengerDiskNearlyFull", Story({DISK: while_(5, 30, 4e8, 1e10)}, 14, 15, 30, FILES)),
    (
        "MessengerProviderFailing",
        Story(
            {SENT % "sent": growing(2, 5, 30), SENT % "unavailable": growing(2, 5, 30)},
            7,
            16,
            62,
            {"provider": "twilio"},
        ),
    ),
    (
        "MessengerTextsNotReceived",
        Story(
            {RECEIPT % "delivered": growing(1, 5, 40), RECEIPT % "missing": growing(1, 5, 40)}, 12, 30, 165
        ),
    ),
    (
        "MessengerCodesNotEntered",
        Story(
            {
                'messenger_logins_begun_total{method="otp"}': growing(1),
                'messenger_logins_completed_total{method="otp"}': growing(1, 45),
            },
            30,
            40,
            75,
        ),
    ),
    (
        "MessengerCountryPaused",
        Story(
            {'messenger_sms_country_paused{country="DE"}': while_(5, 30, 1, 0)}, 14, 15, 30, {"country": "DE"}
        ),
    ),
    (
        "MessengerManyRefused",
        Story({REFUSED % "sms_per_ip": growing(30, 5, 30), CALLS % "none": growing(60)}, 15, 25, 50),
    ),
    (
        "MessengerSlow",
        Story(
            {
                SECONDS % "1": growing(0),
                SECONDS % "2.5": growing(10, 5, 30),
                SECONDS % "+Inf": growing(10, 5, 30),
                CALLS % "none": growing(10),
            },
            12,
            22,
            45,
        ),
    ),
    ("MessengerOutboxOld", Story({"messenger_outbox_oldest_seconds": while_(5, 20, 400, 0)}, 9, 10, 20)),
    (
        "MessengerOutboxDead",
        Story({'messenger_outbox_items{state="dead"}': while_(5, 20, 2, 0)}, 9, 10, 20),
    ),
    (
        "MessengerPushCredentialEnds",
        Story(
            {
                CREDENTIAL: while_(5, 90, 13 * 86_400, 90 * 86_400),
            },
            64,
            65,
            90,
            {"kind": "apn", "app": "org.x", "place": "sandbox"},
        ),
    ),
    (
        "MessengerVersionsDiffer",
        Story({INFO % "1": lambda _m: 1, INFO % "2": while_(5, 90, 1, None)}, 64, 65, 97),
    ),
]


def test_every_alert_is_played() -> None:
    assert {name for name, _story in STORIES} == set(BY_NAME)


def values(of: Values) -> str:
    """As promtool reads them."""
    found = [of(minute) for minute in range(MINUTES)]
    return " ".join("_" if value is None else repr(float(value)) for value in found)


def played(alert: Alert, story: Story) -> dict[str, Any]:
    """A test of promtool's. Two processes tell the same, as all do."""
    firing = {
        "exp_labels": {"severity": alert.severity, **story.labels},
        "exp_annotations": {"summary": filled(alert.summary, story.labels), "page": alert.page},
    }
    moments: list[tuple[int, list[Any]]] = [(story.quiet, []), (story.fires, [firing]), (story.over, [])]
    return {
        "name": alert.name,
        "interval": "1m",
        "input_series": [
            {"series": with_instance(series, each), "values": values(of)}
            for series, of in story.series.items()
            for each in ("a:80", "b:80")
        ],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert.name, "exp_alerts": expected}
            for minute, expected in moments
        ],
    }


def with_instance(series: str, instance: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{instance="{instance}",{labels}' if labels else f'{name}{{instance="{instance}"}}'


def filled(summary: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels.get(found[1], ""), summary)


@pytest.mark.server
def test_promtool_understands_the_rules_and_the_dashboard(tmp_path: Path) -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", RULES)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"].replace("$__rate_interval", "5m") for p in panels for target in p["targets"]]
    rules = [{"record": f"panel{at}", "expr": expr} for at, expr in enumerate(asked)]
    whole = tmp_path / "panels.yml"
    whole.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", whole)


@pytest.mark.server
def test_every_alert_fires_in_its_time_and_ends_by_itself(tmp_path: Path) -> None:
    plays = [played(BY_NAME[name], story) for name, story in STORIES]
    file = tmp_path / "plays.yml"
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": plays}, indent=1)
    )
    promtool("test", "rules", file)


@pytest.mark.parametrize(
    ("alert", "code"), [("MessengerDiskFull", "disk_full"), ("MessengerDiskNearlyFull", "disk_nearly_full")]
)
def test_a_disk_is_full_for_an_alert_from_the_byte_on_that_it_is_for_status(alert: str, code: str) -> None:
    bound = int(BY_NAME[alert].expr.rpartition("<")[2])
    for free in (bound - 1, bound):
        judged = judge(Facts(now=1, database="ok", disks=(Disk("/srv", free, holds_database=False),)))
        assert (code in [finding.code for finding in judged.findings]) == (free < bound)
