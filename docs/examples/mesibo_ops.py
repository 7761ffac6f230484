"""An example of every op of mesibo's backend API; docs/mesibo.md shows them, and a test runs them."""

# ruff: noqa: D103, T201 - the page says what each op does, and what comes back is printed

from __future__ import annotations

from messenger_api.mesibo import (
    AppAdd,
    AppDel,
    AppSet,
    Client,
    File,
    GroupAdd,
    GroupDel,
    GroupEditMembers,
    GroupGetMembers,
    GroupSet,
    GroupsGet,
    Message,
    Otp,
    PushUpload,
    ScriptAdd,
    UacSet,
    UacSetCall,
    UacSetRatelimit,
    UserAdd,
    UserDel,
    UserSet,
    UsersGet,
    UserToken,
)


def useradd(mesibo: Client) -> None:
    made = mesibo.call(UserAdd(address="4915112345", name="Ana", appid="com.acme.chat", expiry=7 * 24 * 60))
    print(made.uid, len(made.token or ""))


def userset(mesibo: Client) -> None:
    mesibo.call(UserSet(address="4915112345", active=False))


def usertoken(mesibo: Client) -> None:
    print(mesibo.call(UserToken(address="4915112345", appid="com.acme.chat")).token)
    mesibo.call(UserToken(address="4915112345", appid="com.acme.chat", delete=True))


def usersget(mesibo: Client) -> None:
    print([user.address for user in mesibo.call(UsersGet(address="49*"))])  # 20 at most
    print([user.address for user in mesibo.users("49*", alphabet="0123456789")])  # all


def userdel(mesibo: Client) -> None:
    mesibo.call(UserDel(address="4915112345"))


def otp(mesibo: Client) -> None:
    code = mesibo.call(Otp(address="4915112345", tries=5, expiry=300)).otp
    print(len(code))  # yours to send


def groupadd(mesibo: Client) -> None:
    group = mesibo.call(GroupAdd(name="Walks", members=["4915112345"], expiry=10 * 365 * 24 * 3600))
    print(group.gid)


def groupset(mesibo: Client) -> None:
    mesibo.call(GroupSet(gid=5001, name="Long walks", expiryext=30 * 24 * 3600))


def groupeditmembers(mesibo: Client) -> None:
    mesibo.call(GroupEditMembers(gid=5001, members=["4915112346"], send=True, recv=True))
    mesibo.call(GroupEditMembers(gid=5001, members=["4915112346"], remove=True))


def groupgetmembers(mesibo: Client) -> None:
    print([member.address for member in mesibo.call(GroupGetMembers(gid=5001))])


def groupsget(mesibo: Client) -> None:
    print([group.name for group in mesibo.call(GroupsGet(name="*alks"))])


def groupdel(mesibo: Client) -> None:
    mesibo.call(GroupDel(gid=5001))


def message(mesibo: Client) -> None:
    mesibo.call(Message(sender="4915112345", to=["4915112346"], text="Hello", expiry=3600))
    mesibo.call(
        Message(sender="4915112345", gid=5001, url="https://acme.example/map.png", title="The way")
    )  # in JSON


def pushupload(mesibo: Client) -> None:
    mesibo.call(PushUpload(file=File("firebase.json", b'{"type": "service_account"}')))


def uacset(mesibo: Client) -> None:
    calls = UacSetCall(incoming=True, outgoing=True, video=False, maxdur=3600)
    rates = UacSetRatelimit(message=[(60, 30), (3600, 300)])
    mesibo.call(UacSet(id=3, name="Free", call=calls, ratelimit=rates))


def scriptadd(mesibo: Client) -> None:
    mesibo.call(ScriptAdd(file=File("bot.js", b"function Mesibo_onMessage(m) {}"), description="Greets"))


def appadd(mesibo: Client) -> None:
    print(len(mesibo.call(AppAdd(name="Chat")).token))  # Options(key=...) is the account's API key


def appset(mesibo: Client) -> None:
    mesibo.call(AppSet(name="Chat", maxusers=1000))


def appdel(mesibo: Client) -> None:
    mesibo.call(AppDel(name="Chat"))
