"""The doctor's word on a bucket, and the rights that suffice, by an S3 server that asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest

from messenger_api import configuration
from messenger_api.storage.files import FileStore
from tests.cli.commands import Cli
from tests.media.places import BucketPlaces
from tests.media.wire import Fault, wire_to
from tests.processes import LOOPBACK, free_port
from tests.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server, content, s3_settings
from tests.servers import ROOT

pytestmark = pytest.mark.server

NOW = 1_795_174_363
MISSING_RIGHTS = "give the key the rights that docs/files.md lists"


class Found(NamedTuple):
    """What `messenger-api check` says of the files."""

    state: str
    found: str
    to_do: str


class Guarded(NamedTuple):
    """A bucket and a key that may do what docs/files.md lists, and nothing else."""

    url: str
    access_key: str
    secret_key: str

    def settings(self, **others: object) -> dict[str, object]:
        keys = {"s3_access_key": self.access_key, "s3_secret_key": self.secret_key}
        return s3_settings(self.url, "example-chat", **{**keys, **others})


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    policy = re.search(r"```json\n(.*?)```", (ROOT / "docs" / "files.md").read_text(), re.DOTALL)
    assert policy
    with S3Server(free_calls=4) as server:
        location = {"LocationConstraint": REGION}
        server.client.create_bucket(Bucket="example-chat", CreateBucketConfiguration=location)  # type: ignore[arg-type]
        iam = boto3.session.Session().client(
            "iam",
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        iam.create_user(UserName="messenger")
        key = iam.create_access_key(UserName="messenger")["AccessKey"]
        iam.put_user_policy(UserName="messenger", PolicyName="files", PolicyDocument=policy[1])
        iam.close()
        yield Guarded(server.url, key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine plays a part: neither its configuration nor its keys for Amazon."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def checked(settings: dict[str, object]) -> Found:
    environment = {f"MESSENGER_{key.upper()}": str(value) for key, value in settings.items()}
    result = Cli().run("check", "--json", **environment)
    assert str(settings["s3_secret_key"] or "no secret key") not in result.output
    assert result.stderr == ""
    (finding,) = (finding for finding in json.loads(result.stdout) if finding["check"] == "files")
    return Found(finding["state"], finding["found"], finding["to_do"])


@pytest.mark.usefixtures("in_a_folder")
def test_the_rights_that_the_page_lists_suffice_for_everything(guarded: Guarded) -> None:
    assert checked(guarded.settings()) == (
        "ok",
        "writable: s3://example-chat/files, s3://example-chat/files/tn",
        "",
    )
    store = FileStore.from_settings(configuration.build(**guarded.settings()))

    name = store.save(b"data", "txt", NOW)
    read = content(store, name)
    store.remove(name)
    gone = content(store, name)
    store.close()

    assert (read, gone) == (b"data", None)


@pytest.mark.usefixtures("in_a_folder")
@pytest.mark.parametrize(
    ("wrong", "code", "to_do"),
    [
        ({"s3_access_key": "AKIAUNKNOWN"}, "InvalidAccessKeyId", "check S3_ACCESS_KEY and S3_SECRET_KEY"),
        ({"s3_secret_key": "not that one"}, "SignatureDoesNotMatch", "check S3_ACCESS_KEY and S3_SECRET_KEY"),
        ({"files_path": "s3://example-chat/other"}, "AccessDenied", MISSING_RIGHTS),
        ({"files_tn_path": "s3://example-chat/tn"}, "AccessDenied", MISSING_RIGHTS),
    ],
)
def test_the_doctor_tells_a_wrong_key_from_missing_rights(
    guarded: Guarded, wrong: dict[str, object], code: str, to_do: str
) -> None:
    found = checked(guarded.settings(**wrong))

    assert (found.state, found.to_do) == ("fault", to_do)
    assert found.found.startswith("cannot write to s3://example-chat/")
    assert f"PutObject: {code}" in found.found


@pytest.mark.usefixtures("in_a_folder")
def test_the_doctor_names_a_bucket_that_does_not_exist(bucket: BucketPlaces) -> None:
    found = checked(s3_settings(bucket.server.url, "no-such-bucket"))

    assert found.state == "fault"
    assert "s3://no-such-bucket/files: PutObject: NoSuchBucket" in found.found
    assert found.to_do == "make the bucket, or name another in FILES_PATH and FILES_TN_PATH"


@pytest.mark.usefixtures("in_a_folder")
def test_the_doctor_says_that_a_bucket_cannot_be_reached() -> None:
    found = checked(s3_settings(f"http://{LOOPBACK}:{free_port()}", "bucket"))

    assert found.state == "fault"
    assert "EndpointConnectionError" in found.found
    assert found.to_do == "check S3_ENDPOINT_URL, the network and the proxy"


@pytest.mark.usefixtures("in_a_folder")
def test_the_doctor_says_that_there_are_no_keys(bucket: BucketPlaces) -> None:
    found = checked(s3_settings(bucket.server.url, bucket.name, s3_access_key="", s3_secret_key=""))

    assert found.state == "fault"
    assert "NoCredentialsError" in found.found
    assert found.to_do == "set S3_ACCESS_KEY and S3_SECRET_KEY, or give this machine a role of its own"


@pytest.mark.usefixtures("in_a_folder")
def test_the_doctor_says_what_boto3_stumbles_over(
    bucket: BucketPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    found = checked(s3_settings(bucket.server.url, bucket.name, s3_access_key="", s3_secret_key=""))

    assert found.state == "fault"
    assert "ProfileNotFound" in found.found
    assert found.to_do.startswith("check the S3_ keys, and what boto3 finds")


@pytest.mark.usefixtures("in_a_folder")
@pytest.mark.parametrize(
    ("answers", "words", "to_do"),
    [
        (
            [None, Fault(status=403, code="AccessDenied")],
            "GetObject: AccessDenied",
            MISSING_RIGHTS,
        ),
        (
            [None, None, Fault(status=403, code="AccessDenied")],
            "DeleteObject: AccessDenied",
            MISSING_RIGHTS,
        ),
        (
            [None, None, None, Fault(status=403, code="AccessDenied")],
            "HeadObject: 403",
            f"{MISSING_RIGHTS}: s3:ListBucket",
        ),
        (
            [Fault(status=400, code="AuthorizationHeaderMalformed")],
            "PutObject: AuthorizationHeaderMalformed",
            "set S3_REGION to the region of the bucket",
        ),
        ([Fault(status=507, code="XDiskFull")], "PutObject: XDiskFull", "see the bucket's own log"),
    ],
)
def test_the_doctor_tries_everything_that_will_be_needed(
    bucket: BucketPlaces, answers: list[Fault | None], words: str, to_do: str
) -> None:
    with wire_to(bucket.server.port) as wire:
        wire.faults.extend(answers)
        found = checked(s3_settings(wire.url, bucket.name))

    assert found.state == "fault"
    assert words in found.found
    assert found.to_do == to_do
    assert len(bucket.names()) == ("DeleteObject" in words), "nothing stays that could be removed"


@pytest.mark.usefixtures("in_a_folder")
def test_the_doctor_leaves_nothing_in_the_bucket(bucket: BucketPlaces) -> None:
    assert checked(s3_settings(bucket.server.url, bucket.name)).state == "ok"
    assert bucket.names() == []
