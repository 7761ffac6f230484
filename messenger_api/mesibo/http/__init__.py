"""An HTTP client with pooled connections, whose exchanges end in time and say whether anything was sent."""

from messenger_api.mesibo.http.client import HttpClient
from messenger_api.mesibo.http.exchange import NoResponse, Response, Timeouts

__all__ = ["HttpClient", "NoResponse", "Response", "Timeouts"]
