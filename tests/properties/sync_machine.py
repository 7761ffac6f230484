"""A machine that makes people, phone books, groups and syncs meet in every order, transactions held open."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from messenger_api.services.people import news
from messenger_api.storage import db
from tests.product import APPID, Answer, Phone, jpeg
from tests.properties.syncing import App, Held, Stage, quiet

PHOTOS = [jpeg("teal", (16, 16)), jpeg("red", (16, 16))]
USERS, JOINERS = 3, 2

who = st.integers(0, USERS + JOINERS - 1)
which = st.integers(0, 5)
some = st.sets(st.integers(0, USERS + JOINERS), min_size=1)
held = st.booleans()
photos = st.sampled_from([0, 1, None])
words = st.sampled_from(["a", "b", "c"])
kind = st.sampled_from(["entries", "own", "all"])


class Syncing(RuleBasedStateMachine):
    """Several people with each other's numbers, their apps, their groups, and time that passes oddly."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.numbers = [stage.new_number() for _ in range(USERS + JOINERS)]
        self.known = [*self.numbers, stage.new_number()]  # the last one never joins
        self.apps: list[App] = []
        self.groups: list[tuple[str, App]] = []
        self.coming = list(self.numbers)
        self.held: list[Held] = []

    @initialize()
    def start(self) -> None:
        """The first people come, with apps of all kinds, and sync their phone books."""
        for takes in ("entries", "own", "all"):
            self._arrived(self.stage.log_in(self.coming.pop(0)), takes)
        self._group(self.apps[0], self.numbers[:USERS])

    # People

    @rule(index=who, text=words, field=st.sampled_from(["name", "status"]), hold=held)
    def change_profile(self, index: int, text: str, field: str, hold: bool) -> None:
        app = self._app(index)
        self._change(app, "profile", {app.phone.number}, hold, **{field: text})

    @rule(index=who, photo=photos, hold=held)
    def change_photo(self, index: int, photo: int | None, hold: bool) -> None:
        app = self._app(index)
        change = {"delete": 1} if photo is None else {"photo": PHOTOS[photo]}
        self._change(app, "upload", {app.phone.number}, hold, profile=1, **change)

    @rule(hold=held, takes=kind)
    def join(self, hold: bool, takes: str) -> None:
        """Somebody logs in for the first time whose number others have had for long."""
        if not self.coming:
            return
        number = self.coming.pop(0)
        self._commit_what_touches({number})
        if not hold:
            self._arrived(self.stage.log_in(number), takes)
            return
        product, code = self.stage.another(), self.stage.code_for(number)

        def arrived(answer: Answer) -> None:
            self._arrived(Phone(self.stage.product, number, answer["token"], answer), takes)

        # The first transaction of a login takes the code, the second makes the account.
        login = partial(product.call, "login", phone=number, appid=APPID, otp=code)
        self.held.append(Held(self.stage.gate, login, {number}, write=2, then=arrived))

    # Groups

    @rule(index=who, people=some)
    def make_group(self, index: int, people: set[int]) -> None:
        self._group(self._app(index), [self.known[i] for i in people])

    @rule(index=which, name=words, hold=held)
    def rename_group(self, index: int, name: str, hold: bool) -> None:
        gid, owner = self.groups[index % len(self.groups)]
        self._change(owner, "profile", {gid}, hold, gid=gid, name=name)

    @rule(index=which, photo=photos, hold=held)
    def change_group_photo(self, index: int, photo: int | None, hold: bool) -> None:
        gid, owner = self.groups[index % len(self.groups)]
        change = {"delete": 1} if photo is None else {"photo": PHOTOS[photo]}
        self._change(owner, "upload", {gid}, hold, profile=1, gid=gid, **change)

    @rule(index=which, people=some, remove=st.booleans(), hold=held)
    def edit_members(self, index: int, people: set[int], remove: bool, hold: bool) -> None:
        gid, owner = self.groups[index % len(self.groups)]
        numbers = {self.known[i] for i in people}
        self._change(
            owner, "editmembers", {gid, *numbers}, hold, gid=gid, m=",".join(numbers), delete=int(remove)
        )

    @rule(index=which, person=who, admin=st.booleans(), hold=held)
    def set_admin(self, index: int, person: int, admin: bool, hold: bool) -> None:
        gid, owner = self.groups[index % len(self.groups)]
        self._change(owner, "setadmin", {gid}, hold, gid=gid, m=self.numbers[person], admin=int(admin))

    @rule(index=which, person=who)
    def leave_group(self, index: int, person: int) -> None:
        gid, owner = self.groups[index % len(self.groups)]
        app = self._app(person)
        if app is not owner:
            self._commit_what_touches({gid, app.phone.number})
            assert app.phone.call("delgroup", gid=gid).get("error", "NOTMEMBER") == "NOTMEMBER"

    # Syncs and time

    @rule(index=who)
    def sync(self, index: int) -> None:
        app = self._app(index)
        app.take(self.stage.beside(app.ask, self._commit_all) if self.held else app.ask())

    @rule(index=who)
    def lose_an_answer(self, index: int) -> None:
        """A sync whose answer does not arrive. Who takes a `ts` elsewhere cannot know what it missed."""
        app = self._app(index)
        if app.takes != "all":
            self.stage.beside(app.ask, self._commit_all)

    @rule(index=who, people=some)
    def match(self, index: int, people: set[int]) -> None:
        app = self._app(index)
        self._commit_what_touches({app.phone.number})
        app.match(self.known[i] for i in people)

    @rule(index=who, person=who)
    def forget(self, index: int, person: int) -> None:
        app = self._app(index)
        self._commit_what_touches({app.phone.number})
        app.forget(self.numbers[person])

    @rule(seconds=st.sampled_from([0, 0.3, 1, 3, 6, 100]))
    def wait(self, seconds: float) -> None:
        """Time passes; whoever would hold a transaction for longer than allowed commits before."""
        for call in list(self.held):
            if call.age + seconds > db.MAX_TRANSACTION_SECONDS:
                self._commit(call)
            call.age += seconds
        self.stage.clock.advance(seconds)

    @rule(settled=st.booleans())
    def note_news(self, settled: bool) -> None:
        """A worker notes what has settled: a good part, or all, beside transactions that are held."""
        if settled:
            self.wait(news.BEHIND_SECONDS)
        self.stage.beside(self.stage.news.note, self._commit_all)

    @rule()
    def others_change(self) -> None:
        """Many others change, of whom nobody here knows."""
        self.stage.beside(self.stage.change_others, self._commit_all)

    @rule(index=which)
    def commit(self, index: int) -> None:
        """One of the transactions that are held comes to its end, in any order."""
        if self.held:
            self._commit(self.held[index % len(self.held)])

    @rule(noted=st.booleans())
    def be_quiet(self, noted: bool) -> None:
        self._commit_all()
        quiet(self.stage, self.apps, noted=noted)

    def teardown(self) -> None:
        self.be_quiet(noted=True)

    # How it is done

    def _app(self, index: int) -> App:
        return self.apps[index % len(self.apps)]

    def _arrived(self, phone: Phone, takes: str) -> None:
        app = self.stage.app(phone, takes)
        self._commit_what_touches({phone.number})
        app.match(self.known)
        self.apps.append(app)

    def _group(self, owner: App, people: list[str]) -> None:
        self._commit_what_touches({owner.phone.number, *people})
        gid = str(owner.change("setgroup", gid=0, name="g", m=",".join(people))["gid"])
        self.groups.append((gid, owner))

    def _change(self, app: App, op: str, touches: set[str], hold: bool, **fields: object) -> None:
        self._commit_what_touches({app.phone.number, *touches})
        if not hold:
            app.change(op, **fields)
            return
        change = partial(self.stage.aside(app.phone).call, op, **fields)
        self.held.append(Held(self.stage.gate, change, {app.phone.number, *touches}))

    def _commit(self, call: Held) -> None:
        self.held.remove(call)
        answer = call.commit()
        # A machine that was too slow for it gets a refusal, which is sound: nothing was changed.
        assert answer["result"] == "OK" or answer["error"] == "TRYLATER", answer
        if answer["result"] == "OK":
            call.then(answer)

    def _commit_all(self) -> None:
        while self.held:
            self._commit(self.held[-1])

    def _commit_what_touches(self, touches: set[str]) -> None:
        """A writer would wait for these: on SQLite for any other writer."""
        for call in list(self.held):
            if self.stage.product.services.settings.is_sqlite or call.touches & touches:
                self._commit(call)
