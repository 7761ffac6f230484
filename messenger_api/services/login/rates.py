"""Rates of requests from one address: counted in Redis where there is one, else in this process.

They cost nobody money, so they stand open when Redis is down: each process then counts for itself, and asks
Redis again only now and then, so that nobody who logs in waits for it.
"""

from __future__ import annotations

import math
import time

import structlog
from limits import RateLimitItem, RateLimitItemPerHour
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from messenger_api.domain.errors import TooMany
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import Limits
from messenger_api.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

LIMIT = "login_tries_per_ip"

REDIS_SECONDS = 0.5
# How long a Redis that failed is left alone, and how long nothing more is said of it.
AWAY_SECONDS = 3
SILENT_SECONDS = 60
LIBRARY = "REDIS_URL: needs: pip install '.[redis]'"


class Rates:
    """The limits of requests.

    Raises:
        SettingsError: there is a REDIS_URL without the library for it.
    """

    def __init__(self, settings: Settings, allowed: Allowed, limits: Limits) -> None:
        self._allowed = allowed
        self._limits = limits
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = _in_redis(settings.redis_url) if settings.redis_url else None
        self._away_until = self._silent_until = 0.0

    def login_try(self, network: str) -> None:
        """Count a try to log in from a network. Raises TooMany."""
        mode = self._limits.mode(LIMIT)
        if mode == "off" or not network:
            return
        most = int(self._allowed.most("login_tries_per_ip_hour"))
        wait = self._hit(RateLimitItemPerHour(most, namespace="login_tries"), network)
        if wait:
            self._limits.reached(LIMIT, wait)
        if wait and mode == "enforce":
            raise TooMany(retry_after=wait, why=LIMIT)

    def _hit(self, item: RateLimitItem, subject: str) -> int:
        """Seconds to wait; 0 when it was counted."""
        if self._shared and time.monotonic() >= self._away_until:
            try:
                return _wait(self._shared, item, subject)
            except StorageError as error:
                self._note_failure(type(error.storage_error).__name__)
        return _wait(self._here, item, subject)

    def _note_failure(self, error: str) -> None:
        now = time.monotonic()
        self._away_until = now + AWAY_SECONDS
        if now >= self._silent_until:
            self._silent_until = now + SILENT_SECONDS
            log.error("limit.redis_failed", error=error, what="each process counts for itself meanwhile")


def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, subject: str) -> int:
    if limiter.hit(item, subject):
        return 0
    return max(1, math.ceil(limiter.get_window_stats(item, subject).reset_time - time.time()))


def _in_redis(url: str) -> MovingWindowRateLimiter:
    try:
        storage = RedisStorage(
            url,
            key_prefix="messenger",
            wrap_exceptions=True,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
    except ConfigurationError as error:
        raise SettingsError([LIBRARY]) from error
    return MovingWindowRateLimiter(storage)
