"""Run the stand-in provider: ``STRIPE_SECRET_KEY=sk_test_x python -m embedded.payments --port 12111``."""

import argparse
import os
import signal
import sys
import threading

from embedded.payments import webhooks
from embedded.payments.server import Provider


def main() -> int:
    """Serve until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m embedded.payments", description=__doc__)
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--tell", metavar="URL", help="where events go, signed with STRIPE_WEBHOOK_SECRETS's first")
    given = parser.parse_args()
    api_key = os.environ.get("STRIPE_SECRET_KEY", "")
    if not api_key.startswith("sk_test_"):
        print("Give a test key in STRIPE_SECRET_KEY (sk_test_...).", file=sys.stderr)
        return 2
    provider = Provider(given.port, api_key)
    if given.tell:
        secret = os.environ.get("STRIPE_WEBHOOK_SECRETS", "").split(",")[0]
        if not secret:
            print("Give a signing secret in STRIPE_WEBHOOK_SECRETS (whsec_...).", file=sys.stderr)
            return 2
        webhooks.add_endpoint(provider.books, given.tell, ["*"], secret)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=provider.shutdown).start())
    signal.signal(signal.SIGINT, lambda *_: threading.Thread(target=provider.shutdown).start())
    print(f"stand-in payment provider at {provider.url}", flush=True)
    provider.serve_forever(poll_interval=0.2)
    provider.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
