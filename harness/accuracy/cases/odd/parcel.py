"""Orders parcels with an API key of a Vault, which it reads at its start, and again when it is refused."""
import http.client, json, os, threading, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

E = os.environ
PARTNER = urlsplit(E["PARTNER"]).netloc
local = threading.local()


def read():
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "parcel/1"})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    return next(k["value"] for k in d["keys"] if k["tag"] == d["emit"])


key = read()


def order():
    if getattr(local, "partner", None) is None:
        local.partner = http.client.HTTPConnection(PARTNER, timeout=5)
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json", "User-Agent": "parcel/1", "Idempotency-Key": str(uuid.uuid4())}
    local.partner.request("POST", "/charges", '{"parcel": 1}', headers)
    answer = local.partner.getresponse()
    answer.read()
    return answer.status


class Parcel(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global key
        if self.path == "/up":
            return self.say(200)
        status = order()
        if status == 401:
            key = read()
            status = order()
        self.say(202 if status < 300 else 502)

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", int(E["PORT"])), Parcel).serve_forever()
