"""The store in its two forms: folders, and a bucket on a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger_api import configuration
from messenger_api.storage.files import FileStore
from tests.media.places import BucketPlaces, FolderPlaces, Places
from tests.s3 import S3Server, s3_settings


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server for the whole run. A test that stops or kills a server makes one of its own."""
    with S3Server() as server:
        yield server


@pytest.fixture
def folders(tmp_path: Path) -> FolderPlaces:
    """A store in folders."""
    paths = {"files_path": str(tmp_path / "uploads"), "files_tn_path": str(tmp_path / "uploads" / "tn")}
    return FolderPlaces(FileStore.from_settings(configuration.build(**paths)))


@pytest.fixture
def bucket(s3_server: S3Server) -> Iterator[BucketPlaces]:
    """A store in a bucket of its own."""
    name = s3_server.new_bucket()
    store = FileStore.from_settings(configuration.build(**s3_settings(s3_server.url, name)))
    yield BucketPlaces(store, s3_server, name)
    store.close()


@pytest.fixture(params=["folders", pytest.param("bucket", marks=pytest.mark.server)])
def places(request: pytest.FixtureRequest) -> Places:
    """The store of a test that holds wherever files rest."""
    found: Places = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(places: Places) -> FileStore:
    """The store itself."""
    return places.store
