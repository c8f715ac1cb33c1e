"""The tasks that test_celery.py sends, and how Celery is to reach SQS.

OPTIONS, if set, are more transport options, as JSON."""

import json
import os
import threading
import time
from urllib.parse import urlsplit

from celery import Celery
from celery.exceptions import Reject

from queues import Journal

app = Celery("celery_app", broker="sqs://any:any@" + urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc)
app.conf.broker_transport_options = {
    "is_secure": False, "region": "us-east-1", "polling_interval": 0, "wait_time_seconds": 2,
    **json.loads(os.environ.get("OPTIONS", "{}"), object_hook=lambda o: {int(k) if k.isdigit() else k: v for k, v in o.items()}),
}
app.conf.task_ignore_result = True
app.conf.worker_enable_remote_control = False  # its queues are one for each worker, and need SNS
app.conf.worker_send_task_events = False
journal = Journal(os.environ.get("JOURNAL"))


@app.task
def note(*fields):
    journal.add(*fields)


@app.task
def at(when):
    journal.add("early" if time.time() < when else "due")


@app.task(bind=True, max_retries=5)
def flaky(self, failures):
    journal.add("try", self.request.retries)
    if self.request.retries < failures:
        raise self.retry(countdown=1)


@app.task(acks_late=True)
def refuse(n):
    journal.add("refused", n)
    raise Reject("never", requeue=False)


@app.task(bind=True, acks_late=True)
def hang_once(self, marker):
    """Hangs until its process is killed, but only where nobody has begun it before."""
    journal.add("begun", self.request.id)
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        journal.add("ended", self.request.id)
    else:
        threading.Event().wait()
