"""Files in a bucket of Amazon S3, or of anything that speaks its protocol.

Every object carries the headers that it is to be served with, so that a CDN or the bucket itself may
serve it in our place.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.response import StreamingBody
from urllib3.exceptions import HTTPError

from messenger_api.domain.errors import TryLater
from messenger_api.settings import Settings
from messenger_api.storage.files.base import CHUNK_BYTES, Found, Opened, Part, Place
from messenger_api.storage.files.faults import said, unusable
from messenger_api.storage.files.names import presentation, probe_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Seconds for making a connection, and for every single wait for bytes.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
# A second try covers a connection that had gone stale and a bucket that was busy for a moment.
ATTEMPTS = 2
# A process serves 32 requests at a time: files of a slow bucket, or to slow phones, may take half of them.
MAX_CALLS = 16
# How long a call waits for its turn when that many are under way.
QUEUE_SECONDS = 0.5
# Times that a download which breaks off is taken up again where it broke.
RESUMPTIONS = 2

SERVER_ERROR = 500
# What reading may raise; botocore lets a fault of TLS through as urllib3 raises it.
BROKE_OFF = (BotoCoreError, HTTPError)
# A bucket that is missing is a fault of the configuration and no missing file.
GONE = ("404", "NoSuchKey")


class S3:
    """The connection to the buckets of one account, with at most `max_calls` under way at once."""

    def __init__(self, client: S3Client, max_calls: int = MAX_CALLS) -> None:
        self.client = client
        self.slots = threading.BoundedSemaphore(max_calls)

    @classmethod
    def from_settings(cls, settings: Settings) -> S3:
        """The connection that the `S3_` keys describe; empty ones are left to boto3's own chain.

        Raises:
            Unusable: boto3 cannot do with what it finds, such as a profile that does not exist.
        """
        try:
            return cls(_client(settings))
        except BotoCoreError as error:
            raise unusable("a bucket", error) from error

    def bucket(self, url: str) -> Bucket:
        """The place `s3://bucket/prefix`."""
        name, _, prefix = url.removeprefix("s3://").partition("/")
        return Bucket(self, name, prefix)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the calls that may be under way; what fails within is `TryLater`."""
        if not self.slots.acquire(timeout=QUEUE_SECONDS):
            raise TryLater from TimeoutError("too many calls to the bucket are under way")
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            log.warning("files.bucket_failed", error=said(error))
            raise TryLater from error
        finally:
            self.slots.release()


class Bucket(Place):
    """The objects of `bucket` whose keys begin with `prefix` and a slash."""

    def __init__(self, s3: S3, bucket: str, prefix: str) -> None:
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        self._s3 = s3
        self._client = s3.client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def put(self, key: str, data: bytes) -> None:
        """Keep an object with the headers that it is to be served with."""
        try:
            with self._s3.turn():
                self._put(key, data)
        except TryLater as failure:
            if _may_have_arrived(failure.__cause__):
                with suppress(TryLater):
                    self.remove(key)
            raise

    def remove(self, key: str) -> None:
        """Delete an object; one that is not there is passed over."""
        with self._s3.turn():
            self._client.delete_object(**self._at(key))

    def find(self, key: str) -> Found | None:
        """Size and time of an object; None if there is none."""
        with self._s3.turn():
            answer = _unless_gone(lambda: self._client.head_object(**self._at(key)))
        return _found(answer, answer["ContentLength"]) if answer else None

    def open(self, key: str, part: Part | None = None) -> Opened | None:
        """An object, or a part of it, which alone is fetched; None if there is none."""
        if part and part.start == part.stop:
            part = None  # S3 knows no empty range; only an empty file is asked for so
        with ExitStack() as turn:
            turn.enter_context(self._s3.turn())
            answer = _unless_gone(lambda: self._get(key, part))
            if answer is None:
                return None
            size = int(answer["ContentRange"].rpartition("/")[2]) if part else answer["ContentLength"]
            body = _ObjectBody(self, key, part or Part(0, size), answer["Body"], turn.pop_all())
            return Opened(_found(answer, size), body)

    def check(self) -> None:
        """Write an object, read it, delete it, and look for it again.

        Raises:
            Unusable: one of that is not possible.
        """
        key = probe_name()
        try:
            self._put(key, b"check")
            try:
                self._get(key)["Body"].close()
            finally:
                self._client.delete_object(**self._at(key))
        except (BotoCoreError, ClientError) as error:
            raise unusable(self.name, error) from error
        try:
            # Without the right to list, S3 says "forbidden" of every file that is not there.
            _unless_gone(lambda: self._client.head_object(**self._at(key)))
        except (BotoCoreError, ClientError) as error:
            raise unusable(self.name, error, missing="s3:ListBucket") from error

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def fetch(self, key: str, part: Part) -> StreamingBody:
        """The bytes of a part, within the turn that the caller holds."""
        body: StreamingBody = self._get(key, part)["Body"]
        return body

    def _put(self, key: str, data: bytes) -> None:
        served = presentation(key)
        self._client.put_object(
            **self._at(key),
            Body=data,
            # The bucket refuses what changed on its way; every kind of bucket knows this check.
            ContentMD5=base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
            ContentType=served.content_type,
            ContentDisposition=served.disposition,
            CacheControl=served.cache_control,
        )

    def _get(self, key: str, part: Part | None = None) -> Any:
        at = self._at(key)
        if part:
            at["Range"] = f"bytes={part.start}-{part.stop - 1}"
        return self._client.get_object(**at)

    def _at(self, key: str) -> Any:
        return {"Bucket": self._bucket, "Key": self._prefix + key}


class _ObjectBody:
    """A part of an object on its way, which holds its turn until it is closed."""

    def __init__(self, bucket: Bucket, key: str, part: Part, stream: StreamingBody, turn: ExitStack) -> None:
        self._bucket = bucket
        self._key = key
        self._part = part
        self._stream = stream
        self._turn = turn

    def __iter__(self) -> Iterator[bytes]:
        at, tries = self._part.start, RESUMPTIONS
        while True:
            try:
                for chunk in self._stream.iter_chunks(CHUNK_BYTES):
                    at += len(chunk)
                    yield chunk
            except BROKE_OFF as error:
                log.warning("files.download_broke_off", error=type(error).__name__, tries_left=tries)
                if not tries:
                    raise
                tries -= 1
                self._take_up(at)
            else:
                return

    def close(self) -> None:
        self._stream.close()
        self._turn.close()

    def _take_up(self, at: int) -> None:
        """Go on where the download broke off. A name never gets other content, so the rest fits."""
        self._stream.close()
        self._stream = self._bucket.fetch(self._key, Part(at, self._part.stop))


def _client(settings: Settings) -> S3Client:
    session = boto3.session.Session(
        aws_access_key_id=settings.s3_access_key or None,
        aws_secret_access_key=settings.s3_secret_key or None,
        region_name=settings.s3_region or None,
    )
    endpoint = settings.s3_endpoint_url or None
    return session.client("s3", endpoint_url=endpoint, config=_config(own_endpoint=bool(endpoint)))


def _config(*, own_endpoint: bool) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=MAX_CALLS,
        # A bucket's name in front of the host needs DNS entries that servers of one's own seldom have.
        s3={"addressing_style": "path" if own_endpoint else "auto"},
        # Servers other than Amazon's do not all know the checksums of newer kinds.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _unless_gone(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise


def _found(answer: Any, size: int) -> Found:
    return Found(size, answer["LastModified"].timestamp())


def _may_have_arrived(cause: BaseException | None) -> bool:
    """Whether an object may be there although putting it failed.

    A bucket that hangs is not asked again: what it kept in the end lies under a name that nobody knows.
    """
    if isinstance(cause, ClientError):
        return cause.response["ResponseMetadata"]["HTTPStatusCode"] >= SERVER_ERROR
    return isinstance(cause, ConnectionClosedError)
