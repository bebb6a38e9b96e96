"""An application on a port of its own, for tests that come by network."""

import threading
from contextlib import contextmanager

import waitress
from flask import Flask

from app.server import make_server


@contextmanager
def serving(app):
    """Serve an application on loopback as it is served in earnest; give its address."""
    if isinstance(app, Flask):
        server = make_server(app, "127.0.0.1", 0)
    else:  # another site, that a test needs beside ours
        server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        server.close()
        thread.join(timeout=10)
