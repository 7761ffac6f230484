"""Whose request it is, as far as an address of the internet tells."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

# A household or phone gets one network of this size, and may use any address in it. Whoever asks gets one of
# the other size, as easily as an address of IPv4 (RFC 6177).
HOUSEHOLD, SITE = 64, 48


def is_loopback(host: str) -> bool:
    """Whether this address or name leads to this machine, and no other machine gets there by it."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def address_in(entry: str) -> str:
    """The address in what a proxy wrote, which may have a port behind it; "" when it is none."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text if network_of(text) else ""


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What limits count: an IPv4 address, or the IPv6 network of 64 bits; "" for what is neither."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, HOUSEHOLD), strict=False).network_address)
    return str(found)


def shortened(address: str) -> str:
    """For a log: the network of 24 bits around an IPv4 address, of 48 with IPv6; "" for neither."""
    network = network_of(address)
    if not network:
        return ""
    return str(ipaddress.ip_network((network, SITE if ":" in network else 24), strict=False))


@lru_cache(maxsize=4096)
def site_of(network: str) -> str:
    """The IPv6 network of 48 bits around one that `network_of` gave; "" around an IPv4 address."""
    return str(ipaddress.IPv6Network((network, SITE), strict=False)) if ":" in network else ""
