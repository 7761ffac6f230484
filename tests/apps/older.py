"""An older Android app: forms to `/api.php`, answers through Gson."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote

import requests

from tests.apps.app import App, Fields, parsed
from tests.apps.outside import PATIENCE_SECONDS
from tests.apps.store import Answer, AppCrash

Reader = Callable[[Any], Any]


# Gson as its default adapters read: the type declared in the app decides, anything else throws.


def text(value: Any) -> str:
    """A Java String; Gson turns numbers into texts."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise AppCrash(f"{value!r} is no text")
    return str(value)


def number(value: Any) -> int:
    """A Java long: an integer, quoted or not."""
    is_number = isinstance(value, (str, int)) and not isinstance(value, bool)
    if not is_number or not re.fullmatch(r"-?[0-9]+", str(value)):
        raise AppCrash(f"{value!r} is no whole number")
    return int(value)


def array(reader: Reader) -> Reader:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise AppCrash(f"{value!r} is no array")
        return [reader(item) for item in value]

    return read


def record(**members: Reader) -> Reader:
    """A Java class; members that it does not declare are ignored."""

    def read(value: Any) -> Answer:
        if not isinstance(value, dict):
            raise AppCrash(f"{value!r} is no object")
        return Answer({name: reader(value[name]) for name, reader in members.items() if name in value})

    return read


_WHO: dict[str, Reader] = {"name": text, "status": text, "phone": text, "photo": text, "tn": text}
_ENTRY: dict[str, Reader] = {**_WHO, "gid": number, "ts": number, "members": text}

read_response = record(
    **_ENTRY,
    op=text,
    result=text,
    error=text,
    errtitle=text,
    errmsg=text,
    title=text,
    message=text,
    retry_after=number,
    token=text,
    cc=text,
    google=text,
    ui=text,
    profile=number,
    file=text,
    url=text,
    invite=text,
    fileurl=text,
    downloadurl=text,
    uploadurl=text,
    share=record(text=text, subject=text, title=text),
    urls=record(upload=text, download=text),
    contacts=array(record(**_ENTRY)),
    u=record(**_WHO, ts=number, connection_status=text),
)
read_message = record(**_ENTRY, subject=text, msg=text, type=number, action=number)


class OlderApp(App):
    """Sends forms, and photos as multipart forms, from a phone whose numbers are mostly local ones."""

    code_field = "code"
    numbers_per_call = 100
    identity: ClassVar[Fields] = {"dt": 1}

    def send(self, op: str, fields: Fields) -> Answer:
        return self._post("/api.php", op, fields)

    def upload(self, photo: bytes, gid: int = 0) -> Answer:
        fields = {"token": self.token, "mid": 0, "profile": 1, "gid": gid}
        return self.accepted(self._post(self.urls["upload"], "upload", fields, photo))

    def make_group(self, name: str, members: list[str], photo: bytes) -> int:
        """One call with the photo; name and members are encoded once more than the form needs."""
        fields = {"token": self.token, "gid": 0, "status": "", "name": quote(name, safe="")}
        fields["m"] = quote(",".join(members), safe="")
        return self._keep_group(self.accepted(self._post("/api.php", "setgroup", fields, photo)))

    def written(self, number: str) -> str:
        """Numbers of the own country stand without a country code, which becomes the text "null"."""
        return number.replace("91", "null", 1) if number.startswith("91") else f"+{number}"

    def read_update(self, text: str) -> Answer:
        message: Answer = read_message(parsed(text))
        if not message["subject"]:
            return message
        # The app formats both without looking whether they are there.
        return Answer({**message, "name": message["name"], "msg": message["msg"]})

    def _post(self, place: str, op: str, fields: Fields, photo: bytes | None = None) -> Answer:
        form = {"op": op, **{name: _form_value(value) for name, value in fields.items()}}
        files = {"photo": ("photo.jpg", photo, "image/jpeg")} if photo else None
        address = place if place.startswith("http") else self.server + place
        return _read(self.http.post(address, data=form, files=files, timeout=PATIENCE_SECONDS))


def _form_value(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _read(response: requests.Response) -> Answer:
    if response.status_code != requests.codes.ok:
        raise AppCrash(f"HTTP {response.status_code}")
    answer: Answer = read_response(parsed(response.text))
    return answer
