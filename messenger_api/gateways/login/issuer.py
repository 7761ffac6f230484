"""The public keys of an OpenID Connect issuer, fetched when needed and kept.

Keys come from the issuer's discovery document (OpenID Connect Discovery 1.0, section 4). A token with an
unknown key has them fetched again, so that an issuer may change its keys whenever it likes; but no more than
once in `EACH_SECONDS`, so that bad tokens do not hammer it. A token that comes earlier waits so long: whoever
sends bad ones does not keep new keys from being found. While the issuer is down, the keys that are known stay
good.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial
from typing import Any

from messenger_api.gateways.http import HttpClient, NoResponse, Timeouts
from messenger_api.gateways.login.base import Unavailable
from messenger_api.gateways.threads import Busy, Calls, TooSlow, outcome
from messenger_api.mesibo.http.deadline import TIMED_OUT, Deadline
from messenger_api.settings.conversions import is_local

# Between two fetches for unknown keys; and when the last one failed.
EACH_SECONDS = 1.0
DOWN_SECONDS = 30
# So many tokens may wait for the next fetch.
MOST_WAITING = 8
# A key that the issuer withdrew is believed no longer than this.
FRESH_SECONDS = 600

# So many fetches may hang in the lookup of a name.
MOST_AT_ONCE = 8

OK = 200

Jwk = Mapping[str, Any]
Clock = Callable[[], float]


class IssuerKeys:
    """The signing keys of one issuer. Used by several threads at a time, of which one fetches."""

    def __init__(self, issuer: str, seconds: float, clock: Clock = time.monotonic) -> None:
        self._issuer = issuer
        self._seconds = seconds
        self._clock = clock
        self._calls = Calls("issuer", MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._fetching: Future[Sequence[Jwk] | str] | None = None
        self._keys: Sequence[Jwk] = ()
        self._fetched_at = self._began = self._began_at = float("-inf")
        self._is_down = False
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)

    def find(self, kid: str | None, algorithm: str, issued_at: float = float("inf")) -> Jwk | None:
        """The key that a token names, or the only one that fits when it names none.

        `issued_at`: when the token says that it was made, in unix seconds.

        Raises:
            Unavailable: the issuer does not answer, and the keys that are known do not help; or too many
                tokens with unknown keys wait already.
        """
        asked = self._clock()
        if not self._keys:
            self.fetch()
        elif asked - self._fetched_at > FRESH_SECONDS and asked - self._began >= DOWN_SECONDS:
            with suppress(Unavailable):
                self.fetch()
        found = self._known(kid, algorithm)
        if found is None and not self._is_settled(asked, issued_at):
            self._fetch_soon(asked)
            found = self._known(kid, algorithm)
        if found is None and self._is_down:
            raise Unavailable("an unknown key, and the issuer does not answer")
        return found

    def fetch(self) -> None:
        """Fetch the keys, or wait for the thread that does. Those of the last `EACH_SECONDS` are not old.

        Raises:
            Unavailable: there is no usable answer.
        """
        with self._lock:
            fetching = self._fetching
            if fetching is None or (fetching.done() and not self._was_just_fetched(fetching)):
                self._began, self._began_at = self._clock(), time.time()
                fetching = self._fetching = self._start()
        keys = self._outcome(fetching)
        self._is_down = isinstance(keys, str)
        if isinstance(keys, str):
            raise Unavailable(keys)
        self._keys, self._fetched_at = keys, self._clock()

    def _was_just_fetched(self, fetching: Future[Sequence[Jwk] | str]) -> bool:
        # Whoever saw no keys, or old ones, may have come here after another thread fetched them.
        return self._wait_seconds() > 0 and not isinstance(fetching.result(), str)

    def _wait_seconds(self) -> float:
        return self._began + EACH_SECONDS - self._clock()

    def _start(self) -> Future[Sequence[Jwk] | str]:
        try:
            return self._calls.start(partial(_fetched, self._issuer, self._seconds))
        except Busy:
            self._is_down = True
            raise Unavailable("the issuer hangs") from None

    def _outcome(self, fetching: Future[Sequence[Jwk] | str]) -> Sequence[Jwk] | str:
        try:
            return outcome(fetching, self._seconds)
        except TooSlow:
            with self._lock:
                # It is left behind: the next login does not wait for it again.
                self._fetching = None if self._fetching is fetching else self._fetching
            return TIMED_OUT

    def _is_settled(self, asked: float, issued_at: float) -> bool:
        """Whether the last fetch would have brought the key, or another one cannot be tried yet."""
        if self._is_down:
            return asked - self._began < DOWN_SECONDS
        # Tokens tell whole seconds.
        return self._began >= asked or issued_at + 1 <= self._began_at

    def _fetch_soon(self, asked: float) -> None:
        """Fetch as soon as that may be, unless somebody else does meanwhile."""
        if not self._waiting.acquire(blocking=False):
            raise Unavailable("too many unknown keys")
        try:
            while (wait_for := self._wait_seconds()) > 0:
                time.sleep(wait_for)
            if self._began < asked:
                with suppress(Unavailable):
                    self.fetch()
        finally:
            self._waiting.release()

    def _known(self, kid: str | None, algorithm: str) -> Jwk | None:
        fitting = [
            key
            for key in self._keys
            if key.get("alg", algorithm) == algorithm and (kid is None or key.get("kid") == kid)
        ]
        return fitting[0] if len(fitting) == 1 else None


def _fetched(issuer: str, seconds: float) -> Sequence[Jwk] | str:
    """The keys, or the reason why there are none."""
    try:
        with closing(HttpClient(Timeouts(seconds, seconds))) as client:
            return _signing_keys(client, issuer, Deadline(seconds))
    except Unavailable as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
        return f"unexpected {type(error).__name__}"


def _signing_keys(client: HttpClient, issuer: str, deadline: Deadline) -> Sequence[Jwk]:
    about = _get(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration", deadline)
    if about.get("issuer") != issuer:
        raise Unavailable("the discovery document names another issuer than OIDC_ISSUER")
    keys_at = about.get("jwks_uri")
    if not (isinstance(keys_at, str) and (keys_at.startswith("https://") or is_local(keys_at))):
        raise Unavailable("the discovery document names no https jwks_uri")
    keys = _get(client, keys_at, deadline).get("keys")
    if not isinstance(keys, list):
        raise Unavailable("the issuer's keys cannot be read")
    signing = [key for key in keys if isinstance(key, dict) and _is_for_signatures(key)]
    if not signing:
        raise Unavailable("the issuer has no keys for signatures")
    return signing


def _is_for_signatures(key: Jwk) -> bool:
    # "oct" is a shared secret, which nobody publishes and nobody should believe.
    return key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")


def _get(client: HttpClient, url: str, deadline: Deadline) -> dict[str, Any]:
    try:
        response = client.request("GET", url, seconds=deadline.left())
    except TimeoutError:
        raise Unavailable(TIMED_OUT) from None
    except NoResponse as failure:
        raise Unavailable(_told(failure)) from None
    if response.status != OK:
        raise Unavailable(f"the issuer answered with HTTP {response.status}")
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unavailable("the issuer's answer is no JSON object")
    return document


def _told(failure: NoResponse) -> str:
    words = {"timeout": TIMED_OUT, "too large": "the issuer's answer is too large"}
    return words.get(failure.reason, f"no connection to the issuer ({failure.told})")
