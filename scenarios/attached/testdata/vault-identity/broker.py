"""Hands on the identity tokens of Vault: who has no token of Vault's asks here for one."""
import json
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VAULT = os.environ["VAULT_ADDR"] + "/v1/"


def ask(path, headers=None, body=None):
    request = urllib.request.Request(VAULT + path, data=body, headers=headers or {})
    with urllib.request.urlopen(request, timeout=3) as answer:
        return json.load(answer)


LOGIN = ask("auth/userpass/login/web", body=b'{"password": "pw-web-pw-web"}')["auth"]["client_token"]


class Broker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = ask("identity/oidc/token/shop", {"X-Vault-Token": LOGIN})["data"]
        body = json.dumps({"access_token": data["token"], "expires_in": data["ttl"], "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Broker).serve_forever()
