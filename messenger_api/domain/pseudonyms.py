"""The keyed hashes under which an address, and whoever asks for its codes, is found and counted."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.domain.identity import LoginName
from messenger_api.domain.network import site_of
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys


@dataclass(frozen=True)
class Pseudonyms:
    """Those of an address and of the network that asks; what is of a network is "" where none is known."""

    key: bytes
    """The address, as accounts and codes are found by it."""
    address: str
    """The address, as codes to it are counted."""
    tries: str
    """The address, as wrong tries at it are counted."""
    network: str
    """An IPv4 address or IPv6 /64."""
    site: str
    """The IPv6 /48 around it; "" around an IPv4 address."""
    home: str
    """The address on this network."""


@dataclass(frozen=True)
class PhonePseudonyms(Pseudonyms):
    """Those of a phone number, of what it is part of, and of the network that asks."""

    prefix: str
    """The range of numbers that it is from."""
    country: str
    """Its country, which is no secret: two ISO letters, "" for none."""
    prefix_voice: str
    """Whoever speaks with one voice, an IPv4 address or a /48, about the range."""
    country_voice: str
    """The same, about the country."""


def of_name(keys: Keys, who: LoginName, network: str) -> Pseudonyms:
    """The pseudonyms of an address of a login method, asked for from a network (`domain.network`)."""
    return Pseudonyms(*_common(keys, who, network))


def of_phone(keys: Keys, phone: Phone, network: str) -> PhonePseudonyms:
    """The pseudonyms of a phone number, asked for from a network (`domain.network`)."""
    key, address, tries, place, site, home = _common(keys, phone, network)
    prefix, country, voice = keys.subject(phone.prefix), phone.region, site or place
    return PhonePseudonyms(
        key,
        address,
        tries,
        place,
        site,
        home,
        prefix,
        country,
        keys.subject("range", prefix, voice) if voice else "",
        keys.subject("country", country, voice) if voice else "",
    )


def _common(keys: Keys, who: Phone | LoginName, network: str) -> tuple[bytes, str, str, str, str, str]:
    key, match, site = keys.contact_key(who), who.match, site_of(network)
    return (
        key,
        keys.subject(match),
        keys.subject(key),
        keys.subject(network) if network else "",
        keys.subject(site) if site else "",
        keys.subject(match, network) if network else "",
    )
