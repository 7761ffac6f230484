"""The short forms that going-live.md shows hold nothing but lines of the files that the tests run."""

from __future__ import annotations

import re

import pytest

from tests.proxies.fronts import DEPLOY
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "operations" / "going-live.md").read_text()
# The page has the server's address where the file has the name of its group of servers.
SAME = {"proxy_pass http://127.0.0.1:8080;": "proxy_pass http://messenger_api;"}


@pytest.mark.parametrize(("kind", "file"), [("text", "Caddyfile"), ("nginx", "nginx.conf")])
def test_every_line_of_a_short_form_stands_in_the_file(kind: str, file: str) -> None:
    section = PAGE.split("## HTTPS in front")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)
    lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
    text = (DEPLOY / file).read_text()
    for line in lines:
        assert SAME.get(line, line) in text


def test_the_files_say_which_error_it_is_as_the_product_says_it() -> None:
    for file in ("Caddyfile", "nginx.conf", "haproxy.cfg"):
        text = (DEPLOY / file).read_text()
        assert '"error":"TRYLATER","errtitle":"Not available right now"' in text
