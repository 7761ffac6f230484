"""Brings a backup back: everything is checked first, and the database comes last."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from messenger_api import keyfile
from messenger_api.domain.secrets import Keys
from messenger_api.keeping import manifest as manifests
from messenger_api.keeping.backup import keeper_of
from messenger_api.keeping.manifest import FILES, PLACES, SEALED_KEY, KeepingError, Manifest, Tell
from messenger_api.keeping.saved import Keeper
from messenger_api.keeping.sealing import unsealed
from messenger_api.operating import OperatorParts
from messenger_api.settings import Settings
from messenger_api.storage import signs
from messenger_api.storage.files import FileStore
from messenger_api.storage.upgrading import Say


@dataclass(frozen=True)
class Asked:
    """What is to be restored. `replacing`: the name of a database whose content may go, "" for none."""

    folder: Path
    replacing: str = ""
    passphrase: str = ""


def checked(asked: Asked, tell: Tell) -> Manifest:
    """The manifest of a backup of which every byte is as it was.

    Raises KeepingError: it is not, or the key in it is sealed with another passphrase than the one given.
    """
    manifest = manifests.read(asked.folder)
    manifests.check(asked.folder, manifest, tell)
    if asked.passphrase and has_key(manifest):
        unsealed_key(asked, manifest)
    return manifest


def has_key(manifest: Manifest) -> bool:
    """Whether a backup holds the SECRET_KEY, under a passphrase."""
    return SEALED_KEY in manifest.sums


def unsealed_key(asked: Asked, manifest: Manifest) -> str:
    """The SECRET_KEY of a backup. Raises KeepingError: it has none, or the passphrase is another one."""
    if not has_key(manifest):
        raise KeepingError(
            "The backup holds no SECRET_KEY, and there is none here: put the one that you kept into the"
            " configuration"
        )
    if not asked.passphrase:
        raise KeepingError("The SECRET_KEY of the backup is sealed: give --passphrase-file")
    key = unsealed(manifests.content(asked.folder, SEALED_KEY), asked.passphrase)
    if Keys.derive(key).fingerprint != manifest.key:
        raise KeepingError("The sealed key is not the one of this backup")
    return key


def restore(settings: Settings, asked: Asked, tell: Tell, say: Say) -> Manifest:
    """Bring the database, files and key back; an older version's tables are upgraded.

    Cut short, it is run again.

    Raises:
        KeepingError: the backup is damaged, of another kind of database, or of a newer version; the database
            holds something, or a server uses it; or the key or passphrase is another one or missing. Nothing
            was changed.
        TryLater, SQLAlchemyError, UpgradeRefused, OSError: it cannot be written.
    """
    manifest = checked(asked, tell)
    looking = OperatorParts.alone(settings)
    try:
        _check_target(looking, manifest, asked.replacing)
    finally:
        looking.close()
    settings = replace(settings, secret_key=_key(settings, manifest, asked))
    parts = OperatorParts.alone(settings)
    try:
        _put_files(FileStore.from_settings(settings), asked.folder, manifest, tell)
        keeper = keeper_of(parts)
        with manifests.opened(asked.folder, keeper.file) as source:
            keeper.load(source, manifest, tell)
        parts.schema.upgrade(say)
        parts.installation.check_key()
    finally:
        parts.close()
    return manifest


def _check_target(parts: OperatorParts, manifest: Manifest, replacing: str) -> None:
    keeper: Keeper = keeper_of(parts)
    if keeper.engine != manifest.engine:
        kinds = {"sqlite": "SQLite", "mysql": "MySQL or MariaDB"}
        raise KeepingError(
            f"This is a backup of {kinds.get(manifest.engine, manifest.engine)}, and the configuration names"
            f" {kinds[keeper.engine]}"
        )
    if not parts.schema.knows(manifest.revision):
        raise KeepingError(
            f"The backup's tables ({manifest.revision}) are of a newer version of this program:"
            f" install {manifest.version}"
        )
    if keeper.is_empty():
        return
    if replacing != keeper.name:
        raise KeepingError(
            f"The database {keeper.name} is not empty. To delete all that it holds: --replace {keeper.name}"
        )
    # Who has a file of SQLite open is known when it is to be replaced.
    if not parts.settings.is_sqlite and parts.database.run(
        lambda tx: signs.are_young(tx, parts.database.now())
    ):
        raise KeepingError(signs.RUNS)


def _key(settings: Settings, manifest: Manifest, asked: Asked) -> str:
    """The key of this installation, which must be that of the backup; where there is none, the sealed one."""
    if key := keyfile.kept_key(settings):
        if Keys.derive(key).fingerprint != manifest.key:
            raise KeepingError(
                "The SECRET_KEY here is not the one of the backup: nobody could log in. Put that one into the"
                f" configuration or {keyfile.key_path(settings)}, or move this one away to have the sealed"
                " one"
            )
        return key
    key = unsealed_key(asked, manifest)
    keyfile.keep(settings, key)
    return key


def _put_files(store: FileStore, folder: Path, manifest: Manifest, tell: Tell) -> None:
    """Put every file in its place. One that is there with its size stays: no name ever gets other content."""
    names = [name for name in manifest.sums if name.partition("/")[0] in PLACES]
    try:
        for done, name in enumerate(names):
            tell("files", done, len(names))
            place, _, key = name.partition("/")
            target = store.files if place == FILES else store.thumbnails
            found = target.find(key)
            with manifests.opened(folder, name) as file:
                if found is None or found.size != os.fstat(file.fileno()).st_size:
                    target.put(key, file.read())
    finally:
        store.close()
