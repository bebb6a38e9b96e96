"""An application on a port of its own, for tests that come by network."""

import threading
from contextlib import contextmanager

import waitress


@contextmanager
def serving(app):
    """Serve an application on loopback as it is served in earnest; give its address."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=10)
