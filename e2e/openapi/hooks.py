"""What the API's document says in words only, since a schema can't say it: cases
that are meant to be good are made so. Bad ones stay as they are."""

import re

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for part in (case.query, case.body):
        if not isinstance(part, dict):
            continue
        part.pop("cursor", None)  # it must be one that the API gave
        if "since" in part:
            part.pop("until", None)  # it must be after that
        # An international host must be one by IDNA.
        if re.match(r"^[A-Za-z]+://[^/?]*([^\x00-\x7f]|%)", str(part.get("url", ""))):
            part["url"] = "https://hooks.acme.test/in"
