"""Hands on the tokens of an issuer, whatever it wants to be asked: system.sh knows how."""
import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class Broker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"{}")

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        seconds = form.get("seconds", ["10"])[0]
        asked = subprocess.run(["./system.sh", "token", seconds, *form.get("kid", [])], capture_output=True, timeout=20, text=True)
        token = asked.stdout.strip()
        if asked.returncode or not token:
            print(asked.stderr, flush=True)
            return self.answer(503, b'{"error": "temporarily_unavailable"}')
        self.answer(200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": int(seconds)}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Broker).serve_forever()
