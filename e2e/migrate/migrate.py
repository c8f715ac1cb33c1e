"""Reads the endpoints of another service, and registers them with Efferent.

    migrate.py svix|outpost|convoy            prints what it would register, a line of JSON each, secrets and all
    migrate.py svix|outpost|convoy --dev      registers it, by `efferent … --dev`; so does --api URL, as efferent has it

SERVICE_URL is where the service's API is (Outpost's with its /api/v1, Convoy's with /api/v1/projects/ID), SERVICE_TOKEN
its token. What it can't carry over it tells on standard error, and registers disabled.
"""
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request


def get(path, **query):
    url = os.environ["SERVICE_URL"] + path + ("?" + urllib.parse.urlencode(query) if query else "")
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["SERVICE_TOKEN"]})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def pages_of_svix(path):
    query = {"limit": 250}
    while True:
        page = get(path, **query)
        yield from page["data"]
        if page["done"]:
            return
        query["iterator"] = page["iterator"]


def svix():
    for app in pages_of_svix("/api/v1/app"):
        for e in pages_of_svix(f"/api/v1/app/{app['id']}/endpoint"):
            path = f"/api/v1/app/{app['id']}/endpoint/{e['id']}"
            headers = get(path + "/headers")
            problems = [f"the header {name}, whose value Svix does not show" for name in headers.get("sensitive", [])]
            if e.get("channels"):
                problems.append("channels; put a filter on the body")
            yield app.get("uid") or app["id"], e["id"], get(path + "/secret")["key"], problems, {
                "url": e["url"], "description": e.get("description", ""), "headers": headers["headers"],
                "event_types": e.get("eventTypes") or e.get("filterTypes") or ["*"], "disabled": e.get("disabled", False),
                "rate_per_second": e.get("throttleRate") or e.get("rateLimit") or 0, "signature": {"scheme": "svix"},
            }


def outpost():
    query = {"limit": 100}
    while True:
        page = get("/tenants", **query)
        for tenant in page.get("models") or page.get("data") or []:
            for d in get(f"/tenants/{tenant['id']}/destinations"):
                problems = ["its type, " + d["type"]] if d["type"] != "webhook" else []
                if d.get("filter"):
                    problems.append("its filter; see docs/events.md for Efferent's")
                yield tenant["id"], d["id"], d["credentials"].get("secret", ""), problems, {
                    "url": d["config"].get("url", ""), "event_types": ["*"] if "*" in d["topics"] else d["topics"],
                    "headers": json.loads(d["config"].get("custom_headers") or "{}"), "disabled": bool(d.get("disabled_at")),
                    "signature": {"scheme": "outpost"},
                }
        query["next"] = page.get("pagination", {}).get("next")
        if not query["next"]:
            return


def pages_of_convoy(path):
    query = {"perPage": 100}
    while True:
        page = get(path, **query)["data"]
        yield from page["content"]
        if not page["pagination"].get("has_next_page"):
            return
        query |= {"next_page_cursor": page["pagination"]["next_page_cursor"], "direction": "next"}


def convoy():
    subscriptions = {}
    for s in pages_of_convoy("/subscriptions"):
        subscriptions.setdefault(s["endpoint_metadata"]["uid"], []).append(s)
    for e in pages_of_convoy("/endpoints"):
        mine = subscriptions.get(e["uid"], [])
        types = [t for s in mine for t in (s.get("filter_config") or {}).get("event_types") or ["*"]]
        filters = [(s.get("filter_config") or {}).get("filter") or {} for s in mine]
        problems = ["a filter; see docs/events.md for Efferent's"] if any(any(f.values()) for f in filters) else []
        problems += ["a function"] if any(s.get("function") for s in mine) else []
        problems += ["that it subscribes to nothing"] if not mine else []
        key = (e.get("authentication") or {}).get("api_key") or {}
        yield e.get("owner_id") or "default", e["uid"], e["secrets"][-1]["value"], problems, {
            "url": e["url"], "description": e.get("description", ""), "disabled": e.get("status") != "active",
            "event_types": ["*"] if "*" in types or not types else sorted(set(types)),
            "headers": {key["header_name"]: key["header_value"]} if key else {},
            "rate_per_second": e.get("rate_limit", 0) / (e.get("rate_limit_duration") or 1),
            "signature": {"scheme": "convoy", "timestamped": e.get("advanced_signatures", False)},
        }


def register(flags, tenant, secret, e):
    if secret:
        dev = [flag for flag in flags if flag == "--dev"]
        subprocess.run(["efferent", "secret", "put", *dev, e["secret"]], input=secret, text=True, check=True)
    options = ["--tenant", tenant, "--signature", json.dumps(e["signature"])]
    options += [part for t in e["event_types"] for part in ("--type", t)]
    for name, flag in {"secret": "--secret", "description": "--description", "state": "--state", "rate_per_second": "--rate"}.items():
        if e.get(name):
            options += [flag, str(e[name])]
    for name, flag in {"headers": "--header", "labels": "--label"}.items():
        options += [part for key, value in e.get(name, {}).items() for part in (flag, f"{key}={value}")]
    subprocess.run(["efferent", "endpoints", "create", *flags, *options, e["url"]], check=True)


for tenant, id, secret, problems, endpoint in {"svix": svix, "outpost": outpost, "convoy": convoy}[sys.argv[1]]():
    endpoint = {name: value for name, value in endpoint.items() if value}
    if endpoint.pop("disabled", False) or problems:
        endpoint["state"] = "disabled"
    if secret:
        endpoint["secret"] = f"efferent/webhooks/{tenant}#{id}"
    endpoint["labels"] = {"migrated-from": id}
    for problem in problems:
        print(f"{tenant} {id}: it is disabled for what is not carried over: {problem}", file=sys.stderr)
    if sys.argv[2:]:
        register(sys.argv[2:], tenant, secret, endpoint)
    else:
        print(json.dumps({"tenant": tenant, "secret": secret, "endpoint": endpoint}))
