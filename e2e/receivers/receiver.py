import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

verifier = Webhook(os.environ["WEBHOOK_SECRET"])
seen = set()  # of ids: a table with a unique key, in your own database


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            verifier.verify(body, dict(self.headers))  # of the body as it came, before it is parsed
        except WebhookVerificationError as error:
            self.answer(401, str(error).encode())
            return
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            print(self.headers["webhook-id"], self.headers["x-webhook-event"], body.decode(), flush=True)
        self.answer(200)

    def answer(self, status, text=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


host, port = os.environ["ADDRESS"].split(":")
ThreadingHTTPServer((host, int(port)), Receiver).serve_forever()
