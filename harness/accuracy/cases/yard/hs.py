"""A token service that signs with a shared secret (HS256), of a Vault. HOW: eager (signs with the newest that it finds), keeps (with that of its start for good), no-kid."""
import json, os, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import jwt

E = os.environ
HOW = set(E.get("HOW", "").split(","))
doc, first = None, None


def follow():
    global doc, first
    while True:
        try:
            r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "yard-hs/1"})
            doc = json.loads(urllib.request.urlopen(r, timeout=3).read())["data"]["data"]
            first = first or doc["emit"]
        except Exception as e:
            print("vault:", e, flush=True)
        time.sleep(float(E["REFRESH_MS"]) / 1000)


def token():
    k = next(k for k in doc["keys"] if k["kid"] == doc["emit"])
    if "eager" in HOW:
        k = next((k for k in doc["keys"] if k["kid"] != first), k)
    if "keeps" in HOW:
        k = next((k for k in doc["keys"] if k["kid"] == first), k)
    now = int(time.time())
    head = {} if "no-kid" in HOW else {"kid": k["kid"]}
    return jwt.encode({"iss": "https://yard.example", "aud": "yard", "sub": "ann", "iat": now, "exp": now + round(float(E["LIFE_MS"]) / 1000), "jti": str(uuid.uuid4())}, k["value"], algorithm="HS256", headers=head)


class Idp(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200 if doc else 503, {})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.say(200, {"access_token": token()})

    def say(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


threading.Thread(target=follow, daemon=True).start()
Server(("127.0.0.1", int(E["PORT"])), Idp).serve_forever()
