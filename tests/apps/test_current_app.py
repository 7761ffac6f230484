"""The current Android and iOS apps, with JSON to the bare host, live with this server."""

from __future__ import annotations

import pytest

from tests.apps.app import App, Install, LoggedOut, parsed
from tests.apps.current import AndroidApp, IOSApp
from tests.apps.older import OlderApp
from tests.apps.store import AppCrash
from tests.apps.stories import Stories, color_is, new_number
from tests.product import jpeg

pytestmark = pytest.mark.server


class TestAndroidApp(Stories):
    mine = AndroidApp
    theirs = IOSApp


class TestIOSApp(Stories):
    mine = IOSApp
    theirs = OlderApp


@pytest.mark.parametrize("kind", [AndroidApp, IOSApp])
def test_an_app_with_an_unknown_token_shows_its_login_screen(kind: type[App], install: Install) -> None:
    ana = install(kind)
    ana.log_in(new_number(), "Ana")
    upload = ana.urls["upload"]
    for attempt in (lambda: ana.sync(), lambda: ana.upload(jpeg())):
        ana.token, ana.urls["upload"] = "0" * 48, upload
        with pytest.raises(LoggedOut):
            attempt()
        assert ana.token == ""


def test_the_same_user_may_use_an_iphone_and_an_android_phone(install: Install) -> None:
    iphone, android = install(IOSApp), install(AndroidApp)
    number = new_number()
    iphone.log_in(number, "Ana")
    android.log_in(number)
    iphone.change_photo(jpeg("navy"))
    android.sync()
    assert android.store.profile.name == "Ana"
    assert color_is(android.fetch_photo(android.store.profile.photo), "navy")


def test_the_uploader_crashes_on_a_result_that_is_a_text(install: Install) -> None:
    ana = install(IOSApp)
    assert isinstance(ana, IOSApp)
    with pytest.raises(AppCrash, match="result"):
        ana.uploaded(parsed('{"op": "upload", "result": "OK"}'))
