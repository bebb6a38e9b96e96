"""``python -m app.jobs LINE PARENT``: started by a worker to do its work, by nobody else."""

import sys
from multiprocessing.connection import Connection

from app.jobs.process import serve_orders

serve_orders(Connection(int(sys.argv[1])), int(sys.argv[2]))
