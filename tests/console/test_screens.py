"""The screens: what they show and hide, what may be done there by whom, and what is told of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from markupsafe import escape

from messenger_api.domain.administrators import Role
from messenger_api.services.operator.events import NumberRevealed
from tests.console.driver import Admin, logged_in
from tests.console.scene import ANA, BEN, CAT, play, play_a_day
from tests.product import Product

PATHS = (
    "",
    "/users",
    "/groups",
    "/reports",
    "/texts",
    "/money",
    "/outbox",
    "/audit",
    "/settings",
    "/search",
)


@pytest.fixture
def scene(product: Product) -> Product:
    play(product)
    return product


@pytest.fixture
def ana(scene: Product) -> Admin:
    return logged_in(scene)


def told(product: Product) -> list[tuple[str, dict[str, str | int]]]:
    """What the audit has of acts on the console, newest first."""
    rows = product.parts.audit.page(most=100)
    return [(row.event, row.fields) for row in rows if row.event != "LoggedIn"]


def uid_of(product: Product, number: str) -> int:
    found = product.parts.operator.users.find(number)
    assert found
    return found.uid


def report_of(product: Product) -> int:
    return product.parts.operator.users.complaints(before=0, limit=1, closed=False)[0].id


def group_of(product: Product) -> int:
    return product.parts.operator.groups.page(after=0, limit=1)[0].gid


def test_every_screen_is_shown_to_whoever_has_its_role_and_to_nobody_else(scene: Product) -> None:
    for role in Role:
        admin = logged_in(scene, f"admin-{role.word}", role)
        for path in PATHS:
            allowed = role >= Role.OPERATE or path not in ("/audit", "/settings")
            assert admin.get(path).status_code == (200 if allowed else 403), (role, path)
        for screen in ("audit", "settings"):
            assert (f'href="/admin/{screen}"' in admin.get().text) == (role >= Role.OPERATE)
    stranger = Admin(scene, "nobody", "")
    for path in PATHS:
        page = stranger.get(path).text
        assert "Log in" in page
        assert "Silva" not in page


@pytest.mark.parametrize("number", [2**63, 10**30, 10**400])
def test_a_number_that_no_row_can_have_is_nothing_anywhere(ana: Admin, scene: Product, number: int) -> None:
    for path in ("/users/{}", "/groups/{}"):
        assert ana.get(path.format(number)).status_code == 404
    for path in (
        "/users?after={}",
        "/groups?after=-{}",
        "/reports?before={}",
        "/audit?before={}",
        "/outbox?item={}",
    ):
        assert ana.get(path.format(number)).status_code == 200
    before = told(scene)
    for path in (
        "/outbox/{}/retry",
        "/reports/{}/block",
        "/reports/{}/dismiss",
        "/users/{}/reveal",
        "/users/{}/block",
        "/users/1/sessions/{}/end",
    ):
        assert ana.post(path.format(number), reason="why").status_code in (404, 405), path
    assert told(scene) == before


def test_no_screen_shows_a_whole_number(ana: Admin, scene: Product) -> None:
    users = [f"/users/{uid_of(scene, number)}" for number in (ANA, BEN, CAT)]
    for path in (*PATHS, *users, f"/groups/{group_of(scene)}"):
        page = ana.get(path).text
        for number in (ANA, BEN, CAT):
            assert number not in page, path
    nobody = ana.post("/search", q=f"{BEN} {CAT}").text
    assert "Nothing found" in nobody
    assert ANA not in nobody


def test_what_users_write_is_text_and_no_markup(ana: Admin) -> None:
    page = ana.get("/users").text
    assert "Chitra &lt;b&gt;Rao&lt;/b&gt;" in page
    assert "<b>Rao" not in page


def test_revealing_a_number_is_an_act_for_five_minutes_and_one_session(ana: Admin, scene: Product) -> None:
    ben = uid_of(scene, BEN)
    ana.get(f"/users/{ben}")
    refused = ana.act(f"/users/{ben}/reveal", reason=" ")
    assert "Give a reason" in refused.text
    page = ana.act(f"/users/{ben}/reveal", reason="asked by phone").text
    assert BEN in page
    assert "five minutes" in page
    assert BEN in ana.get("/users").text
    assert ANA not in ana.get(f"/users/{uid_of(scene, ANA)}").text
    other = logged_in(scene, "ben")
    assert BEN not in other.get(f"/users/{ben}").text
    assert told(scene)[0] == ("AdministratorMade", {"role": "own"})
    assert told(scene)[1] == (NumberRevealed.__name__, {"uid": ben, "reason": "asked by phone"})
    scene.clock.advance(301)
    assert BEN not in ana.get(f"/users/{ben}").text


def test_a_user_is_kept_out_and_let_in_again(ana: Admin, scene: Product) -> None:
    ben = uid_of(scene, BEN)
    ana.get(f"/users/{ben}")
    page = ana.act(f"/users/{ben}/block", reason="spam").text
    assert "The user is kept out." in page
    assert "Kept out" in page
    assert scene.parts.operator.users.show(BEN).blocked  # type: ignore[union-attr]
    assert scene.parts.operator.users.show(BEN).sessions == []  # type: ignore[union-attr]
    assert "may log in again" in ana.act(f"/users/{ben}/unblock", reason="sorted out").text
    assert told(scene)[1][1] == {"uid": ben, "old": "open", "new": "blocked", "reason": "spam"}


def test_sessions_are_ended_one_or_all(ana: Admin, scene: Product) -> None:
    ben = uid_of(scene, BEN)
    ana.get(f"/users/{ben}")
    sid = scene.parts.operator.users.show(BEN).sessions[0].sid  # type: ignore[union-attr]
    scene.log_in(BEN)
    assert "The session has ended." in ana.act(f"/users/{ben}/sessions/{sid}/end", reason="lost").text
    assert len(scene.parts.operator.users.show(BEN).sessions) == 1  # type: ignore[union-attr]
    assert "All sessions have ended." in ana.act(f"/users/{ben}/sessions/end", reason="lost").text
    assert scene.parts.operator.users.show(BEN).sessions == []  # type: ignore[union-attr]


def test_deleting_takes_the_name_a_reason_and_a_fresh_code(ana: Admin, scene: Product) -> None:
    ben = uid_of(scene, BEN)
    ana.get(f"/users/{ben}")
    whole = {"typed": "Ben Okafor", "reason": "by letter"}
    half = {**whole, "typed": "Ben"}
    assert "type exactly" in ana.act(f"/users/{ben}/delete", **half, code=ana.fresh_code()).text
    assert "code is wrong" in ana.act(f"/users/{ben}/delete", **whole, code="000000").text
    used = ana.fresh_code()
    assert "Give a reason" in ana.act(f"/users/{ben}/delete", **{**whole, "reason": ""}, code=used).text
    again = ana.act(f"/users/{ben}/delete", **whole, code=used).text
    assert "code is wrong" in again, "each code is good once"
    assert scene.parts.operator.users.find(BEN)
    assert "deleted" in ana.act(f"/users/{ben}/delete", **whole, code=ana.fresh_code()).text
    assert scene.parts.operator.users.find(BEN) is None
    assert told(scene)[0] == ("UserDeleted", {"uid": ben, "reason": "by letter"})
    assert ana.get(f"/users/{ben}").status_code == 404


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/users/2/reveal", Role.SUPPORT),
        ("/users/2/sessions/end", Role.SUPPORT),
        ("/users/2/sessions/2/end", Role.SUPPORT),
        ("/users/2/block", Role.OPERATE),
        ("/users/2/unblock", Role.OPERATE),
        ("/users/2/delete", Role.OPERATE),
        ("/outbox/retry", Role.OPERATE),
        ("/outbox/1/retry", Role.OPERATE),
        ("/outbox/purge", Role.OPERATE),
        ("/money/countries/DE/resume", Role.OPERATE),
        ("/money/ranges/x/resume", Role.OPERATE),
        ("/money/limits/SMS_PER_HOUR/raise", Role.OPERATE),
        ("/money/limits/SMS_PER_HOUR/end", Role.OPERATE),
        ("/reports/1/block", Role.OPERATE),
        ("/reports/1/dismiss", Role.OPERATE),
    ],
)
def test_an_act_is_for_its_role_and_forms_of_our_own(
    tmp_path: object, scene: Product, path: str, role: Role
) -> None:
    below = logged_in(scene, "below", Role(role - 1))
    before = told(scene)
    assert below.post(path, reason="x").status_code == 403
    stranger = Admin(scene, "nobody", "")
    stranger.get("/login")
    assert "Log in" in stranger.post(path, reason="x").text
    above = logged_in(scene, "above", role)
    assert above.post(path, form_token="0" * 64, reason="x").status_code == 403
    assert above.http.get(f"/admin{path}").status_code in (404, 405), "nothing is done by a link"
    assert [row for row in told(scene) if row[0] != "AdministratorMade"] == [
        row for row in before if row[0] != "AdministratorMade"
    ]


def test_one_box_finds_anything(ana: Admin, scene: Product) -> None:
    def leads(typed: str) -> str:
        return ana.post("/search", q=typed).headers.get("Location", "")

    gid = group_of(scene)
    assert leads("+1 415-555-0101") == f"/admin/users/{uid_of(scene, ANA)}"
    assert leads("okaf") == f"/admin/users/{uid_of(scene, BEN)}"
    assert leads("SUNDAY") == f"/admin/groups/{gid}"
    assert leads(str(gid)) == f"/admin/groups/{gid}"
    item = scene.parts.outbox.status(1).dead_items[0].id
    assert "dead" not in leads(str(item))
    page = ana.post("/search", q=str(item)).text + leads(str(item))
    assert f"/admin/outbox?item={item}" in page
    assert "Nothing found" in ana.post("/search", q="zzzz").text
    many = ana.post("/search", q="a").text
    assert "Nothing found" in many, "a single letter is in everything"
    ben = uid_of(scene, BEN)
    sid = scene.parts.operator.users.show(BEN).sessions[0].sid  # type: ignore[union-attr]
    for typed, what in ((ben, f"user {ben}"), (sid, f"session {sid}")):
        page = ana.post("/search", q=str(typed)).text
        assert what in page or leads(str(typed)) == f"/admin/users/{ben}"
    for odd in ("%", "_%", "\0x", "9" * 100, "'", "a" * 500, "\U0001f600", ""):
        assert ana.post("/search", q=odd).status_code in (200, 303)


def test_what_is_searched_for_stands_in_no_address(ana: Admin, scene: Product) -> None:
    """A proxy keeps addresses in its log."""
    page = ana.get("/users").text
    assert re.search(r'<form class="find" role="search" method="post" action="/admin/search">', page)
    assert BEN not in ana.post("/search", q=BEN).headers["Location"]
    assert "okaf" not in ana.post("/search", q="okaf").headers["Location"]
    assert ana.post("/search", q=BEN, form_token="0" * 64).status_code == 403
    assert "Okafor" not in ana.get("/search?q=okaf").text


def test_a_report_is_acted_on_where_it_is_read(ana: Admin, scene: Product) -> None:
    report = report_of(scene)
    assert "Sends the same link" in ana.get("/reports").text
    assert "kept out" in ana.act(f"/reports/{report}/block", reason="true").text
    assert "Sends the same link" not in ana.get("/reports").text
    assert "Sends the same link" in ana.get("/reports?closed=1").text
    assert scene.parts.operator.users.show(ANA).blocked  # type: ignore[union-attr]
    assert [row[0] for row in told(scene)[:2]] == ["UserAccess", "ReportClosed"]
    assert told(scene)[1][1] == {"report": report, "old": "open", "new": "acted on", "reason": "true"}
    assert "not there any more" in ana.act(f"/reports/{report}/dismiss", reason="again").text


def test_a_report_is_dismissed(ana: Admin, scene: Product) -> None:
    report = report_of(scene)
    ana.get("/reports")
    assert "is closed" in ana.act(f"/reports/{report}/dismiss", reason="a joke among friends").text
    assert not scene.parts.operator.users.show(ANA).blocked  # type: ignore[union-attr]


def test_what_was_given_up_is_tried_again_or_removed(ana: Admin, scene: Product) -> None:
    item = scene.parts.outbox.status(1).dead_items[0].id
    assert "given up" in ana.get(f"/outbox?item={item}").text
    assert "tried again" in ana.act(f"/outbox/{item}/retry").text
    assert "not there" in ana.act(f"/outbox/{item}/retry").text
    assert scene.parts.outbox.status(1).dead == 0
    assert told(scene)[0] == ("OutboxRetried", {"item": item})
    ana.act("/outbox/retry")
    assert "type exactly" in ana.act("/outbox/purge", typed="x", code=ana.fresh_code()).text
    assert "removed" in ana.act("/outbox/purge", typed="purge", code=ana.fresh_code()).text


def test_the_audit_is_verified_on_its_screen(ana: Admin) -> None:
    page = ana.get("/audit?verify=1").text
    assert "as they were written" in page
    assert "open → blocked" in page
    assert ">ana<" in page


def test_settings_show_no_secret_and_the_doctor_tells_what_is_wrong(
    make_product: Callable[..., Product],
) -> None:
    product = make_product(redis_url="", metrics_token="a-secret-of-the-test", default_country="US")
    ana = logged_in(product)
    page = ana.get("/settings").text
    assert "a-secret-of-the-test" not in page
    assert "a test&#39;s own secret key" not in page
    assert "DEFAULT_COUNTRY" in page
    found = ana.get("/settings?check=1").text
    assert "What the doctor finds" in found
    assert "verdict is-ok" in found


def test_a_word_in_the_address_says_nothing_of_its_own(ana: Admin) -> None:
    assert "hacked" not in ana.get("/users?notice=hacked").text
    assert "The account is deleted." in ana.get("/users?notice=deleted").text


def test_the_overview_plots_the_last_day_of_the_figures(ana: Admin, scene: Product) -> None:
    scene.parts.bookkeeper.keep()
    page = ana.get().text
    assert "Log-ins in the last 24 hours, codes asked for: 3, log-ins completed: 3" in page
    assert "People in the last 24 hours, sign-ups: 3" in page
    assert page.count("<polyline") == 17
    assert "99 of 100 (p99): " in page
    assert " style=" not in page
    scene.clock.advance(25 * 3600)
    assert ana.log_in().status_code == 303
    assert "codes asked for: 0" in ana.page


def test_half_and_nearly_all_calls_are_within_the_bounds_of_their_buckets(product: Product) -> None:
    play_a_day(product)
    plot = product.parts.console.trends.day()[-1]
    assert [line.whole for line in plot.lines] == [10, 250]
    assert set(plot.lines[0].values) == {10}


def test_the_overview_says_whether_people_can_log_in_and_what_is_wrong(ana: Admin, scene: Product) -> None:
    judged = scene.parts.operator.judge.now()
    page = ana.get().text
    assert judged.headline() in page
    assert judged.findings
    for finding in judged.findings:
        assert str(escape(finding.said)) in page
        assert str(escape(finding.to_do)) in page


def test_a_user_has_the_story_of_their_codes(ana: Admin, scene: Product) -> None:
    explained = scene.parts.why.of(BEN)
    page = ana.get(f"/users/{uid_of(scene, BEN)}").text
    assert str(escape(explained.cause.said)) in page
    assert str(escape(explained.cause.tell)) in page
    for moment in explained.timeline:
        assert str(escape(moment.what)) in page
    assert BEN not in page
