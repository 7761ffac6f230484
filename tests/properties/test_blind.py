"""Numbers that have no account rest nowhere, and secrets rest nowhere in clear."""

from __future__ import annotations

import itertools
import logging
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import requests
import structlog
from sqlalchemy import Engine, create_engine, text

from messenger_api.app import build_app, parts_of
from messenger_api.configuration import build
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.storage.models import Base
from tests.product import APPID, Answer, Product
from tests.properties.anything import ENCODINGS, encoded
from tests.properties.secrets_scan import ARABIC, cells, files, numbers_in, texts_in
from tests.servers import ProductServer

ANN, BOB = "919876543210", "919876543211"
APP_TOKEN = "kept-outside-of-the-database-0123456789"
SECRET_KEY = "a secret key that nobody may read anywhere"
LONG_CODES = 10  # six digits would be found by chance

# Prefixes of several countries' mobile numbers, and how many digits follow.
PLANS = {"9198": 8, "49171": 7, "1415": 7, "5511987": 6, "525512": 6, "54911": 8, "3361": 8, "39347": 7}


def strangers(count: int) -> list[str]:
    """Numbers without accounts, of several countries."""
    chance = random.Random(count)
    found: dict[str, None] = {}
    while len(found) < count:
        prefix = chance.choice(list(PLANS))
        found[prefix + "".join(chance.choices("23456789", k=PLANS[prefix]))] = None
    return list(found)


def spellings(number: str) -> list[str]:
    """One number as phone books hold it; the last one cannot be read at all."""
    return [
        number,
        f"+{number}",
        f"00{number}",
        f"+{number[:2]} ({number[2:5]}) {number[5:8]}-{number[8:]}",
        f"+{number}".translate(ARABIC),
        f"\u202a+{number[:4]}\u00a0{number[4:]}\u202c",
        f"0{number[2:]}",
        f"null{number[2:]}",
        f"{number} home",
    ]


def sync(ask: Callable[[str, dict[str, object]], Answer], token: str, numbers: list[str], gid: int) -> None:
    """Everything that an app may do with numbers of people who have no account, in every encoding."""
    spelled = [entry for number in numbers for entry in spellings(number)]
    for index, encoding in enumerate(ENCODINGS):
        part = spelled[index::4]
        # A multipart body has few parts, so a long list is a text there.
        many = ",".join(part) if "part" in encoding else part
        sync = {"op": "getcontacts", "token": token, "ts": 0}
        for fields in ({**sync, "phones": many}, {**sync, "phones": ",".join(part), "reset": index % 2}):
            assert ask(encoding, fields)["contacts"] == []
        few = {"token": token, "m": part[:200]}
        ask(encoding, {"op": "setgroup", **few, "gid": gid})
        ask(encoding, {"op": "editmembers", **few, "gid": gid})
        ask(encoding, {"op": "setadmin", **few, "gid": gid, "admin": 1})
        ask(encoding, {"op": "block", "token": token, "phones": many})
        ask(encoding, {"op": "report", "token": token, "phone": part[0], "block": 1})
        too_many = ",".join(part * 5) if "part" in encoding else part * 5
        assert ask(encoding, {"op": "getcontacts", "token": token, "phones": too_many})["error"] == "TOOMANY"
        assert ask(encoding, {"op": "getcontacts", "token": "dead", "phones": many})["error"] == "AUTHFAIL"
        assert ask(encoding, {"op": "getcontacts", "token": token, "phones": many, "ts": "x"})["properties"]
    ask("json", {"op": "delcontacts", "token": token, "phones": spelled[:900]})
    assert ask("json", {"op": "blocked", "token": token})["phones"] == []
    ask("json", {"op": "unblock", "token": token, "phones": spelled[:500]})


MakeProduct = Callable[..., Product]
Log = Callable[[], bytes]


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Log]:
    """All that was logged, by us and by every library at its most talkative; the printed SMS left out."""
    caplog.set_level(logging.DEBUG)
    printed: list[str] = []

    def read() -> bytes:
        out, err = capfd.readouterr()
        printed.extend([*(line for line in out.splitlines() if not line.startswith(">>>> SMS")), err])
        return "\n".join([*printed, caplog.text]).encode()

    yield read
    structlog.reset_defaults()  # it would go on writing to the captured streams


def talkative(make_product: MakeProduct) -> Product:
    """The product, its log at its most talkative. Made in the test: the log goes where it is captured."""
    return make_product(log_level="debug", secret_key=SECRET_KEY)


def asking(product: Product) -> Callable[[str, dict[str, object]], Answer]:
    def ask(encoding: str, fields: dict[str, object]) -> Answer:
        response = product.http.open("/api.php", **{"method": "POST", **encoded(encoding, fields)})
        answer: Answer = msgspec.json.decode(response.data)
        return answer

    return ask


def engine_of(product: Product) -> Engine:
    return product.services.database.engine


def test_a_sync_leaves_no_number_of_a_stranger_anywhere(
    make_product: MakeProduct, tmp_path: Path, log: Log
) -> None:
    product, numbers = talkative(make_product), strangers(300)
    ann = product.log_in(ANN)
    gid = ann.ok("setgroup", gid=0, name="g")["gid"]
    sync(asking(product), ann.token, numbers, gid)
    ann.ok("getcontacts", phones=",".join(numbers))
    product.deliver()
    [(known,)] = product.rows("SELECT count(*) FROM contacts")
    assert known >= 300, "the phone book is there, blind"
    for place, data in {**cells(engine_of(product)), **files(tmp_path), "log": log()}.items():
        assert numbers_in(data, numbers) == set(), place


def test_nor_does_a_sync_that_fails(make_product: MakeProduct, tmp_path: Path, log: Log) -> None:
    product, numbers = talkative(make_product), strangers(20)
    ann = product.log_in(ANN)
    with engine_of(product).connect() as connection:
        connection.execute(text("DROP TABLE contacts"))
    for number in numbers:
        assert ann.call("getcontacts", phones=number)["error"] == "TRYLATER"
    Base.metadata.create_all(engine_of(product))
    product.sandbox.faults.add("*", drop=True)
    for number in numbers:
        ann.call("setgroup", gid=0, name="g", m=number)
    for place, data in {**cells(engine_of(product)), **files(tmp_path), "log": log()}.items():
        assert numbers_in(data, numbers) == set(), place


def test_nor_does_a_fault_of_ours(make_product: MakeProduct, log: Log) -> None:
    """A traceback names files and lines. What the variables held is nobody's business."""
    product, numbers = talkative(make_product), strangers(20)
    ann = product.log_in(ANN)
    moments = itertools.count()

    def broken_once() -> float:
        if next(moments) == 0:
            raise RuntimeError("a fault of ours")
        return 1_800_000_000.0

    product.services.database.clock = broken_once
    assert ann.call("getcontacts", phones=",".join(numbers))["error"] == "TRYLATER"
    printed = log()
    assert b"a fault of ours" in printed
    assert numbers_in(printed, numbers) == set()
    assert texts_in(printed, [ann.token, SECRET_KEY]) == set()


def test_the_scan_would_find_them(make_product: MakeProduct, tmp_path: Path, log: Log) -> None:
    """Accounts have their numbers in the table and in its file, and every form is recognised."""
    product = talkative(make_product)
    product.log_in(ANN)
    assert numbers_in(cells(engine_of(product))["users.address"], [ANN, BOB]) == {ANN}
    assert any(numbers_in(data, [ANN]) for place, data in files(tmp_path).items() if "sandbox" in place)
    logging.getLogger("any").debug("number %s", ANN)
    assert numbers_in(log(), [ANN, BOB]) == {ANN}
    value = int(ANN)
    forms = [*spellings(ANN)[:6], f"{value:x}", f"{value:X}", ANN.encode().hex(), f"x{ANN[4:]}y"]
    packed = [value.to_bytes(5, "big"), value.to_bytes(8, "little"), bytes.fromhex(ANN), ANN.encode("utf-16")]
    for data in [*(form.encode() for form in forms), *packed, ANN.translate(ARABIC).encode()]:
        assert numbers_in(b"\x00ab" + data + b"\xff", [ANN, BOB]) == {ANN}, data


# The real server


def test_the_servers_output_and_files_hold_no_number_of_a_stranger(
    database_uri: str, tmp_path: Path, product_server: Callable[..., ProductServer]
) -> None:
    folders = {
        "instance_path": tmp_path / "instance",
        "files_path": tmp_path,
        "files_tn_path": tmp_path / "tn",
    }
    paths = {key: str(path) for key, path in folders.items()}
    first = build_app(build(sqlalchemy_database_uri=database_uri, secret_key=SECRET_KEY, **paths))
    parts_of(first).schema.upgrade()
    parts_of(first).close()
    server = product_server(
        MESSENGER_LOG_LEVEL="debug",
        MESSENGER_SQLALCHEMY_DATABASE_URI=database_uri,
        MESSENGER_SECRET_KEY=SECRET_KEY,
        MESSENGER_OTP_LENGTH=str(LONG_CODES),
    )
    numbers = strangers(200)
    with requests.Session() as http:

        def ask(encoding: str, fields: dict[str, object]) -> Answer:
            request = encoded(encoding, fields)
            kind = {"Content-Type": request["content_type"]} if "content_type" in request else {}
            # Longer addresses than 8 kB do not pass through servers and proxies.
            if "query_string" in request and len(request["query_string"]) < 8_000:
                url = f"{server.url}/api.php?{request['query_string']}"
                response = http.get(url, timeout=20)
            else:
                body = request.get("data", request.get("query_string"))
                response = http.post(f"{server.url}/api.php", data=body, headers=kind, timeout=20)
            answer: Answer = response.json()
            return answer

        token, code = _log_in(server, http)
        gid = ask("form", {"op": "setgroup", "token": token, "gid": 0, "name": "g"})["gid"]
        sync(ask, token, numbers, int(gid))
        for number in numbers[:40]:
            ask("query", {"op": "getcontacts", "token": token, "phones": f"+{number}"})
    engine = create_engine(database_uri)
    tables = cells(engine)
    engine.dispose()
    while_running = files(tmp_path)
    server.stop()
    for place, data in [*tables.items(), *while_running.items(), *files(tmp_path).items()]:
        assert numbers_in(data, numbers) == set(), place
        data = b"\n".join(line for line in data.splitlines() if b">>>> SMS" not in line)
        if "sandbox" not in place:
            assert texts_in(data, [token, code, SECRET_KEY]) == set(), place
    assert "api.answer" in server.log(), "the log was kept, at its most talkative"


def _log_in(server: ProductServer, http: requests.Session) -> tuple[str, str]:
    fields = {"op": "login", "phone": ANN, "appid": APPID}
    http.post(f"{server.url}/api.php", data=fields, timeout=20)
    texts = http.get(f"{server.url}/sandbox/sms.json", timeout=20).text
    found = re.search(rf"(?<!\d)\d{{{LONG_CODES}}}(?= is )", texts)
    assert found, texts
    answer = http.post(f"{server.url}/api.php", data={**fields, "otp": found[0]}, timeout=20).json()
    return answer["token"], found[0]


# Secrets


def test_no_token_and_no_code_rests_in_clear(
    database_uri: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    log: Log,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With mesibo outside, as in production: there is no sandbox that remembers anything."""
    store = SandboxStore(tmp_path_factory.mktemp("mesibo") / "mesibo.sqlite3")
    with store, SandboxServer(store, APP_TOKEN) as mesibo:
        product = Product(
            database_uri,
            tmp_path,
            log_level="debug",
            secret_key=SECRET_KEY,
            mesibo_api_url=mesibo.mesibo_json_url,
            mesibo_app_token=APP_TOKEN,
            otp_length=LONG_CODES,
        )
        try:
            secrets = _live(product, mesibo, capfd)
            printed = log()
            places = {**cells(engine_of(product)), **files(tmp_path)}
        finally:
            product.close()
    for place, data in places.items():
        assert texts_in(data, [*secrets, APP_TOKEN, SECRET_KEY]) == set(), place
    assert texts_in(printed, [*secrets, APP_TOKEN, SECRET_KEY, "push-token-of-a-phone"]) == set()


def _live(product: Product, mesibo: SandboxServer, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Log in, be refused, meet failures, log out; the secrets that were used."""
    fields = {"phone": ANN, "appid": APPID}
    product.ok("login", **fields)
    out = capfd.readouterr().out
    code = re.search(rf"(?<!\d)\d{{{LONG_CODES}}}(?= is )", out.partition("to +" + ANN)[2])
    assert code
    wrong = "".join(reversed(code[0]))
    product.call("login", otp=wrong, **fields)
    mesibo.faults.add("useradd", error="BADVALUE", times=1)
    assert product.call("login", otp=code[0], **fields)["error"] == "BADUSER"
    mesibo.faults.add("useradd", drop=True, times=9)
    assert product.call("login", otp=code[0], **fields)["error"] == "TRYLATER"
    mesibo.faults.clear()
    token = product.ok("login", otp=code[0], **fields)["token"]
    assert product.ok("login", otp=code[0], **fields)["token"] == token
    assert product.call("login", otp=code[0], device="another", **fields)["error"] == "BADCODE"
    product.ok("setnotify", token=token, notifytoken="push-token-of-a-phone")
    product.ok("profile", token=token, name="Ann")
    product.call("profile", token=token[:-1])
    product.call("getcontacts", token=token, ts="wrong")
    mesibo.faults.add("*", html=True, times=9)
    product.call("setgroup", token=token, name="g", m=BOB)
    product.deliver()
    return [code[0], token]


def test_a_lost_key_costs_logins_and_shows_no_number(database_uri: str, tmp_path: Path, log: Log) -> None:
    """With another SECRET_KEY no number is found again; what the database says of it names no one."""
    for key in ("the first key", "another key"):
        product = Product(database_uri, tmp_path, log_level="debug", secret_key=key)
        try:
            product.ok("login", phone=ANN, appid=APPID)
            answer = product.call("login", phone=ANN, appid=APPID, otp=product.code(ANN))
        finally:
            product.close()
    assert answer.get("error") != "AUTHFAIL"
    ours = b"\n".join(line for line in log().splitlines() if b"sqlalchemy" not in line)
    assert numbers_in(ours, [ANN]) == set()


def test_without_the_key_two_databases_have_nothing_in_common(
    database_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    numbers = strangers(50)
    keys = {}
    for name, key in [("one", "the key of one"), ("other", "the key of another"), ("twin", "the key of one")]:
        folder = tmp_path_factory.mktemp(name)
        uri = database_uri if name == "one" else f"sqlite:///{folder / 'other.sqlite3'}"
        product = Product(uri, folder, secret_key=key)
        product.log_in(ANN).ok("getcontacts", phones=",".join(numbers))
        keys[name] = {bytes(row[0]) for row in product.rows("SELECT contact_key FROM contacts")}
        keys[name] |= {bytes(row[0]) for row in product.rows("SELECT contact_key FROM users")}
        product.close()
    assert {len(found) for found in keys.values()} == {51}
    assert keys["one"] & keys["other"] == set()
    assert keys["one"] == keys["twin"], "the key alone makes the difference"
