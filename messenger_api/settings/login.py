"""The keys of other ways to log in than by text message, and which of them belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messenger_api.settings.conversions import (
    as_algorithms,
    as_flag,
    as_hosts,
    as_ldap_filter,
    as_ldap_url,
    as_literal,
    as_login_method,
    as_mail_domains,
    as_mailbox,
    as_text,
    as_url,
    is_local,
    key,
    one_of,
    seconds,
    whole_number,
)

LOGIN_METHODS = ("otp", "email", "ldap", "radius", "oidc", "password")
# The keys that a login method cannot do without.
LOGIN_NEEDS: Mapping[str, tuple[str, ...]] = {
    "email": ("smtp_host", "smtp_from"),
    "ldap": ("ldap_url", "ldap_base"),
    "radius": ("radius_host", "radius_secret"),
    "oidc": ("oidc_issuer", "oidc_client_id"),
}


@dataclass(frozen=True)
class LoginKeys:
    """A part of `Settings`."""

    login_method: str = key("otp", as_login_method(LOGIN_METHODS))
    login_timeout: float = key(5.0, seconds(0.5, 20))
    smtp_host: str = key("", as_text)
    smtp_port: int = key(0, whole_number(0, 65535))
    smtp_user: str = key("", as_text)
    smtp_pass: str = key("", as_literal, secret=True)
    smtp_tls: str = key("starttls", one_of("starttls", "tls", "none"))
    smtp_from: str = key("", as_mailbox)
    email_local_domains: tuple[str, ...] = key((), as_mail_domains)
    ldap_url: str = key("", as_ldap_url)
    ldap_starttls: bool = key(False, as_flag)
    ldap_bind_dn: str = key("", as_text)
    ldap_bind_pass: str = key("", as_literal, secret=True)
    ldap_base: str = key("", as_text)
    ldap_filter: str = key("(uid={address})", as_ldap_filter)
    ldap_address_attribute: str = key("uid", as_text)
    ldap_name_attribute: str = key("cn", as_text)
    ldap_ca_file: str = key("", as_text)
    radius_host: str = key("", as_hosts)
    radius_port: int = key(1812, whole_number(1, 65535))
    radius_secret: str = key("", as_literal, secret=True)
    radius_nas_id: str = key("messenger-api", as_text)
    oidc_issuer: str = key("", as_url)
    oidc_client_id: str = key("", as_text)
    oidc_address_claim: str = key("email", as_text)
    oidc_name_claim: str = key("name", as_text)
    oidc_max_age: int = key(600, whole_number(10, 86_400))
    oidc_algorithms: tuple[str, ...] = key(("RS256", "ES256"), as_algorithms)

    def login_contradictions(self) -> list[str]:
        """What the chosen login method lacks, and secrets that would travel in clear."""
        method = self.login_method
        missing = [
            f"{name.upper()}: required with the login method {method}"
            for name in LOGIN_NEEDS.get(method, ())
            if not getattr(self, name)
        ]
        exposed = {"email": self._email_faults, "ldap": self._ldap_faults, "oidc": self._oidc_faults}
        return missing + (exposed[method]() if method in exposed else [])

    def _email_faults(self) -> list[str]:
        faults = []
        if self.smtp_tls == "none" and not is_local(f"//{self.smtp_host}"):
            faults.append("SMTP_TLS = 'none': accepted is that only with an SMTP_HOST on this machine")
        if bool(self.smtp_user) != bool(self.smtp_pass):
            faults.append("SMTP_USER: required with SMTP_PASS, and the other way round")
        return faults

    def _ldap_faults(self) -> list[str]:
        in_clear = self.ldap_url.startswith("ldap:") and not self.ldap_starttls
        if in_clear and not is_local(self.ldap_url):
            return ["LDAP_STARTTLS: required with ldap://, unless the directory is on this machine"]
        return []

    def _oidc_faults(self) -> list[str]:
        if self.oidc_issuer.startswith("http:") and not is_local(self.oidc_issuer):
            return ["OIDC_ISSUER: accepted is an https URL, unless the issuer is on this machine"]
        return []
