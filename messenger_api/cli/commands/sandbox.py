"""`messenger-api sandbox`: the stand-in for mesibo and the SMS network, alone."""

from __future__ import annotations

import click

from messenger_api.cli.common import check_exposure, check_port, plainly, settings, stop_signals
from messenger_api.cli.root import main
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.starting import FILE


def _address(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int] | None:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isdecimal() and int(port) < 2**16):
        raise click.BadParameter("it is an address and a port, such as 127.0.0.1:5000")
    return (host, int(port)) if value else None


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--strict", is_flag=True, help="Refuse what mesibo does not document, with the reason.")
@click.option(
    "--fastcgi",
    default="",
    metavar="ADDRESS:PORT",
    callback=_address,
    help="Serve web servers by FastCGI there too, as mesibo's own backend on premise does.",
)
def sandbox(host: str, port: int, strict: bool, fastcgi: tuple[str, int] | None) -> None:
    """Run the stand-in for mesibo and the SMS network alone, for development.

    It shows everyone's codes to everyone who can open its pages.
    """
    config = settings()
    check_exposure(config, host)
    check_port(host, port)
    if fastcgi:
        check_exposure(config, fastcgi[0])
        check_port(*fastcgi, "--fastcgi")
    with (
        stop_signals() as wait,
        plainly(),
        SandboxStore(config.in_instance(FILE)) as store,
        SandboxServer(
            store, host=host, port=port, shown=config.shows_sandbox, strict=strict, fastcgi=fastcgi
        ) as server,
    ):
        click.echo(_addresses(server))
        if fastcgi:
            click.echo(f"  nginx                    fastcgi_pass {server.fastcgi_address};\n")
        wait()


def _addresses(server: SandboxServer) -> str:
    return "\n".join(
        [
            "",
            f"  Texts, users, messages   {server.url}/sandbox",
            f'  MESIBO_API_URL           "{server.mesibo_json_url}" or "{server.mesibo_form_url}"',
            f'  MESIBO_APP_TOKEN         "{server.app_token}"',
            f'  TWILIO_API_URL           "{server.twilio_url}"',
            f'  TWILIO_ACCOUNT_SID       "{server.twilio_sid}"',
            f'  TWILIO_AUTH_TOKEN        "{server.twilio_token}"',
            f'  TWILIO_VERIFY_SID        "{server.twilio_verify_sid}"',
            f'  VONAGE_API_URL           "{server.vonage_url}"',
            f'  VONAGE_API_KEY           "{server.vonage_key}"',
            f'  VONAGE_API_SECRET        "{server.vonage_secret}"',
            "",
            "  Stop with Ctrl-C.",
            "",
        ]
    )
