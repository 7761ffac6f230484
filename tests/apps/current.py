"""The current Android and iOS apps: JSON to the bare host, and mesibo's own uploader for files."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import requests

from tests.apps.app import App, Fields, parsed
from tests.apps.outside import PATIENCE_SECONDS
from tests.apps.store import Answer, AppCrash


class CurrentApp(App):
    """What the two have in common."""

    code_field = "otp"
    headers: ClassVar[dict[str, str]] = {}

    def value(self, given: Any) -> Any:
        """A value as it stands in the JSON."""
        raise NotImplementedError

    def send(self, op: str, fields: Fields) -> Answer:
        body = {"op": op, **{name: self.value(given) for name, given in fields.items()}}
        response = self.http.post(
            f"{self.server}/", data=json.dumps(body).encode(), headers=self.headers, timeout=PATIENCE_SECONDS
        )
        assert response.request.headers.get("Content-Type") == self.headers.get("Content-Type")
        answer = _read(response)
        if answer["result"] not in ("OK", "FAIL"):
            raise AppCrash(f"the result is {answer['result']!r}")
        return answer

    def upload(self, photo: bytes, gid: int = 0) -> Answer:
        """mesibo's uploader: it names the token `auth` and looks for a boolean and an address."""
        form = {"op": "upload", "auth": self.token, "mid": "0", "profile": "1", "gid": str(gid)}
        files = {"file": ("IMG_0001.jpg", photo, "application/octet-stream")}
        response = self.http.post(self.urls["upload"], data=form, files=files, timeout=PATIENCE_SECONDS)
        return self.uploaded(_read(response))

    def uploaded(self, answer: Answer) -> Answer:
        """The uploader's own reading of the result; the app then fetches the file by its address."""
        if not isinstance(answer["result"], bool):
            raise AppCrash(f"the uploader got {answer['result']!r} for a result")
        self.accepted(answer)
        for address in (answer["url"], answer["file"]):
            if address != self.urls["download"] + answer["photo"]:
                raise AppCrash(f"the uploader got {address!r} for an address")
        return answer

    def read_update(self, text: str) -> Answer:
        return parsed(text)


class AndroidApp(CurrentApp):
    """Says that it sends JSON, with every value as a text."""

    numbers_per_call = 100
    identity: ClassVar[Fields] = {"dt": 1, "lang": "en"}
    headers: ClassVar[dict[str, str]] = {"Content-Type": "application/json"}

    def value(self, given: Any) -> Any:
        return ",".join(given) if isinstance(given, list) else str(given)


class IOSApp(CurrentApp):
    """Sends JSON without saying so, with numbers as numbers and lists as arrays."""

    numbers_per_call = 200
    identity: ClassVar[Fields] = {"dt": 2}

    def value(self, given: Any) -> Any:
        return given


def _read(response: requests.Response) -> Answer:
    """JSON, or the Swift app is gone; and everything but HTTP 200 counts as no answer."""
    if response.status_code != requests.codes.ok:
        raise AppCrash(f"HTTP {response.status_code}")
    return parsed(response.text)
