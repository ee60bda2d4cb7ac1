"""``python -m embedded``: run the service in the foreground until Ctrl-C."""

import sys

from embedded.home import Home
from embedded.supervisor import serve

if __name__ == "__main__":
    sys.exit(serve(Home.of(), show_logs="--logs" in sys.argv[1:]))
