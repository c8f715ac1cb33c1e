"""What a mailbox holds, as Dovecot tells it by IMAP and as Python's own parser reads it.

view.py PORT USER prints JSON: the mails, in order, and the threads that they form.
"""

import email
import email.policy
import imaplib
import json
import sys


def mails(box):
    _, [numbers] = box.search(None, "ALL")
    for number in numbers.split():
        _, [(_, raw), *_] = box.fetch(number, "(RFC822)")
        _, [structure] = box.fetch(number, "(BODYSTRUCTURE)")
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        parts = [p for p in mail.walk()]
        yield {
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "defects": [str(d) for p in parts for d in p.defects] + [str(d) for v in mail.values() for d in v.defects],
            "structure": [p.get_content_type() for p in parts],
            "text": content(mail.get_body(("plain",))),
            "html": content(mail.get_body(("html",))),
            "files": [[p.get_filename(), p.get_content_disposition(), p["content-id"], data(p)]
                      for p in parts if p.get_filename()],
            "dovecot": structure.decode(),
        }


def content(part):
    return part.get_content().replace("\r\n", "\n").rstrip("\n") if part else None


def data(part):
    return part.get_payload(decode=True).decode("latin-1")


def main(port, user):
    box = imaplib.IMAP4("127.0.0.1", int(port))
    box.login(user, "secret")
    box.select("INBOX", readonly=True)
    found = list(mails(box))
    threads = box.thread("REFERENCES", "UTF-8", "ALL")[1][0] if found else b""
    json.dump({"mails": found, "threads": threads.decode()}, sys.stdout)
    box.logout()


main(*sys.argv[1:])
