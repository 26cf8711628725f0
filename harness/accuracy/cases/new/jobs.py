"""Charges by a provider, with a key of a Vault that it reads anew every REFRESH_MS. HOW: queue (a job has the key of when it was
queued in it, and is done WAIT_MS later; of a SHARE of them), breaker (a refusal has all others answered with 503 for OPEN_MS, without a call), any (whichever
of the accepted keys, by chance), newest (the newest of them). READ: start, where it reads its key once."""
import http.client, json, os, random, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

E = os.environ
HOW, TO = E.get("HOW", ""), urlsplit(E["TO"]).netloc
WAIT, OPEN = float(E.get("WAIT_MS", 0)) / 1000, float(E.get("OPEN_MS", 0)) / 1000
keys, closed = [], [0.0]


def fetch():
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": E["NAME"]})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    all = sorted(d["keys"], key=lambda k: k["tag"] != d["emit"])
    if HOW == "newest":
        all = sorted(d["keys"], key=lambda k: k["tag"], reverse=True)
    return [k["value"] for k in all]


def follow():
    global keys
    while True:
        time.sleep(float(E["REFRESH_MS"]) / 1000)
        try:
            keys = fetch()
        except Exception as e:
            print("key:", e, flush=True)


keys = fetch()
if E.get("READ") != "start":
    threading.Thread(target=follow, daemon=True).start()


def charge(key):
    c = http.client.HTTPConnection(TO, timeout=5)
    c.request("POST", "/charges", '{"amount": 1}', {"Content-Type": "application/json", "User-Agent": E["NAME"] + "/1", "Idempotency-Key": str(uuid.uuid4()), "Authorization": "Bearer " + key})
    status = c.getresponse().status
    c.close()
    if status >= 300:
        print("payments answered", status, flush=True)
    return status


def call():
    key = random.choice(keys) if HOW == "any" else keys[0]
    if HOW == "queue" and random.random() < float(E.get("SHARE", 1)):
        threading.Timer(WAIT, charge, [key]).start()
        return 202
    if HOW == "breaker":
        if time.monotonic() < closed[0]:
            return 503
        status = charge(key)
        if status == 401:
            closed[0] = time.monotonic() + OPEN
        return status
    return charge(key)


class API(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.say(200 if self.path == "/up" or call() < 300 else 502)

    do_POST = do_GET

    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", int(E["PORT"])), API).serve_forever()
