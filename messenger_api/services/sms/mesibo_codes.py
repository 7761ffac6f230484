"""Codes that mesibo makes. It delivers none: they travel as ours do."""

from __future__ import annotations

import structlog

from messenger_api.domain.errors import BadPhone, TryLater
from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, MesiboUnreachable
from messenger_api.services.bulkhead import outbound_slot
from messenger_api.services.otp.codes import Issued, OneTimeCodes
from messenger_api.services.otp.judges import MESIBO, REFUSED_SECONDS, UNAVAILABLE_SECONDS
from messenger_api.services.sms.money import MONEY
from messenger_api.settings import Settings

log = structlog.get_logger(__name__)


class MesiboCodes:
    """LOGIN_METHOD = "mesibo_otp": has mesibo make a code in the place of one of ours."""

    verification = MESIBO

    def __init__(self, settings: Settings, mesibo: MesiboClient, codes: OneTimeCodes) -> None:
        self._tries = settings.otp_max_attempts
        self._seconds = settings.otp_ttl
        self._mesibo = mesibo
        self._codes = codes

    def make(self, address: str, issued: Issued) -> str:
        """The code that mesibo makes for one that was counted; where there is none, it is forgotten.

        Raises:
            BadPhone: mesibo refuses the address.
            TryLater: it cannot be asked, or makes no codes for this app.
        """
        try:
            with outbound_slot():
                return self._mesibo.make_otp(address, tries=self._tries, expiry=self._seconds)
        except TryLater:
            self._codes.recall(issued)
            raise
        except MesiboUnreachable as error:
            self._codes.recall(issued, but=_limits(issued) if error.maybe_done else ())
            raise TryLater(retry_after=UNAVAILABLE_SECONDS) from error
        except MesiboRefused as error:
            # Whatever it is about, mesibo has been asked: who asks pays with the limits.
            self._codes.recall(issued, but=_limits(issued))
            if not error.about_app_token and (error.names("address") or error.names("addr")):
                raise BadPhone(properties=("phone",)) from error
            log.error("login.mesibo_makes_no_code", error=error.label)
            raise TryLater(retry_after=REFUSED_SECONDS) from error


def _limits(issued: Issued) -> list[str]:
    """What a code counts that mesibo may have made and no text carried: all but the text's price."""
    return [claim.limit for claim in issued.counted.claims if claim.limit not in MONEY]
