"""An identity provider with keys of a Vault and a login that answers JSON. HOW: same-etag, eager (signs with the newest key that it finds)."""
import hashlib, json, os, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import jwt

E = os.environ
HOW = set(E.get("HOW", "").split(","))
doc = None


def follow():
    global doc
    while True:
        try:
            r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "idp/1"})
            with urllib.request.urlopen(r, timeout=2) as answer:
                doc = json.load(answer)["data"]["data"]
        except Exception as e:
            print("vault:", e, flush=True)
        time.sleep(float(E["REFRESH_MS"]) / 1000)


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/up":
            return self.say(200 if doc else 503, {})
        found = {"keys": [{p: k["jwk"][p] for p in ("kty", "crv", "x", "kid", "alg", "use") if p in k["jwk"]} for k in doc["keys"]]}
        tag = '"1"' if "same-etag" in HOW else '"%s"' % hashlib.sha256(json.dumps(found).encode()).hexdigest()
        if self.headers.get("If-None-Match") == tag:
            return self.say(304, None, tag)
        self.say(200, found, tag)

    def do_POST(self):
        user = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["user"]
        newest = max(doc["keys"], key=lambda k: k["kid"] != Provider.first) if "eager" in HOW else None
        Provider.first = Provider.first or doc["emit"]
        j = (newest or next(k for k in doc["keys"] if k["kid"] == doc["emit"]))["jwk"]
        now, life = int(time.time()), max(1, round(float(E["LIFE_MS"]) / 1000))
        token = jwt.encode({"iss": "https://id.example", "sub": user, "iat": now, "exp": now + life, "jti": str(uuid.uuid4())},
                           jwt.PyJWK(j).key, algorithm=j["alg"], headers={"kid": j["kid"]})
        self.say(200, {"data": {"jwt": token}, "expires_in": life})

    def say(self, status, what, tag=None):
        body = b"" if what is None else json.dumps(what).encode()
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Provider.first = None
threading.Thread(target=follow, daemon=True).start()
Server(("127.0.0.1", int(E["PORT"])), Provider).serve_forever()
