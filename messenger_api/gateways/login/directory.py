"""Logging in at an LDAP directory, by a bind with the person's own DN and password (keys `LDAP_...`)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

# The library is untyped.
import ldap  # type: ignore[import-untyped]
from ldap.filter import escape_filter_chars  # type: ignore[import-untyped]

from messenger_api.domain.address import read_login_name
from messenger_api.gateways.keys.directory import LdapKeys
from messenger_api.gateways.login.base import Denied, LoginMethod, Person, Unavailable
from messenger_api.gateways.threads import Busy, Calls, TooSlow
from messenger_api.mesibo.http.deadline import TIMED_OUT, Deadline
from messenger_api.settings import Settings

# The directory's "no" to a person. Locked and expired accounts get one of these, by the directory's taste.
_NO = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.INSUFFICIENT_ACCESS,
    ldap.UNWILLING_TO_PERFORM,
    ldap.CONSTRAINT_VIOLATION,
    ldap.NO_SUCH_OBJECT,
)

# Enough to see that an entry is not the only one.
MOST_HITS = 2

# More than the requests that a process serves at once.
MOST_AT_ONCE = 64

# The steps keep the time limit by themselves where they can, and say better what went wrong.
GRACE_SECONDS = 0.25

# Seconds until the system finds out that the machine at the other end is gone, and between its three probes.
KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES = 20, 10, 3

Attributes = Mapping[str, list[bytes]]
T = TypeVar("T")


class LdapMethod(LoginMethod):
    """Looks for the person's entry, then binds as that entry, over a connection of its own for each login."""

    name = "ldap"

    def __init__(self, settings: Settings) -> None:
        self._keys = settings.of(LdapKeys)
        self._seconds = settings.login_timeout
        self._calls = Calls("ldap", MOST_AT_ONCE)

    def check(self) -> None:
        """Look for somebody, as for a login: proves the connection, the search account, base and filter."""
        self._within_time(self._search_nobody)

    def _authenticate(self, address: str, secret: str) -> Person:
        # A bind without a password succeeds, as nobody (RFC 4513, section 5.1.2).
        if not secret:
            raise Denied("no password")
        return self._within_time(lambda: self._bind_person(address, secret))

    def _within_time(self, work: Callable[[], T]) -> T:
        """Work in a thread, which is left behind when it takes too long.

        The library knows no time limit for the handshake of ldaps://. Threads that are left are free again
        when the directory's machine answers or is found dead; meanwhile their number is bounded.
        """
        try:
            return self._calls.run(work, self._seconds + GRACE_SECONDS)
        except Busy:
            raise Unavailable("the directory hangs") from None
        except TooSlow:
            raise Unavailable(TIMED_OUT) from None

    def _search_nobody(self) -> None:
        with self._connected() as (connection, deadline):
            self._find(connection, deadline, "messenger-api-check")

    def _bind_person(self, address: str, secret: str) -> Person:
        with self._connected() as (connection, deadline):
            found = self._find(connection, deadline, address)
            if len(found) != 1:
                raise Denied("several entries fit" if found else "no entry fits")
            dn, attributes = found[0]
            try:
                self._bind(connection, deadline, dn, secret)
            except _NO:
                raise Denied("the directory does not accept the password") from None
        return self._person(attributes)

    @contextmanager
    def _connected(self) -> Iterator[tuple[Any, Deadline]]:
        """A connection on which the search account is bound; the library's failures become ours."""
        deadline = Deadline(self._seconds)
        try:
            connection = self._open(deadline)
            try:
                self._bind_search_account(connection, deadline)
                yield connection, deadline
            finally:
                with suppress(ldap.LDAPError):
                    connection.unbind_s()
        except TimeoutError:
            raise Unavailable(TIMED_OUT) from None
        except ldap.LDAPError as error:
            raise Unavailable(TIMED_OUT if deadline.is_over else self._fault(error)) from None

    def _fault(self, error: ldap.LDAPError) -> str:
        unsafe = isinstance(error, (ldap.SERVER_DOWN, ldap.CONNECT_ERROR))
        return (_fault_of(self._keys.ldap_ca_file) if unsafe else "") or _reason(error)

    def _open(self, deadline: Deadline) -> Any:
        keys = self._keys
        connection = ldap.initialize(keys.ldap_url)
        connection.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
        # A referral would take the password to a server that nobody configured.
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        connection.set_option(ldap.OPT_X_KEEPALIVE_IDLE, KEEPALIVE_IDLE)
        connection.set_option(ldap.OPT_X_KEEPALIVE_INTERVAL, KEEPALIVE_INTERVAL)
        connection.set_option(ldap.OPT_X_KEEPALIVE_PROBES, KEEPALIVE_PROBES)
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        if keys.ldap_ca_file:
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, keys.ldap_ca_file)
        # The options of TLS are taken over by a new context alone, so it comes last.
        try:
            connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        except (ldap.LDAPError, ValueError):
            raise Unavailable(_fault_of(keys.ldap_ca_file) or "TLS cannot be set up") from None
        _limit(connection, deadline)
        if keys.ldap_starttls:
            connection.start_tls_s()
        return connection

    def _bind_search_account(self, connection: Any, deadline: Deadline) -> None:
        keys = self._keys
        try:
            self._bind(connection, deadline, keys.ldap_bind_dn, keys.ldap_bind_pass)
        except _NO:
            raise Unavailable("LDAP_BIND_DN and LDAP_BIND_PASS were not accepted") from None

    def _bind(self, connection: Any, deadline: Deadline, dn: str, password: str) -> None:
        _limit(connection, deadline)
        connection.simple_bind_s(dn, password)

    def _find(self, connection: Any, deadline: Deadline, address: str) -> list[tuple[str, Attributes]]:
        keys = self._keys
        _limit(connection, deadline)
        try:
            found = connection.search_ext_s(
                keys.ldap_base,
                ldap.SCOPE_SUBTREE,
                # RFC 4515: what has a meaning in filters has none in an address.
                keys.ldap_filter.replace("{address}", escape_filter_chars(address)),
                [keys.ldap_address_attribute, keys.ldap_name_attribute],
                timeout=deadline.left(),
                sizelimit=MOST_HITS,
            )
        except ldap.SIZELIMIT_EXCEEDED:
            raise Denied("several entries fit") from None
        # A reference to another server comes as an entry without a DN.
        return [(dn, attributes) for dn, attributes in found if dn]

    def _person(self, attributes: Attributes) -> Person:
        keys = self._keys
        # The names of attributes are spelled as the directory likes.
        values = {name.lower(): texts for name, texts in attributes.items()}
        addresses = values.get(keys.ldap_address_attribute.lower(), [])
        address = read_login_name(_text(addresses[0])) if len(addresses) == 1 else None
        if address is None:
            raise Denied("the entry has not one usable value in LDAP_ADDRESS_ATTRIBUTE")
        names = values.get(keys.ldap_name_attribute.lower(), [])
        return Person(address, _text(names[0]) if names else "")


def _fault_of(ca_file: str) -> str:
    """Why the certificates of LDAP_CA_FILE cannot be used, which the library does not tell; or ""."""
    if not ca_file:
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except ssl.SSLError:
        return f"LDAP_CA_FILE: {ca_file} holds no certificates in PEM"
    except OSError as error:
        return f"LDAP_CA_FILE: {ca_file} cannot be read: {error.strerror}"
    return ""


def _limit(connection: Any, deadline: Deadline) -> None:
    """Let the next step take no longer than the time that is left."""
    connection.timeout = deadline.left()
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, connection.timeout)
    connection.set_option(ldap.OPT_TIMEOUT, connection.timeout)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _reason(error: ldap.LDAPError) -> str:
    """What happened, in the library's own words for the kind; its details may quote an entry's name."""
    words = {
        ldap.SERVER_DOWN: "no connection to LDAP_URL, or its certificate is not accepted",
        ldap.CONNECT_ERROR: "StartTLS failed, or the certificate is not accepted",
        ldap.NO_SUCH_OBJECT: "LDAP_BASE is not there, or the search account may not see it",
        ldap.FILTER_ERROR: "LDAP_FILTER is not a filter",
        ldap.TIMEOUT: TIMED_OUT,
    }
    return words.get(type(error), f"the directory answered {type(error).__name__}")
