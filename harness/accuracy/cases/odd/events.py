"""Sends an event for each POST, in Stripe's scheme, with secrets of a Vault. HOW: first (goes on with the first secret that it had)."""
import hashlib, hmac, http.client, json, os, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

E = os.environ
TO, doc, first = urlsplit(E["TO"]), None, None


def follow():
    global doc, first
    while True:
        try:
            r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "events/1"})
            with urllib.request.urlopen(r, timeout=2) as answer:
                doc = json.load(answer)["data"]["data"]
            first = first or next(k["value"] for k in doc["keys"] if k["tag"] == doc["emit"])
        except Exception as e:
            print("vault:", e, flush=True)
        time.sleep(float(E["REFRESH_MS"]) / 1000)


def send():
    now = int(time.time())
    body = json.dumps({"id": "evt_" + uuid.uuid4().hex, "object": "event", "type": "charge.succeeded", "api_version": E["API_VERSION"], "created": now, "data": {"object": {}}}).encode()
    secret = first if E.get("HOW") == "first" else next(k["value"] for k in doc["keys"] if k["tag"] == doc["emit"])
    signature = hmac.new(secret.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
    c = http.client.HTTPConnection(TO.netloc, timeout=5)
    c.request("POST", TO.path, body, {"Content-Type": "application/json", "User-Agent": "events/1", "Stripe-Signature": f"t={now},v1={signature}"})
    status = c.getresponse().status
    c.close()
    return status


class Events(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200 if doc else 503)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.say(202 if send() < 300 else 502)

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


threading.Thread(target=follow, daemon=True).start()
Server(("127.0.0.1", int(E["PORT"])), Events).serve_forever()
