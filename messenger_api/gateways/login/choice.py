"""The login method that `LOGIN_METHOD` names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from messenger_api.gateways.login.base import CodeMethod, LoginMethod
from messenger_api.settings import LOGIN_METHODS, Settings

# Imported only where it is used: nobody else needs the libraries, or pays for loading them.
_HERE: Mapping[str, str] = {
    "email": "messenger_api.gateways.login.mail.EmailMethod",
    "ldap": "messenger_api.gateways.login.directory.LdapMethod",
    "radius": "messenger_api.gateways.login.radius.RadiusMethod",
    "oidc": "messenger_api.gateways.login.oidc.OidcMethod",
}
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
    where = f"LOGIN_METHOD = {name!r}"
    module_name, dot, class_name = _HERE.get(name, name).rpartition(".")
    if not dot:
        raise ValueError(
            f"{where}: accepted are {', '.join(LOGIN_METHODS)} and a dotted path such as"
            ' "mycompany.login.MyMethod"'
        )
    try:
        found: object = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # whatever the operator's module raises, the key is what they must hear of
        if name in _HERE:
            raise ValueError(f"{where}: needs: pip install '.[{name}]' ({error})") from error
        raise ValueError(f"{where}: cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, (LoginMethod, CodeMethod))):
        # A ValueError, since it is the setting's value that is wrong.
        raise ValueError(f"{where}: neither a LoginMethod nor a CodeMethod of messenger_api.gateways.login")  # noqa: TRY004
    return found
