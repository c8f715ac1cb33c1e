"""The actors that test_dramatiq.py sends to. The queue is QUEUE."""

import os
import time

import dramatiq
from dramatiq_sqs import SQSBroker

from queues import Journal

MIDDLEWARE = [m() for m in dramatiq.middleware.default_middleware if m.__name__ not in ("Prometheus", "CurrentMessage")]
broker = SQSBroker(namespace="client", dead_letter=True, visibility_timeout=int(os.environ.get("VISIBILITY", "60")),
                   tags={"made-by": "dramatiq"}, middleware=MIDDLEWARE)
dramatiq.set_broker(broker)
journal = Journal(os.environ.get("JOURNAL"))
QUEUE = os.environ.get("QUEUE", "none")


@dramatiq.actor(queue_name=QUEUE)
def note(*fields):
    journal.add(*fields)


@dramatiq.actor(queue_name=QUEUE)
def at(when):
    journal.add("early" if time.time() < when else "due")


@dramatiq.actor(queue_name=QUEUE, max_retries=2, min_backoff=1000, max_backoff=1000)
def fails(n):
    journal.add("try", n)
    raise ValueError(n)


@dramatiq.actor(queue_name=QUEUE)
def hang_once(ident, marker):
    """Hangs until its process is killed, but only where nobody has begun it before."""
    journal.add("begun", ident)
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        journal.add("ended", ident)
    else:
        time.sleep(3600)
