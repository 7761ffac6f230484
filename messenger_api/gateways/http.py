"""The one HTTP client, under the product's name."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.mesibo import http
from messenger_api.mesibo.http import NoResponse, Response, Timeouts
from messenger_api.mesibo.http.client import MAX_ANSWER_BYTES, POOL_SIZE
from messenger_api.version import VERSION

__all__ = ["HttpClient", "NoResponse", "Response", "Timeouts"]


class HttpClient(http.HttpClient):
    """`messenger_api.mesibo.http.HttpClient`, which says who asks."""

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        url: str = "",
        connections: int = POOL_SIZE,
        most_bytes: int = MAX_ANSWER_BYTES,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        ours = {"User-Agent": f"messenger-api/{VERSION}", **(headers or {})}
        super().__init__(timeouts, url=url, connections=connections, most_bytes=most_bytes, headers=ours)
