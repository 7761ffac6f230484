"""`/sms/receipts/<provider>`: where SMS providers say what became of a text; for their webhooks alone."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.sms import BadReceipt, BadSignature, ReceiptRequest
from messenger_api.services.record import Services

log = structlog.get_logger(__name__)

# Receipts are some hundred bytes.
MAX_RECEIPT_BYTES = 16 * 1024


def receipts_blueprint(services: Services) -> Blueprint:
    """The webhook of every configured provider that signs its receipts."""
    blueprint = Blueprint("receipts", __name__, url_prefix="/sms/receipts")

    @blueprint.route("/<name>", methods=["GET", "POST"])
    def receipt(name: str) -> Response:
        provider = services.sms.get(name)
        if provider is None or not provider.receipts:
            return Response(status=404)
        try:
            services.text_delivery.receive(name, provider.read_receipt(_request(services)))
        except BadSignature:
            log.warning("sms.receipt_unsigned", provider=name)
            return Response(status=403)
        except BadReceipt:
            return Response(status=400)
        except TryLater as error:
            # Providers send a receipt again that was not taken.
            return Response(status=503, headers={"Retry-After": str(error.retry_after)})
        return Response(status=204)

    return blueprint


def _request(services: Services) -> ReceiptRequest:
    """The request as its sender signed it: under the address that the provider was given."""
    request.max_content_length = MAX_RECEIPT_BYTES
    body = request.get_data(cache=True)
    public = services.settings.public_url.rstrip("/")
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return ReceiptRequest(
        url=f"{public or request.url_root.rstrip('/')}{request.path}{query}",
        method=request.method,
        headers=dict(request.headers),
        query=request.args.to_dict(),
        form=request.form.to_dict(),
        body=body,
    )
