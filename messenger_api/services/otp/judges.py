"""Who says whether a code is right that somebody else has made: the SMS provider who did, or mesibo."""

from __future__ import annotations

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, MesiboUnreachable
from messenger_api.gateways.sms import SmsSender, SmsUnavailable
from messenger_api.services.bulkhead import outbound_slot

MESIBO = ":mesibo"
"""The verification of every code that mesibo makes. No provider is named by the text before the colon."""

# What an app is told when whoever made a code cannot be asked, and when mesibo refuses our app token.
UNAVAILABLE_SECONDS = 30
REFUSED_SECONDS = 60

# mesibo documents no length of its codes, and its web app takes none shorter.
SHORTEST, LONGEST = 5, 10


class Unclear(TryLater):
    """A refusal by which mesibo may have judged the code, or not: the try stays counted."""


class Judges:
    """Asks the one who made a code."""

    def __init__(self, sms: SmsSender, mesibo: MesiboClient) -> None:
        self._sms = sms
        self._mesibo = mesibo

    def is_right(self, verification: str, address: str, shown: str, appid: str) -> bool:
        """Whether this is the code of an address that `verification` ("provider:id", or `MESIBO`) is about.

        Raises:
            Unclear: mesibo speaks of a token, and does not say whose.
            TryLater: nobody has judged it.
        """
        if verification == MESIBO:
            return is_possible(shown) and self._is_right_at_mesibo(address, shown, appid)
        provider, _, theirs = verification.partition(":")
        try:
            with outbound_slot():
                return self._sms.check_code(provider, address, theirs, shown)
        except SmsUnavailable as error:
            raise TryLater(retry_after=UNAVAILABLE_SECONDS) from error

    def _is_right_at_mesibo(self, address: str, shown: str, appid: str) -> bool:
        """By a `useradd`, which mesibo documents for no other purpose: what it makes is made anew at the
        login's end. It asks for a token, for nobody says whether mesibo looks at a code without."""
        try:
            with outbound_slot():
                self._mesibo.add_user(address, appid=appid, otp=shown)
        except MesiboUnreachable as error:
            # mesibo said no by a label that nobody knows, without a status: what a wrong code may get.
            if error.reason.startswith("fault ") and error.code is None:
                return False
            raise TryLater(retry_after=UNAVAILABLE_SECONDS) from error
        except MesiboRefused as error:
            if error.names("otp") or not error.about_app_token:
                return False
            certain = error.is_breach or error.names("token")
            raise (TryLater if certain else Unclear)(retry_after=REFUSED_SECONDS) from error
        return True


def is_possible(shown: str) -> bool:
    """Whether it can be a code of mesibo's. A text that its server may read as no code at all, and then not
    look at ("0" among them), must not be asked about: every `useradd` without a code succeeds."""
    return shown.isascii() and shown.isdigit() and SHORTEST <= len(shown) <= LONGEST and int(shown) > 0
