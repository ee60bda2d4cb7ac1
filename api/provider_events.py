"""Where the payment provider tells what happened: checked, kept, answered; acted on later, from the provider's word."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common import payments
from common.payment_types import SignatureError
from marketplace.services import money_flows

MAX_BYTES = 1_000_000


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Keep a signed event; the same one again changes nothing, a forged or old one is refused."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        return HttpResponse("The event is too large.", status=413, content_type="text/plain")
    try:
        event = payments.verified_event(request.body, request.headers.get("Stripe-Signature", ""))
    except SignatureError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    money_flows.take_in(event)
    return HttpResponse(status=200)
