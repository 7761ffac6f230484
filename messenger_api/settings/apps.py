"""The keys of what the apps are told."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import as_text, as_url
from messenger_api.settings.keys import Keys, key


@dataclass(frozen=True)
class AppKeys(Keys):
    """The apps

    What the apps are told after a login.
    """

    public_url: str = key(
        "",
        as_url,
        "The address under which the apps reach this server, without a path. Empty: the address that they"
        " called, which is right unless a proxy hides it.",
        "https://chat.example.com",
    )
    upload_url: str = key(
        "",
        as_url,
        "Where the apps send files. Empty: /api.php of this server.",
        "https://files.example.com/api.php",
    )
    download_url: str = key(
        "",
        as_url,
        "Where the apps fetch files; a file's name is appended, so end it with a slash. Empty: /files/ of"
        " this server.",
        "https://cdn.example.com/files/",
    )
    google_map_key: str = key(
        "",
        as_text,
        "The key for Google Maps that the apps are given for sharing locations. Empty: none.",
        "AIza...",
    )
    invite_text: str = key(
        "Hey, I use Mesibo for free messaging, voice and video calls. Download it from https://m.mesibo.com",
        as_text,
        "The text with which people invite others.",
        "Join me on Example Chat: https://chat.example.com/get",
    )
    invite_subject: str = key(
        "Mesibo Messenger: Open Source Messenger",
        as_text,
        "The subject of an invitation by mail.",
        "Example Chat",
    )
    invite_title: str = key(
        "Invite a friend via",
        as_text,
        "The heading over the list of apps to invite with.",
        "Invite with",
    )
    join_subject: str = key(
        "%NAME% is on Mesibo now",
        as_text,
        "The notification for those who have a new user's number in their phone book. The app puts the"
        " name from that phone book in the place of %NAME%.",
        "%NAME% is here",
    )
    join_message: str = key(
        "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!",
        as_text,
        "The text of that notification.",
        "%NAME% now uses Example Chat too.",
    )
