"""The login method that `LOGIN_METHOD` names."""

from __future__ import annotations

from messenger_api.gateways.login.base import CodeMethod, LoginMethod
from messenger_api.gateways.plugins import Plugins
from messenger_api.settings import LOGIN_METHODS, Settings

# Loaded only where it is used: nobody else needs the libraries, or pays for loading them.
_METHODS = Plugins(
    key="LOGIN_METHOD",
    ours={
        "email": "messenger_api.gateways.login.mail.EmailMethod",
        "ldap": "messenger_api.gateways.login.directory.LdapMethod",
        "radius": "messenger_api.gateways.login.radius.RadiusMethod",
        "oidc": "messenger_api.gateways.login.oidc.OidcMethod",
    },
    accepted=LOGIN_METHODS,
    example="mycompany.login.MyMethod",
    extras=("email", "ldap", "radius", "oidc"),
)
# What needs neither of them: codes by SMS, and passwords, which are kept in the database.
_ELSEWHERE = frozenset({"otp", "password"})


def method_from_settings(settings: Settings) -> LoginMethod | CodeMethod | None:
    """The method that `LOGIN_METHOD` names: one of ours, or a class by its dotted path.

    Returns:
        None for "otp" and "password", which are no business of a gateway.

    Raises:
        ValueError: the name is unknown, or the method cannot be loaded or set up.
    """
    name = settings.login_method
    return None if name in _ELSEWHERE else _class(name)(settings)


def _class(name: str) -> type[LoginMethod] | type[CodeMethod]:
    found = _METHODS.load(name)
    if not (isinstance(found, type) and issubclass(found, (LoginMethod, CodeMethod))):
        raise _METHODS.fault(name, "neither a LoginMethod nor a CodeMethod of messenger_api.gateways.login")
    return found
