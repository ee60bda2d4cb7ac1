"""Which addresses there are, what each takes, and what it does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from embedded.payments import forms, payments_in, payments_out, webhooks
from embedded.payments.books import Books, Thing
from embedded.payments.errors import ProviderError
from embedded.payments.forms import Params


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a route sees it."""

    books: Books
    params: Params
    identifier: str
    account: str
    base_url: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address; ``params_type`` names the class of ``stripe.params`` that describes its body."""

    method: str
    path: str
    params_type: str
    allowed: frozenset[str]
    required: tuple[str, ...]
    run: Callable[[Call], Thing]

    def match(self, method: str, path: str) -> str | None:
        """Return the id in the address, "" when it has none, or None when the route is another one."""
        found = re.fullmatch(self.path, path) if method == self.method else None
        return None if found is None else (found.group(1) if found.groups() else "")


_ID: Final = "([A-Za-z0-9_]+)"
_PAGE: Final = "created ending_before limit starting_after"


def _route(
    method: str, path: str, params_type: str, allowed: str, required: str, run: Callable[[Call], Thing]
) -> Route:
    names = frozenset([*allowed.split(), "expand"])
    return Route(method, "/v1/" + path.replace("ID", _ID), params_type, names, tuple(required.split()), run)


def _listed(kind: str, *filters: str) -> Callable[[Call], Thing]:
    def run(call: Call) -> Thing:
        rows = [row for row in call.books.all(kind) if _passes(row, call.params, filters)]
        return _paged(rows, call)

    return run


def _passes(row: Thing, params: Params, filters: tuple[str, ...]) -> bool:
    created = params.get("created") or {}
    bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }
    in_time = all(tests[name](row["created"], int(bound)) for name, bound in bounds.items())
    return in_time and all(row.get(name) == params[name] for name in filters if name in params)


def _paged(rows: list[Thing], call: Call) -> Thing:
    params = call.params
    ids = [row["id"] for row in rows]
    if "starting_after" in params:
        if params["starting_after"] not in ids:
            raise ProviderError(400, "invalid_request_error", f"No such object: {params['starting_after']}")
        rows = rows[ids.index(params["starting_after"]) + 1 :]
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise ProviderError(400, "invalid_request_error", "Invalid limit: must be 1 to 100.")
    return {"object": "list", "url": call.path, "has_more": len(rows) > limit, "data": rows[:limit]}


def _got(kind: str) -> Callable[[Call], Thing]:
    return lambda call: call.books.get(kind, call.identifier)


def _attach(call: Call) -> Thing:
    return payments_in.attach_method(call.books, call.identifier, call.params)


def _endpoint(call: Call) -> Thing:
    events = call.params["enabled_events"]
    secret = "whsec_" + call.books.make("sec", "secret")["id"].removeprefix("sec_")
    return webhooks.add_endpoint(call.books, call.params["url"], events, secret)


def _with_id(run: Callable[[Books, str, Params], Thing]) -> Callable[[Call], Thing]:
    return lambda call: run(call.books, call.identifier, call.params)


def _with_params(run: Callable[[Books, Params], Thing]) -> Callable[[Call], Thing]:
    return lambda call: run(call.books, call.params)


def _reversals(call: Call) -> Thing:
    rows = [row for row in call.books.all("transfer_reversal") if row["transfer"] == call.identifier]
    return _paged(rows, call)


def _own_transactions(call: Call) -> Thing:
    rows = [row for row in call.books.all("balance_transaction") if row["account"] == call.account]
    return _paged([row for row in rows if _passes(row, call.params, ("type", "source", "currency"))], call)


ROUTES: Final = [
    _route("POST", "customers", "CustomerCreateParams", "email name metadata description", "",
           _with_params(payments_in.create_customer)),
    _route("GET", "customers/ID", "CustomerRetrieveParams", "", "", _got("customer")),
    _route("GET", "customers", "CustomerListParams", f"{_PAGE} email", "", _listed("customer", "email")),
    _route("POST", "payment_methods/ID/attach", "PaymentMethodAttachParams", "customer", "customer", _attach),
    _route("GET", "payment_methods", "PaymentMethodListParams", "ending_before limit starting_after customer type", "",
           _listed("payment_method", "customer", "type")),
    _route("POST", "payment_intents", "PaymentIntentCreateParams",
           "amount currency customer payment_method confirm off_session capture_method metadata transfer_group "
           "description return_url", "amount currency", _with_params(payments_in.create_intent)),
    _route("GET", "payment_intents/ID", "PaymentIntentRetrieveParams", "client_secret", "", _got("payment_intent")),
    _route("GET", "payment_intents", "PaymentIntentListParams", f"{_PAGE} customer", "",
           _listed("payment_intent", "customer")),
    _route("POST", "payment_intents/ID/confirm", "PaymentIntentConfirmParams",
           "payment_method off_session return_url", "", _with_id(payments_in.confirm_intent)),
    _route("POST", "payment_intents/ID/capture", "PaymentIntentCaptureParams", "amount_to_capture metadata", "",
           _with_id(payments_in.capture_intent)),
    _route("POST", "payment_intents/ID/cancel", "PaymentIntentCancelParams", "cancellation_reason", "",
           _with_id(payments_in.cancel_intent)),
    _route("GET", "charges/ID", "ChargeRetrieveParams", "", "", _got("charge")),
    _route("POST", "refunds", "RefundCreateParams", "amount payment_intent metadata reason", "payment_intent",
           _with_params(payments_in.create_refund)),
    _route("GET", "refunds/ID", "RefundRetrieveParams", "", "", _got("refund")),
    _route("GET", "refunds", "RefundListParams", f"{_PAGE} payment_intent charge", "",
           _listed("refund", "payment_intent", "charge")),
    _route("GET", "disputes", "DisputeListParams", f"{_PAGE} payment_intent charge", "",
           _listed("dispute", "payment_intent", "charge")),
    _route("POST", "accounts", "AccountCreateParams",
           "controller capabilities country email metadata business_profile", "",
           _with_params(payments_out.create_account)),
    _route("GET", "accounts/ID", "AccountRetrieveParams", "", "", _got("account")),
    _route("GET", "accounts", "AccountListParams", _PAGE, "", _listed("account")),
    _route("POST", "account_links", "AccountLinkCreateParams", "account refresh_url return_url type collect",
           "account refresh_url return_url type",
           lambda call: payments_out.create_link(call.books, call.params, call.base_url)),
    _route("POST", "transfers", "TransferCreateParams",
           "amount currency destination metadata transfer_group description", "amount currency destination",
           _with_params(payments_out.create_transfer)),
    _route("GET", "transfers/ID", "TransferRetrieveParams", "", "", _got("transfer")),
    _route("GET", "transfers", "TransferListParams", f"{_PAGE} destination transfer_group", "",
           _listed("transfer", "destination", "transfer_group")),
    _route("POST", "transfers/ID/reversals", "TransferCreateReversalParams", "amount metadata description", "",
           _with_id(payments_out.reverse_transfer)),
    _route("GET", "transfers/ID/reversals", "TransferListReversalsParams", "ending_before limit starting_after", "",
           _reversals),
    _route("POST", "payouts", "PayoutCreateParams", "amount currency metadata description", "amount currency",
           lambda call: payments_out.create_payout(call.books, call.params, call.account)),
    _route("GET", "balance", "BalanceRetrieveParams", "", "",
           lambda call: payments_out.balance_of(call.books, call.account)),
    _route("GET", "balance_transactions/ID", "BalanceTransactionRetrieveParams", "", "", _got("balance_transaction")),
    _route("GET", "balance_transactions", "BalanceTransactionListParams", f"{_PAGE} type source currency", "",
           _own_transactions),
    _route("GET", "events/ID", "EventRetrieveParams", "", "", _got("event")),
    _route("GET", "events", "EventListParams", f"{_PAGE} type", "", _listed("event", "type")),
    _route("POST", "webhook_endpoints", "WebhookEndpointCreateParams", "url enabled_events description metadata",
           "url enabled_events", _endpoint),
    _route("GET", "webhook_endpoints", "WebhookEndpointListParams", "ending_before limit starting_after", "",
           _listed("webhook_endpoint")),
]  # fmt: skip


def answer(method: str, path: str, call_of: Callable[[str], Call]) -> Thing:
    """Carry out a request.

    Raises
    ------
    ProviderError
        404 for an unknown address, and whatever the route refuses.
    """
    for route in ROUTES:
        identifier = route.match(method, path)
        if identifier is not None:
            call = call_of(identifier)
            forms.check(call.params, route.allowed, route.required)
            payments_in.settle_due(call.books)
            return _expanded(call.books, route.run(call), call.params.get("expand") or [])
    raise ProviderError(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def _expanded(books: Books, thing: Thing, paths: list[str]) -> Thing:
    """Return the thing with the ids at the given paths replaced by what they name."""
    shown = dict(thing)
    for path in paths:
        name, _, rest = path.partition(".")
        value: Any = shown.get(name)
        if name == "data":
            shown["data"] = [_expanded(books, row, [rest]) for row in shown["data"]]
        elif isinstance(value, str) and value in books.things:
            shown[name] = _expanded(books, books.things[value], [rest] if rest else [])
        elif isinstance(value, dict) and rest:
            shown[name] = _expanded(books, value, [rest])
    return shown
