"""Calls a provider with a key. HOW: start (read once), old-first (the older key first, the newer one where
that is refused), late (each copy takes a change up to LATE_MS later, as installed apps do). Without a VAULT_PATH it has none, and calls a proxy that puts one in."""
import http.client, json, os, random, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

E = os.environ
HOW, TO = E.get("HOW", ""), urlsplit(E["TO"]).netloc
keys = []


def fetch():
    r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": E["NAME"]})
    with urllib.request.urlopen(r, timeout=2) as answer:
        d = json.load(answer)["data"]["data"]
    return next(k["value"] for k in d["keys"] if k["tag"] == d["emit"])


def follow():
    due = None
    while True:
        time.sleep(float(E["REFRESH_MS"]) / 1000)
        try:
            key = fetch()
        except Exception as e:
            print("key:", e, flush=True)
            continue
        if key == keys[-1]:
            continue
        due = due or time.monotonic() + random.random() * float(E.get("LATE_MS", 0)) / 1000
        if time.monotonic() >= due:
            keys.append(key)
            due = None


if "VAULT_PATH" in E:
    keys.append(fetch())
    if HOW != "start":
        threading.Thread(target=follow, daemon=True).start()


def call():
    for key in keys[-2:] if HOW == "old-first" else keys[-1:] or [None]:
        c = http.client.HTTPConnection(TO, timeout=5)
        headers = {"Content-Type": "application/json", "User-Agent": E["NAME"] + "/1", "Idempotency-Key": str(uuid.uuid4())}
        c.request("POST", "/charges", '{"amount": 1}', headers if key is None else {**headers, "Authorization": "Bearer " + key})
        status = c.getresponse().status
        c.close()
        if status != 401:
            break
    if status >= 300:
        print("payments answered", status, flush=True)
    return status


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
