"""The real nginx, Caddy and HAProxy with the files of deploy/, on free ports of the loopback address.

Nothing in the files is changed but ports, paths, the user, for Caddy that it fetches no certificate, and for
HAProxy how many connections it has files for, of which a machine for tests may have fewer.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.processes import Server, ServerProcess, program
from tests.servers import IS_ROOT, LOOPBACK, ROOT, free_port

DEPLOY = ROOT / "deploy"
BACKEND = "127.0.0.1:8080"
NAME = "chat.example.com"

Change = tuple[str, str]


@dataclass(frozen=True)
class Certificates:
    """Files with a certificate for `NAME`, its key, both in one, and that of who signed it."""

    chain: Path
    key: Path
    both: Path
    authority: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        authority = trustme.CA()
        issued = authority.issue_cert(NAME, LOOPBACK)
        made = cls(*(folder / f"{name}.pem" for name in ("chain", "key", "both", "authority")))
        made.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        made.key.write_bytes(issued.private_key_pem.bytes())
        made.both.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        made.authority.write_bytes(authority.cert_pem.bytes())
        return made


class Front(Server):
    """A proxy with one file of deploy/, in front of a backend.

    `changes` are made first, each to something that is there: what the file's comments tell to change.
    """

    file = ""

    def __init__(self, certificates: Certificates, backend: int, *changes: Change, tls: bool = True) -> None:
        self.certificates = certificates
        self.port, self.plain_port = free_port(), free_port()
        self._tls = tls
        self.url = f"https://{NAME}:{self.port}"
        self._backend = backend
        self._changes = changes
        self._folder = Path(tempfile.mkdtemp(prefix="messenger-front-"))

    def start(self) -> None:
        config = self._folder / self.file
        config.write_text(self._adapted())
        self.process = ServerProcess(self._command(config), self._folder / "log", environment=self._home())
        self.process.wait_until(self._answers)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """What it printed."""
        return (self._folder / "log").read_text()

    def connect(self, source: str = LOOPBACK) -> socket.socket:
        """A connection of HTTP/1.1 over TLS."""
        plain = socket.create_connection((LOOPBACK, self.port), 10, (source, 0))
        context = ssl.create_default_context(cafile=str(self.certificates.authority))
        return context.wrap_socket(plain, server_hostname=NAME)

    def _adapted(self) -> str:
        text = (DEPLOY / self.file).read_text()
        backend = (BACKEND, f"{LOOPBACK}:{self._backend}")
        for old, new in (*self._changes, *self._places(), backend):
            assert old in text, old
            text = text.replace(old, new)
        return text

    def _places(self) -> Iterable[Change]:
        raise NotImplementedError

    def _command(self, config: Path) -> list[str]:
        raise NotImplementedError

    def _home(self) -> dict[str, str] | None:
        return None

    def _answers(self) -> bool:
        with (
            suppress(OSError),
            self.connect() if self._tls else socket.create_connection((LOOPBACK, self.port)),
        ):
            return True
        return False


class Nginx(Front):
    file = "nginx.conf"

    def _places(self) -> Iterable[Change]:
        yield "user www-data;\n", "daemon off;\nuser root;\n" if IS_ROOT else "daemon off;\n"
        yield "/run/nginx.pid", str(self._folder / "pid")
        yield "/var/log/nginx/access.log", str(self._folder / "access.log")
        yield "/var/log/nginx/error.log", "stderr"
        yield "        listen [::]:80;\n", ""
        yield "        listen [::]:443 ssl http2;\n", ""
        yield "listen 80;", f"listen {LOOPBACK}:{self.plain_port};"
        yield "listen 443 ssl http2;", f"listen {LOOPBACK}:{self.port}{' ssl http2' if self._tls else ''};"
        yield "/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(self.certificates.chain)
        yield "/etc/letsencrypt/live/chat.example.com/privkey.pem", str(self.certificates.key)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        yield "http {\n", "http {\n" + "".join(f"    {k}_temp_path {self._folder / k};\n" for k in kinds)

    def _command(self, config: Path) -> list[str]:
        return [program("nginx"), "-e", "stderr", "-p", str(self._folder), "-c", str(config)]


class Caddy(Front):
    file = "Caddyfile"

    def _places(self) -> Iterable[Change]:
        yield "{\n\tservers {", "{\n\tadmin off\n\tauto_https off\n\tservers {"
        scheme = "https" if self._tls else "http"
        sites = ", ".join(f"{scheme}://{name}:{self.port}" for name in (NAME, LOOPBACK))
        tls = f"\ttls {self.certificates.chain} {self.certificates.key}\n" if self._tls else ""
        yield "\nchat.example.com {\n", f"\n{sites} {{\n\tbind {LOOPBACK}\n{tls}"

    def _command(self, config: Path) -> list[str]:
        return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]

    def _home(self) -> dict[str, str]:
        return {"HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder)}


class HAProxy(Front):
    file = "haproxy.cfg"

    def _places(self) -> Iterable[Change]:
        yield "    user haproxy\n    group haproxy\n    log /dev/log local0\n", ""
        yield "    log global\n", ""
        yield "maxconn 20000", "maxconn 4000"
        yield "bind :80\n", f"bind {LOOPBACK}:{self.plain_port}\n"
        listen = f"bind {LOOPBACK}:{self.port}"
        if self._tls:
            yield (
                "bind :443 ssl crt /etc/haproxy/chat.example.com.pem",
                f"{listen} ssl crt {self.certificates.both}",
            )
        else:
            yield "bind :443 ssl crt /etc/haproxy/chat.example.com.pem alpn h2,http/1.1", listen
            yield "    http-request redirect scheme https code 308 unless { ssl_fc }\n", ""

    def _command(self, config: Path) -> list[str]:
        return [program("haproxy"), "-db", "-f", str(config)]


FRONTS: dict[str, Callable[..., Front]] = {"nginx": Nginx, "caddy": Caddy, "haproxy": HAProxy}
