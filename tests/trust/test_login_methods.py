"""The other ways to log in, through the whole product and against real servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from messenger_api.services.login.passwords import PasswordMethod
from tests.login import directory_server, radius_server
from tests.login.directory_server import SEARCH_DN, SEARCH_PASSWORD, Slapd
from tests.login.issuer import CLIENT, Issuer, serving
from tests.login.radius_server import FreeRadius
from tests.login.test_email import Mailbox, mail_server
from tests.processes import LOOPBACK, free_port
from tests.product import APPID, Answer, Phone, Product

HERE, THERE = "203.0.113.7", "198.51.100.7"
ADDRESS, OWN_PASSWORD, WRONG = "ana", "correct horse battery", "not-the-password"


def log_in(product: Product, address: str, secret: str, network: str = HERE, **fields: str) -> Answer:
    form = {"op": "login", "phone": address, "appid": APPID, "otp": secret, **fields}
    answer = product.app.test_client().post("/api.php", data=form, environ_base={"REMOTE_ADDR": network})
    found: Answer = answer.get_json()
    assert answer.headers.get("Retry-After") == (
        str(found["retry_after"]) if "retry_after" in found else None
    )
    return found


# --- A secret that somebody else judges


@dataclass
class Way:
    """A product with a login method, what its person types, and how to take its server away."""

    product: Product
    address: str
    secret: Callable[[], str]
    wrong: Callable[[], str]
    away: Callable[[], None]


Make = Callable[..., Product]
Open = Callable[[ExitStack, Make], Way]


def ldap(stack: ExitStack, make: Make) -> Way:
    server = stack.enter_context(Slapd(trustme.CA().issue_cert(LOOPBACK)))
    product = make(
        login_method="ldap",
        ldap_url=server.url,
        ldap_bind_dn=SEARCH_DN,
        ldap_bind_pass=SEARCH_PASSWORD,
        ldap_base="dc=example",
    )
    return Way(product, ADDRESS, lambda: directory_server.PASSWORD, lambda: WRONG, server.stop)


def radius(stack: ExitStack, make: Make) -> Way:
    server = stack.enter_context(FreeRadius())
    product = make(
        login_method="radius",
        radius_host=LOOPBACK,
        radius_port=server.port,
        radius_secret=radius_server.SECRET,
    )
    return Way(product, ADDRESS, lambda: radius_server.PASSWORD, lambda: WRONG, server.stop)


def oidc(stack: ExitStack, make: Make) -> Way:
    issuer = stack.enter_context(serving())
    product = make(login_method="oidc", oidc_issuer=issuer.url, oidc_client_id=CLIENT)

    def away() -> None:
        issuer.about = {"issuer": "https://another.example.com"}

    return Way(product, "ana@example.com", issuer.token, lambda: issuer.token(aud="another"), away)


def password(_stack: ExitStack, make: Make) -> Way:
    product = make(login_method="password")
    PasswordMethod(product.services.settings, product.services.database).set(ADDRESS, OWN_PASSWORD)

    def away() -> None:
        with product.services.database.engine.connect() as connection:
            connection.exec_driver_sql("DROP TABLE passwords")

    return Way(product, ADDRESS, lambda: OWN_PASSWORD, lambda: WRONG, away)


@pytest.fixture(params=[ldap, radius, oidc, password], ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest, paying: Make) -> Iterator[Way]:
    """Each method in turn."""
    opened: Open = request.param
    with ExitStack() as stack:
        yield opened(stack, lambda **keys: paying(login_timeout=2, log_level="info", **keys))


pytestmark = pytest.mark.server


def test_the_right_secret_opens_a_session_of_that_address(way: Way) -> None:
    asked = way.product.ok("login", phone=way.address, appid=APPID)
    assert "retry_after" not in asked
    answer = log_in(way.product, way.address.upper(), way.secret())
    assert (answer["result"], answer["phone"]) == ("OK", way.address)
    user = way.product.sandbox.store.user(way.address)
    assert user
    assert way.product.call("profile", token=answer["token"])["phone"] == way.address
    again = log_in(way.product, way.address, way.secret(), THERE, device="another")
    assert again["token"] != answer["token"]
    assert way.product.rows("SELECT count(*) FROM users") == [(1,)]


def test_a_wrong_one_is_a_bad_code_and_neither_is_logged(way: Way) -> None:
    right, wrong = way.secret(), way.wrong()
    with capture_logs() as log:
        refused = log_in(way.product, way.address, wrong)
        accepted = log_in(way.product, way.address, right)
    assert (refused["error"], bool(refused["errmsg"]), "token" in refused) == ("BADCODE", True, False)
    assert accepted["result"] == "OK"
    assert not [secret for secret in (right, wrong, accepted["token"]) if secret in repr(log)]


def test_after_five_wrong_ones_a_network_waits_and_another_gets_in(way: Way) -> None:
    for _ in range(5):
        assert log_in(way.product, way.address, way.wrong())["error"] == "BADCODE"
    refused = log_in(way.product, way.address, way.secret())
    assert (refused["error"], 0 < refused["retry_after"] <= 305) == ("TOOMANY", True)
    assert refused["errmsg"]
    assert log_in(way.product, way.address, way.secret(), THERE)["result"] == "OK"
    way.product.clock.advance(refused["retry_after"])
    assert log_in(way.product, way.address, way.secret())["result"] == "OK"


def test_somebody_who_guesses_for_hours_does_not_keep_the_owner_out(way: Way) -> None:
    """Each of his networks is held; the owner, on one that did not guess, never is."""
    for n in range(6):
        for _ in range(5):
            log_in(way.product, way.address, way.wrong(), f"192.0.2.{n}")
    assert log_in(way.product, way.address, way.wrong(), "192.0.2.0")["error"] == "TOOMANY"
    assert log_in(way.product, way.address, way.secret())["result"] == "OK"


def test_when_who_judges_is_away_it_is_nobodys_fault(way: Way) -> None:
    way.away()
    answers = [
        log_in(way.product, way.address, secret()) for secret in (way.secret, way.wrong) for _ in range(3)
    ]
    assert {answer["error"] for answer in answers} == {"TRYLATER"}
    assert all(answer["retry_after"] > 0 and answer["errmsg"] for answer in answers)
    assert way.product.rows("SELECT count(*) FROM sessions") == [(0,)]
    # Nor was it counted as guessing.
    assert way.product.rows("SELECT name FROM limit_counters WHERE name LIKE 'w%%' OR name LIKE 'g%%'") == []


@pytest.mark.parametrize("address", ["", "x" * 400, "a\0b", "ana\r\nbcc: ben"])
def test_what_is_no_address_lets_nobody_in(way: Way, address: str) -> None:
    answer = log_in(way.product, address, way.wrong())
    assert answer["error"] in {"BADPHONE", "BADCODE", "BADVALUE"}
    assert way.product.rows("SELECT count(*) FROM sessions") == [(0,)]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("address", ["", "Ana@Example.com"])
def test_a_token_names_its_owner(paying: Make, issuer: Issuer, address: str) -> None:
    product = paying(login_method="oidc", oidc_issuer=issuer.url, oidc_client_id=CLIENT)
    product.ok("login", phone=address, appid=APPID)
    answer = log_in(product, address, issuer.token())
    assert (answer["phone"], answer["name"]) == ("ana@example.com", "Ana Lee")
    assert product.sandbox.store.user("ana@example.com")
    assert log_in(product, "ben@example.com", issuer.token())["error"] == "BADCODE"


@pytest.mark.parametrize(("claim", "error"), [(6_000, None), (10_500, None), (15_000, "BADVALUE")])
def test_a_token_may_have_16_kib(paying: Make, issuer: Issuer, claim: int, error: str | None) -> None:
    product = paying(login_method="oidc", oidc_issuer=issuer.url, oidc_client_id=CLIENT)
    token = issuer.token(groups="x" * claim)
    assert (8192 < len(token) <= 16 * 1024) == (error is None)
    assert log_in(product, "", token).get("error") == error
    assert log_in(product, "", f" {token}\n").get("error") == error


# --- A code by e-mail


ANA, BEN, CAT = "anastasia@example.com", "benjamin@example.com", "catherine@example.com"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mailing(paying: Make, mailbox: Mailbox) -> Iterator[Product]:
    """Mails its codes to `mailbox`."""
    with mail_server(mailbox) as port:
        yield paying(**mail_keys(port))


def mail_keys(port: int) -> dict[str, object]:
    return {
        "login_method": "email",
        "login_timeout": 2,
        "smtp_host": LOOPBACK,
        "smtp_port": port,
        "smtp_tls": "none",
        "smtp_from": "Example Chat <no-reply@example.com>",
    }


def code_for(mailbox: Mailbox, address: str) -> str:
    mails = [message for _from, to, message in mailbox.taken if to == [address]]
    body = mails[-1].get_body(("plain",))
    assert body
    found = re.search(r"\b\d{6}\b", body.get_content())
    assert found
    return found[0]


def by_mail(product: Product, mailbox: Mailbox, address: str) -> Phone:
    assert product.ok("login", phone=address, appid=APPID)["retry_after"] == 30
    answer = log_in(product, address, code_for(mailbox, address))
    assert answer["result"] == "OK", answer
    return Phone(product, answer["phone"], answer["token"], answer)


def test_two_people_find_each_other_and_make_a_group(mailing: Product, mailbox: Mailbox) -> None:
    ana, ben = (by_mail(mailing, mailbox, address) for address in (ANA, BEN))
    assert (ana.number, ben.number) == (ANA, BEN)
    assert mailing.sandbox.store.user(ANA)
    found = ana.contacts(phones=["Benjamin@Example.com", "nobody@example.com", "14155550101"])
    assert [entry["phone"] for entry in found] == [BEN]
    assert [entry["phone"] for entry in ben.contacts(phones=[ANA])] == [ANA]
    group = ana.ok("setgroup", name="Walks", gid=0, m=BEN)
    assert set(group["members"].replace(":", ",").split(",")) >= {ANA, BEN}
    [shown] = mailing.sandbox.store.groups()
    assert {ANA, BEN} <= set(shown.members)
    assert [str(entry["gid"]) for entry in ben.contacts() if entry["gid"] != "0"] == [str(group["gid"])]
    cat = by_mail(mailing, mailbox, CAT)
    ana.ok("editmembers", gid=group["gid"], m=cat.number)
    [shown] = mailing.sandbox.store.groups()
    assert {ANA, BEN, CAT} == set(shown.members)


def test_wrong_codes_by_mail_are_as_wrong_as_by_text(mailing: Product, mailbox: Mailbox) -> None:
    mailing.ok("login", phone=ANA, appid=APPID)
    code = code_for(mailbox, ANA)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for pause in (0, 0, 0, 10, 30):
        mailing.clock.advance(pause)
        assert log_in(mailing, ANA, wrong)["error"] == "BADCODE"
    assert log_in(mailing, ANA, code)["error"] == "TOOMANY"
    mailing.clock.advance(60)
    mailing.ok("login", phone=ANA, appid=APPID)
    assert log_in(mailing, ANA, code_for(mailbox, ANA))["result"] == "OK"


def test_while_the_mail_server_is_down_the_code_is_forgotten(paying: Make) -> None:
    product = paying(**mail_keys(free_port()))
    down: Any = product.call("login", phone=ANA, appid=APPID)
    assert (down["error"], down["retry_after"] > 0, bool(down["errmsg"])) == ("TRYLATER", True, True)
    assert product.rows("SELECT * FROM one_time_codes") == []


class Late(Mailbox):
    """Takes a mail, and says so when nobody waits for it any more."""

    async def handle_DATA(self, *arguments: Any) -> str:
        answer = await super().handle_DATA(*arguments)
        await asyncio.sleep(1.5)
        return answer


def test_a_mail_that_may_have_been_sent_holds_a_code_that_is_good(paying: Make) -> None:
    mailbox = Late()
    with mail_server(mailbox) as port:
        product = paying(**{**mail_keys(port), "login_timeout": 0.7})
        assert product.ok("login", phone=ANA, appid=APPID)["retry_after"] == 30
        assert product.call("login", phone=ANA, appid=APPID)["error"] == "TOOMANY"
        assert log_in(product, ANA, code_for(mailbox, ANA))["result"] == "OK"


def test_an_address_that_the_mail_server_refuses_is_told(mailing: Product, mailbox: Mailbox) -> None:
    mailbox.rcpt = "550 no such user"
    answer = mailing.call("login", phone=ANA, appid=APPID)
    assert (answer["error"], answer["properties"], bool(answer["errmsg"])) == ("BADPHONE", ["phone"], True)
    mailbox.rcpt = ""
    mailing.ok("login", phone=ANA, appid=APPID)
