"""What the API's document says in words only, since a schema can't say it: cases
that are meant to be good are made so. Bad ones stay as they are."""

import datetime
import os
import re
import sys
import uuid

import schemathesis

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import there  # noqa: E402


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.headers:  # 412 is no refusal of a schema's making
        for name in [n for n in case.headers if n.lower() in ("if-match", "if-none-match")]:
            del case.headers[name]
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path_parameters and case.meta.phase.name == "fuzzing":
        found = there.parameters(case.path)
        case.path_parameters.update({n: v for n, v in found.items() if n in case.path_parameters})
        if case.path.endswith("/use") and isinstance(case.body, dict):
            case.body["version"] = int(found["version"])
    for name in [n for n in case.headers or {} if n.lower() == "ce-specversion"]:
        del case.headers[name]  # it makes the body the data of a CloudEvent, whose other headers must stand there too
    for name in [n for n in case.headers or {} if n.lower() == "idempotency-key"]:
        case.headers[name] = str(uuid.uuid4())  # the one of another event is refused
    if case.path.startswith("/api/v1/tenants/") and isinstance(case.body, dict):
        registered(case.body, case.method)
        notified(case.body, case.path)
    if case.path.endswith("/replay-missing") and isinstance(case.body, dict) and "since" in case.body:
        hour = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        case.body["since"] = hour.strftime("%Y-%m-%dT%H:%M:%SZ")  # not before what is kept
    if case.path.endswith("/test") and isinstance(case.body, dict) and "event_type" in case.body:
        case.body["event_type"] = "invoice.paid"  # a type of an event, which is no pattern
    if case.path.endswith("/suppressions") and isinstance(case.query, dict) and case.query.get("address"):
        case.query.setdefault("channel", "email")  # which one it is on
    if isinstance(case.query, dict) and case.query.get("queue") == "report-failures":
        case.query.pop("source", None)  # there is no index of it
    for part in (case.query, case.body):
        if not isinstance(part, dict):
            continue
        part.pop("cursor", None)  # it must be one that the API gave
        if "since" in part:
            part.pop("until", None)  # it must be after that
        # An international host must be one by IDNA.
        if re.match(r"^[A-Za-z]+://[^/?]*([^\x00-\x7f]|%)", str(part.get("url", ""))):
            part["url"] = "https://hooks.acme.test/in"


def registered(body, method):
    """Endpoints, keys and tokens that can be meant."""
    # What must be there, or has a form of its own.
    for name in ("secret", "auth", "headers", "filter", "retry", "timeout", "signature", "key", "labels", "description"):
        if name == "key" and body.get("key") in ("whsec", "whsk"):
            continue
        body.pop(name, None)
    for name in ("id", "tenant", "state_reason", "state_since", "created", "updated", "version"):
        body.pop(name, None)  # only as it is
    if 0 < (body.get("rate_per_second") or 0) < 1:
        body["rate_per_second"] = 1
    if "url" in body:
        body["url"] = "https://hooks.acme.test/in"
    if "event_types" in body:
        body["event_types"] = ["invoice.*"]
    if "grace" in body:
        body["grace"] = "1h"
    if "expires_in" in body:
        body["expires_in"] = "1h"
    if "why" in body:
        body["why"] = "they asked for it"


ADDRESSES = {"email": "ann@acme.test", "sms": "+46701234567", "slack": "C0123456", "teams": "alerts", "discord": "alerts",
             "webhook": "alerts"}


def notified(body, path):
    """Addresses, templates and times that can be meant."""
    for entry in body.get("items") or [body]:
        if "/suppressions" in path and isinstance(entry, dict):
            entry.update(channel="email", address="ann@acme.test")
            entry.pop("since", None)  # it must be past
        for name in ("note", "source"):  # without control characters
            if name in entry:
                entry[name] = "asked by phone"
    for channel, address in ADDRESSES.items():
        if (body.get("addresses") or {}).get(channel):
            body["addresses"][channel] = address
    if body.get("topics"):
        body["topics"] = {"marketing.*": {"opted_out": True}}
    if path.endswith("/preview") and "/versions/" in path:
        body.pop("parts", None)  # they can't stand beside a version
    if body.get("parts"):
        body["parts"] = {"subject": "Invoice {{.number}}", "body": "It is paid."}
