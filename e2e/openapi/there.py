"""What there is to be asked for: an id that was thought of is nobody's, and would be
answered 404 whatever else a request says."""

import json
import os
import urllib.request

API = os.environ.get("EFFERENT_API_URL", "") + "/api/v1"
NAME = "delta"
TENANT = API + "/tenants/" + NAME


def ask(method, url, body=None):
    """The answer's object; none where it is refused."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=35) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError:
        return {}


def first(url, names, items="items"):
    """The fields of the first item of a list, by the parameters that they are for."""
    for item in ask("GET", url).get(items, []):
        return {parameter: item[field] for parameter, field in names.items()}
    return {}


def endpoint():
    made = ask("POST", TENANT + "/endpoints", {"url": "https://hooks.acme.test/in", "event_types": ["invoice.*"]})
    return {"endpoint_id": made["id"]} if made else first(TENANT + "/endpoints", {"endpoint_id": "id"})


def recipient():
    ask("PUT", TENANT + "/recipients/user_7", {"addresses": {"email": "ann@acme.test"}})
    return {"recipient_id": "user_7"}


def suppression():
    ask("POST", TENANT + "/suppressions", {"channel": "email", "address": "ann@acme.test"})
    return first(TENANT + "/suppressions", {"suppression_id": "id"})


def template(path):
    """A new version, which is not the current one where it is to be removed."""
    parts = {"subject": "Invoice", "body": "It is paid."}
    made = ask("PUT", TENANT + "/templates/invoice-paid", {"parts": parts})
    if path.endswith("/versions/{version}"):  # the current one can't be removed
        parts["body"] += f" ({made.get('version')})"
        ask("PUT", TENANT + "/templates/invoice-paid", {"parts": parts})
    return {"template": "invoice-paid", "version": str(made.get("version", 1))}


def letter():
    for queue in ("webhook-failures", "notification-failures"):
        found = first(f"{API}/dlq?queue={queue}", {"item_id": "item_id"})
        if found:
            return found | {"queue": queue}
    return {}


def task():
    """One that has nothing to move, and so leaves the dead letters where they are."""
    queue = API + "/dlq/event-failures"
    ask("POST", queue + "/replay", {})
    return first(queue + "/tasks", {"task_id": "id"}, "tasks") | {"queue": "event-failures"}


def parameters(path):
    """What a path's parameters are to be, where there is such a thing."""
    for name, make in (("{endpoint_id}", endpoint), ("{recipient_id}", recipient), ("{suppression_id}", suppression), ("{item_id}", letter),
                       ("{task_id}", task)):
        if name in path:
            return {"tenant": NAME} | make()
    if "{template}" in path:
        return {"tenant": NAME} | template(path)
    if "{webhook_id}" in path:
        return {"webhook_id": "evt_0"}
    if "/circuits/{id}" in path:
        return first(API + "/circuits?phase=all", {"id": "id"})
    return {}
