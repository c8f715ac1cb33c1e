"""A picture of a mail as a reader shows it: its headers, and its HTML in Chromium.

picture.py MAIL PNG, where Chromium is installed. make docs-picture makes docs/images/email.png.
"""

import base64
import email
import email.policy
import html
import pathlib
import subprocess
import sys
import tempfile


def page(mail):
    body = mail.get_body(("html",)).get_content()
    for part in mail.walk():
        if cid := part["content-id"]:
            data = base64.b64encode(part.get_payload(decode=True)).decode()
            body = body.replace("cid:" + cid.strip("<>"), f"data:{part.get_content_type()};base64,{data}")
    rows = "".join(f"<tr><th>{name}<td>{html.escape(str(mail[name]))}" for name in ("From", "To", "Cc", "Reply-To", "Subject") if mail[name])
    files = "".join(f"<span class=f>{html.escape(p.get_filename())}</span>" for p in mail.walk() if p.get_content_disposition() == "attachment")
    return f"""<!doctype html><meta charset=utf-8><style>
body {{ margin: 0; font: 14px/1.5 'DejaVu Sans', sans-serif; background: #fff }}
table.h {{ padding: 12px 20px; width: 100%; background: #f3f4f6; border-bottom: 1px solid #d5d8dd }}
.h th {{ text-align: left; width: 80px; color: #667 ; font-weight: normal; vertical-align: top }}
.f {{ border: 1px solid #bbc; border-radius: 4px; padding: 2px 8px; margin-right: 8px; background: #fff }}
.m {{ padding: 20px }}</style><table class=h>{rows}<tr><th>Files<td>{files}</table><div class=m>{body}</div>"""


def main(source, picture):
    mail = email.message_from_bytes(pathlib.Path(source).read_bytes(), policy=email.policy.default)
    with tempfile.TemporaryDirectory() as folder:
        shown = pathlib.Path(folder, "mail.html")
        shown.write_text(page(mail))
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=720,600",
                        f"--screenshot={picture}", shown.as_uri()], check=True, capture_output=True)


main(*sys.argv[1:])
