"""What Twilio says on the phone: a code, digit by digit, twice, in the language of the person."""

from __future__ import annotations

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from messenger_api.gateways.sms.base import TextMessage

# Languages that Twilio's plain voices speak: https://www.twilio.com/docs/voice/twiml/say/text-speech
LANGUAGES = {
    "ca": "ca-ES",
    "da": "da-DK",
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "it": "it-IT",
    "ja": "ja-JP",
    "ko": "ko-KR",
    "nb": "nb-NO",
    "nl": "nl-NL",
    "pl": "pl-PL",
    "pt": "pt-BR",
    "ru": "ru-RU",
    "sv": "sv-SE",
    "zh": "zh-CN",
}
_ENGLISH = "en-US"
TIMES = 2


def speech(message: TextMessage) -> str:
    """The TwiML that says the message.

    A voice says the text of its own language only. For a language that it does not speak, it says the
    digits alone, in English, which is understood where an English reading of the text would not be.
    """
    language = LANGUAGES.get(message.language.partition("-")[0])
    digits = ", ".join(message.code)
    text = message.text.replace(message.code, digits) if message.code else message.text
    if not language and digits:
        language, text = _ENGLISH, digits
    response = VoiceResponse()
    for _ in range(TIMES):
        # A moment to bring the phone to the ear, and to reach for a pen.
        response.pause(length=1)
        response.say(text, language=language or _ENGLISH)
    return str(response)
