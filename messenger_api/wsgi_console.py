"""The console alone, for ADMIN_LISTEN with another WSGI server than ours: `wsgi_console:application`."""

from messenger_api.app import build_console
from messenger_api.configuration import load

application = build_console(load())
