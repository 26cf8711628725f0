"""A gateway before a provider, which answers 200 with an error in the body to what that refused."""
import http.client, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TO = urlsplit(os.environ["TO"]).netloc


class Gate(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/up":
            return self.say(200, b"")
        try:
            c = http.client.HTTPConnection(TO, timeout=5)
            c.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")})
            answer = c.getresponse()
            status, text = answer.status, answer.read()
            c.close()
        except OSError as e:
            print("provider:", e, flush=True)
            return self.say(502, b"")
        self.say(*(200, b'{"error": "invalid_api_key"}') if status == 401 else (status, text))

    do_POST = do_GET

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", int(os.environ["PORT"])), Gate).serve_forever()
