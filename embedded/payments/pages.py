"""The one page of the stand-in provider: onboarding of a connected account."""

from http.server import BaseHTTPRequestHandler
from typing import Final
from urllib.parse import urlsplit

from embedded.payments import payments_out
from embedded.payments.books import Books
from embedded.payments.errors import ProviderError

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Payout account</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem}}</style>
<h1>Payout account</h1><p>{text}</p>{form}</html>"""
_FORM: Final = '<form method="post"><button>Confirm my details and bank account</button></form>'


def serve(handler: BaseHTTPRequestHandler, method: str, path: str, books: Books) -> None:
    """Show the onboarding page, or complete the onboarding and send the visitor back."""
    token = path.removeprefix("/onboarding/")
    with books.lock:
        link = books.things.get(f"link_{token}")
        if method == "POST" and link is not None:
            try:
                payments_out.onboard(books, token)
            except ProviderError as error:
                _send(handler, error.status, str(error))
                return
    if link is None:
        _send(handler, 404, "There is no such link; go back and ask for a new one.")
    elif method == "POST":
        handler.send_response(303)
        handler.send_header("Location", _same_site(link["return_url"]))
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    else:
        _send(handler, 200, "This stand-in asks for nothing: press the button, and payouts are enabled.", _FORM)


def _same_site(url: str) -> str:
    return url if urlsplit(url).scheme in {"http", "https"} else "/"


def _send(handler: BaseHTTPRequestHandler, status: int, text: str, form: str = "") -> None:
    data = _PAGE.format(text=text, form=form).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
