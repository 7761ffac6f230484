"""What `LOGIN_METHOD` may name."""

from __future__ import annotations

from messenger_api.gateways.keys.directory import LdapKeys
from messenger_api.gateways.keys.mail import EmailKeys
from messenger_api.gateways.keys.oidc import OidcKeys
from messenger_api.gateways.keys.radius import RadiusKeys
from messenger_api.gateways.plugins import Plugin, Plugins

_HERE = "messenger_api.gateways.login"
_OURS = {
    "email": Plugin(f"{_HERE}.mail.EmailMethod", EmailKeys, "email"),
    "ldap": Plugin(f"{_HERE}.directory.LdapMethod", LdapKeys, "ldap"),
    "radius": Plugin(f"{_HERE}.radius.RadiusMethod", RadiusKeys, "radius"),
    "oidc": Plugin(f"{_HERE}.oidc.OidcMethod", OidcKeys, "oidc"),
}
METHODS = Plugins(
    "LOGIN_METHOD",
    "login method",
    _OURS,
    # The first two need no class, and the passwords of the last are kept in the database.
    ("otp", "mesibo_otp", *_OURS, "password"),
    example="mycompany.login.MyMethod",
    at_start=True,
)
"""Loaded only where they are used: nobody else needs the libraries, or pays for loading them."""
