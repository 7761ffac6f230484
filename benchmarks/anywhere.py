"""`python -m benchmarks.anywhere URL TOKENS`: how fast a private API answers, whoever wrote it.

URL is the API's, as apps have it: `https://host/api.php`. TOKENS is a file with the session tokens of some
accounts, one a line. What calls need besides, contacts and groups, is learned from the API itself. With
`--writes` these accounts get other names, photos, push tokens and groups, so they should be nobody's.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

import msgspec
import requests

from benchmarks import dataset as sets
from benchmarks.cases import call, upload
from benchmarks.load import CONNECTIONS, Load, Request, drive
from benchmarks.programs import cpu_seconds
from benchmarks.progress import say
from benchmarks.report import aligned, machine

GROUP_OF = 50
GROUP_NAME = "Benchmark"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Caller:
    """An account that makes calls, as its first sync shows it.

    `ts`: the largest that it has seen. `friends`: numbers of contacts. `gid`: a group, 0 for none.
    """

    token: str
    name: str
    ts: int
    friends: Sequence[str]
    gid: int


Requests = Callable[[Caller], Sequence[Request]]


@dataclass(frozen=True)
class Case:
    """A call that is measured: its requests by each caller, and what stands in its answer.

    `writes`: it changes what others see of the caller. `needs`: whether a caller can make it.
    """

    name: str
    requests: Requests
    expected: str = '"result":"OK"'
    writes: bool = False
    needs: Callable[[Caller], object] = bool


def _names(who: Caller) -> list[Request]:
    return [call("profile", who.token, name=f"Name {index}") for index in range(20)]


def _push_tokens(who: Caller) -> list[Request]:
    tokens = (f"{kind}-{who.token[:8]}-" + "p" * 140 for kind in ("one", "another"))
    return [call("setnotify", who.token, notifytoken=token, dt=1, fcm=1) for token in tokens]


def _groups(who: Caller) -> list[Request]:
    """Made so that no two are the same, which an API may take for a repetition."""
    numbers = who.friends[: GROUP_OF - 1]
    chance = random.Random(who.token)
    names = [f"{GROUP_NAME} {chance.getrandbits(32)}" for _ in range(50)]
    return [call("setgroup", who.token, gid=0, name=name, m=",".join(numbers)) for name in names]


def _photo(who: Caller) -> list[Request]:
    return [upload(who.token, "photo.jpg", sets.photo(random.Random("photo")), profile="1")]


CASES = (
    Case("no op", lambda _who: [Request(method="GET")], '"NOOP"'),
    Case("unknown token", lambda who: [call("getcontacts", who.token[::-1] + "x")], '"AUTHFAIL"'),
    Case("getcontacts, nothing new", lambda who: [call("getcontacts", who.token, ts=who.ts)]),
    Case("getcontacts from 0", lambda who: [call("getcontacts", who.token, ts=0)]),
    Case(
        "getcontacts, numbers again",
        lambda who: [call("getcontacts", who.token, ts=who.ts, phones=",".join(who.friends))],
        needs=lambda who: who.friends,
    ),
    Case("profile, as it is", lambda who: [call("profile", who.token)]),
    Case(
        "getgroup",
        lambda who: [call("getgroup", who.token, gid=who.gid)],
        needs=lambda who: who.gid,
    ),
    Case("profile, a new name", _names, writes=True),
    Case("setnotify", _push_tokens, writes=True),
    Case("setgroup, a new group", _groups, writes=True, needs=lambda who: who.friends),
    Case("upload, profile photo", _photo, writes=True),
)


@dataclass(frozen=True)
class Target:
    """An API at a URL, asked in JSON or in forms."""

    url: str
    form: bool = False

    def request(self, given: Request) -> Request:
        """The same request to this API."""
        parts = urlsplit(self.url)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        addressed = replace(given, host=parts.netloc.rpartition("@")[2], path=path)
        if not (self.form and given.body and given.content_type == "application/json"):
            return addressed
        fields = msgspec.json.decode(given.body)
        return replace(
            addressed, body=urlencode(fields).encode(), content_type="application/x-www-form-urlencoded"
        )

    def answer(self, given: Request) -> dict[str, object]:
        """What it answers to one request. Raises requests.RequestException: no JSON, or none at all."""
        asked = self.request(given)
        headers = {"Content-Type": asked.content_type} if asked.body else {}
        done = requests.request(
            asked.method, self.url, data=asked.body, headers=headers, timeout=TIMEOUT_SECONDS
        )
        found: dict[str, object] = done.json()
        return found

    def drive(self, given: Sequence[Request], expected: str, seconds: int, connections: int) -> Load:
        """Load for so many seconds."""
        asked = [self.request(one) for one in given]
        return drive(self.url, asked, seconds=seconds, expected=expected, connections=connections)


def caller(target: Target, token: str) -> Caller:
    """Who has this token.

    Raises:
        SystemExit: nobody has.
    """
    answer = target.answer(call("getcontacts", token, ts=0))
    if answer.get("result") != "OK":
        raise SystemExit(f"{target.url} does not know a token that ends in {token[-4:]}: {answer}")
    entries = _entries(answer)
    groups = [int(entry["gid"]) for entry in entries if _is_group(entry)]
    own = answer.get("u")
    return Caller(
        token=token,
        name=str(own.get("name", "")) if isinstance(own, dict) else "",
        ts=max((int(entry["ts"]) for entry in entries), default=0),
        friends=[str(entry["phone"]) for entry in entries if not _is_group(entry)],
        gid=groups[0] if groups else 0,
    )


def _entries(answer: dict[str, object]) -> list[dict[str, str]]:
    found = answer.get("contacts")
    return found if isinstance(found, list) else []


def _is_group(entry: dict[str, str]) -> bool:
    return int(entry.get("gid") or 0) > 0


def tidy(target: Target, callers: Sequence[Caller]) -> None:
    """Give the callers their names back, and delete the groups that were made."""
    for who in callers:
        target.answer(call("profile", who.token, name=who.name))
        for entry in _entries(target.answer(call("getcontacts", who.token, ts=0))):
            if _is_group(entry) and entry["name"].startswith(f"{GROUP_NAME} "):
                target.answer(call("delgroup", who.token, gid=int(entry["gid"])))


def measure(asked: argparse.Namespace, target: Target, callers: Sequence[Caller]) -> Iterator[Sequence[str]]:
    """A line of the table for each case that these callers can make."""
    for case in CASES:
        able = [who for who in callers if case.needs(who)]
        chosen = any(part in case.name for part in asked.only or [""])
        if not able or not chosen or (case.writes and not asked.writes):
            continue
        given = [request for who in able for request in case.requests(who)]
        target.drive(given, case.expected, asked.seconds, asked.connections)  # caches get warm
        used = sum(map(cpu_seconds, asked.pid))
        loads = [
            target.drive(given, case.expected, asked.seconds, asked.connections) for _ in range(asked.rounds)
        ]
        used = sum(map(cpu_seconds, asked.pid)) - used
        say(f"{case.name}: {median(load.rate for load in loads):,.0f}/s")
        yield _line(case, loads, used)


HEADS = ("call", "rate/s", "of rounds", "p50 ms", "p99 ms", "cpu ms", "bytes", "errors")


def _line(case: Case, loads: Sequence[Load], used: float) -> Sequence[str]:
    rates = [load.rate for load in loads]
    errors = sum(load.errors + load.broken for load in loads)
    wrong = next((load.wrong for load in loads if load.wrong), "")
    return (
        case.name,
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{median(load.p50 for load in loads):.1f}",
        f"{median(load.p99 for load in loads):.1f}",
        f"{used * 1000 / max(1, sum(load.answered for load in loads)):.2f}" if used else "-",
        f"{max(load.size for load in loads):,.0f}",
        f"{errors} {wrong}".strip(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when an answer was wrong."""
    asked = _parser().parse_args(arguments)
    target = Target(asked.url, asked.form)
    callers = [caller(target, token) for token in asked.tokens.read_text().split()]
    try:
        lines = list(measure(asked, target, callers))
    finally:
        if asked.writes:
            tidy(target, callers)
    head = f"{len(callers)} callers, {asked.connections} connections; load from {machine()}"
    sys.stdout.write(f"{asked.url}: {head}\n\n{aligned([HEADS, *lines])}\n")
    return int(any(line[-1] != "0" for line in lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anywhere", description=__doc__)
    add = parser.add_argument
    add("url", help="the API's, as apps have it")
    add("tokens", type=Path, help="a file with the tokens of the sessions that make the calls, one a line")
    add("--seconds", type=int, default=3, help="for each round of a case")
    add("--rounds", type=int, default=3, help="of which the median counts")
    add("--connections", type=int, default=CONNECTIONS, help="each with one request under way")
    add("--writes", action="store_true", help="measure calls that change the accounts, too")
    add("--form", action="store_true", help="send forms, as older apps do, instead of JSON")
    add("--only", action="append", metavar="TEXT", help="only cases with this in their name")
    add(
        "--pid",
        action="append",
        type=int,
        default=[],
        help="a process of the API or its database on this machine, whose processor time counts",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
