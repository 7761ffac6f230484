"""What runs out on a date is told two weeks before, and when it has."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import trustme

from messenger_api.configuration import build
from messenger_api.domain.health.facts import Facts
from messenger_api.domain.health.judgement import judge
from messenger_api.services.operator.machine import Machine

NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.date()


def codes(at: dt.datetime, **settings: object) -> list[tuple[str, str]]:
    """What is found in this moment, and how grave it is."""
    made = build(secret_key="k" * 32, sandbox=True, **settings)
    facts = Facts(now=int(at.timestamp()), dates=tuple(Machine(made).dates()))
    return [(finding.code, finding.severity) for finding in judge(facts).findings]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (-1, [("date_passed", "warning")]),
        (0, [("date_near", "warning")]),
        (12, [("date_near", "warning")]),
        (20, []),
    ],
)
def test_numbers_of_reviewers(days: int, told: list[tuple[str, str]]) -> None:
    until = (TODAY + dt.timedelta(days=days)).isoformat()
    assert codes(NOW, otp_test_numbers={"14155550101": "123456"}, otp_test_numbers_until=until) == told


@pytest.mark.parametrize("key", ["ldap", "database"])
def test_an_authority_whose_certificate_ends(tmp_path: Path, key: str) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    choices: dict[str, dict[str, object]] = {
        "ldap": {
            "login_method": "ldap",
            "ldap_url": "ldaps://ldap.example.com",
            "ldap_base": "dc=example,dc=com",
            "ldap_ca_file": str(path),
        },
        "database": {
            "sqlalchemy_database_uri": f"mysql+pymysql://u@db.example.com/messenger?ssl_ca={path}",
        },
    }
    settings = choices[key]
    [date] = Machine(build(secret_key="k" * 32, sandbox=True, **settings)).dates()
    ends = dt.datetime.fromtimestamp(date.ends_at, dt.UTC)
    assert codes(ends - dt.timedelta(days=20), **settings) == []
    assert codes(ends - dt.timedelta(days=10), **settings) == [("date_near", "warning")]
    assert codes(ends, **settings) == [("date_passed", "fault")]


def test_a_file_without_certificates_runs_out_never(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "gone.pem"):
        uri = f"mysql+pymysql://u@db.example.com/messenger?ssl_ca={tmp_path / name}"
        assert codes(NOW, sqlalchemy_database_uri=uri) == []
