"""The login method that `LOGIN_METHOD` names."""

from __future__ import annotations

from messenger_api.gateways.keys.login_methods import METHODS
from messenger_api.gateways.login.base import CodeMethod, LoginMethod
from messenger_api.settings import Settings


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
