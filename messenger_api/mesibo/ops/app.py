"""mesibo's ops: app. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from messenger_api.mesibo.operation import File, Operation


@dataclass(frozen=True, kw_only=True)
class PushUpload(Operation[None]):
    """`pushupload`: hand mesibo a credential for push notifications; an app may have several of Apple's.

    Source: documented. Asked twice, it happens twice.

    Attributes:
        file: A service account of Firebase (.json) or a certificate of Apple without a password (.p12). Sent
            as file (multipart, documented).
        type: What it is, where the file's name does not end in .json or .p12. One of fcm, apn. Sent as type
            (multipart, documented).
    """

    OP: ClassVar[str] = "pushupload"

    file: File = field(repr=False)
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScriptAdd(Operation[None]):
    """`scriptadd`: hand mesibo a script of its scripting and chatbot feature.

    Source: documented. Asked twice, it happens twice.

    Attributes:
        file: The script (.js). Sent as file (multipart, documented).
        description: For people. Sent as description (multipart, documented).
        sid: Which script it replaces; 0 for a new one. mesibo's default: 0. Sent as sid (multipart,
            documented).
    """

    OP: ClassVar[str] = "scriptadd"

    file: File
    description: str | None = None
    sid: int | None = None
