"""config.py from the PHP demo's config.php, which is read as text and never run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from messenger_api.domain.secrets import new_secret_key
from messenger_api.private_files import writing
from messenger_api.settings.former import instead

# What a PHP file is made of, as far as it matters here: comments, assignments of one text, other texts. In
# quotes a backslash stands before what it protects.
_TEXT = r"""'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)\""""
_PART = re.compile(
    r"/\*.*?(?:\*/|\Z)|(?://|\#)[^\n]*"
    rf"|\$(?P<name>\w+)\s*=\s*(?:{_TEXT})\s*;"
    r"""|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""",
    re.DOTALL,
)
_SINGLE = re.compile(r"\\(['\\])")
# PHP manual, strings: the escapes of double quotes that a configuration may have.
_DOUBLE = re.compile(r"\\([nrt\\$\"])")
_CHARS = {"n": "\n", "r": "\r", "t": "\t"}

# The demo's names, and the keys that take their values.
_KEYS = {
    "google_map_key": "GOOGLE_MAP_KEY",
    "mesibo_apptoken": "MESIBO_APP_TOKEN",
    "downloadurl": "DOWNLOAD_URL",
}
_FOLDERS = {"files_path": "FILES_PATH", "files_tn_path": "FILES_TN_PATH"}
_DATABASE = {"db_host": "DB_HOST", "db_user": "DB_USER", "db_pass": "DB_PASS"}
_LEFT = ("mesibo_apikey", "gcm_key", "apn_passphrase", "apn_pem")
HEAD = "# Written from the PHP demo's {path}. config.example.py explains every key.\n"


@dataclass(frozen=True)
class Taken:
    """What was written: the names of keys, and the demo's names that were left, with the reason."""

    keys: list[str]
    left: dict[str, str]


def assignments(text: str) -> dict[str, str]:
    """The texts that a PHP file assigns, the last one of each name. What is computed is not seen."""
    return {part["name"]: _value(part) for part in _PART.finditer(text) if part["name"]}


def written(source: Path, target: Path, database: str) -> Taken:
    """Write the configuration file `target` from config.php and the config.php in the folder above it.

    Args:
        source: the demo's config.php.
        target: made, readable by its owner alone, for it holds secrets.
        database: the name of the new database, which is not the demo's.

    Raises:
        FileExistsError: there is such a file; it was left alone.
        OSError: something cannot be read or written.
    """
    php = assignments(_text(source))
    above = source.absolute().parent.parent / source.name
    if above.is_file():
        php |= assignments(_text(above))
    values = _values(php, source.absolute().parent, database)
    lines = [f"{key} = {value!r}\n" for key, value in values.items()]
    with writing(target, new=True) as file:
        file.writelines([HEAD.format(path=source), *lines])
    left = {f"${name}": instead(name, ()) for name in _LEFT if php.get(name)}
    return Taken(list(values), left)


def _values(php: Mapping[str, str], folder: Path, database: str) -> dict[str, str]:
    values = {}
    if php.get("db_host"):
        values = {key: php[name] for name, key in _DATABASE.items() if php.get(name)}
        values["DB_HOST"], port = _host_and_port(values["DB_HOST"])
        values |= {"DB_NAME": database, **port}
        values["SECRET_KEY"] = new_secret_key()
    values |= {key: php[name] for name, key in _KEYS.items() if php.get(name)}
    for name, key in _FOLDERS.items():
        if php.get(name):
            # As PHP sees it: from the folder of the script.
            values[key] = os.path.normpath(folder / php[name])
    return values


def _host_and_port(host: str) -> tuple[str, dict[str, str]]:
    name, _, port = host.partition(":")
    return name, {"DB_PORT": port} if port.isdecimal() else {}


def _value(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return _SINGLE.sub(r"\1", match["single"])
    return _DOUBLE.sub(lambda found: _CHARS.get(found[1], found[1]), match["double"])


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
