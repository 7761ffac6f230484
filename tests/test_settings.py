"""The configuration: every fault at once and by key, no secret ever shown, the environment over the file."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import phonenumbers
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from messenger_api import configuration
from messenger_api.configuration import CHOICES, build, load
from messenger_api.gateways.keys.http import HttpKeys
from messenger_api.settings import Keys, Settings, SettingsError, unfit_to_serve
from messenger_api.settings.countries import COUNTRIES
from messenger_api.settings.keys import declared
from messenger_api.storage import db as databases
from tests.processes import LOOPBACK, free_port
from tests.servers import ROOT, MariaDB

EXAMPLE = ROOT / "config.example.py"
SECRET = "hunter2-and-more"
KINDS: list[type[Keys]] = [Settings, *(kind for choice in CHOICES for kind in choice.known())]
KEYS = {name: key for kind in KINDS for name, key in declared(kind).items()}
# A gateway whose request is right.
HTTP: dict[str, object] = {"sms_providers": ["http"], "sms_http_url": "https://sms.example.com/{to}/{text}"}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes config.py into the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = tmp_path / "config.py"
        path.write_text(text)
        return path

    return write


def faults_of(environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ or {})
    return refused.value.faults


def faults_in(**values: object) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        build(**values)
    return refused.value.faults


# Where values come from


def test_the_countries_are_those_of_phonenumbers_and_those_without_telephone_numbers() -> None:
    assert phonenumbers.SUPPORTED_REGIONS | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"} == COUNTRIES


def test_with_no_file_and_no_variables_everything_has_its_default(
    write: Callable[[str], Path],
) -> None:
    assert load({}) == Settings()


def test_the_file_in_the_working_folder_is_read(write: Callable[[str], Path]) -> None:
    write('OTP_TTL = 5 * 60 + 1\nSMS_PROVIDERS = ["console"]\n_MINE = 1\nfrom pathlib import Path\n')
    assert load({}).otp_ttl == 301


def test_the_environment_replaces_what_the_file_says(write: Callable[[str], Path]) -> None:
    write('LOG_LEVEL = "debug"\nOTP_LENGTH = 8\n')
    settings = load({"MESSENGER_LOG_LEVEL": "error", "OTHER": "x"})
    assert (settings.log_level, settings.otp_length) == ("error", 8)


def test_a_variable_puts_right_a_key_that_the_file_has_wrong(write: Callable[[str], Path]) -> None:
    write("OTP_LENGTH = 99")
    assert load({"MESSENGER_OTP_LENGTH": "7"}).otp_length == 7


def test_messenger_config_names_another_file(write: Callable[[str], Path], tmp_path: Path) -> None:
    write("OTP_LENGTH = 8")
    other = tmp_path / "other.py"
    other.write_text("OTP_LENGTH = 9")
    assert load({"MESSENGER_CONFIG": str(other)}).otp_length == 9
    assert load({"MESSENGER_CONFIG": ""}).otp_length == 8


def test_a_file_that_was_named_must_be_there(write: Callable[[str], Path]) -> None:
    assert faults_of({"MESSENGER_CONFIG": "gone.py"}) == [
        "MESSENGER_CONFIG = 'gone.py': there is no such file"
    ]


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("OTP_TTL", "120", 120),
        ("MESIBO_TIMEOUT", "2.5", 2.5),
        ("OUTBOX_IN_SERVER", "false", False),
        ("OUTBOX_IN_SERVER", "no", False),
        ("SANDBOX", "true", True),
        ("SANDBOX", "null", None),
        ("SMS_COUNTRIES", '["in", "DE"]', ("IN", "DE")),
        ("SMS_COUNTRIES", "in, DE", ("IN", "DE")),
        ("SMS_COUNTRIES", "", ()),
        ("SMS_PROVIDERS", '["console", "my.Provider"]', ("console", "my.Provider")),
        ("SMS_PROVIDERS", "console,my.Provider", ("console", "my.Provider")),
    ],
)
def test_a_variable_is_json_where_it_can_be_read_as_json(
    write: Callable[[str], Path], key: str, text: str, expected: object
) -> None:
    assert getattr(load({f"MESSENGER_{key}": text}), key.lower()) == expected


def test_pairs_are_a_json_object(write: Callable[[str], Path]) -> None:
    settings = load(
        {
            "MESSENGER_OTP_TEST_NUMBERS": '{"14155550123": "123456"}',
            "MESSENGER_OTP_TEST_NUMBERS_UNTIL": "2027-01-31",
        }
    )
    assert settings.otp_test_numbers == (("14155550123", "123456"),)
    assert settings.otp_test_numbers_until == dt.date(2027, 1, 31)


@pytest.mark.parametrize(
    "text", ["1e5", "0012", "true", "null", '"quoted"', "[1]", "{}", " ends with spaces "]
)
def test_a_password_is_taken_as_it_is(write: Callable[[str], Path], text: str) -> None:
    assert load({"MESSENGER_DB_PASS": text}).db_pass == text


@pytest.mark.parametrize(
    "key", ["MESIBO_APP_TOKEN", "DB_NAME", "SMS_APP_NAME", "GOOGLE_MAP_KEY", "JOIN_SUBJECT"]
)
def test_a_text_is_never_read_as_json(write: Callable[[str], Path], key: str) -> None:
    assert getattr(load({f"MESSENGER_{key}": "1e5"}), key.lower()) == "1e5"


def test_a_country_that_is_also_a_word_of_yaml_or_json_stays_a_country(
    write: Callable[[str], Path],
) -> None:
    assert load({"MESSENGER_DEFAULT_COUNTRY": "no"}).default_country == "NO"


# Faults


def test_every_fault_is_reported_at_once_in_a_line_with_its_key(write: Callable[[str], Path]) -> None:
    write('OTP_LENGTH = 4\nLOG_LEVEL = "loud"\nOTP_LENGHT = 6\nPUBLIC_URL = "chat.example.com"\n')
    environ = {"MESSENGER_LIMITS": "maybe", "MESSENGER_OTP_TTL": "soon", "MESSENGER_NO_SUCH_KEY": "1"}
    faults = faults_of(environ)
    assert sorted(fault.split(" = ")[0].split(":")[0] for fault in faults) == [
        "LIMITS",
        "LOG_LEVEL",
        "NO_SUCH_KEY",
        "OTP_LENGHT",
        "OTP_LENGTH",
        "OTP_TTL",
        "PUBLIC_URL",
    ]
    assert all("\n" not in fault for fault in faults)


def test_the_exception_prints_a_line_a_fault() -> None:
    with pytest.raises(SettingsError) as refused:
        build(otp_length=4, limits="maybe")
    assert str(refused.value).splitlines() == refused.value.faults


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("DB_PORT", 0, "a whole number from 1 to 65535"),
        ("DB_PORT", True, "a whole number from 1 to 65535"),
        ("DB_PORT", 33.5, "a whole number from 1 to 65535"),
        ("DB_PORT", "many", "a whole number from 1 to 65535"),
        ("ACCOUNT_RECYCLED_AFTER_DAYS", 7, "0 or a whole number from 30 to 3650"),
        ("ACCOUNT_RECYCLED_AFTER_DAYS", False, "0 or a whole number from 30 to 3650"),
        ("DB_HOST", "db:port", "host names"),
        ("DB_HOST", "db1,,db2", "host names"),
        ("DB_HOST", "::1", "host names"),
        ("MESIBO_TIMEOUT", 0, "seconds from 0.1 to 60"),
        ("MESIBO_TIMEOUT", float("nan"), "seconds from 0.1 to 60"),
        ("MESIBO_TIMEOUT", "3", "seconds from 0.1 to 60"),
        ("MESIBO_API_STYLE", "xml", "one of auto, json, form"),
        ("MESIBO_API_URL", "api.mesibo.com", "a URL that begins with http:// or https://"),
        ("PUBLIC_URL", "https://", "a URL that begins with http:// or https://"),
        ("PUBLIC_URL", "http://[", "a URL that begins with http:// or https://"),
        ("PUBLIC_URL", None, "a text"),
        ("SMS_PROVIDERS", 1, "a list of texts"),
        ("SMS_PROVIDERS", [1], "a list of texts"),
        ("SMS_COUNTRIES", ["India"], "a list of two-letter ISO country codes"),
        ("SMS_COUNTRIES", 91, "a list of two-letter ISO country codes"),
        ("DEFAULT_COUNTRY", 91, "a two-letter ISO country code"),
        ("DEFAULT_COUNTRY", "12", "a two-letter ISO country code"),
        ("OUTBOX_IN_SERVER", "perhaps", "True or False"),
        ("SANDBOX", 2, "True or False"),
        ("OTP_TEST_NUMBERS_UNTIL", "tomorrow", "a date such as 2027-01-31"),
        ("SMS_TEXT", "No code here", "a text with {code}"),
        ("SMS_TEXT", "{code} {colour}", "a text with {code}"),
        ("SMS_TEXT", "{code.x}{code[x]}{", "a text with {code}"),
        ("SMS_TEXT", "{code.missing}", "a text with {code}"),
        (
            "LOGIN_METHOD",
            "telepathy",
            "one of otp, mesibo_otp, email, ldap, radius, oidc, password, or a dotted path",
        ),
        ("LOGIN_TIMEOUT", 0.4, "seconds from 0.5 to 20"),
        ("SMTP_FROM", "nobody", "an address such as"),
        ("SMTP_FROM", "Chat <a@example.com>\nBcc: b@example.com", "an address such as"),
        ("LDAP_URL", "ldap.example.com", "a URL such as"),
        ("LDAP_URL", "ldapi:///", "a URL such as"),
        ("LDAP_URL", "ldaps://ldap.example.com/dc=example", "a URL such as"),
        ("LDAP_FILTER", "(uid=*)", "a filter in brackets with {address} in it"),
        ("OIDC_ALGORITHMS", ["HS256"], "a list of algorithms with a public key"),
        ("OIDC_ALGORITHMS", ["none"], "a list of algorithms with a public key"),
        ("OIDC_ALGORITHMS", [], "a list of algorithms with a public key"),
        ("SMS_TIMEOUT", 0.4, "seconds from 0.5 to 8"),
        ("SMS_TIMEOUT", 9, "seconds from 0.5 to 8"),
        ("SMS_RECEIPTS", "maybe", "True or False"),
        ("TWILIO_VOICE_FROM", "14155550100", "a number that begins with +"),
        ("VONAGE_API_URL", "rest.nexmo.com", "a URL that begins with http:// or https://"),
        ("SMS_HTTP_METHOD", "DELETE", "one of GET, POST, PUT"),
        ("SMS_HTTP_ACCEPTED", "fine", "a list of HTTP statuses"),
        ("SMS_HTTP_ACCEPTED", [20], "a list of HTTP statuses"),
        ("SMS_HTTP_REFUSED", {"422": 1}, "a list of HTTP statuses"),
        ("SMS_HTTP_REFUSED", [True], "a list of HTTP statuses"),
        ("FILES_PATH", "s3://", "a folder, or a bucket such as"),
        ("FILES_PATH", "s3://b", "a folder, or a bucket such as"),
        ("FILES_PATH", "s3://Bucket/files", "a folder, or a bucket such as"),
        ("FILES_PATH", "s3://bucket//files", "a folder, or a bucket such as"),
        ("FILES_PATH", "s3://bucket/../files", "a folder, or a bucket such as"),
        ("FILES_PATH", "s3://bucket/files?x", "a folder, or a bucket such as"),
        ("FILES_TN_PATH", "gs://bucket/files", "a folder, or a bucket such as"),
        ("S3_REGION", "eu central", "a region such as"),
        ("S3_ENDPOINT_URL", "minio:9000", "a URL that begins with http:// or https://"),
    ],
)
def test_a_fault_names_key_value_and_what_is_accepted(key: str, value: object, accepted: str) -> None:
    (fault,) = faults_in(**{key.lower(): value})
    assert fault.startswith(f"{key} = {value!r}: accepted is {accepted}")


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"otp_test_numbers": {"14155550123": "123456"}}, ["OTP_TEST_NUMBERS_UNTIL"]),
        ({"db_host": "db"}, ["SECRET_KEY"]),
        ({"sqlalchemy_database_uri": "mysql+pymysql://u:p@h/n"}, ["SECRET_KEY"]),
        ({"sandbox": False}, ["MESIBO_APP_TOKEN"]),
        (
            {"sms_providers": ["twilio"]},
            ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"],
        ),
        ({"login_method": "email"}, ["SMTP_HOST", "SMTP_FROM"]),
        ({"login_method": "ldap"}, ["LDAP_URL", "LDAP_BASE"]),
        ({"login_method": "radius"}, ["RADIUS_HOST", "RADIUS_SECRET"]),
        ({"login_method": "oidc"}, ["OIDC_ISSUER", "OIDC_CLIENT_ID"]),
        (
            {"login_method": "email", "smtp_host": "m", "smtp_from": "a@example.com", "smtp_user": "u"},
            ["SMTP_USER"],
        ),
        (
            {"login_method": "ldap", "ldap_url": "ldap://ldap.example.com", "ldap_base": "dc=example"},
            ["LDAP_STARTTLS"],
        ),
        (
            {"sms_providers": ["twilio_verify", "twilio"], "twilio_from": "+14155550100"},
            ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_VERIFY_SID"],
        ),
        (
            {"sms_providers": ["console", "vonage"]},
            ["VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_FROM"],
        ),
        ({"sms_providers": ["http"]}, ["SMS_HTTP_URL"]),
        ({**HTTP, "sms_http_body": "{from}"}, ["SMS_HTTP_FROM"]),
        ({**HTTP, "sms_http_receipt_secret": "s"}, ["SMS_HTTP_ID"]),
        ({"s3_access_key": "a"}, ["S3_SECRET_KEY"]),
        ({"s3_secret_key": "s"}, ["S3_ACCESS_KEY"]),
    ],
)
def test_what_a_key_needs_besides_is_named(values: dict[str, object], missing: list[str]) -> None:
    faults = faults_in(**values)
    assert [fault.partition(":")[0] for fault in faults] == missing
    assert all(": required " in fault for fault in faults)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"sms_http_url": "https://x/{text}"}, "SMS_HTTP_URL: {to} or {to_plus} must stand in it"),
        ({"sms_http_url": "https://x/{to}"}, "SMS_HTTP_URL: {text} or {code} must stand in it"),
        ({"sms_http_method": "GET", "sms_http_body": "x"}, "SMS_HTTP_BODY: a GET has none"),
        ({"sms_http_accepted": []}, "SMS_HTTP_ACCEPTED: accepted is at least one HTTP status"),
        (
            {"sms_http_url": "https://a:b@x/{to}/{text}", "sms_http_headers": {"authorization": "Bearer t"}},
            "SMS_HTTP_HEADERS: its Authorization and the user in SMS_HTTP_URL are two of a kind",
        ),
        ({"sms_http_refused": [201, 400]}, "SMS_HTTP_REFUSED = [201]: accepted are statuses not in"),
    ],
)
def test_a_gateways_request_that_cannot_work_is_a_fault(values: dict[str, object], fault: str) -> None:
    (found,) = faults_in(**{**HTTP, **values})
    assert found.startswith(fault)


def test_keys_of_a_provider_that_is_not_used_are_not_looked_at_together() -> None:
    assert build(sms_http_url="https://x/", sms_http_receipt_secret="s").of(HttpKeys).sms_http_id == ""


@pytest.mark.parametrize(
    "headers",
    ["Authorization: x", {"Bad name": "x"}, {"X": "a\r\nY: b"}, {"X": "ü"}, {"": "x"}, ["X"]],
)
def test_headers_that_would_break_a_request_are_a_fault_without_their_value(headers: object) -> None:
    (fault,) = faults_in(sms_http_headers=headers)
    assert fault.startswith("SMS_HTTP_HEADERS = ***: accepted is names and values of HTTP headers")


def test_a_gateways_keys_may_come_from_the_environment(write: Callable[[str], Path]) -> None:
    body = '{"to": "{to}", "text": "{text}"}'
    settings = load(
        {
            "MESSENGER_SMS_PROVIDERS": "http",
            "MESSENGER_SMS_HTTP_URL": "https://sms.example.com/",
            "MESSENGER_SMS_HTTP_BODY": body,
            "MESSENGER_SMS_HTTP_HEADERS": '{"Authorization": "Bearer t"}',
            "MESSENGER_SMS_HTTP_ACCEPTED": "202",
            "MESSENGER_SMS_HTTP_REFUSED": "404,422",
        }
    )
    gateway = settings.of(HttpKeys)
    assert gateway.sms_http_body == body
    assert gateway.sms_http_headers == (("Authorization", "Bearer t"),)
    assert (gateway.sms_http_accepted, gateway.sms_http_refused) == ((202,), (404, 422))


def test_a_key_with_a_fault_is_not_called_missing_too() -> None:
    faults = faults_in(otp_test_numbers={"14155550123": "123456"}, otp_test_numbers_until="soon")
    assert [fault.partition(" ")[0] for fault in faults] == ["OTP_TEST_NUMBERS_UNTIL"]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"login_method": "email", "smtp_host": "{}", "smtp_from": "a@b.c", "smtp_tls": "none"}, "SMTP_TLS"),
        ({"login_method": "oidc", "oidc_issuer": "http://{}", "oidc_client_id": "app"}, "OIDC_ISSUER"),
        ({"login_method": "ldap", "ldap_url": "ldap://{}", "ldap_base": "dc=example"}, "LDAP_STARTTLS"),
    ],
)
def test_passwords_and_keys_travel_in_clear_inside_this_machine_only(
    values: dict[str, str], fault: str
) -> None:
    assert [f.split(" ")[0].strip(":") for f in faults_in(**filled(values, "example.com"))] == [fault]
    for host in ("127.0.0.1", "localhost"):
        build(**filled(values, host))


def filled(values: dict[str, str], host: str) -> dict[str, object]:
    return {key: value.format(host) for key, value in values.items()}


def test_a_date_with_a_time_is_that_day() -> None:
    until = dt.datetime(2027, 1, 31, 12, tzinfo=dt.UTC)
    assert type(build(otp_test_numbers_until=until).otp_test_numbers_until) is dt.date


# Secrets


SECRET_KEYS = [name for name, key in KEYS.items() if key.secret]


def test_the_secret_keys_are_known_as_such() -> None:
    named = {name for name in KEYS if re.search("pass|token|secret|_uri|test_numbers$", name)}
    assert named <= set(SECRET_KEYS)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_the_value_of_a_secret_stands_in_no_fault(key: str) -> None:
    (fault,) = faults_in(**{key: [SECRET]})
    assert fault.startswith(f"{key.upper()} = ***: accepted is ")
    assert SECRET not in fault


def test_a_code_that_is_none_stands_in_no_fault() -> None:
    (fault,) = faults_in(otp_test_numbers={"14155550123": SECRET}, otp_test_numbers_until="2027-01-31")
    assert fault == "OTP_TEST_NUMBERS = ***: accepted is codes of digits, written as texts"


def test_no_secret_stands_in_the_printed_form() -> None:
    settings = build(
        sqlalchemy_database_uri=f"mysql+pymysql://u:{SECRET}@h/n",
        db_pass=SECRET,
        mesibo_app_token=SECRET,
        mesibo_api_url=f"https://user:{SECRET}@chat.example.com/mesiboapi",
        secret_key=SECRET,
        twilio_auth_token=SECRET,
        vonage_api_secret=SECRET,
        vonage_signature_secret=SECRET,
        sms_http_url=f"https://sms.example.com/?key={SECRET}",
        sms_http_headers={"Authorization": SECRET},
        sms_http_body=SECRET,
        sms_http_receipt_secret=SECRET,
        otp_test_numbers={"14155550123": "739164"},
        otp_test_numbers_until="2027-01-31",
    )
    for printed in (repr(settings), str(settings), f"{settings}", repr(settings.chosen)):
        assert SECRET not in printed
        assert "739164" not in printed
    assert "chat.example.com" in repr(settings)


def test_a_password_inside_a_url_stands_in_no_fault() -> None:
    (fault,) = faults_in(mesibo_api_url=f"htps://user:{SECRET}@chat.example.com")
    assert SECRET not in fault
    assert "chat.example.com" in fault


def test_the_value_of_an_unknown_key_is_not_shown(write: Callable[[str], Path]) -> None:
    write(f'SECRET_KY = "{SECRET}"')
    (fault,) = faults_of()
    assert fault.startswith("SECRET_KY: there is no such key")
    assert SECRET not in fault


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("OTP_TTL = 60\nSECRET_KEY = hunter2\n", "config.py, line 2: cannot be read: NameError"),
        ("SECRET_KEY = 'hunter2\n", "config.py, line 1: cannot be read: SyntaxError"),
        ("SECRET_KEY = {}['hunter2']\n", "config.py, line 1: cannot be read: KeyError"),
        (
            "import nosuchthing\n",
            "config.py, line 1: cannot be read: ModuleNotFoundError: there is no module 'nosuchthing'",
        ),
        ("raise OSError(2, 'no such thing')\n", "config.py, line 1: cannot be read: no such thing"),
    ],
)
def test_a_file_that_python_cannot_read_is_a_fault_with_its_line_and_without_its_text(
    write: Callable[[str], Path], text: str, says: str
) -> None:
    write(text)
    (fault,) = faults_of()
    assert fault.startswith(says)
    assert "hunter2" not in fault


# The example


def constants(path: Path) -> dict[str, object]:
    spec = importlib.util.spec_from_file_location("config_example", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if name.isupper()}


def test_the_example_holds_every_key_and_no_other() -> None:
    assert sorted(constants(EXAMPLE)) == sorted(name.upper() for name in KEYS)


def test_the_example_as_it_is_changes_nothing() -> None:
    settings = load({"MESSENGER_CONFIG": str(EXAMPLE)})
    assert settings == Settings()
    for kind in KINDS:
        for name in declared(kind):
            given = settings if kind is Settings else settings.of(kind)
            assert getattr(given, name) == getattr(kind(), name), name


def test_the_example_explains_every_key_and_gives_an_example_that_is_accepted() -> None:
    blocks = EXAMPLE.read_text().split("\n\n")
    for key in constants(EXAMPLE):
        (block,) = (block for block in blocks if re.search(f"^{key} = ", block, re.MULTILINE))
        comment, examples = explained(block, key)
        assert re.search("[A-Z].{15}", comment), f"{key} is not explained"
        assert examples, f"{key} has no example"
        for example in examples:
            build(**{**needed(key), **read_line(example)})


def explained(block: str, key: str) -> tuple[str, list[str]]:
    lines = [line.removeprefix("# ") for line in block.splitlines() if line.startswith("# ")]
    examples = [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]
    return " ".join(line for line in lines if not line.startswith("Example: ")), examples


def read_line(line: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(line, {}, found)
    return {name.lower(): value for name, value in found.items()}


def needed(key: str) -> dict[str, object]:
    """What must stand beside a key, so that its example is right."""
    twilio: dict[str, object] = {"twilio_account_sid": "AC", "twilio_auth_token": "t", "twilio_from": "+1"}
    besides: dict[str, dict[str, object]] = {
        "DB_HOST": {"secret_key": "k"},
        "SQLALCHEMY_DATABASE_URI": {"secret_key": "k"},
        "SMS_PROVIDERS": twilio,
        "OTP_TEST_NUMBERS": {"otp_test_numbers_until": "2027-01-31"},
        "LOGIN_METHOD": {"ldap_url": "ldaps://ldap.example.com", "ldap_base": "dc=example"},
        "S3_ACCESS_KEY": {"s3_secret_key": "s"},
        "S3_SECRET_KEY": {"s3_access_key": "a"},
    }
    return besides.get(key, {})


# What follows from the values


@pytest.mark.parametrize(
    ("files", "thumbnails"),
    [("s3://bucket", "s3://bucket/tn"), ("s3://bucket/a/b.c", "uploads/tn"), ("uploads", "s3://bucket")],
)
def test_files_and_thumbnails_may_rest_in_buckets_or_one_of_them(files: str, thumbnails: str) -> None:
    settings = build(files_path=f"{files}/", files_tn_path=thumbnails)
    assert settings.uses_buckets
    assert settings.files_path.rstrip("/") == files
    assert not build().uses_buckets


def test_a_bucket_without_the_library_is_a_fault_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    (fault,) = faults_in(files_tn_path="s3://bucket/tn")
    assert fault == "FILES_TN_PATH: a bucket needs the library boto3; install it with: pip install '.[s3]'"
    assert not build().uses_buckets, "with folders nobody needs it"


def test_photos_and_thumbnails_in_one_place_of_a_bucket_are_a_fault() -> None:
    (fault,) = faults_in(files_path="s3://bucket/files", files_tn_path="s3://bucket/files/")
    assert fault == "FILES_TN_PATH = 's3://bucket/files': accepted is another place than FILES_PATH"


def test_the_database_is_sqlite_under_the_instance_folder_unless_one_is_named(tmp_path: Path) -> None:
    settings = build(instance_path=str(tmp_path / "here"))
    assert settings.is_sqlite
    assert settings.database_uri == f"sqlite:///{tmp_path}/here/messenger.sqlite3"
    assert not build(db_host="db", secret_key="k").is_sqlite
    uri = "mysql+pymysql://u:p@h/n"
    assert build(sqlalchemy_database_uri=uri, db_host="other", secret_key="k").database_uri == uri


def test_a_host_is_reached_by_pymysql_whatever_is_installed() -> None:
    assert build(db_host="db", secret_key="k").database_driver == "pymysql"


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_the_driver_that_an_address_names_is_obeyed(driver: str) -> None:
    uri = f"mysql+{driver}://u:p@h/n"
    assert build(sqlalchemy_database_uri=uri, secret_key="k").database_uri == uri


def test_an_address_with_a_driver_that_is_not_installed_is_a_fault_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    (fault,) = faults_in(sqlalchemy_database_uri="mysql+mysqldb://u:p@h/n", secret_key="k")
    assert fault == "SQLALCHEMY_DATABASE_URI: needs: pip install '.[mysql-fast]'"


def test_a_relative_sqlite_path_begins_at_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build(sqlalchemy_database_uri="sqlite:///a/b.db").database_uri == f"sqlite:///{tmp_path}/a/b.db"
    assert build(sqlalchemy_database_uri="sqlite:////a/b.db").database_uri == "sqlite:////a/b.db"


@pytest.mark.parametrize("uri", ["postgresql://u@h/n", "mysql://u@h/n", "messenger.sqlite3", "sqlite://"])
def test_a_database_that_cannot_be_used_is_a_fault(uri: str) -> None:
    (fault,) = faults_in(sqlalchemy_database_uri=uri, secret_key="k")
    assert fault.startswith("SQLALCHEMY_DATABASE_URI = ***: accepted is an address such as")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, False),
        ({"sandbox": True}, True),
        ({"sandbox": "local"}, True),
        ({"mesibo_app_token": "t"}, False),
        ({"mesibo_app_token": "t", "sandbox": True}, True),
        ({"mesibo_app_token": "t", "sandbox": False}, False),
    ],
)
def test_the_sandbox_is_used_on_request_alone(values: dict[str, object], expected: bool) -> None:
    assert build(**values).uses_sandbox is expected


# Several hosts


@pytest.fixture
def several(mariadb: MariaDB) -> Callable[..., Engine]:
    """An engine made of DB_ keys as the product makes it."""

    def make(hosts: str, **values: object) -> Engine:
        keys = {"db_host": hosts, "db_user": "root", "db_name": "mysql", "secret_key": "k" * 32}
        settings = configuration.build(**{**keys, **values})
        engine = create_engine(settings.database_uri, **databases.engine_options(settings))
        databases.prepare(engine, settings)
        return engine

    return make


def test_hosts_are_tried_in_turn_until_one_answers(mariadb: MariaDB, several: Callable[..., Engine]) -> None:
    engine = several(f"{LOOPBACK}:{free_port()}, {LOOPBACK}", db_port=mariadb.port)
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT @@port, database()").one()
    engine.dispose()
    assert tuple(row) == (mariadb.port, "mysql")


def test_localhost_is_the_server_on_that_port(mariadb: MariaDB, several: Callable[..., Engine]) -> None:
    engine = several("localhost", db_port=mariadb.port)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT @@port").scalar_one() == mariadb.port
    engine.dispose()


def test_the_first_host_that_answers_is_taken(mariadb: MariaDB, several: Callable[..., Engine]) -> None:
    engine = several(f"{LOOPBACK}:{mariadb.port},{LOOPBACK}:{free_port()}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT @@port").scalar_one() == mariadb.port
    engine.dispose()


def test_when_no_host_answers_the_last_one_is_named(several: Callable[..., Engine]) -> None:
    engine = several(f"{LOOPBACK}:{free_port()},{LOOPBACK}:{free_port()}", db_pass=SECRET)
    with pytest.raises(OperationalError, match=r"Can't connect to .*server on '127\.0\.0\.1'") as failed:
        engine.connect()
    engine.dispose()
    assert SECRET not in str(failed.value)


def test_a_connection_to_the_second_host_is_set_up_as_any_other(
    mariadb: MariaDB, several: Callable[..., Engine]
) -> None:
    engine = several(f"{LOOPBACK}:{free_port()},{LOOPBACK}:{mariadb.port}")
    with engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT @@character_set_client, @@tx_isolation, @@autocommit, @@innodb_lock_wait_timeout,"
            " @@sql_mode LIKE 'STRICT_ALL_TABLES%%'"
        ).one()
        connection.exec_driver_sql("CREATE TEMPORARY TABLE test_note (a INT)")
        connection.exec_driver_sql("INSERT INTO test_note VALUES (1)")
        matched = connection.exec_driver_sql("UPDATE test_note SET a = 1").rowcount
    engine.dispose()
    assert tuple(row) == ("utf8mb4", "READ-COMMITTED", 1, databases.MAX_TRANSACTION_SECONDS, 1)
    assert matched == 1, "an UPDATE that changes nothing still counts the rows that it found"


def test_a_group_whose_messages_could_never_leave_is_refused() -> None:
    with pytest.raises(SettingsError) as refused:
        configuration.build(max_group_members=1000)

    [fault] = refused.value.faults
    assert fault.startswith("MAX_GROUP_MEMBERS = 1000: accepted is at most 506")
    assert configuration.build(max_group_members=1000, mesibo_max_body=16_000).max_group_members == 1000


PHP_CONFIG = {
    "db_host": "DB_HOST",
    "db_name": "DB_NAME",
    "db_user": "DB_USER",
    "db_pass": "DB_PASS",
    "google_map_key": "GOOGLE_MAP_KEY",
    "mesibo_apptoken": "MESIBO_APP_TOKEN",
    "mesibo_apikey": "no longer needed",
    "downloadurl": "DOWNLOAD_URL",
    "files_path": "FILES_PATH",
    "files_tn_path": "FILES_TN_PATH",
    "gcm_key": "no longer needed",
    "apn_passphrase": "no longer needed",
    "apn_pem": "no longer needed",
    "Db_Host": "DB_HOST",
    "GCM_KEY": "no longer needed",
    "MESIBO_APPTOKEN": "MESIBO_APP_TOKEN",
    "sms_countries": "SMS_COUNTRIES",
    "whatever": "capitals",
}


@pytest.mark.parametrize(("name", "wanted"), PHP_CONFIG.items())
def test_a_name_of_the_php_demo_or_in_small_letters_is_refused_with_the_new_name(
    tmp_path: Path, name: str, wanted: str
) -> None:
    file = tmp_path / "config.py"
    file.write_text(f'{name} = "a secret value"\n')
    with pytest.raises(SettingsError) as refused:
        load({"MESSENGER_CONFIG": str(file)})
    [fault] = refused.value.faults
    assert fault.startswith(name)
    assert wanted in fault
    assert "a secret value" not in fault


def test_what_a_configuration_file_needs_to_think_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "config.py"
    file.write_text(
        "import os\nfrom pathlib import Path\n_base = '/srv'\n\ndef path(name):\n    return _base + name\n\n"
        "FILES_PATH = path('/files')\n"
    )
    assert load({"MESSENGER_CONFIG": str(file)}).files_path == "/srv/files"


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("http://api.mesibo.com/backend", False),
        ("HTTP://api.mesibo.com/backend", False),
        ("http://10.0.0.5/mesiboapi", False),
        ("http://localhost.example.com/api.php", False),
        ("http://127.0.0.1.example.com/api.php", False),
        ("http://127.0.0.1:8081/backend", True),
        ("http://localhost/mesiboapi", True),
        ("http://[::1]:90/api.php", True),
        ("https://api.mesibo.com/backend", True),
    ],
)
def test_the_app_token_travels_in_clear_to_nobody_but_this_machine(url: str, accepted: bool) -> None:
    if accepted:
        assert build(mesibo_api_url=url).mesibo_api_url == url
    else:
        assert any("MESIBO_API_URL" in fault for fault in faults_in(mesibo_api_url=url))


@pytest.mark.parametrize("text", ["...", "…"])
@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "MESIBO_APP_TOKEN", "S3_SECRET_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
)
def test_nothing_serves_with_a_placeholder_of_the_documentation(name: str, text: str) -> None:
    values: dict[str, object] = {
        "sms_providers": ["twilio"],
        "sms_countries": ["DE"],
        "db_host": "db",
        "secret_key": "k" * 32,
        "files_path": "s3://example-chat/files",
        "files_tn_path": "s3://example-chat/files/tn",
        "s3_access_key": "a",
        "s3_secret_key": "s",
        "twilio_account_sid": "AC0",
        "twilio_auth_token": "t",
        "twilio_from": "+1",
    }
    assert build(**values).placeholders == ()
    (fault,) = unfit_to_serve(build(**{"mesibo_app_token": "t", **values, name.lower(): text}))
    assert fault.startswith(f"{name}: what stands there is from the documentation, and no value. ")


@pytest.mark.parametrize(
    "unused",
    [
        {"twilio_auth_token": "..."},
        {"twilio_account_sid": "AC..."},
        {"s3_secret_key": "...", "s3_access_key": "a"},
    ],
)
def test_a_placeholder_of_what_is_not_in_use_keeps_nobody_out(unused: dict[str, object]) -> None:
    assert unfit_to_serve(build(mesibo_app_token="t", **unused)) == []


def test_what_stands_in_config_example_for_a_random_value_is_none() -> None:
    """Whoever took it would have a secret that everybody can read."""
    random = {
        name: example
        for name, key in declared(Settings).items()
        for example in key.examples
        if str(example).startswith("output of:")
    }
    assert random.keys() >= {"secret_key", "metrics_token"}
    for name, example in random.items():
        assert [fault.partition(":")[0] for fault in build(**{name: example}).placeholders] == [name.upper()]


def test_the_settings_of_the_readme_are_refused_as_they_stand(write: Callable[[str], Path]) -> None:
    block = (ROOT / "README.md").read_text().split("   ```python\n")[1].split("   ```")[0]
    write(dedent(f"   {block.strip()}"))
    faults = unfit_to_serve(configuration.load())
    assert [fault.partition(":")[0] for fault in faults] == [
        "SECRET_KEY",
        "MESIBO_APP_TOKEN",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
    ]
    assert "openssl rand -hex 32" in faults[0]
    assert "mesibo console" in faults[1]


def test_a_placeholder_in_a_header_is_refused_and_a_password_with_dots_is_not() -> None:
    (fault,) = build(**{**HTTP, "sms_http_headers": {"Authorization": "Bearer ..."}}).placeholders
    assert fault.startswith("SMS_HTTP_HEADERS: ")
    assert build(db_pass="let me in...").placeholders == ()
