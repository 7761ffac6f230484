"""TLS on the way to the database: used where the server speaks it, and made ready once a process."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import pytest
import trustme

from messenger_api import configuration
from messenger_api.storage.db import Database, open_database
from tests.servers import LOOPBACK, MariaDB

pytestmark = pytest.mark.server

NAME, CONNECTIONS = "messenger_tls", 4


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a server's certificate and its authority's."""
    folder = tmp_path_factory.mktemp("tls")
    own = trustme.CA()
    own.cert_pem.write_to_path(folder / "ca.pem")
    certificate = own.issue_cert(LOOPBACK)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return folder


def test_a_new_certificate_and_its_authority_are_taken_without_a_restart(tmp_path: Path) -> None:
    """An operator who renews both puts new files in the places of the old ones, and FLUSHes SSL."""

    def renew() -> None:
        own = trustme.CA()
        certificate = own.issue_cert(LOOPBACK)
        own.cert_pem.write_to_path(tmp_path / "ca.pem")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
        for name in ("key", "cert", "ca"):
            (tmp_path / f"{name}.pem").chmod(0o644)

    renew()
    tmp_path.chmod(0o755)
    with MariaDB(options=[f"--ssl-{name}={tmp_path / name}.pem" for name in ("cert", "key")]) as server:
        server.create_database(NAME)
        database = by_uri(f"{server.uri(NAME)}&ssl_ca={tmp_path / 'ca.pem'}")
        assert all(ciphers(database))
        renew()
        server.query("FLUSH SSL")
        assert all(ciphers(database))


@pytest.fixture(scope="module")
def speaks_tls(authority: Path) -> Iterator[MariaDB]:
    options = [f"--ssl-{name}={authority / name}.pem" for name in ("ca", "cert", "key")]
    with MariaDB(options=options) as server:
        server.create_database(NAME)
        yield server


def ciphers(database: Database) -> list[str]:
    """Of several connections at once; "" for one without TLS."""
    with ExitStack() as stack:
        connections = [stack.enter_context(database.engine.connect()) for _ in range(CONNECTIONS)]
        found = [tx.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one() for tx in connections]
    database.engine.dispose()
    return [str(value) for _name, value in found]


def by_uri(uri: str) -> Database:
    return open_database(configuration.build(secret_key="k" * 32, sqlalchemy_database_uri=uri))


def by_host(port: int, name: str) -> Database:
    keys = {"db_host": f"{LOOPBACK}:{port}", "db_name": name, "db_user": "root", "db_pass": ""}
    return open_database(configuration.build(secret_key="k" * 32, **keys))


@pytest.fixture
def made() -> Iterator[mock.Mock]:
    """Counts the contexts that are made."""
    with mock.patch.object(ssl, "create_default_context", wraps=ssl.create_default_context) as count:
        yield count


def test_all_connections_to_a_server_that_speaks_tls_use_it_and_share_a_context(
    speaks_tls: MariaDB, made: mock.Mock
) -> None:
    assert "" not in ciphers(by_uri(speaks_tls.uri(NAME)))
    assert made.call_count == 1


def test_a_server_is_held_to_the_authority_that_is_named(
    speaks_tls: MariaDB, authority: Path, made: mock.Mock
) -> None:
    assert "" not in ciphers(by_uri(speaks_tls.uri(NAME) + f"&ssl_ca={authority / 'ca.pem'}"))
    assert made.call_count == 1
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(authority / "stranger.pem")
    with pytest.raises(Exception, match="certificate verify failed"):
        ciphers(by_uri(speaks_tls.uri(NAME) + f"&ssl_ca={authority / 'stranger.pem'}"))


def test_a_server_without_tls_is_spoken_with_all_the_same(mariadb: MariaDB, made: mock.Mock) -> None:
    mariadb.create_database(NAME)
    try:
        for database in (by_uri(mariadb.uri(NAME)), by_host(mariadb.port, NAME)):
            made.reset_mock()
            assert set(ciphers(database)) == {""}
            assert made.call_count == 1
    finally:
        mariadb.drop_database(NAME)
