"""Apps of all generations share one group and the same contacts."""

from __future__ import annotations

import pytest

from tests.apps.app import App, Install
from tests.apps.current import IOSApp
from tests.apps.older import OlderApp
from tests.apps.store import Notice
from tests.apps.stories import color_is, new_number
from tests.apps.webpage import OpenPage, WebApp
from tests.product import jpeg

pytestmark = pytest.mark.server


@pytest.fixture
def ana(install: Install) -> App:
    """Ana has kept her old phone."""
    app = install(OlderApp)
    app.log_in(new_number(), "Ana")
    return app


@pytest.fixture
def bob(install: Install) -> App:
    """Bob has an iPhone."""
    app = install(IOSApp)
    app.log_in(new_number(), "Bob")
    return app


@pytest.fixture
def cyd(open_page: OpenPage) -> WebApp:
    """Cyd sits at a desk."""
    app = open_page()
    app.log_in(new_number(), "Cyd")
    return app


@pytest.fixture
def friends(ana: App, bob: App, cyd: WebApp) -> None:
    """All three have all three in the phone book, themselves too."""
    people = {ana.store.own: "A", bob.store.own: "B", cyd.number: "C"}
    ana.sync(people)
    bob.sync(people)
    cyd.sync(*people)


@pytest.mark.usefixtures("friends")
def test_each_finds_the_other_two_and_never_oneself(ana: App, bob: App, cyd: WebApp) -> None:
    assert set(ana.store.contacts) == {bob.store.own, cyd.number}
    assert set(bob.store.contacts) == {ana.store.own, cyd.number}
    cyd.shows("#contacts", f"{ana.store.own} Ana")
    cyd.shows("#contacts", f"{bob.store.own} Bob")
    assert len(cyd.texts("#contacts")) == 2


@pytest.mark.usefixtures("friends")
def test_a_change_of_anyone_reaches_the_two_others(ana: App, bob: App, cyd: WebApp) -> None:
    ana.change_profile("Anita", "old phone")
    bob.change_profile("Robert", "new phone")
    cyd.change_profile("Cydia", "no phone")
    ana.hear_until(
        lambda s: [s.contacts[n].status for n in (bob.store.own, cyd.number)] == ["new phone", "no phone"],
        "both changes",
    )
    bob.hear_until(
        lambda s: [s.contacts[n].status for n in (ana.store.own, cyd.number)] == ["old phone", "no phone"],
        "both changes",
    )
    changed = {f"{ana.store.own} Anita old phone", f"{bob.store.own} Robert new phone"}
    cyd.hear_until(lambda page: set(page.texts("#contacts")) == changed, "both changes")


def test_all_follow_one_group_whoever_edits_it(ana: App, bob: App, cyd: WebApp) -> None:
    gid = ana.make_group("Trek & Café", [bob.store.own, cyd.number], jpeg("purple"))
    bob.hear_until(lambda store: gid in store.groups, "the group")
    assert bob.store.notices == [Notice("You have been added to group Trek & Café", "")]
    assert color_is(bob.fetch_photo(bob.store.groups[gid].photo), "purple")
    cyd.hear_until(lambda page: page.texts("#groups"), "the group")
    assert cyd.texts("#notices") == ["You have been added to group Trek & Café"]
    assert cyd.page.locator("#groups img").evaluate("image => image.decode().then(() => true)")

    ana.set_admin(gid, bob.store.own)
    bob.hear_until(lambda store: bob.store.own in store.groups[gid].admins, "being an admin")
    bob.rename_group(gid, "Peaks")
    ana.hear_until(lambda store: store.groups[gid].name == "Peaks", "the new name")
    assert ana.store.notices == [Notice("Bob has changed group name to Peaks", "")]
    edited = f"Peaks: {ana.store.own},{bob.store.own},{cyd.number} (admins: {ana.store.own},{bob.store.own})"
    cyd.hear_until(lambda page: page.texts("#groups") == [edited], "both edits")

    bob.remove_member(gid, cyd.number)
    cyd.hear_until(lambda page: not page.texts("#groups"), "her removal")
    ana.hear_until(lambda store: cyd.number not in store.groups[gid].members, "Cyd's removal")
    ana.leave_group(gid)
    bob.hear_until(lambda store: gid not in store.groups, "the end of the group")
