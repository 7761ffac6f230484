"""Codes that an administrator's authenticator shows (TOTP, RFC 6238), each good once."""

from __future__ import annotations

from dataclasses import dataclass, field

from messenger_api.domain.secrets import same

ISSUER = "messenger-api"
STEP_SECONDS = 30
# Clocks of phones differ: the codes before and after are right, too (RFC 6238, 5.2).
STEPS_AROUND = (-1, 0, 1)


@dataclass(frozen=True)
class Enrolment:
    """A new secret: `uri` is what authenticators read, as text or as a QR code."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def enrolment(name: str) -> Enrolment:
    """A new secret for an administrator. Raises ImportError: the library is not installed."""
    # Optional: whoever has no console needs no library for it.
    import pyotp

    secret = pyotp.random_base32()
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


def step_of(secret: str, code: str, now: int) -> int | None:
    """The step of time whose code this is; None: it is not of now. As long for a wrong one."""
    import pyotp

    codes, typed = pyotp.TOTP(secret), "".join(code.split()).encode("utf-8", "replace")
    here = now // STEP_SECONDS
    found = [here + by for by in STEPS_AROUND if same(codes.generate_otp(here + by).encode(), typed)]
    return max(found, default=None)


def nobodys_secret() -> str:
    """A secret that nobody has: what is typed for an unknown name is compared with its codes."""
    import pyotp

    return pyotp.random_base32()
