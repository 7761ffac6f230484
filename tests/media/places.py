"""A store, and what a test needs to look behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from messenger_api.storage.files import FileStore, Folder
from tests.s3 import S3Server


class Places(ABC):
    """Files under `files`, thumbnails under `files/tn`, whichever kind of place it is."""

    def __init__(self, store: FileStore) -> None:
        self.store = store

    @abstractmethod
    def names(self) -> list[str]:
        """What is kept, thumbnails as `tn/...`."""

    @abstractmethod
    def lay(self, key: str, data: bytes) -> None:
        """Put a file there as another tool would, with nothing but its bytes."""


class FolderPlaces(Places):
    """Folders."""

    @property
    def files(self) -> Path:
        assert isinstance(self.store.files, Folder)
        return self.store.files.path

    @property
    def thumbnails(self) -> Path:
        assert isinstance(self.store.thumbnails, Folder)
        return self.store.thumbnails.path

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file())

    def lay(self, key: str, data: bytes) -> None:
        (self.files / key).write_bytes(data)


class BucketPlaces(Places):
    """A bucket."""

    def __init__(self, store: FileStore, server: S3Server, name: str) -> None:
        super().__init__(store)
        self.server = server
        self.name = name

    def names(self) -> list[str]:
        return [key.removeprefix("files/") for key in self.server.keys(self.name)]

    def lay(self, key: str, data: bytes) -> None:
        self.server.client.put_object(Bucket=self.name, Key=f"files/{key}", Body=data)
