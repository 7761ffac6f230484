"""The stories that an app of every generation must get through, told once.

`mine` is the app under test, on Ana's phone; `theirs` is on the phones of Bob and Cyd.
"""

from __future__ import annotations

import base64
import io
import itertools
import time
from collections.abc import Mapping

import pytest
from PIL import Image, ImageColor

from tests.apps.app import App, Install, LoggedOut, Refused
from tests.apps.outside import Outside
from tests.apps.store import Notice
from tests.product import jpeg

_NUMBERS = itertools.count(919_876_500_000)

# Numbers that nobody here has: Indian, American, German ones, an emergency call and a typing error.
STRANGERS = {
    **{f"9198760{n:05}": f"Stranger {n}" for n in range(230)},
    "14155550100": "A hotel",
    "4915123456789": "A cousin",
    "112": "Emergency",
    "91": "A typing error",
}


def new_number() -> str:
    """An Indian mobile number that nobody has used yet."""
    return str(next(_NUMBERS))


def phone_book(**people: App) -> dict[str, str]:
    """An address book of these people: their numbers, under the names that its owner gave them."""
    return {app.store.own: name for name, app in people.items()}


def color_is(picture: Image.Image, color: str) -> bool:
    """Whether a photo of one color, though compressed, is this one."""
    seen = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(seen, tuple)
    return all(abs(a - b) < 12 for a, b in zip(seen, ImageColor.getrgb(color), strict=False))


def thumbnail(encoded: str) -> Image.Image:
    """The small photo within an answer or a message."""
    return Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))


class Stories:
    """Inherited by one class of tests for each generation."""

    mine: type[App]
    theirs: type[App]

    @pytest.fixture
    def ana(self, install: Install) -> App:
        """Ana, logged in with the app under test."""
        app = install(self.mine)
        app.log_in(new_number(), "Ana")
        return app

    @pytest.fixture
    def bob(self, install: Install) -> App:
        app = install(self.theirs)
        app.log_in(new_number(), "Bob")
        return app

    @pytest.fixture
    def cyd(self, install: Install) -> App:
        app = install(self.theirs)
        app.log_in(new_number(), "Cyd")
        return app

    @pytest.fixture
    def friends(self, ana: App, bob: App) -> None:
        """Ana and Bob stand in each other's phone book."""
        ana.sync(phone_book(Bobby=bob))
        bob.sync(phone_book(Annie=ana))

    def test_the_code_from_the_text_message_logs_in_and_no_other_code_does(
        self, install: Install, outside: Outside
    ) -> None:
        ana, number = install(self.mine), new_number()
        ana.ask_for_code(number, "Ana")
        code = outside.code(number)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        with pytest.raises(Refused, match="BADCODE"):
            ana.enter_code(number, wrong)
        answer = ana.enter_code(number, code)
        assert (answer["phone"], answer["cc"], answer["name"]) == (number, "91", "Ana")
        assert ana.invitation.text.startswith("Hey, I use Mesibo")
        with pytest.raises(Refused, match="BADCODE"):
            install(self.mine).enter_code(number, code)

    def test_friends_are_found_both_ways_amid_numbers_that_have_no_account(self, ana: App, bob: App) -> None:
        book: Mapping[str, str] = {**phone_book(Bobby=bob), **STRANGERS}
        ana.sync(book)
        bob.sync({**STRANGERS, **phone_book(Annie=ana)})
        assert list(ana.store.contacts) == [bob.store.own]
        assert list(bob.store.contacts) == [ana.store.own]
        assert ana.store.contacts[bob.store.own].name == "Bob"

    def test_every_chunk_of_a_long_phone_book_is_kept(self, ana: App, bob: App, cyd: App) -> None:
        ana.sync({**phone_book(Bobby=bob), **STRANGERS, **phone_book(Cydney=cyd)})
        bob.change_profile("Robert", "first in the book")
        cyd.change_profile("Cydia", "last in the book")
        statuses = {bob.store.own: "first in the book", cyd.store.own: "last in the book"}
        ana.hear_until(
            lambda store: {number: found.status for number, found in store.contacts.items()} == statuses,
            "both friends' changes",
        )

    def test_a_friend_who_joins_is_announced_by_the_name_in_the_phone_book(
        self, bob: App, install: Install
    ) -> None:
        number, ana = new_number(), install(self.mine)
        bob.sync({number: "Annie"})
        assert bob.store.contacts == {}
        ana.log_in(number, "Ana")
        notice = bob.hear_until(lambda store: store.notices, "the announcement")[0]
        assert notice == Notice(
            "Annie is on Mesibo now",
            "Hey, your contact Annie has just joined Mesibo, you may want to say hi!",
        )
        assert bob.store.contacts[number].name == "Ana"

    @pytest.mark.usefixtures("friends")
    def test_a_new_name_status_and_photo_reach_the_friend_by_message(self, ana: App, bob: App) -> None:
        ana.change_profile("Ana María", "आज छुट्टी 😀")
        ana.change_photo(jpeg("teal"))
        known = bob.store.contacts
        bob.hear_until(lambda store: store.contacts[ana.store.own].photo, "Ana's photo")
        seen = known[ana.store.own]
        assert (seen.name, seen.status) == ("Ana María", "आज छुट्टी 😀")
        assert color_is(bob.fetch_photo(seen.photo), "teal")
        assert thumbnail(seen.thumbnail).size == (100, 100)
        assert color_is(thumbnail(seen.thumbnail), "teal")
        assert bob.store.notices == []

    @pytest.mark.usefixtures("friends")
    def test_a_photo_that_is_removed_goes_from_the_friends_phone(self, ana: App, bob: App) -> None:
        ana.change_photo(jpeg("teal"))
        bob.hear_until(lambda store: store.contacts[ana.store.own].photo, "Ana's photo")
        ana.remove_photo()
        bob.hear_until(lambda store: not store.contacts[ana.store.own].photo, "the end of Ana's photo")

    @pytest.mark.usefixtures("friends")
    def test_a_friend_who_missed_the_messages_learns_all_by_the_next_sync(self, ana: App, bob: App) -> None:
        for name, color in (("Ana María", "teal"), ("Anita", "orange")):
            ana.change_profile(name, f"likes {color}")
            ana.change_photo(jpeg(color))
            bob.sync()
            seen = bob.store.contacts[ana.store.own]
            assert (seen.name, seen.status) == (name, f"likes {color}")
            assert color_is(bob.fetch_photo(seen.photo), color)
        assert bob.store.newest > time.time() - 60

    @pytest.mark.usefixtures("friends")
    def test_a_new_group_is_announced_and_shown_with_its_photo(self, ana: App, bob: App) -> None:
        gid = ana.make_group("Trek & Café", [bob.store.own], jpeg("purple"))
        bob.hear_until(lambda store: gid in store.groups and store.groups[gid].photo, "the group's photo")
        group = bob.store.groups[gid]
        assert Notice("You have been added to group Trek & Café", "") in bob.store.notices
        assert (group.name, group.admins) == ("Trek & Café", [ana.store.own])
        assert group.members == [ana.store.own, bob.store.own]
        assert color_is(bob.fetch_photo(group.photo), "purple")
        assert ana.store.groups[gid] == group

    @pytest.mark.usefixtures("friends")
    def test_a_member_who_missed_the_messages_finds_the_group_by_the_next_sync(
        self, ana: App, bob: App
    ) -> None:
        gid = ana.make_group("Trek & Café", [bob.store.own], jpeg("purple"))
        bob.sync()
        assert bob.store.groups == {gid: ana.store.groups[gid]}
        assert color_is(bob.fetch_photo(bob.store.groups[gid].photo), "purple")
        ana.rename_group(gid, "Peaks")
        ana.set_admin(gid, bob.store.own)
        bob.sync()
        assert bob.store.groups == {gid: ana.store.groups[gid]}
        assert bob.store.groups[gid].admins == [ana.store.own, bob.store.own]

    def test_the_members_follow_every_edit_of_a_group_until_its_end(
        self, ana: App, bob: App, cyd: App
    ) -> None:
        gid = ana.make_group("Trek", [bob.store.own, cyd.store.own], jpeg())
        ana.rename_group(gid, "Peaks")
        bob.hear_until(
            lambda store: Notice("Ana has changed group name to Peaks", "") in store.notices, "the new name"
        )
        assert bob.store.groups[gid].name == "Peaks"
        ana.set_admin(gid, bob.store.own)
        cyd.hear_until(lambda store: bob.store.own in store.groups[gid].admins, "Bob the admin")
        bob.hear_until(lambda store: bob.store.own in store.groups[gid].admins, "himself the admin")
        bob.remove_member(gid, cyd.store.own)
        cyd.hear_until(lambda store: gid not in store.groups, "her removal")
        ana.hear_until(lambda store: cyd.store.own not in store.groups[gid].members, "Cyd's removal")
        ana.add_member(gid, cyd.store.own)
        cyd.hear_until(lambda store: gid in store.groups, "her return")
        ana.leave_group(gid)
        for app in (bob, cyd):
            app.hear_until(lambda store: gid not in store.groups, "the end of the group")
            app.sync()
            assert app.store.groups == {}

    def test_a_member_who_leaves_is_gone_from_the_owners_phone(self, ana: App, bob: App, cyd: App) -> None:
        gid = bob.make_group("Trek", [ana.store.own, cyd.store.own], jpeg())
        ana.hear_until(lambda store: gid in store.groups, "the group")
        ana.leave_group(gid)
        left = [bob.store.own, cyd.store.own]
        bob.hear_until(lambda store: store.groups[gid].members == left, "the leaving")
        cyd.hear_until(lambda store: gid in store.groups and store.groups[gid].members == left, "the leaving")

    @pytest.mark.usefixtures("friends")
    def test_logging_out_ends_that_session_and_no_other(self, ana: App, bob: App, install: Install) -> None:
        tablet, thief = install(self.mine), install(self.mine)
        tablet.log_in(ana.store.own)
        thief.token = ana.token
        ana.log_out()
        with pytest.raises(LoggedOut):
            thief.sync()
        tablet.sync()
        assert tablet.store.profile.name == "Ana"
        assert list(tablet.store.contacts) == [bob.store.own]
        bob.sync()
