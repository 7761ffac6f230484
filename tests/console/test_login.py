"""Who comes into the console: off without administrators, two proofs, each code once, nobody locked out."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from messenger_api.domain.administrators import Role
from messenger_api.services.operator.admin_sessions import IDLE_SECONDS, LONGEST_SECONDS
from messenger_api.storage.models import Administrator, AdminSession
from messenger_api.version import VERSION
from tests.console.driver import PASSWORD, Admin, administrator, logged_in
from tests.product import Product

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def test_whoever_is_not_logged_in_reads_no_version(product: Product) -> None:
    administrator(product)
    assert VERSION not in product.http.get("/admin/login").text


def test_without_administrators_there_is_no_console(product: Product) -> None:
    for path in ("/admin", "/admin/login", "/admin/outbox"):
        assert product.http.get(path).status_code == 404
    assert product.http.post("/admin/login", data={"name": "ana"}).status_code == 404
    administrator(product)
    assert product.http.get("/admin/login").status_code == 200


def test_name_password_and_code_open_a_session(product: Product) -> None:
    ana = administrator(product)
    assert "Log in" in ana.get().text
    assert ana.log_in().status_code == 303
    assert "Overview" in ana.get().text
    ana.act("/logout")
    assert "Log in" in ana.get().text


@pytest.mark.parametrize(
    "wrong", [{"password": "not the password"}, {"code": "000000"}, {"name": "ben"}, {"password": "x" * 5000}]
)
def test_one_wrong_of_the_three_is_refused_and_not_named(product: Product, wrong: dict[str, str]) -> None:
    ana = administrator(product)
    answer = ana.log_in(**{"password": PASSWORD, **wrong})
    assert answer.status_code == 403
    assert "do not fit together" in answer.text
    assert "Log in" in ana.get().text


def test_a_code_is_good_once_and_so_is_none_before_it(product: Product) -> None:
    ana, code = administrator(product), ""
    code = ana.code()
    assert ana.log_in(code=code).status_code == 303
    assert ana.log_in(code=code).status_code == 403
    later = ana.fresh_code()
    assert ana.log_in(code=later).status_code == 303
    assert ana.log_in(code=code).status_code == 403


def test_a_session_ends_when_idle_and_at_its_last_hour(product: Product) -> None:
    ana = logged_in(product)
    product.clock.advance(IDLE_SECONDS - 5)
    assert "Overview" in ana.get().text
    product.clock.advance(IDLE_SECONDS + 1)
    assert "Log in" in ana.get().text
    assert ana.log_in().status_code == 303
    for _ in range(LONGEST_SECONDS // (IDLE_SECONDS - 5) + 1):
        product.clock.advance(IDLE_SECONDS - 5)
        ana.get()
    assert "Log in" in ana.get().text


def test_a_page_that_refreshes_itself_keeps_no_session_open(product: Product) -> None:
    ana = logged_in(product)
    for _ in range(4):
        product.clock.advance(IDLE_SECONDS / 3)
        ana.get(**{"X-Live": "1"})
    assert "Log in" in ana.get().text


def test_the_cookie_is_for_this_host_and_no_script_and_the_database_does_not_hold_it(
    product: Product,
) -> None:
    ana = administrator(product)
    ana.get("/login")
    sent = ana.post("/login", name="ana", password=PASSWORD, code=ana.code())
    cookie = sent.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    with product.services.database.engine.connect() as connection:
        [stored] = connection.execute(select(AdminSession.token_hash)).scalars()
    assert token.encode() not in bytes(stored)
    by_https = product.http.get("/admin/login", base_url="https://chat.example.org")
    assert re.match(
        r"__Host-messenger-admin=[\w-]+; Secure; HttpOnly; Path=/; SameSite=Strict",
        by_https.headers["Set-Cookie"],
    )


def test_logging_in_changes_the_cookie(product: Product) -> None:
    ana = administrator(product)
    before = ana.get("/login").headers["Set-Cookie"]
    after = ana.post("/login", name="ana", password=PASSWORD, code=ana.code()).headers["Set-Cookie"]
    assert before.partition(";")[0] != after.partition(";")[0]


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_a_form_that_is_not_of_our_page_does_nothing(product: Product, token: str) -> None:
    ana = administrator(product)
    assert ana.log_in(form_token=token).status_code == 403
    assert ana.log_in().status_code == 303
    refused = ana.post("/logout", form_token=token)
    assert refused.status_code == 403
    assert "Overview" in ana.get().text


def test_where_a_login_leads_is_never_another_site(product: Product) -> None:
    ana = administrator(product)
    for to in ("https://evil.example", "//evil.example", "/admin//evil.example", "/admin\\evil", "/files/x"):
        ana.product.clock.advance(30)
        assert ana.log_in(to=to).headers["Location"] == "/admin"
    ana.product.clock.advance(30)
    assert ana.log_in(to="/admin/groups?after=1").headers["Location"] == "/admin/groups?after=1"


def test_every_answer_has_the_policy(product: Product) -> None:
    ana = logged_in(product)
    for path in ("", "/login", "/nothing-here"):
        headers = ana.get(path).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


def tried(ana: Admin, times: int) -> list[int]:
    return [ana.log_in(password="a wrong password").status_code for _ in range(times)]


def test_guessing_is_slowed_down_and_locks_nobody_out_where_they_are_known(product: Product) -> None:
    ana = administrator(product)
    assert ana.log_in().status_code == 303
    stranger = Admin(product, ana.name, ana.secret, "203.0.113.7")
    assert 429 in tried(stranger, 40)
    product.clock.advance(30)
    assert ana.log_in().status_code == 303, "strangers' tries lock nobody out where they logged in before"
    for network in range(30):
        tried(Admin(product, ana.name, ana.secret, f"198.51.100.{network}"), 2)
    product.clock.advance(30)
    assert ana.log_in().status_code == 303, "nor do those of many networks"


def test_many_networks_together_guess_no_faster(product: Product) -> None:
    ana = administrator(product)
    answers = [
        status
        for network in range(30)
        for status in tried(Admin(product, ana.name, ana.secret, f"198.51.100.{network}"), 2)
    ]
    assert answers.count(403) <= 11
    product.clock.advance(60)
    assert ana.log_in().status_code == 303, "a minute later there is room for one"


def test_limits_hold_where_limits_are_off(make_product: object) -> None:
    product: Product = make_product(limits="off")  # type: ignore[operator]
    assert 429 in tried(administrator(product), 20)


def test_who_is_disabled_is_out_at_once_and_a_reset_lets_in_with_the_new_proofs(product: Product) -> None:
    ana, administrators = logged_in(product), product.parts.console.administrators
    administrators.disable("ana")
    assert "Log in" in ana.get().text
    product.clock.advance(30)
    assert ana.log_in().status_code == 403
    old = ana.secret
    ana.secret = administrators.reset("ana", "another password 1").secret
    product.clock.advance(30)
    assert ana.log_in().status_code == 403
    assert (
        ana.log_in(password="another password 1", code=Admin(product, "ana", old).code()).status_code == 403
    )
    assert ana.log_in(password="another password 1").status_code == 303


def test_the_secret_of_the_codes_is_sealed(product: Product) -> None:
    ana = administrator(product)
    with product.services.database.engine.connect() as connection:
        [row] = connection.execute(select(Administrator)).all()
    assert ana.secret.encode() not in bytes(row.totp)
    assert PASSWORD not in row.password
    assert row.password.startswith("$argon2id$")


def test_roles_are_in_their_order() -> None:
    assert Role.LOOK < Role.SUPPORT < Role.OPERATE < Role.OWN
