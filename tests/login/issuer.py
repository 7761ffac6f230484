"""An issuer of ID tokens over real HTTP. Another library than the product's makes its keys and tokens."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.processes import LOOPBACK

CLIENT = "messenger-android"


class Issuer:
    """Discovery document, keys and tokens. `fetches` are the paths that were asked for."""

    def __init__(self, port: int = 0) -> None:
        self.keys: list[RSAKey | ECKey] = [new_rsa("rsa-1"), new_ec("ec-1")]
        self.about: dict[str, Any] = {}
        self.published: Any = None
        self.delay = 0.0
        self.fetches: list[str] = []
        self._server = ThreadingHTTPServer((LOOPBACK, port), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.about}
        if path == "/keys":
            return self.published or KeySet(list(self.keys)).as_dict(private=False)
        return None

    def token(
        self, key: RSAKey | ECKey | None = None, header: dict[str, str] | None = None, **changes: Any
    ) -> str:
        """A token as it should be, but for the changes; a claim changed to None is left out."""
        key = key or self.keys[0]
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": "4711", "aud": CLIENT, "iat": now, "exp": now + 300,
            "email": "Ana@Example.com", "email_verified": True, "name": "Ana Lee", **changes,
        }  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        return jwt.encode({"alg": algorithm, "kid": str(key.kid), **(header or {})}, kept, key)


@functools.cache
def new_rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@functools.cache
def new_ec(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches.append(self.path)
            time.sleep(issuer.delay)
            found = issuer.answer(self.path)
            payload = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    return Handler


@contextmanager
def serving(port: int = 0) -> Iterator[Issuer]:
    issuer = Issuer(port)
    try:
        yield issuer
    finally:
        issuer.stop()
