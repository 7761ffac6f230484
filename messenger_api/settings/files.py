"""The keys of the files, in a folder or a bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_text, as_url, whole_number
from messenger_api.settings.keys import Keys, key

# A bucket's name has 3 to 63 of these characters; the prefix is a path without "." and "..".
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(?:/|$))[\w.=@+-]+)*/?", re.ASCII)
_REGION = re.compile(r"[A-Za-z0-9-]{0,63}", re.ASCII)


@Verbatim
def as_place(value: object) -> str:
    """Where files rest: the path of a folder, or a bucket and a prefix."""
    text = as_text(value)
    if "://" in text and not _BUCKET.fullmatch(text):
        raise Unacceptable('a folder, or a bucket such as "s3://bucket/prefix"')
    return text.rstrip("/") if is_bucket(text) else text


@Verbatim
def as_region(value: object) -> str:
    """The name of a bucket's region, or ""."""
    text = as_text(value)
    if not _REGION.fullmatch(text):
        raise Unacceptable('a region such as "eu-central-1", or ""')
    return text


def is_bucket(place: str) -> bool:
    """Whether files rest in a bucket there, and not in a folder."""
    return place.startswith("s3://")


@dataclass(frozen=True)
class FileKeys(Keys):
    """Files

    Paths are relative to the folder in which the server is started, or absolute.
    """

    instance_path: str = key(
        "instance",
        as_text,
        "The folder of this installation: the SQLite file, the secret key that was made by itself, the"
        " sandbox's memory.",
        "/var/lib/messenger-api",
    )
    files_path: str = key(
        "uploads",
        as_place,
        "Where profile photos and attachments rest: a folder, or a bucket and a prefix in it. With"
        " several machines it must be a bucket, or a folder that they share. docs/files.md tells how to"
        " set up a bucket.",
        "/srv/messenger/files",
        "s3://example-chat/files",
    )
    files_tn_path: str = key(
        "uploads/tn",
        as_place,
        "Where the thumbnails of profile photos rest: another folder, or a bucket and another prefix.",
        "/srv/messenger/files/tn",
        "s3://example-chat/files/tn",
    )
    s3_endpoint_url: str = key(
        "",
        as_url,
        "The address of the bucket's server when it is not Amazon's: MinIO, Cloudflare R2, Garage and"
        " others.",
        "https://minio.example.com:9000",
    )
    s3_access_key: str = key(
        "",
        as_text,
        "The name of the key with which the bucket is used. Both of the pair empty: boto3 looks for its"
        " own, in AWS_ variables, ~/.aws and the role of the machine.",
        "AKIA...",
    )
    s3_secret_key: str = key(
        "",
        as_text,
        "The secret of that key.",
        "wJal...EKEY",
        secret=True,
    )
    s3_region: str = key(
        "",
        as_region,
        'The region of the bucket. Empty: what boto3 finds, or us-east-1. Garage calls its own "garage".',
        "eu-central-1",
    )
    max_upload_bytes: int = key(
        25 * 1024 * 1024,
        whole_number(1024, 2 * 1024**3),
        "The largest attachment, in bytes: 25 MB. A proxy in front must let a little more through.",
        100 * 1024 * 1024,
    )
    max_photo_bytes: int = key(
        20 * 1024 * 1024,
        whole_number(1024, 256 * 1024**2),
        "The largest profile photo as it is sent, in bytes: 20 MB. Cameras of 48 megapixels come near it.",
        5 * 1024 * 1024,
    )
    max_photo_pixels: int = key(
        120_000_000,
        whole_number(10_000, 200_000_000),
        "The largest profile photo, in pixels (width times height). Only a JPEG may be that large, since"
        " it is made smaller while it is read; docs/files.md says how large the others may be.",
        50_000_000,
    )

    @property
    def uses_buckets(self) -> bool:
        """Whether files or thumbnails rest in a bucket."""
        return is_bucket(self.files_path) or is_bucket(self.files_tn_path)


def place(path: str) -> str:
    """The one name of a place, however it is written."""
    return path if is_bucket(path) else str(Path(path).resolve())
