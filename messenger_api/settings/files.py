"""The keys of the files, in a folder or a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from messenger_api.settings.conversions import (
    as_place,
    as_region,
    as_text,
    as_url,
    is_bucket,
    key,
    whole_number,
)


@dataclass(frozen=True)
class FileKeys:
    """A part of `Settings`."""

    files_path: str = key("uploads", as_place)
    files_tn_path: str = key("uploads/tn", as_place)
    s3_endpoint_url: str = key("", as_url)
    s3_access_key: str = key("", as_text)
    s3_secret_key: str = key("", as_text, secret=True)
    s3_region: str = key("", as_region)
    max_upload_bytes: int = key(25 * 1024 * 1024, whole_number(1024, 2 * 1024**3))
    max_photo_bytes: int = key(20 * 1024 * 1024, whole_number(1024, 256 * 1024**2))
    max_photo_pixels: int = key(120_000_000, whole_number(10_000, 200_000_000))

    @property
    def uses_buckets(self) -> bool:
        """Whether files or thumbnails rest in a bucket."""
        return is_bucket(self.files_path) or is_bucket(self.files_tn_path)

    def file_contradictions(self) -> list[str]:
        """Half a pair of keys, one place for two things, a library that is missing."""
        faults = []
        if bool(self.s3_access_key) != bool(self.s3_secret_key):
            missing = "S3_SECRET_KEY" if self.s3_access_key else "S3_ACCESS_KEY"
            faults.append(
                f"{missing}: required with the other of the pair; with neither, boto3 looks for its own"
            )
        if _place(self.files_path) == _place(self.files_tn_path):
            # A photo in JPEG and its thumbnail have one name.
            faults.append(
                f"FILES_TN_PATH = {self.files_tn_path!r}: accepted is another place than FILES_PATH"
            )
        if self.uses_buckets and find_spec("boto3") is None:
            name = "FILES_PATH" if is_bucket(self.files_path) else "FILES_TN_PATH"
            faults.append(f"{name}: a bucket needs the library boto3; install it with: pip install '.[s3]'")
        return faults


def _place(path: str) -> str:
    return path if is_bucket(path) else str(Path(path).resolve())
