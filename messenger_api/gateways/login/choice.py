"""The login method that `LOGIN_METHOD` names."""

from __future__ import annotations

from messenger_api.gateways.login.base import CodeMethod, LoginMethod
from messenger_api.gateways.login.directory_keys import LdapKeys
from messenger_api.gateways.login.mail_keys import EmailKeys
from messenger_api.gateways.login.oidc_keys import OidcKeys
from messenger_api.gateways.login.radius_keys import RadiusKeys
from messenger_api.gateways.plugins import Plugin, Plugins
from messenger_api.settings import Settings

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


def method_from_settings(settings: Settings) -> LoginMethod | CodeMethod | None:
    """The method that `LOGIN_METHOD` names: one of ours, or a class by its dotted path.

    Returns:
        None for "otp", "mesibo_otp" and "password", which are no business of a gateway.

    Raises:
        ValueError: the name is unknown, or the method cannot be loaded or set up.
    """
    name = settings.login_method
    is_elsewhere = name in METHODS.accepted and name not in METHODS.ours
    return None if is_elsewhere else _class(name)(settings)


def _class(name: str) -> type[LoginMethod] | type[CodeMethod]:
    found = METHODS.load(name)
    if not (isinstance(found, type) and issubclass(found, (LoginMethod, CodeMethod))):
        raise METHODS.fault(name, "neither a LoginMethod nor a CodeMethod of messenger_api.gateways.login")
    return found
