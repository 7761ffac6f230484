"""LDAP: against a real slapd with TLS, and against servers that hang."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.login import Denied, Person, Unavailable, method_from_settings
from messenger_api.gateways.login.directory import LdapMethod
from tests.login.directory_server import BASE, PASSWORD, SEARCH_DN, SEARCH_PASSWORD, Slapd
from tests.login.standins import assert_hidden, drip, quick, silence, tcp_server
from tests.processes import LOOPBACK, free_port

pytestmark = pytest.mark.server

WRONG = "not-the-password"


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[Slapd]:
    with Slapd(authority.issue_cert(LOOPBACK)) as running:
        yield running


@pytest.fixture
def keys(server: Slapd, authority_file: Path) -> dict[str, object]:
    return {
        "login_method": "ldap",
        "login_timeout": 3,
        "ldap_url": server.tls_url,
        "ldap_bind_dn": SEARCH_DN,
        "ldap_bind_pass": SEARCH_PASSWORD,
        "ldap_base": "dc=example",
        "ldap_ca_file": str(authority_file),
    }


def method(keys: dict[str, object], **changes: object) -> LdapMethod:
    made = method_from_settings(build(**(keys | changes)))
    assert isinstance(made, LdapMethod)
    return made


ANA = Person("ana", "Ana Léa")


# --- Who it is


def test_the_right_password_logs_in_as_the_directory_calls_the_person(keys: dict[str, object]) -> None:
    assert method(keys).authenticate("ana", PASSWORD) == ANA
    by_mail = method(keys, ldap_filter="(&(objectClass=person)(|(uid={address})(mail={address})))")
    assert by_mail.authenticate("ana@example.com", PASSWORD) == ANA


def test_other_attributes_can_hold_address_and_name(keys: dict[str, object]) -> None:
    by_mail = method(keys, ldap_address_attribute="MAIL", ldap_name_attribute="employeeNumber")
    assert by_mail.authenticate("ana", PASSWORD) == Person("ana@example.com", "0")
    assert method(keys, ldap_name_attribute="title").authenticate("ana", PASSWORD) == Person("ana", "")


def test_starttls_protects_as_well(server: Slapd, keys: dict[str, object]) -> None:
    assert method(keys, ldap_url=server.url, ldap_starttls=True).authenticate("ana", PASSWORD) == ANA


def test_without_a_search_account_the_search_is_anonymous(keys: dict[str, object]) -> None:
    anonymous = method(keys, ldap_bind_dn="", ldap_bind_pass="", ldap_base="ou=open,dc=example")
    assert anonymous.authenticate("carl", PASSWORD) == Person("carl", "Carl")


# --- Who it is not


@pytest.mark.parametrize(
    ("address", "password", "told"),
    [
        ("ana", WRONG, "does not accept the password"),
        ("nobody", PASSWORD, "no entry fits"),
        ("nopass", PASSWORD, "does not accept the password"),
        ("two", PASSWORD, "not one usable value"),
        ("comma,name", PASSWORD, "not one usable value"),
        ("ana", PASSWORD + "\0", "does not accept the password"),
    ],
)
def test_whoever_the_directory_does_not_know_is_denied(
    keys: dict[str, object], address: str, password: str, told: str
) -> None:
    with capture_logs() as events, pytest.raises(Denied, match=told) as caught:
        method(keys).authenticate(address, password)
    assert_hidden(caught.value, events, password, SEARCH_PASSWORD, "employeeNumber")


@pytest.mark.parametrize("address", ["ana", "nopass", "carl"])
def test_an_empty_password_is_denied_before_the_directory_could_take_it_for_nobodys(address: str) -> None:
    nowhere = {"login_method": "ldap", "ldap_url": f"ldaps://{LOOPBACK}:{free_port()}", "ldap_base": "dc=x"}
    with pytest.raises(Denied, match="no password"):
        method(dict(nowhere)).authenticate(address, "")


@pytest.mark.parametrize("base", ["dc=example", BASE])
def test_more_than_one_entry_is_denied_though_the_password_is_right(
    keys: dict[str, object], base: str
) -> None:
    twins = method(keys, ldap_filter="(mail={address})", ldap_base=base)
    with pytest.raises(Denied, match="several entries fit"):
        twins.authenticate("twin@example.com", PASSWORD)


@pytest.mark.parametrize(
    "address",
    ["*", "a*", "*)(uid=*", "ana)(|(uid=*)", "ana\\2a", "\\61na", "ana\0", "ana)(userPassword=*)", "(", ")"],
)
def test_an_address_is_a_value_and_never_a_filter(keys: dict[str, object], address: str) -> None:
    with pytest.raises(Denied, match="no entry fits"):
        method(keys).authenticate(address, PASSWORD)


@pytest.mark.parametrize("address", ["star*man", "ben(b)"])
def test_signs_of_filters_may_stand_in_an_address(keys: dict[str, object], address: str) -> None:
    assert method(keys).authenticate(address, PASSWORD).address == address


# --- The configuration


def test_the_check_looks_for_somebody(keys: dict[str, object]) -> None:
    method(keys).check()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ldap_bind_pass": WRONG}, "LDAP_BIND_PASS were not accepted"),
        ({"ldap_bind_dn": "cn=locked,dc=example"}, "LDAP_BIND_PASS were not accepted"),
        ({"ldap_bind_dn": "cn=gone,dc=example"}, "LDAP_BIND_PASS were not accepted"),
        ({"ldap_bind_dn": "not a dn"}, "INVALID_DN_SYNTAX"),
        ({"ldap_base": "dc=elsewhere"}, "LDAP_BASE is not there"),
        ({"ldap_base": "not a dn"}, "INVALID_DN_SYNTAX"),
        ({"ldap_filter": "(uid={address})(x)"}, "LDAP_FILTER is not a filter"),
        ({"ldap_ca_file": ""}, "certificate is not accepted"),
        ({"ldap_bind_pass": ""}, "UNWILLING_TO_PERFORM|not accepted"),
    ],
)
def test_a_wrong_configuration_is_a_fault_for_the_doctor_and_at_a_login(
    keys: dict[str, object], changes: dict[str, object], told: str
) -> None:
    ldap = method(keys, **changes)
    with pytest.raises(Unavailable, match=told):
        ldap.check()
    with capture_logs() as events, pytest.raises(Unavailable, match=told) as caught:
        ldap.authenticate("ana", PASSWORD)
    assert_hidden(caught.value, events, PASSWORD, SEARCH_PASSWORD, WRONG)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read: No such file"), ("no certificate", "no certificates in PEM")],
)
def test_a_file_of_certificates_that_cannot_be_used_is_named(
    keys: dict[str, object], tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "authority.pem"
    ldap = method(keys, ldap_ca_file=str(file))
    file.write_bytes(Path(str(keys["ldap_ca_file"])).read_bytes())
    assert ldap.authenticate("ana", PASSWORD) == ANA
    file.unlink()
    if content is not None:
        file.write_text(content)
    for work in (ldap.check, lambda: ldap.authenticate("ana", PASSWORD)):
        with pytest.raises(Unavailable, match=f"LDAP_CA_FILE: {file} .*{told}"):
            work()


def test_a_certificate_of_another_machine_or_authority_is_not_accepted(
    keys: dict[str, object], authority: trustme.CA
) -> None:
    for certificate in (authority.issue_cert("ldap.example.org"), trustme.CA().issue_cert(LOOPBACK)):
        with Slapd(certificate) as other:
            for changes in ({"ldap_url": other.tls_url}, {"ldap_url": other.url, "ldap_starttls": True}):
                with pytest.raises(Unavailable, match="certificate is not accepted"):
                    method(keys, **changes).authenticate("ana", PASSWORD)


# --- Servers that are away or hang


def test_a_directory_that_comes_back_is_asked_again(keys: dict[str, object], authority: trustme.CA) -> None:
    with Slapd(authority.issue_cert(LOOPBACK)) as own:
        ldap = method(keys, ldap_url=own.tls_url)
        assert ldap.authenticate("ana", PASSWORD) == ANA
        own.kill()
        with quick(2), pytest.raises(Unavailable, match="no connection"):
            ldap.authenticate("ana", PASSWORD)
        own.start()
        assert ldap.authenticate("ana", PASSWORD) == ANA


@pytest.mark.parametrize(
    "way", [{"scheme": "ldap"}, {"scheme": "ldap", "ldap_starttls": True}, {"scheme": "ldaps"}]
)
@pytest.mark.parametrize("talk", [silence, drip])
def test_a_directory_that_hangs_costs_no_more_than_the_time_limit(
    keys: dict[str, object], way: dict[str, Any], talk: Any
) -> None:
    changes = {key: value for key, value in way.items() if key != "scheme"}
    with tcp_server(talk) as port:
        url = f"{way['scheme']}://{LOOPBACK}:{port}"
        ldap = method(keys, ldap_url=url, login_timeout=1, **changes)
        with quick(3), pytest.raises(Unavailable):
            ldap.authenticate("ana", PASSWORD)
