"""Logging in with an ID token: against an issuer over real HTTP, and against everything but its tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc import jwt
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.login import Denied, Person, Unavailable, method_from_settings
from messenger_api.gateways.login.issuer import FRESH_SECONDS, MOST_WAITING, IssuerKeys
from messenger_api.gateways.login.oidc import OidcMethod
from tests.login.issuer import CLIENT, Issuer, new_ec, new_rsa, serving
from tests.login.standins import assert_hidden, drip, quick, silence, tcp_server
from tests.processes import free_port
from tests.stopwatch import Stopwatch

ANA = Person("ana@example.com", "Ana Lee")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving() as running:
        yield running


def method(url: str, **changes: object) -> OidcMethod:
    values: dict[str, object] = {
        "login_method": "oidc",
        "login_timeout": 2,
        "oidc_issuer": url,
        "oidc_client_id": f"{CLIENT}, messenger-ios",
    }
    made = method_from_settings(build(**(values | changes)))
    assert isinstance(made, OidcMethod)
    return made


def assert_denied(method: OidcMethod, token: str, address: str = "", match: str = ".") -> None:
    with capture_logs() as events, pytest.raises(Denied, match=match) as caught:
        method.authenticate(address, token)
    assert_hidden(caught.value, events, *(part for part in token.split(".") if len(part) > 20))


# --- Who it is


def test_a_token_says_who_it_is(issuer: Issuer) -> None:
    assert method(issuer.url).authenticate("", issuer.token()) == ANA


def test_the_address_that_was_typed_must_be_the_tokens(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    address = oidc.read(" ANA@example.com ")
    assert address
    assert oidc.authenticate(address, issuer.token()) == ANA
    assert_denied(oidc, issuer.token(), "ben@example.com", "another person's")


def test_both_keys_of_the_issuer_are_good_and_fetched_once(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    for key in issuer.keys * 3:
        assert oidc.authenticate("", issuer.token(key)) == ANA
    assert issuer.fetches == ["/.well-known/openid-configuration", "/keys"]


def test_each_client_of_ours_is_an_audience(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    assert oidc.authenticate("", issuer.token(aud="messenger-ios")) == ANA
    assert oidc.authenticate("", issuer.token(aud=[CLIENT, "other"], azp=CLIENT)) == ANA


def test_other_claims_can_hold_address_and_name(issuer: Issuer) -> None:
    oidc = method(issuer.url, oidc_address_claim="preferred_username", oidc_name_claim="nickname")
    token = issuer.token(preferred_username="Ana", nickname="Annie", email_verified=None)
    assert oidc.authenticate("", token) == Person("ana", "Annie")
    assert oidc.authenticate("", issuer.token(preferred_username="ana", nickname=7)) == Person("ana", "")


# --- Tokens that prove nothing


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"aud": "somebody-else"}, "InvalidAudienceError"),
        ({"aud": []}, "MissingRequiredClaimError|InvalidAudienceError"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"aud": [CLIENT, "other"]}, "another app"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another app"),
        ({"azp": "other"}, "another app"),
        ({"azp": [CLIENT]}, "another app"),
        ({"iss": "https://evil.example.com"}, "InvalidIssuerError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iat": None}, "MissingRequiredClaimError"),
        ({"exp": "soon"}, "DecodeError"),
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": None}, "has not verified"),
        ({"email_verified": "false"}, "has not verified"),
        ({"email": None}, "no usable address"),
        ({"email": ["ana@example.com"]}, "no usable address"),
        ({"email": "añb@example.com"}, "no usable address"),
        ({"email": "a@example.com,b@example.com"}, "no usable address"),
    ],
)
def test_a_token_with_a_wrong_claim_is_denied(issuer: Issuer, changes: dict[str, Any], told: str) -> None:
    assert_denied(method(issuer.url), issuer.token(**changes), match=told)


@pytest.mark.parametrize(
    ("claim", "seconds", "good"),
    [
        ("exp", -50, True), ("exp", -70, False), ("nbf", 50, True), ("nbf", 70, False),
        ("iat", 50, True), ("iat", 70, False), ("iat", -650, True), ("iat", -670, False),
    ],
)  # fmt: skip
def test_clocks_may_be_a_minute_apart(issuer: Issuer, claim: str, seconds: int, good: bool) -> None:
    changes: dict[str, Any] = {claim: int(time.time()) + seconds}
    token = issuer.token(**changes)
    if good:
        assert method(issuer.url).authenticate("", token) == ANA
    else:
        assert_denied(method(issuer.url), token)


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "..", "ü.ü.ü", "\x00", "e30.e30.", "W10.e30.x", "a." * 20_000]
)
def test_what_is_no_token_is_denied_without_asking_the_issuer(issuer: Issuer, token: str) -> None:
    assert_denied(method(issuer.url), token)
    assert issuer.fetches == []


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS512", "", None, ["RS256"]])
def test_a_signature_of_another_kind_is_denied_without_asking_the_issuer(
    issuer: Issuer, algorithm: object
) -> None:
    head = segment({"alg": algorithm, "kid": "rsa-1"})
    claims = issuer.token().split(".")[1]
    assert_denied(method(issuer.url), f"{head}.{claims}.")
    assert issuer.fetches == []


def test_the_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    oidc.check()
    claims = issuer.token().split(".")[1]
    for algorithm in ("HS256", "RS256"):
        signed = f"{segment({'alg': algorithm, 'kid': 'rsa-1'})}.{claims}"
        mac = hmac.digest(issuer.keys[0].as_pem(private=False), signed.encode(), hashlib.sha256)
        forged = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        assert_denied(oidc, forged)


def test_a_published_shared_secret_is_not_believed(issuer: Issuer) -> None:
    shared = {"kty": "oct", "kid": "rsa-1", "k": "c2VjcmV0", "use": "sig"}
    issuer.published = {"keys": [shared]}
    with pytest.raises(Unavailable, match="no keys for signatures"):
        method(issuer.url).authenticate("", issuer.token())


def test_a_token_of_another_issuer_is_denied(issuer: Issuer) -> None:
    stranger = new_rsa.__wrapped__("rsa-1")
    assert_denied(method(issuer.url), issuer.token(stranger), match="InvalidSignatureError")


def test_a_changed_token_is_denied(issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    claims = issuer.token(email="eve@example.com").split(".")[1]
    assert_denied(method(issuer.url), f"{head}.{claims}.{signature}", match="InvalidSignatureError")


def test_a_key_is_used_with_its_own_algorithm_alone(issuer: Issuer) -> None:
    token = issuer.token(header={"kid": "ec-1"})
    assert_denied(method(issuer.url), token)


# --- The issuer's keys


def test_a_token_without_a_key_id_fits_if_one_key_does(issuer: Issuer) -> None:
    head = {"alg": "RS256"}

    claims = json.loads(base64.urlsafe_b64decode(issuer.token().split(".")[1] + "=="))
    token = jwt.encode(head, claims, issuer.keys[0])
    assert "kid" not in json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert method(issuer.url).authenticate("", token) == ANA
    issuer.keys.append(new_rsa("rsa-2"))
    assert_denied(method(issuer.url), token, match="not the issuer's")


def test_new_keys_work_at_once_and_old_ones_no_longer(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    old = issuer.token()
    assert oidc.authenticate("", old) == ANA
    issuer.keys = [new_rsa("rsa-2")]
    assert oidc.authenticate("", issuer.token()) == ANA
    assert_denied(oidc, old, match="not the issuer's")


def test_a_storm_of_unknown_keys_asks_the_issuer_once_more_only(issuer: Issuer) -> None:
    oidc = method(issuer.url)
    tokens = [issuer.token(header={"kid": f"bad-{i}"}) for i in range(40)]

    def attempt(token: str) -> bool:
        with pytest.raises(Denied):
            oidc.authenticate("", token)
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(attempt, tokens))
    assert issuer.fetches.count("/keys") <= 2
    assert oidc.authenticate("", issuer.token()) == ANA


def asked_each(seconds: float, monkeypatch: pytest.MonkeyPatch) -> float:
    """In the place of each second, so that nobody waits for long."""
    monkeypatch.setattr("messenger_api.gateways.login.issuer.EACH_SECONDS", seconds)
    return seconds


class Hands:
    """A clock that a test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_new_keys_work_at_once_although_somebody_sends_unknown_ones(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = asked_each(0.3, monkeypatch)
    oidc = method(issuer.url)
    for n in range(3):
        assert_denied(oidc, issuer.token(header={"kid": f"bad-{n}"}, iat=int(time.time()) + 2))
        issuer.keys = [new_rsa(f"rsa-{n + 2}")]
        watch = Stopwatch()
        assert oidc.authenticate("", issuer.token()) == ANA
        assert watch.quiet_seconds < seconds + 1
    assert issuer.fetches.count("/keys") <= 7


def test_unknown_keys_ask_the_issuer_once_a_second(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of tokens that claim to be younger than the last fetch."""
    seconds = asked_each(0.5, monkeypatch)
    keys = IssuerKeys(issuer.url, 5)
    began = time.monotonic()
    refused: Counter[str] = Counter()

    def attempt(n: int) -> None:
        while time.monotonic() - began < 2.5 * seconds:
            try:
                assert keys.find(f"bad-{n}", "RS256", time.time() + 30) is None
            except Unavailable as error:
                refused[error.reason] += 1
                time.sleep(0.05)

    with ThreadPoolExecutor(2 * MOST_WAITING) as pool:
        list(pool.map(attempt, range(2 * MOST_WAITING)))
    assert issuer.fetches.count("/keys") <= 1 + (time.monotonic() - began) / seconds
    assert refused.keys() == {"too many unknown keys"}, "no more threads than that wait"
    assert keys.find("rsa-1", "RS256"), "who needs no fetch does not wait for one"


@pytest.mark.parametrize("verified", [True, "true", "True"])
def test_an_address_is_verified_however_the_issuer_writes_it(issuer: Issuer, verified: object) -> None:
    assert method(issuer.url).authenticate("", issuer.token(email_verified=verified)) == ANA


@pytest.mark.parametrize("verified", [False, "false", "", "yes", 1, [True], {"true": True}])
def test_nothing_else_verifies_it(issuer: Issuer, verified: object) -> None:
    assert_denied(method(issuer.url), issuer.token(email_verified=verified), match="not verified")


def test_a_token_with_blanks_around_it_is_the_same_token(issuer: Issuer) -> None:
    assert method(issuer.url).authenticate("", f" {issuer.token()}\r\n") == ANA


def test_known_keys_are_fetched_again_before_they_are_old(issuer: Issuer) -> None:
    clock = Hands()
    keys = IssuerKeys(issuer.url, 2, clock)
    assert keys.find("rsa-1", "RS256")
    issuer.keys = [new_ec("ec-1")]
    clock.now += FRESH_SECONDS
    assert keys.find("rsa-1", "RS256")
    clock.now += 1
    assert keys.find("rsa-1", "RS256") is None


def test_an_issuer_that_is_down_is_needed_for_the_first_login_and_new_keys_only() -> None:
    port = free_port()
    oidc = method(f"http://127.0.0.1:{port}")
    with serving(port) as issuer:
        token, stranger = issuer.token(), issuer.token(header={"kid": "rsa-2"})
    with pytest.raises(Unavailable, match="no connection to the issuer"):
        oidc.authenticate("", token)
    with serving(port) as issuer:
        known = issuer.token()
        assert oidc.authenticate("", known) == ANA
    assert oidc.authenticate("", known) == ANA
    for _ in range(2):
        with pytest.raises(Unavailable, match="the issuer does not answer"):
            oidc.authenticate("", stranger)


@pytest.mark.parametrize("talk", [silence, drip])
def test_an_issuer_that_hangs_costs_no_more_than_the_time_limit(talk: Any) -> None:
    with tcp_server(talk) as port, serving() as issuer, quick(2), pytest.raises(Unavailable):
        method(f"http://127.0.0.1:{port}", login_timeout=0.5).authenticate("", issuer.token())


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"issuer": "https://other.example.com"}, "names another issuer"),
        ({"jwks_uri": "http://keys.example.com/keys"}, "names no https jwks_uri"),
        ({"jwks_uri": None}, "names no https jwks_uri"),
    ],
)
def test_a_wrong_discovery_document_is_a_fault(issuer: Issuer, about: dict[str, Any], told: str) -> None:
    issuer.about = about
    with pytest.raises(Unavailable, match=told):
        method(issuer.url).check()


@pytest.mark.parametrize(
    ("published", "told"),
    [
        (b"x" * 300_000, "too large"),
        (b"<html>", "no JSON object"),
        (b"[1]", "no JSON object"),
        ({"keys": {}}, "cannot be read"),
        ({"keys": [1]}, "no keys for signatures"),
    ],
)
def test_keys_that_cannot_be_used_are_a_fault(issuer: Issuer, published: object, told: str) -> None:
    issuer.published = published
    with pytest.raises(Unavailable, match=told):
        method(issuer.url).check()


def test_a_broken_key_denies_and_breaks_nothing(issuer: Issuer) -> None:
    issuer.published = {
        "keys": [{"kty": "RSA", "kid": "rsa-1", "n": "!", "e": 5}, issuer.keys[1].as_dict(private=False)]
    }
    oidc = method(issuer.url)
    assert_denied(oidc, issuer.token())
    assert oidc.authenticate("", issuer.token(issuer.keys[1])) == ANA


def test_a_path_of_the_issuer_that_is_not_there_is_a_fault(issuer: Issuer) -> None:
    with pytest.raises(Unavailable, match="HTTP 404"):
        method(f"{issuer.url}/realm").check()
