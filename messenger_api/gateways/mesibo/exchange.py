"""One HTTP exchange with mesibo: pooled connections, finite waiting, a bounded number at once.

Every call runs in a thread (`gateways.threads`) while the caller waits at most `Timeouts.read`. That also
lets a group that mesibo makes too late still be noticed (`on_late`).
Failures travel from that thread as values, so that no exception that a caller sees carries one of
`requests`, whose attributes hold the request's body and with it the app token.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors

from messenger_api.gateways.mesibo.errors import MesiboUnreachable
from messenger_api.gateways.mesibo.retry import Failure, may_retry
from messenger_api.gateways.reaching import place, what_happened
from messenger_api.gateways.threads import Busy, Calls
from messenger_api.version import VERSION

# How long a call waits for its turn when `max_calls` are under way: a moment's crowd passes, and a person
# behind a mesibo that hangs is told at once.
QUEUE_SECONDS = 0.5

# mesibo's answers are some hundred bytes; 20 members of a group a few thousand.
MAX_ANSWER_BYTES = 1024 * 1024
CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True)
class Timeouts:
    """Seconds: `connect` for making one connection, `read` for a call as a whole, connecting included."""

    connect: float = 3.0
    read: float = 10.0


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status: int
    body: bytes = field(repr=False)


# Seconds that are left for the calls of this thread; None: as many as they want. Whoever acts under a claim
# that runs out must not act after it, however long it was frozen meanwhile.
seconds_left: ContextVar[Callable[[], float] | None] = ContextVar("seconds_left", default=None)


class TooLate(Exception):
    """The time for the call was over before its body was sent."""


@dataclass(frozen=True)
class _Job:
    op: str
    content_type: str
    body: bytes = field(repr=False)
    caller_leaves: float  # time.monotonic(): nobody waits for the answer any more
    gives_up: float  # time.monotonic(): the thread gives up as well
    left: Callable[[], float] | None  # see `seconds_left`


class _Body(io.BytesIO):
    """A request's body that knows whether a connection took any of it.

    The head of a request goes out before its body is read, and a server cannot carry out a request of
    which it has the head alone. So an untouched body proves that nothing was done at mesibo, whatever the
    error was, which no class of exception does. It is refused when the time for the call is over.
    """

    def __init__(self, body: bytes, left: Callable[[], float] | None) -> None:
        super().__init__(body)
        self.taken = False
        self._left = left

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.taken and self._left and self._left() <= 0:
            raise TooLate
        self.taken = True
        return super().read(size)


class _Session(requests.Session):
    """A session that never follows a redirect: following would carry the token to another place.

    `allow_redirects=False` is not enough, because requests then still reads the redirect's body to its
    end, without limit of size or time.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _session(url: str, adapter: HTTPAdapter) -> requests.Session:
    """The session that all threads share.

    Safe, because nothing of it changes after this function: cookies are refused, headers and adapters stay
    as they are, and urllib3's pool beneath has its own locks. (Behind a proxy two first calls may both make
    the pool of that proxy; the one that loses is merely not reused.)

    HTTPS_PROXY, and REQUESTS_CA_BUNDLE for a certificate authority of one's own, are looked up here, once:
    `trust_env` would look through the whole environment at every call, which takes a fifth of it, and would
    find a `.netrc` whose Authorization header is not for mesibo. User and password in the URL itself (an
    on-premise server behind basic authentication) are meant, and are sent.
    """
    session = _Session()
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.trust_env, session.proxies, session.verify = False, found["proxies"], found["verify"]
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = f"messenger-api/{VERSION}"
    session.headers["Accept"] = "application/json"
    session.headers["Accept-Encoding"] = "identity"
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class Exchange:
    """Posts bodies to one URL, at most `max_calls` at once, from any number of threads."""

    def __init__(self, url: str, timeouts: Timeouts, max_calls: int) -> None:
        self._url = url
        self._timeouts = timeouts
        # pool_block=False: `_calls` already bounds how many connections there are.
        self._adapter = HTTPAdapter(pool_maxsize=max_calls, max_retries=0, pool_block=False)
        self._session = _session(url, self._adapter)
        self._calls = Calls("mesibo", max_calls)

    def post(
        self,
        op: str,
        content_type: str,
        body: bytes,
        *,
        patience: float = 0.0,
        on_late: Callable[[Reply], None] | None = None,
    ) -> Reply:
        """Send `body` and return the answer, within `Timeouts.read` seconds and the wait for a turn.

        With `patience` (seconds) the exchange goes on that long without its caller; an answer that
        still comes is handed to `on_late` in the exchange's thread. Until then it counts as one of
        `max_calls`.

        Raises:
            MesiboUnreachable: no answer in time.
        """
        left = seconds_left.get()
        seconds = min(self._timeouts.read, left()) if left else self._timeouts.read
        if seconds <= 0:
            raise MesiboUnreachable("too late", maybe_done=False)
        future = self._start(op, content_type, body, patience)
        wait([future], timeout=seconds)
        if not future.done():
            if on_late:
                future.add_done_callback(lambda done: _tell(done, on_late))
            raise MesiboUnreachable("timeout", maybe_done=True, detail=self._told("no answer"))
        outcome = future.result()
        if isinstance(outcome, Failure):
            raise MesiboUnreachable(
                outcome.reason, maybe_done=outcome.sent, detail=self._told(outcome.detail)
            )
        return outcome

    def _told(self, happened: str) -> str:
        return ", ".join(filter(None, (happened, place(self._url))))

    def close(self) -> None:
        """Close idle connections. Calls under way end by themselves; nothing waits for them."""
        # The session's close only drops its pools, whose connections stay open until the garbage collector
        # finds them when an error of the past still refers to one.
        for manager in (self._adapter.poolmanager, *self._adapter.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - it forbids iteration, its keys are a copy
                if pool := manager.pools.get(key):
                    pool.close()
        self._session.close()

    def _start(self, op: str, content_type: str, body: bytes, patience: float) -> Future[Reply | Failure]:
        left = seconds_left.get()

        def work() -> Reply | Failure:
            now = time.monotonic()
            leaves = now + self._timeouts.read
            return self._attempts(_Job(op, content_type, body, leaves, max(leaves, now + patience), left))

        try:
            return self._calls.start(work, patience=QUEUE_SECONDS)
        except Busy:
            raise MesiboUnreachable("busy", maybe_done=False) from None

    def _attempts(self, job: _Job) -> Reply | Failure:
        outcome = self._attempt(job)
        again = isinstance(outcome, Failure) and may_retry(job.op, outcome)
        return self._attempt(job) if again and time.monotonic() < job.caller_leaves else outcome

    def _attempt(self, job: _Job) -> Reply | Failure:
        body = _Body(job.body, job.left)
        answered = False
        seconds = max(0.001, job.gives_up - time.monotonic())
        try:
            with self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": job.content_type},
                timeout=(self._timeouts.connect, seconds),
                stream=True,
            ) as response:
                answered = True
                return _read(response, job.gives_up)
        except TooLate:
            return Failure("too late", sent=False)
        except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
            reason = _reason(error, sent=body.taken)
            return Failure(reason, body.taken, answered, what_happened(error))


def _read(response: requests.Response, until: float) -> Reply | Failure:
    """The answer's body, unless it is too long or takes too long."""
    body = b""
    while time.monotonic() < until:
        # read1 returns with what one receive brought; read would wait until the chunk is full.
        chunk = response.raw.read1(CHUNK_BYTES, decode_content=True)
        if not chunk:
            return Reply(response.status_code, body)
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return Failure("too large", sent=True, answered=True)
    return Failure("timeout", sent=True, answered=True)


# Looked through in order: in requests SSLError, ProxyError and ConnectTimeout are ConnectionErrors too.
_REASONS: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("tls", (requests.exceptions.SSLError, urllib3_errors.SSLError)),
    ("proxy", (requests.exceptions.ProxyError,)),
    ("timeout", (requests.exceptions.Timeout, urllib3_errors.TimeoutError)),
    (
        "bad url",
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            urllib3_errors.LocationValueError,
        ),
    ),
)


def _reason(error: Exception, *, sent: bool) -> str:
    for reason, classes in _REASONS:
        if isinstance(error, classes):
            return reason
    return "broken" if sent else "connect"


def _tell(done: Future[Reply | Failure], on_late: Callable[[Reply], None]) -> None:
    outcome = None if done.exception() else done.result()
    if isinstance(outcome, Reply):
        on_late(outcome)
