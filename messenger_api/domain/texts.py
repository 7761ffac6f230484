"""The sentences that a person reads in the app, by language.

`say(key, lang, **values)` gives the sentence in the language asked for, else in English.
"""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "code_title": "Code not accepted",
    # The PHP demo's own words, which apps and their testers know.
    "code_wrong": "Invalid OTP",
    "code_dead": "Too many wrong codes. Ask for a new code in {seconds} seconds.",
    "login_title": "Login",
    "login_code_sent": "We sent you a code by SMS.",
    "user_refused": "This account cannot log in now. Please contact support.",
    "phone_title": "Phone number",
    "phone_bad": "Please enter your phone number with its country code.",
    "phone_country": "We cannot send text messages to this country.",
    "value_title": "Request not understood",
    "value_bad": "The field {field} is not valid: {wanted}.",
    "body_bad": "The request body cannot be read: {wanted}.",
    "photo_title": "Photo",
    "photo_bad": "This file is not a picture that we can read. Use JPEG, PNG, WebP or GIF.",
    "file_large": "This file is too large. At most {limit} are accepted.",
    "wait_title": "Please wait",
    "wait_seconds": "Please try again in {seconds} seconds.",
    "phones_many": "Too many phone numbers in one request. At most {limit} are accepted.",
    "members_many": "A group has at most {limit} members.",
    "later_title": "Not available right now",
    "later": "The service cannot answer right now. Please try again in {seconds} seconds.",
}

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH}


def say(key: str, lang: str = "en", **values: str | int) -> str:
    """The sentence `key` in `lang` (a language tag such as "pt-BR"), its placeholders filled."""
    language = LANGUAGES.get(lang.lower().replace("_", "-").partition("-")[0], ENGLISH)
    return language.get(key, ENGLISH[key]).format(**values)
