"""A slapd on free ports of the loopback address, with a directory of its own in a temporary folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import trustme

from tests.processes import LOOPBACK, Server, ServerProcess, free_port, program

BASE = "ou=people,dc=example"
SEARCH_DN, SEARCH_PASSWORD = "cn=search,dc=example", "the search account's password"
PASSWORD = "correct horse battery staple"

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.pem
database mdb
suffix dc=example
rootdn cn=root,dc=example
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=open,dc=example" by * read
access to * by dn.exact="{search}" read by * none
"""

ENTRIES = f"""
dn: dc=example
objectClass: domain
dc: example

dn: ou=people,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=open,dc=example
objectClass: organizationalUnit
ou: open

dn: {SEARCH_DN}
objectClass: person
cn: search
sn: search
userPassword: {SEARCH_PASSWORD}

dn: cn=locked,dc=example
objectClass: person
cn: locked
sn: locked
"""

# The uid and what else the entry holds.
PEOPLE = {
    "Ana": ["cn: Ana Léa", f"userPassword: {PASSWORD}", "mail: ana@example.com"],
    "star*man": ["cn: Star", f"userPassword: {PASSWORD}", "mail: twin@example.com"],
    "ben(b)": ["cn: Ben", f"userPassword: {PASSWORD}", "mail: twin@example.com"],
    "carl": ["cn: Carl", f"userPassword: {PASSWORD}", "mail: twin@example.com"],
    "two": ["cn: Two", f"userPassword: {PASSWORD}", "uid: second", "mail: two@example.com"],
    "comma,name": ["cn: Comma", f"userPassword: {PASSWORD}"],
    "nopass": ["cn: No Password"],
}


class Slapd(Server):
    """OpenLDAP's server. `url` is protected by StartTLS or, on this machine, by nothing; `tls_url` by TLS."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.url, self.tls_url = f"ldap://{LOOPBACK}:{self.port}", f"ldaps://{LOOPBACK}:{self.tls_port}"
        self.folder = Path(tempfile.mkdtemp(prefix="messenger-slapd-"))
        (self.folder / "data").mkdir()
        certificate.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "server.pem"))
        self._configuration = self.folder / "slapd.conf"
        self._configuration.write_text(CONFIGURATION.format(folder=self.folder, search=SEARCH_DN))
        self._fill()

    def start(self) -> None:
        places = f"{self.url} {self.tls_url}"
        # -d keeps it in the foreground.
        command = [program("slapd"), "-f", str(self._configuration), "-h", places, "-d", "0"]
        self.process = ServerProcess(command, self.folder / "log")
        self.process.wait_until(self._listens)

    def close(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _fill(self) -> None:
        command = [program("slapadd"), "-f", str(self._configuration)]
        entries = "\n".join([ENTRIES, *(_entry(uid, lines) for uid, lines in PEOPLE.items())])
        done = subprocess.run(command, input=entries, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _listens(self) -> bool:
        with suppress(OSError):
            socket.create_connection((LOOPBACK, self.tls_port), 1).close()
            return True
        return False


def _entry(uid: str, lines: list[str]) -> str:
    number = list(PEOPLE).index(uid)
    place = "ou=open,dc=example" if uid == "carl" else BASE
    head = [f"dn: employeeNumber={number},{place}", "objectClass: inetOrgPerson", f"employeeNumber: {number}"]
    return "\n".join([*head, "sn: person", f"uid: {uid}", *lines, ""])
