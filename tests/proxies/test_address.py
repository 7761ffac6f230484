"""Behind the proxies of deploy/, no spelling and no doubling of a header changes whose request it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product as pairs

import pytest

from tests.matrix import LONG, some
from tests.product import APPID
from tests.proxies.conftest import HEADER, TRIES, NewClient, Serving
from tests.proxies.curl import Reply, Request, ask
from tests.proxies.fronts import Change, Front
from tests.servers import LOOPBACK

pytestmark = [pytest.mark.server, pytest.mark.long]

SAMPLE = 12
# What the files' comments tell to change in a proxy that stands behind another.
INNER: dict[str, tuple[Change, ...]] = {
    "nginx": (("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for"),),
    "caddy": (("\t\tbuffer_requests\n", "\t\ttrusted_proxies 127.0.0.0/8\n\t\tbuffer_requests\n"),),
    "haproxy": (("    http-request del-header X-Forwarded-For\n", ""),),
}
OWN = "X-Client-52d7f0c91b3e"
HEADERS = (
    HEADER,
    "X-Real-IP",
    "Forwarded",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "Forwarded-For",
    "Via",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
)
ROUND = [("haproxy", "nginx"), ("nginx", "caddy"), ("caddy", "haproxy")]
LOGIN = f"op=login&phone=14155550101&appid={APPID}&otp=123456"


def spellings(header: str) -> Iterator[tuple[str, ...]]:
    """One header in many ways, as lines."""
    value = "for=6.6.6.1" if header == "Forwarded" else "6.6.6.1"
    under = header.replace("-", "_") if "-" in header else f"{header}_"
    first, last = header.replace("-", "_", 1), "_".join(header.rsplit("-", 1))
    yield (f"{header}: {value}",)
    yield (f"{header.upper()}: {value}",)
    yield (f"{under}: {value}",)
    yield (f"{under.lower()}: {value}",)
    yield (f"{first}: {value}",)
    yield (f"{last}: {value}",)
    yield (f"{header}: 6.6.6.2", f"{header}: {value}")
    yield (f"{header}: 6.6.6.2", f"{under}: {value}")
    yield (f"{under}: {value}", f"{header}: 6.6.6.2", f"{under}: 6.6.6.3")
    yield (f"{header};",)
    yield (f"{under};", f"{header};")
    yield (f'{header}: "6.6.6.2, {value}:80, [2001:db8::7]:4711',)
    yield (f"{under}: 2001:db8::7, {LOOPBACK},{value},",)
    yield (f"{header}: \xe9, {value}",)
    yield tuple(f"{(header, under)[n % 2]}: 6.6.6.{n}" for n in range(20))


def requests(headers: tuple[str, ...] = HEADERS) -> list[Request]:
    """A login by GET and by POST with every spelling."""
    lines = [spelling for header in headers for spelling in spellings(header)]
    return [
        Request("/api.php", spelling, LOGIN) if posts else Request(f"/api.php?{LOGIN}", spelling)
        for spelling, posts in pairs(lines, (False, True))
    ]


def errors(replies: list[Reply]) -> list[str]:
    return [reply.json["error"] for reply in replies]


def all_are_one(front: Front | str, version: str, asked: list[Request], new_client: NewClient) -> None:
    """A client's network uses its tries up. Whatever it writes then, it has none, and another one has."""
    client, plain = new_client(), Request("/api.php", body=LOGIN)
    tries = ask(front, [plain] * (TRIES + 1), version=version, source=client)
    assert errors(tries) == ["BADCODE"] * TRIES + ["TOOMANY"]
    replies = ask(front, asked, version=version, source=client)
    answered = zip(asked, errors(replies), strict=True)
    assert not {request.headers for request, error in answered if error != "TOOMANY"}
    if not isinstance(front, str):
        assert {reply.version for reply in replies} == {version}
    (other,) = ask(front, [plain], version=version, source=new_client())
    assert other.json["error"] == "BADCODE"


def test_with_no_proxy_no_header_counts(serving: Serving, new_client: NewClient) -> None:
    all_are_one(serving(0).url, "1.1", some(requests(), SAMPLE), new_client)


@pytest.mark.parametrize("version", ["1.1", "2"])
@pytest.mark.parametrize("name", ["nginx", "caddy", "haproxy"])
def test_behind_one_proxy(
    serving: Serving, new_client: NewClient, front: Callable[..., Front], name: str, version: str
) -> None:
    proxy = front(name, serving(1).port)
    asked = requests((HEADER,)) + some(requests(HEADERS[1:]), SAMPLE)
    all_are_one(proxy, version, asked, new_client)


@pytest.mark.parametrize("name", ["nginx", "caddy", "haproxy"])
def test_the_proxy_names_each_request(serving: Serving, front: Callable[..., Front], name: str) -> None:
    theirs = "f" * 32
    forged = Request("/api.php", (f"X-Request-ID: {theirs}",), LOGIN)
    replies = ask(front(name, serving(1).port), [forged] * 2, "--include")
    found = [each for reply in replies for each in re.findall(r"(?i)^x-request-id: (\S+)", reply.body, re.M)]
    assert theirs not in found
    assert len(set(found)) == 2
    assert {len(each) for each in found} <= {32, 36}  # the server's own have 16


@pytest.mark.parametrize(("outer", "inner"), list(pairs(INNER, INNER)) if LONG else ROUND)
def test_behind_two_proxies(
    serving: Serving, new_client: NewClient, front: Callable[..., Front], outer: str, inner: str
) -> None:
    second = front(inner, serving(2).port, *INNER[inner], tls=False)
    asked = requests((HEADER,)) + some(requests(HEADERS[1:]), SAMPLE)
    all_are_one(front(outer, second.port), "2", asked, new_client)


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_under_a_name_of_its_own(
    serving: Serving, new_client: NewClient, front: Callable[..., Front], name: str
) -> None:
    proxy = front(name, serving(1, OWN).port, (HEADER, OWN))
    all_are_one(proxy, "2", requests((OWN,)), new_client)
