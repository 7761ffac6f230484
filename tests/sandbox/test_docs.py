"""The commands of docs/sandbox.md do what the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from messenger_api.sandbox import SandboxServer
from tests.processes import program

pytestmark = pytest.mark.server

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "sandbox.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)


def run(line: str, server: SandboxServer) -> Any:
    """What a command of the page prints, asked of this server."""
    words = shlex.split(line.replace("http://127.0.0.1:8081", server.url), comments=True)
    return json.loads(subprocess.check_output([program(words[0]), "-s", *words[1:]], timeout=60))


def test_every_command_of_the_page_does_what_it_says(server: SandboxServer) -> None:
    lines = [line for block in BLOCKS for line in block.splitlines() if line.startswith("curl ")]
    chats = [line for line in lines if "/sandbox/chat" in line]
    useradd, groupadd, clock, moved, *faults = (run(line, server) for line in lines if line not in chats)
    assert useradd["result"] is True
    assert groupadd["result"] is True
    assert clock.keys() == {"ahead", "time"}
    assert clock["ahead"] == 0
    assert moved["ahead"] == 86_400
    assert [len(each["faults"]) for each in faults] == [1, 2, 0, 1, 2, 0]


def test_the_chat_of_the_page_is_received(server: SandboxServer) -> None:
    sends, fetches = (line for block in BLOCKS for line in block.splitlines() if "/sandbox/chat" in line)
    ana, ben = "14155550123", "14155550124"
    for address in (ana, ben):
        server.store.put_user(address)
    tokens = {"$ANA": ana, "$BEN": ben}
    for name, address in tokens.items():
        token = server.store.mint_token(address, "app").token
        sends, fetches = sends.replace(name, token), fetches.replace(name, token)
    mid = run(sends, server)["mid"]
    [message] = run(fetches, server)["messages"]
    assert (message["mid"], message["from"], message["text"]) == (mid, ana, "Hello")


def test_the_faults_of_the_page_let_two_calls_through_and_fail_the_third(server: SandboxServer) -> None:
    for line in [line for block in BLOCKS for line in block.splitlines() if "/faults -H" in line]:
        run(line, server)
    call = next(line for block in BLOCKS for line in block.splitlines() if '"op":"useradd"' in line)
    assert [run(call, server).get("error") for _ in range(4)] == [None, None, "AUTHFAIL", None]
