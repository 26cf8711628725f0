"""A till: charges cards at a payments provider, with an API key.

The key is API_KEY, or in the JSON file API_KEY_FILE, or in a Vault at VAULT_ADDR under VAULT_PATH; the latter two
are read anew every KEY_REFRESH_MS. With TLS_CERTIFICATE, TLS_KEY and TLS_CA it speaks TLS with callers that have a
certificate of that CA."""
import http.client
import json
import os
import signal
import ssl
import threading
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PROVIDER, NAME = os.environ["PROVIDER_URL"], os.environ["SERVICE_NAME"]
REFRESH = int(os.environ.get("KEY_REFRESH_MS", "30000")) / 1000
key = {"tag": "environment", "value": os.environ.get("API_KEY", "")}


def emitted(document):
    return next(k for k in document["keys"] if k["tag"] == document["emit"])


def from_file():
    with open(os.environ["API_KEY_FILE"]) as file:
        return emitted(json.load(file))


def from_vault():
    url = f"{os.environ['VAULT_ADDR']}/v1/{os.environ['VAULT_PATH']}"
    request = urllib.request.Request(url, headers={"X-Vault-Token": os.environ["VAULT_TOKEN"], "User-Agent": NAME})
    with urllib.request.urlopen(request, timeout=2) as answer:
        return emitted(json.load(answer)["data"]["data"])


def follow(read):
    global key
    while True:
        try:
            key = read()
        except Exception as trouble:  # what there was is kept
            print("key not read:", type(trouble).__name__, flush=True)
        time.sleep(REFRESH)


class Till(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    timeout = 5  # seconds without a request
    provider = None

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200 if key["value"] else 503)
        used, status = key, 502
        try:
            status = self.charge(used)
        except OSError as trouble:
            print("charge", used["tag"], type(trouble).__name__, flush=True)
        self.answer(200 if status == 201 else 502)

    def charge(self, used):
        if self.provider is None:
            self.provider = http.client.HTTPConnection(urlsplit(PROVIDER).netloc, timeout=5)
        headers = {"Authorization": "Bearer " + used["value"], "Content-Type": "application/json",
                   "User-Agent": NAME, "Idempotency-Key": str(uuid.uuid4())}
        self.provider.request("POST", os.environ.get("CHARGES", "/charges"), json.dumps({"order": str(uuid.uuid4())}), headers)
        answer = self.provider.getresponse()
        answer.read()
        print("charge", used["tag"], answer.status, flush=True)
        return answer.status

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if ending.is_set():
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # what was begun is finished
    request_queue_size = 128


if "HEALTH_PORT" in os.environ:  # plain HTTP beside what may speak TLS
    threading.Thread(target=Server(("", int(os.environ["HEALTH_PORT"])), Till).serve_forever, daemon=True).start()
if "API_KEY_FILE" in os.environ:
    threading.Thread(target=follow, args=(from_file,), daemon=True).start()
elif "VAULT_ADDR" in os.environ:
    threading.Thread(target=follow, args=(from_vault,), daemon=True).start()

ending = threading.Event()
server = Server(("", int(os.environ.get("PORT", "8080"))), Till)
if "TLS_CERTIFICATE" in os.environ:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=os.environ["TLS_CA"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
signal.signal(signal.SIGTERM, lambda *_: ending.set())
server.timeout = 0.1
while not ending.is_set():
    server.handle_request()
until = time.monotonic() + 0.8
while time.monotonic() < until:  # whoever is on the way still gets an answer
    server.handle_request()
server.server_close()
