"""The object that another WSGI server than ours loads: `messenger_api.wsgi:application`."""

from messenger_api.app import create_app

application = create_app()
