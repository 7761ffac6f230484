"""For each op a record with all that it can say, and the exact bytes of each style."""

from __future__ import annotations

import json
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from messenger_api import mesibo
from messenger_api.mesibo import File, Operation

TOKEN = "app0token"
KEY = "account0key"


class Case(NamedTuple):
    op: Operation[Any]
    style: str
    body: str


def multipart(*parts: tuple[str, str]) -> str:
    """Parts of `--b`: what follows `form-data; `, and the content."""
    written = (
        f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n" for head, content in parts
    )
    return "".join(written) + "--b--\r\n"


RIGHTS: dict[str, Any] = {"send": True, "recv": True, "pub": False, "sub": False, "list": True}
JSON_RIGHTS = '"permissions":{"send":true,"recv":true,"pub":false,"sub":false,"list":true}'
FORM_RIGHTS = "cs=1&cr=1&canpub=0&cansub=0&canlist=1"
IN_JSON: dict[str, Any] = {
    "name": "Ä & B",
    "flags": 3,
    "expiry": 60,
    "expiryext": 30,
    "active": True,
    "members": ["491", "492"],
    **RIGHTS,
}
GROUP_JSON = (
    '"name":"Ä & B","flags":3,"expiry":60,"expiryext":30,"active":1,"profile":{"image":"https://x/y.png"},'
    '"members":{"m":"491,492",' + JSON_RIGHTS + ',"admin":{"owner":true}}}'
)
GROUP_FORM = (
    "name=%C3%84+%26+B&flag=3&expiry=60&expiryext=30&active=1&sflags=-1&pinned=-1&m=491%2C492&" + FORM_RIGHTS
)


def each(names: str, value: Any = 1) -> dict[str, Any]:
    return dict.fromkeys(names.split(), value)


def rates(names: str) -> dict[str, Any]:
    return each(names, "60:5,3600:50")


# The sections of uacset as mesibo's own shell script for it has them: its switches, numbers and texts.
UAC = {
    "app": {"name": "x", "data": "x"},
    "features": each("group e2ee message presence call sync push location files"),
    "message": each(
        "incoming outgoing rich broadcast read_receipts delivery_receipts storage url_preview webhook"
    ),
    "presence": each(
        "incoming outgoing typing online joined lastseen lastseen_resolution login request"
        " online_audience can_override"
    ),
    "call": each("incoming outgoing video audio turn hd fhd log maxdur") | {"turn_server": "x"},
    "conf": each("video audio screen hd fhd maxdur"),
    "group": each("create member message presence call location max_groups"),
    "file": each("upload signed max_size") | {"upload_url": "x"},
    "location": each("emulator mock send_real send_age can_sub anti_triang")
    | {
        "user": each("reach accuracy fuzziness maxage"),
        "group": each("reach maxage"),
        "subs": each("count duration sendreal"),
    },
    "proximity_search": {
        "user": each("min_radius max_radius maxage reach bounds"),
        "group": {"same": 1},
    },
    "ratelimit": rates("message call upload location login failure"),
}


def uac_record(kind: type[Any], said: dict[str, Any]) -> Any:
    """The record of one section, made of what it shall look like on the wire."""
    hints = get_type_hints(kind)

    def value(name: str, each: Any) -> Any:
        wanted = next(each for each in get_args(hints[name]) if each is not NoneType)
        if isinstance(each, dict):
            return uac_record(wanted, each)
        if ":" in str(each):
            return [(60, 5), (3600, 50)]
        return wanted(each)

    return kind(**{name: value(name, each) for name, each in said.items()})


UAC_HEAD = {"id": 3, "name": "Paid", "update": 1, "peers": 2, "platforms": "ios,android", "sfu": 0}

CASES = [
    Case(
        uac_record(mesibo.UacSet, {**UAC_HEAD, **UAC}),
        "json",
        '{"op":"uacset","token":"app0token","uac":'
        + json.dumps({**UAC_HEAD, **UAC}, separators=(",", ":"))
        + "}",
    ),
    *(
        Case(
            uac_record(mesibo.UacSet, {platform: 1}),
            "json",
            f'{{"op":"uacset","token":"app0token","uac":{{"{platform}":1}}}}',
        )
        for platform in each("android ios javascript cpp python sfu")
    ),
    Case(
        mesibo.UserAdd(
            address="491",
            name="Ana",
            otp="482913",
            active=True,
            flags=0,
            appid="com.acme",
            expiry=60,
            v2=True,
        ),
        "json",
        '{"op":"useradd","token":"app0token","user":{"address":"491","name":"Ana","otp":"482913","active":true,'
        '"flags":0,"token":{"appid":"com.acme","expiry":60,"v2":true}}}',
    ),
    Case(
        mesibo.UserAdd(
            address="491",
            name="Ana",
            otp="482913",
            active=False,
            flags=0,
            groups=5,
            session=0,
            restrictions=0,
            pinned=True,
            appid="com.acme",
            expiry=60,
        ),
        "form",
        "op=useradd&addr=491&name=Ana&otp=482913&active=0&flag=0&groups=5&session=0&restrictions=0&pinned=1"
        "&appid=com.acme&expiry=60&token=app0token",
    ),
    Case(
        mesibo.UserSet(address="491", active=False, flags=4),
        "json",
        '{"op":"userset","token":"app0token","user":{"address":"491","active":false,"flags":4}}',
    ),
    Case(
        mesibo.UserSet(uid=7, active=False, flags=4, storage=-1, ssr=-1, pinned=0),
        "form",
        "op=userset&uid=7&active=0&flag=4&storage=-1&ssr=-1&pinned=0&token=app0token",
    ),
    Case(mesibo.UserDel(uid=7), "json", '{"op":"userdel","token":"app0token","user":{"uid":7}}'),
    Case(mesibo.UserDel(address="491"), "form", "op=userdel&addr=491&token=app0token"),
    Case(
        mesibo.UserToken(uid=7, appid="com.acme", expiry=60, v2=True, delete=True),
        "json",
        '{"op":"usertoken","token":"app0token","user":{"uid":7,"token":{"appid":"com.acme","expiry":60,"v2":true,'
        '"delete":true}}}',
    ),
    Case(
        mesibo.UserToken(address="491", appid="com.acme", expiry=60, delete=True),
        "form",
        "op=usertoken&addr=491&appid=com.acme&expiry=60&delete=1&token=app0token",
    ),
    Case(
        mesibo.UsersGet(address="49*", count=20),
        "json",
        '{"op":"usersget","token":"app0token","user":{"address":"49*","count":20}}',
    ),
    Case(mesibo.UsersGet(address="49*", count=20), "form", "op=usersget&addr=49%2A&count=20&token=app0token"),
    Case(
        mesibo.Otp(address="491", tries=5, expiry=300, reuse=True),
        "json",
        '{"op":"otp","token":"app0token","otp":{"address":"491","tries":5,"expiry":300,"reuse":1}}',
    ),
    Case(
        mesibo.Otp(address="491", tries=5, expiry=300, reuse=False),
        "form",
        "op=otp&addr=491&tries=5&expiry=300&reuse=0&token=app0token",
    ),
    Case(
        mesibo.GroupAdd(**IN_JSON, image="https://x/y.png", owner=True),
        "json",
        '{"op":"groupadd","token":"app0token","group":{' + GROUP_JSON + "}",
    ),
    Case(
        mesibo.GroupAdd(gid=0, **IN_JSON, sflags=-1, pinned=-1),
        "form",
        f"op=groupadd&gid=0&{GROUP_FORM}&token=app0token",
    ),
    Case(
        mesibo.GroupSet(gid=5001, **IN_JSON, image="https://x/y.png", owner=True),
        "json",
        '{"op":"groupset","token":"app0token","group":{"gid":5001,' + GROUP_JSON + "}",
    ),
    Case(
        mesibo.GroupSet(gid=5001, **IN_JSON, sflags=-1, pinned=-1),
        "form",
        f"op=groupset&gid=5001&{GROUP_FORM}&token=app0token",
    ),
    Case(mesibo.GroupDel(gid=5001), "json", '{"op":"groupdel","token":"app0token","group":{"gid":5001}}'),
    Case(mesibo.GroupDel(gid=5001), "form", "op=groupdel&gid=5001&token=app0token"),
    Case(
        mesibo.GroupEditMembers(
            gid=5001, members=["491", "492"], remove=True, **RIGHTS, owner=False, remuser=True
        ),
        "json",
        '{"op":"groupeditmembers","token":"app0token","group":{"gid":5001,"members":{"m":"491,492","remove":1,'
        + JSON_RIGHTS
        + ',"admin":{"owner":false,"remuser":true}}}}',
    ),
    Case(
        mesibo.GroupEditMembers(gid=5001, members=["491", "492"], remove=True, **RIGHTS),
        "form",
        f"op=groupeditmembers&gid=5001&m=491%2C492&delete=1&{FORM_RIGHTS}&token=app0token",
    ),
    Case(
        mesibo.GroupGetMembers(gid=5001, count=20),
        "json",
        '{"op":"groupgetmembers","token":"app0token","group":{"gid":5001,"count":20}}',
    ),
    Case(
        mesibo.GroupGetMembers(gid=5001, count=20),
        "form",
        "op=groupgetmembers&gid=5001&count=20&token=app0token",
    ),
    Case(
        mesibo.GroupsGet(name="Wal*", count=20),
        "json",
        '{"op":"groupsget","token":"app0token","group":{"name":"Wal*","count":20}}',
    ),
    Case(
        mesibo.GroupsGet(name="Wal*", count=20), "form", "op=groupsget&name=Wal%2A&count=20&token=app0token"
    ),
    Case(
        mesibo.Message(
            sender="491",
            to=["492", "493"],
            gid=0,
            type=1,
            expiry=3600,
            when=60,
            flags=4,
            forced=True,
            text="Grüße",
            url="https://x/y.png",
            title="y",
        ),
        "json",
        '{"op":"message","token":"app0token","message":{"from":"491","to":"492,493","gid":0,"type":1,'
        '"expiry":3600,"when":60,"flags":4,"forced":true,"message":"Grüße","url":"https://x/y.png","title":"y"}}',
    ),
    Case(
        mesibo.Message(
            sender="491",
            to=["492", "493"],
            gid=0,
            channel=0,
            type=1,
            expiry=3600,
            when=60,
            flags=4,
            forced=True,
            text="Grüße",
        ),
        "form",
        "op=message&from=491&to=492%2C493&gid=0&channel=0&type=1&expiry=3600&when=60&flag=4&forced=1"
        "&msg=Gr%C3%BC%C3%9Fe&token=app0token",
    ),
    Case(
        mesibo.PushUpload(file=File("key.json", b'{"type":"service_account"}'), type="fcm"),
        "multipart",
        multipart(
            ('name="op"', "pushupload"),
            (
                'name="file"; filename="key.json"\r\nContent-Type: application/octet-stream',
                '{"type":"service_account"}',
            ),
            ('name="type"', "fcm"),
            ('name="token"', TOKEN),
        ),
    ),
    Case(
        mesibo.ScriptAdd(file=File("bot.js", b"log()"), description="Bot", sid=3),
        "multipart",
        multipart(
            ('name="op"', "scriptadd"),
            ('name="file"; filename="bot.js"\r\nContent-Type: application/octet-stream', "log()"),
            ('name="description"', "Bot"),
            ('name="sid"', "3"),
            ('name="token"', TOKEN),
        ),
    ),
    Case(mesibo.AppAdd(name="Chat"), "form", "op=appadd&name=Chat&key=account0key"),
    Case(mesibo.AppDel(name="Chat"), "form", "op=appdel&name=Chat&token=app0token"),
    Case(
        mesibo.AppSet(
            name="Chat",
            maxusers=1,
            maxgroups=2,
            maxmsgs=3,
            url="https://x/",
            notify=4,
            secret="s",
            ninterval=5,
            fcm_id="i",
            fcm_key="k",
        ),
        "form",
        "op=appset&name=Chat&maxusers=1&maxgroups=2&maxmsgs=3&url=https%3A%2F%2Fx%2F&notify=4&secret=s&ninterval=5"
        "&fcm_id=i&fcm_key=k&token=app0token",
    ),
]
