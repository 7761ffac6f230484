"""mesibo's one-time passwords: made by `otp`, looked at by `useradd`."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conftest import ADA, BOB, Caller, refused

APP = {"appid": "app"}


def useradd(caller: Caller, code: str, address: str = ADA) -> dict[str, Any]:
    return caller.json("useradd", user={"address": address, "otp": code, "token": APP})


def made(caller: Caller, **more: int) -> str:
    code = caller.json("otp", otp={"address": ADA, **more})["otp"]
    assert isinstance(code, str)
    return code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_password_is_right_for_its_address_and_once(caller: Caller) -> None:
    code = made(caller)
    assert refused(useradd(caller, code, BOB), "BADVALUE", "otp")
    assert useradd(caller, code)["result"] is True
    assert refused(useradd(caller, code), "BADVALUE", "otp")


def test_a_password_that_may_be_used_again_is_right_until_its_tries_are_used_up(caller: Caller) -> None:
    code = made(caller, tries=2, reuse=1)
    assert [useradd(caller, each)["result"] for each in (code, wrong(code), code)] == [True, False, True]
    assert refused(useradd(caller, wrong(code)), "BADVALUE", "otp")
    assert refused(useradd(caller, code), "BADVALUE", "otp")


def test_another_password_takes_the_place_of_the_first(caller: Caller) -> None:
    first = made(caller, reuse=1)
    second = caller.form("otp", addr=ADA, tries=5, expiry=300, reuse=1)["otp"]
    assert useradd(caller, second)["result"] is True
    assert second == first or refused(useradd(caller, first), "BADVALUE", "otp")


def test_a_password_runs_out(caller: Caller) -> None:
    code = made(caller, expiry=10)
    caller.server.store.advance(11)
    assert refused(useradd(caller, code), "BADVALUE", "otp")


def test_passwords_that_wait_are_shown(caller: Caller) -> None:
    code = made(caller)
    page = caller.http.get(f"{caller.server.url}/sandbox/app.json", timeout=5)
    assert page.json()["otps"] == {ADA: code}
