"""Whatever fails, the apps get one JSON object with status 200 through each proxy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proxies.conftest import Serving
from tests.proxies.curl import Reply, Request, ask
from tests.proxies.fronts import Front
from tests.servers import free_port

pytestmark = pytest.mark.server

PROXIES = ["nginx", "caddy", "haproxy"]
VERSIONS = ["1.1", "2"]


def is_refused(reply: Reply, error: str) -> None:
    assert reply.status == 200
    assert reply.kind.startswith("application/json")
    answer = reply.json
    assert (answer["result"], answer["error"]) == ("FAIL", error)
    assert isinstance(answer["ts"], int)
    assert answer["op"] == ""


@pytest.mark.parametrize("name", PROXIES)
def test_the_server_is_away(front: Callable[..., Front], name: str) -> None:
    proxy = front(name, free_port())
    for version in VERSIONS:
        posted, got, page = ask(
            proxy,
            [Request("/api.php", body="op=loginui"), Request("/?op=loginui"), Request("/readyz")],
            version=version,
        )
        for reply in (posted, got):
            is_refused(reply, "TRYLATER")
            assert reply.json["retry_after"] == 10
        assert page.status in (502, 503)


@pytest.mark.parametrize("size", [27_500_000, 70_000_000])
@pytest.mark.parametrize("name", PROXIES)
def test_a_file_is_too_large(
    serving: Serving, front: Callable[..., Front], tmp_path: Path, name: str, size: int
) -> None:
    proxy = front(name, serving(1, limits="off").port)
    file = tmp_path / "large.bin"
    with file.open("wb") as made:
        made.truncate(size)
    upload = ("-F", "op=upload", "-F", "token=x", "-F", f"file=@{file}")
    for version in VERSIONS:
        (reply,) = ask(proxy, [Request("/api.php?op=upload")], *upload, version=version)
        assert (reply.status, reply.json["error"]) == (200, "TOOLARGE"), version
