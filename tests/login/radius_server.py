"""FreeRADIUS on a free port of the loopback address, configured in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.processes import LOOPBACK, Server, ServerProcess, free_port, program

SECRET = "a shared secret, long and random"
PASSWORD = "correct horse battery staple"

CONFIGURATION = """
prefix = /usr
libdir = {libraries}
run_dir = {folder}
pidfile = {folder}/pid
log {{
    destination = stdout
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
client tests {{
    ipaddr = {address}
    secret = "{secret}"
    require_message_authenticator = yes
}}
modules {{
    pap {{
    }}
    files {{
        usersfile = {folder}/people
    }}
}}
server tests {{
    listen {{
        type = auth
        ipaddr = {address}
        port = {port}
    }}
    authorize {{
        update reply {{
            Message-Authenticator := 0x00  # before 3.2.5 it signed only what it was told to
        }}
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
}}
"""

PEOPLE = f"""
ana Cleartext-Password := "{PASSWORD}"

ben Cleartext-Password := "pässwörd"

gone Cleartext-Password := "{PASSWORD}", Auth-Type := Reject

token Cleartext-Password := "{PASSWORD}", Response-Packet-Type := Access-Challenge
"""


class FreeRadius(Server):
    """Knows ana and ben, rejects gone, asks token for more."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="messenger-radius-"))
        places = {"folder": self.folder, "libraries": _libraries(), "address": LOOPBACK}
        configuration = CONFIGURATION.format(**places, port=self.port, secret=SECRET)
        (self.folder / "radiusd.conf").write_text(configuration)
        (self.folder / "people").write_text(PEOPLE)

    def start(self) -> None:
        command = [program("freeradius", "radiusd"), "-f", "-l", "stdout", "-n", "radiusd"]
        log = self.folder / "log"
        before = log.stat().st_size if log.exists() else 0
        self.process = ServerProcess([*command, "-d", str(self.folder)], log)
        self.process.wait_until(lambda: b"Ready to process" in log.read_bytes()[before:])

    def close(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _libraries() -> str:
    """Where this system keeps FreeRADIUS's modules."""
    places = [Path("/usr/lib/freeradius"), *Path("/usr/lib").glob("*/freeradius")]
    places += [Path("/opt/homebrew/lib"), Path("/usr/local/lib")]
    return str(next(place for place in places if any(place.glob("rlm_pap.*"))))
