"""A real S3 server for the tests: moto's, in a process of its own, speaking HTTP on the loopback address."""

from __future__ import annotations

import functools
import http.client
import itertools
import os
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

from messenger_api.storage.files import FileStore, Opened, Part
from tests.processes import LOOPBACK, Server, ServerProcess, free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION: Literal["eu-central-1"] = "eu-central-1"
ACCESS_KEY = "an-access-key"
SECRET_KEY = "the secret of that key"


class S3Server(Server):
    """Buckets on a free port. With `free_calls` it asks for rights after that many calls, as IAM does."""

    def __init__(self, free_calls: int | None = None) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="messenger-s3-"))
        self._limits = {} if free_calls is None else {"INITIAL_NO_AUTH_ACTION_COUNT": str(free_calls)}
        self._numbers = itertools.count(1)

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]
        environment = {**os.environ, **self._limits}
        self.process = ServerProcess(command, self.folder / "log", environment=environment)
        self.process.wait_until(self._answers)

    def close(self) -> None:
        """Stop and forget the buckets."""
        try:
            self.client.close()
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @functools.cached_property
    def client(self) -> S3Client:
        """What a test, or another tool, uses to look into the buckets."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def new_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"bucket-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def keys(self, bucket: str) -> list[str]:
        """The keys of all objects in a bucket."""
        return sorted(
            entry["Key"] for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        )

    def _answers(self) -> bool:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)) as connection:
            try:
                connection.request("GET", "/moto-api/")
                return connection.getresponse().status == http.client.OK
            except (OSError, http.client.HTTPException):
                return False


def s3_settings(url: str, bucket: str, **others: object) -> dict[str, object]:
    """The settings of a product whose files rest in a bucket."""
    return {
        "files_path": f"s3://{bucket}/files",
        "files_tn_path": f"s3://{bucket}/files/tn",
        "s3_endpoint_url": url,
        "s3_access_key": ACCESS_KEY,
        "s3_secret_key": SECRET_KEY,
        "s3_region": REGION,
        **others,
    }


def content(store: FileStore, name: str, part: Part | None = None) -> bytes | None:
    """The bytes of a stored file; None if there is none."""
    entry = store.file(name)
    return _bytes_of(entry.open(part)) if entry else None


def thumbnail_content(store: FileStore, name: str) -> bytes | None:
    """The bytes of a photo's thumbnail; None if there is none."""
    entry = store.thumbnail(name)
    return _bytes_of(entry.open()) if entry else None


def _bytes_of(opened: Opened | None) -> bytes | None:
    if opened is None:
        return None
    with closing(opened.body):
        return b"".join(opened.body)
