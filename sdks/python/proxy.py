"""A proxy that loses answers: it forwards a request once and then answers 502 all the same."""

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LossyProxy:
    """Every request reaches the server; the answer to the first of each method is lost.

    `answers` holds (method, status of the server, what the client got) in order.
    """

    def __init__(self, target, methods):
        self.answers = []
        lost = set()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else None
                request = urllib.request.Request(target + self.path, data=body, method=self.command)
                for name, value in self.headers.items():
                    if name.lower() not in ("host", "content-length", "connection", "accept-encoding"):
                        request.add_header(name, value)
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        status, content, kind = answer.status, answer.read(), answer.headers["Content-Type"]
                except urllib.error.HTTPError as error:
                    status, content, kind = error.code, error.read(), error.headers["Content-Type"]
                if self.command in methods and self.command not in lost:
                    lost.add(self.command)
                    proxy.answers.append((self.command, status, 502))
                    status, content, kind = 502, b"lost", "text/plain"
                else:
                    proxy.answers.append((self.command, status, status))
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
