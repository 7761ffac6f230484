"""The real server, its counting and its commands: mesibo lets nobody in, and then does.

All that may go wrong is played in test_nights.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import requests

from tests.apps.outside import Outside
from tests.processes import wait_for
from tests.product import APPID
from tests.servers import ROOT, ProductServer

ANA = "14155550101"
# What has happened is told everywhere within a minute.
MINUTE = 60


class Watched:
    """The server, as its people and its operator see it."""

    def __init__(self, server: ProductServer) -> None:
        self._server = server
        self._http = requests.Session()
        self._http.trust_env = False

    def log_in(self, outside: Outside) -> dict[str, Any]:
        """Both steps of a login; returns the second answer. What happens in one second is in no order."""
        last = int(time.time())
        wait_for(lambda: int(time.time()) > last, MINUTE, "the next second")
        self._call()
        return self._call(otp=outside.code(ANA))

    def fault(self, **fault: object) -> None:
        """Have mesibo play a fault; without one, none any more."""
        url = f"{self._server.url}/sandbox/faults"
        answer = self._http.post(url, json=fault) if fault else self._http.delete(url)
        assert answer.ok, answer.text

    def codes(self) -> list[str]:
        """What `/readyz` finds; its status is that of a process that is well."""
        answer = self._http.get(f"{self._server.url}/readyz")
        assert answer.status_code == 200
        return [finding["code"] for finding in answer.json()["findings"]]

    def status(self) -> tuple[int, str]:
        """Exit code and screen of `messenger-api status`, run beside the server."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MESSENGER_")}
        ran = subprocess.run(
            [sys.executable, "-m", "messenger_api", "status"],
            cwd=self._server.folder,
            env={**environment, "PYTHONPATH": str(ROOT), "MESSENGER_SANDBOX": "local"},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout

    def close(self) -> None:
        self._http.close()

    def _call(self, **fields: str) -> dict[str, Any]:
        data = {"op": "login", "phone": ANA, "appid": APPID, **fields}
        answer: dict[str, Any] = self._http.post(f"{self._server.url}/api.php", data=data).json()
        return answer


@pytest.mark.parametrize(
    ("fault", "code", "said", "event"),
    [
        (
            {"error": "AUTHFAIL"},
            "app_token_refused",
            "mesibo refuses the app token.",
            "mesibo.app_token_refused",
        ),
        ({"drop": True}, "mesibo_away", "mesibo does not answer.", "mesibo_call"),
    ],
)
def test_what_keeps_people_out_is_said_everywhere_within_a_minute_and_ends_by_itself(
    product_server: Callable[..., ProductServer], fault: dict[str, Any], code: str, said: str, event: str
) -> None:
    server = product_server(MESSENGER_LIMITS="off")
    with closing(Watched(server)) as watched, closing(Outside(server.url)) as outside:
        assert watched.log_in(outside)["result"] == "OK"
        assert watched.codes() == []

        watched.fault(op="useradd", **fault)
        assert watched.log_in(outside)["error"] == "TRYLATER"
        wait_for(lambda: watched.codes() == [code], MINUTE, "the judgement of /readyz")
        exit_code, shown = watched.status()
        assert (exit_code, said in shown) == (1, True)
        assert event in server.log()

        watched.fault()
        assert watched.log_in(outside)["result"] == "OK"
        wait_for(lambda: watched.codes() == [], MINUTE, "the all-clear")
        exit_code, shown = watched.status()
        assert (exit_code, shown.startswith("People can log in.")) == (0, True)
