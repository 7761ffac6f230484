"""What may keep a code from a number: a sentence for the operator, and one for the number's owner."""

from __future__ import annotations

import msgspec


class Cause(msgspec.Struct, frozen=True):
    """What it was: `said` to the operator, `tell` for the number's owner."""

    code: str
    said: str
    tell: str


def _all(*causes: Cause) -> dict[str, Cause]:
    return {cause.code: cause for cause in causes}


CAUSES = _all(
    Cause(
        "not_asked",
        "Nobody asked for a code to this number in the last 24 hours.",
        "We saw no attempt with your number. Please check the number in the app, with its country code.",
    ),
    Cause(
        "not_noted",
        "The database takes no writes: no code can be made, and nothing is noted: messenger-api status.",
        "We have a disturbance. Please try again in a few minutes.",
    ),
    Cause(
        "country_not_texted",
        "The number's country gets no texts: SMS_COUNTRIES, DEFAULT_COUNTRY.",
        "We do not send codes to numbers of your country.",
    ),
    Cause(
        "kind_not_texted",
        "Numbers of this kind get no texts: SMS_TO_VOIP and SMS_TO_SATELLITE say more.",
        "We do not send codes to numbers of this kind. Please use a mobile number.",
    ),
    Cause(
        "too_soon",
        "Another code was asked for too soon after the last one (OTP_RESEND_AFTER).",
        "A code was sent a moment ago. Please wait a little before you ask for another.",
    ),
    Cause(
        "number_limit",
        "The number has had all its codes of the hour or the day (SMS_PER_NUMBER_HOUR, SMS_PER_NUMBER_DAY).",
        "Too many codes were asked for with your number. Please try again tomorrow.",
    ),
    Cause(
        "network_limit",
        "The network that asked has had its texts of the hour (SMS_PER_IP_HOUR).",
        "Too many codes were asked for from your network. Please try with mobile data, or in an hour.",
    ),
    Cause(
        "site_limit",
        "A limit that many share was reached: messenger-api sms status.",
        "Too many people ask for codes just now. Please try again in an hour.",
    ),
    Cause(
        "budget_spent",
        "The budget for texts is spent: messenger-api sms status.",
        "We cannot send codes just now. Please try again later.",
    ),
    Cause(
        "held_back",
        "Too few codes are entered on the network that asked, or in the number's range: it gets one in six"
        " hours.",
        "Too many codes were asked for from your network. Please try with mobile data.",
    ),
    Cause(
        "country_paused",
        "Texts to the number's country are paused, for their codes are not entered:"
        " messenger-api sms resume COUNTRY.",
        "We cannot send codes to your country just now. Please try again in an hour.",
    ),
    Cause(
        "login_tries_limit",
        "The network has made too many tries to log in (LOGIN_TRIES_PER_IP_HOUR).",
        "Too many tries came from your network. Please try with mobile data, or in an hour.",
    ),
    Cause(
        "slowed",
        "There were so many wrong tries at this number that it is slowed down (OTP_WRONG_PER_DAY).",
        "Somebody has entered many wrong codes for your number. You get one code an hour until tomorrow.",
    ),
    Cause(
        "limited",
        "A limit refused it.",
        "Please wait a while before you try again.",
    ),
    Cause(
        "number_refused",
        "The provider says that nothing can be sent to this number: it is wrong, or its owner opted out.",
        "Your mobile operator does not take our text. Please check the number.",
    ),
    Cause(
        "landline",
        "The number is a landline, and no provider calls.",
        "Codes cannot be sent to landlines. Please use a mobile number.",
    ),
    Cause(
        "no_provider",
        "No provider of texts took it: messenger-api sms test NUMBER says why.",
        "We could not send the code. Please try again in a few minutes.",
    ),
    Cause(
        "called",
        "The code was told by a call.",
        "We called your number to tell the code. Please answer the call, or ask again.",
    ),
    Cause(
        "receipt_failed",
        "A provider took the text, and reports that it was not delivered.",
        "Your mobile operator did not deliver our text. Please check your reception, and ask again.",
    ),
    Cause(
        "no_receipt",
        "A provider took the text, and nobody reports that it arrived.",
        "The text is on its way, but your operator has not confirmed it. Please check your reception,"
        " and ask again.",
    ),
    Cause(
        "maybe_sent",
        "A provider may have taken the text and did not say so.",
        "The code may have been lost on its way. Please ask again.",
    ),
    Cause(
        "delivered",
        "The text was delivered, and the code was not entered.",
        "Your phone has received the code. Please look among your texts, also among blocked and spam ones.",
    ),
    Cause(
        "on_its_way",
        "The code was handed over, and was not entered.",
        "The code was sent. Please look among your texts, also among blocked and spam ones.",
    ),
    Cause(
        "fixed_code",
        "The number is one of OTP_TEST_NUMBERS: its code is fixed, and nothing was sent.",
        "Please enter the code that you were given: no text is sent to your number.",
    ),
    Cause(
        "wrong_code",
        "A wrong code was entered.",
        "The code that you entered is not the one that we sent. Please look at the newest text.",
    ),
    Cause(
        "expired",
        "The code was entered after it had run out (OTP_TTL).",
        "The code had run out. Please ask for a new one, and enter it at once.",
    ),
    Cause(
        "no_code",
        "A code was entered, and none was asked for.",
        "Please ask for a new code, and check the number in the app.",
    ),
    Cause(
        "used_code",
        "The code had been used already.",
        "This code has been used. Please ask for a new one.",
    ),
    Cause(
        "paused_tries",
        "The next try came too early after wrong ones (OTP_PAUSES).",
        "Please wait half a minute between two tries.",
    ),
    Cause(
        "too_many_tries",
        "Wrong codes were entered so often that the code is dead (OTP_MAX_ATTEMPTS).",
        "Too many wrong codes were entered. Please ask for a new one.",
    ),
    Cause(
        "blocked",
        "The operator keeps this account out: messenger-api users unblock NUMBER.",
        "Your account is blocked.",
    ),
    Cause(
        "mesibo_refused",
        "The code was right, and mesibo refused the user or the app id (appid).",
        "Please install the newest version of the app from the store.",
    ),
    Cause(
        "mesibo_away",
        "mesibo did not answer: messenger-api status.",
        "We have a disturbance. Please try again in a few minutes.",
    ),
    Cause(
        "app_token_refused",
        "mesibo refused the app token: messenger-api status.",
        "We have a disturbance. Please try again in a few minutes.",
    ),
    Cause(
        "method_away",
        "The server that LOGIN_METHOD asks did not answer: messenger-api check.",
        "We have a disturbance. Please try again in a few minutes.",
    ),
    Cause(
        "disturbed",
        "Something of ours was down: the log says what.",
        "We have a disturbance. Please try again in a few minutes.",
    ),
    Cause(
        "logged_in",
        "The code was entered, and the number is logged in.",
        "Your number was logged in. If that was not you, tell us.",
    ),
)
"""Every cause, by its code."""
