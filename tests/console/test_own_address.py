"""ADMIN_LISTEN: the console alone on an address of its own, and not on the API's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import requests

from tests.console.driver import PASSWORD
from tests.processes import LOOPBACK, free_port, wait_for
from tests.servers import ProductServer


def test_the_console_has_an_address_of_its_own_and_goes_with_its_server(
    product_server: Callable[..., ProductServer],
) -> None:
    listen = f"{LOOPBACK}:{free_port()}"
    server = product_server(MESSENGER_ADMIN_LISTEN=listen)
    url = f"http://{listen}/admin/login"

    def answer() -> requests.Response | None:
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            return None

    wait_for(lambda: answer() is not None, 60, "the console answers")
    found = answer()
    assert found is not None
    assert found.status_code == 404, "nobody may use it yet"
    command = [sys.executable, "-m", "messenger_api", "admin", "create", "ana", "--role", "own", "--stdin"]
    subprocess.run(command, cwd=server.folder, input=PASSWORD.encode(), check=True, capture_output=True)
    found = answer()
    assert found is not None
    assert found.status_code == 200
    assert f"http://{listen}/admin" in server.log()
    assert requests.get(f"{server.url}/admin/login", timeout=5).status_code == 404
    assert requests.get(f"http://{listen}/readyz", timeout=5).status_code == 404
    server.stop()
    wait_for(lambda: answer() is None, 30, "the console is gone with its server")
