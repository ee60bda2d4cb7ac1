"""TCP ports on the loopback interface."""

import http.client
import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(preferred: int) -> int:
    """Return the preferred port, or one the system calls free when it is taken (or 0, for any)."""
    return preferred if preferred and is_free(preferred) else _any_free()


def speaks_http(port: int, path: str = "/api/v1/health/", timeout_s: float = 5.0) -> bool:
    """Return whether a web server answers on the port, whatever its answer is."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _any_free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.bind((LOOPBACK, 0))
        port: int = candidate.getsockname()[1]
    return port
