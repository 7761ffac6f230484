"""The sandbox as a web server on a port of its own, in a thread of the process that uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from flask import Flask, redirect
from werkzeug.wrappers import Response

from messenger_api.doors import show_doors
from messenger_api.guard import for_own_machine, refuse_plainly
from messenger_api.sandbox import texts
from messenger_api.sandbox.fastcgi_server import FastCgiServer
from messenger_api.sandbox.faults import Faults
from messenger_api.sandbox.mesibo import ACCOUNT_KEY, ON_PREMISE_MAX_BODY, Backend, mesibo_backend
from messenger_api.sandbox.pages import sandbox_pages
from messenger_api.sandbox.records import RecordedCall
from messenger_api.sandbox.serving import HttpServer
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.twilio import twilio_api
from messenger_api.sandbox.twilio_calls import twilio_calls
from messenger_api.sandbox.twilio_verify import twilio_verify
from messenger_api.sandbox.twilio_wire import TwilioAccount
from messenger_api.sandbox.vonage import PREFIX as VONAGE_PREFIX
from messenger_api.sandbox.vonage import vonage_api

APP_TOKEN = "sandbox"  # noqa: S105 - opens nothing but the sandbox
TWILIO_SID = "AC" + "0" * 32
TWILIO_TOKEN = "sandbox"  # noqa: S105 - as above
TWILIO_VERIFY_SID = "VA" + "0" * 32
VONAGE_KEY = "sandbox"
VONAGE_SECRET = "sandbox"  # noqa: S105 - as above
# Where the templates and the static files of all pages are.
_PACKAGE = Path(__file__).parent.parent
# With no private API at the sandbox's own address, the empty page proposes a call to mesibo's.
_FIRST_CALL = "/api.php?op=useradd&token={}&addr=14155550123&appid=com.example.messenger&name=Ada"


def sandbox_app(
    store: SandboxStore,
    app_token: str = APP_TOKEN,
    *,
    max_body: int | None = ON_PREMISE_MAX_BODY,
    twilio_sid: str = TWILIO_SID,
    twilio_token: str = TWILIO_TOKEN,
    strict: bool = False,
    shown: bool = False,
    on_call: Callable[[RecordedCall], None] | None = None,
) -> Flask:
    """The WSGI application: mesibo's backend API, Twilio's, Vonage's, and the pages."""
    backend = Backend(store, app_token, max_body=max_body, strict=strict, shown=shown, on_call=on_call)
    app = Flask("messenger_api.sandbox", root_path=str(_PACKAGE))
    show_doors(app)
    app.register_blueprint(mesibo_backend(backend))
    account = TwilioAccount(twilio_sid, twilio_token, TWILIO_VERIFY_SID)
    for twilio in (twilio_api, twilio_calls, twilio_verify):
        app.register_blueprint(twilio(store, account))
    app.register_blueprint(vonage_api(store, VONAGE_KEY, VONAGE_SECRET))
    app.register_blueprint(sandbox_pages(store, api="", first_call=_FIRST_CALL.format(app_token)))

    @app.get("/")
    def front() -> Response:
        return redirect("/sandbox")

    return app


class SandboxServer:
    """Serves a store over HTTP between `start` and `stop`; a context manager does both.

    It answers programs on this machine alone unless it is `shown` to others. With `strict` the stand-in for
    mesibo refuses what mesibo does not document. At the address `fastcgi` it serves the same to web servers.
    `on_call` is told of every call of mesibo's backend API.

    Port 0 takes a free port. Several processes may each run one on the same store file. The store
    stays open after `stop`: it belongs to the caller.
    """

    def __init__(
        self,
        store: SandboxStore,
        app_token: str = APP_TOKEN,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        max_body: int | None = ON_PREMISE_MAX_BODY,
        twilio_sid: str = TWILIO_SID,
        twilio_token: str = TWILIO_TOKEN,
        shown: bool = False,
        strict: bool = False,
        fastcgi: tuple[str, int] | None = None,
        on_call: Callable[[RecordedCall], None] | None = None,
    ) -> None:
        self.store = store
        self.app_token = app_token
        self.account_key = ACCOUNT_KEY
        self.twilio_sid = twilio_sid
        self.twilio_token = twilio_token
        self.twilio_verify_sid = TWILIO_VERIFY_SID
        self.vonage_key = VONAGE_KEY
        self.vonage_secret = VONAGE_SECRET
        self.faults = Faults(store)
        self._host = host
        self._port = port
        app = sandbox_app(
            store,
            app_token,
            max_body=max_body,
            twilio_sid=twilio_sid,
            twilio_token=twilio_token,
            strict=strict,
            shown=shown,
            on_call=on_call,
        )
        self._app = app if shown else for_own_machine(app, refuse_plainly)
        self._http: HttpServer | None = None
        self._fastcgi_at = fastcgi
        self._fastcgi: FastCgiServer | None = None

    @property
    def url(self) -> str:
        """Where the server listens, such as `http://127.0.0.1:41234`.

        Raises:
            RuntimeError: the server was not started.
        """
        if self._http is None:
            raise RuntimeError("the sandbox server was not started")
        return f"http://{self._host}:{self._http.server_port}"

    @property
    def mesibo_json_url(self) -> str:
        """mesibo's JSON endpoint."""
        return f"{self.url}/backend"

    @property
    def mesibo_form_url(self) -> str:
        """mesibo's older endpoint with flat names."""
        return f"{self.url}/api.php"

    def receive_text(self, to: str, text: str) -> None:
        """Take a text message that a program in this process sends, without a provider's API between."""
        texts.send(self.store, to, text)

    @property
    def twilio_url(self) -> str:
        """What takes the place of https://api.twilio.com, and of https://verify.twilio.com."""
        return self.url

    @property
    def vonage_url(self) -> str:
        """What takes the place of https://rest.nexmo.com."""
        return self.url + VONAGE_PREFIX

    @property
    def fastcgi_address(self) -> str:
        """What nginx takes as `fastcgi_pass`.

        Raises:
            RuntimeError: it does not listen there.
        """
        if self._fastcgi is None:
            raise RuntimeError("the sandbox serves no FastCGI")
        return f"{self._fastcgi.server_name}:{self._fastcgi.server_port}"

    def start(self) -> SandboxServer:
        """Listen and serve in daemon threads.

        Raises:
            OSError: a port is taken.
        """
        if self._fastcgi_at:
            self._fastcgi = FastCgiServer(self._fastcgi_at, self._app)
            self._fastcgi.start("sandbox-fastcgi")
        try:
            self._http = HttpServer((self._host, self._port), self._app)
        except OSError:
            self.stop()
            raise
        self._http.start("sandbox")
        return self

    def stop(self) -> None:
        """Stop listening and close every connection. A second call does nothing."""
        listeners = (self._http, self._fastcgi)
        self._http = self._fastcgi = None
        for listener in filter(None, listeners):
            listener.stop()

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
