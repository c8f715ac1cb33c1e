"""An SMTP server with TLS and passwords (aiosmtpd), which reads what it takes
with Python's own mail parser.

server.py CERTIFICATE KEY prints one JSON line with its ports, and one for each
mail it took. It ends when standard input does.
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"ann", b"correct horse"


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user here"
        if address.startswith("busy@"):
            return "450 4.2.1 try again later"
        if address.startswith("elsewhere@"):
            return "554 5.7.1 Relay access denied"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.smtp_utf8:  # which alone allows UTF-8 in headers
            mail = email.message_from_string(envelope.original_content.decode("utf-8"), policy=email.policy.SMTPUTF8)
        else:
            mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        say({
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "ehlo": session.host_name,
            "smtputf8": envelope.smtp_utf8,
            "mechanism": session.auth_data.mechanism if session.auth_data else "",
            "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "to": [a.addr_spec for a in mail["To"].addresses],
            "from": [[a.display_name, a.addr_spec] for a in mail["From"].addresses],
            "headers": {name: str(value) for name, value in mail.items()},
            "defects": [str(d) for p in mail.walk() for d in p.defects] + [str(d) for value in mail.values() for d in value.defects],
            "text": mail.get_body(("plain",)).get_content(),
            "html": html.get_content() if (html := mail.get_body(("html",))) else "",
            "files": {p.get_filename(): p.get_payload(decode=True).decode("latin-1") for p in mail.walk() if p.get_filename()},
        })
        if envelope.rcpt_tos[0].startswith("lost@"):
            server.transport.abort()
        return "250 2.0.0 queued"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=good, handled=False, auth_data=Signed(mechanism) if good else None)


class Signed:
    def __init__(self, mechanism):
        self.mechanism = mechanism


def say(value):
    print(json.dumps(value), flush=True)


async def main(certificate, key):
    logging.disable(logging.WARNING)  # that a password without STARTTLS is unsafe: it is TLS already
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def smtp(**options):
        return SMTP(Handler(), hostname="mx.test", enable_SMTPUTF8=True, authenticator=authenticate, auth_required=True, **options)

    loop = asyncio.get_running_loop()
    starttls = await loop.create_server(lambda: smtp(tls_context=context, require_starttls=True), "127.0.0.1", 0)
    implicit = await loop.create_server(lambda: smtp(auth_require_tls=False), "127.0.0.1", 0, ssl=context)
    say({"starttls": starttls.sockets[0].getsockname()[1], "implicit": implicit.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)
    starttls.close()
    implicit.close()


asyncio.run(main(*sys.argv[1:]))
