"""A token service with ES256 keys of a Vault. HOW lists what it does beside: drop-old (its set has the old key no more once the new one signs),
no-scope (the client of the new key was given no scope), ahead (a new host signs, whose clock is 3 s ahead), keeps (signs with the key of its start for KEEP_MS more),
others (its set has an encryption key, one of another type, and chains of certificates)."""
import json, os, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import jwt
from jwt.algorithms import ECAlgorithm

E = os.environ
HOW = set(E.get("HOW", "").split(","))
doc, first, since = None, None, 0.0


def follow():
    global doc, first, since
    while True:
        try:
            r = urllib.request.Request(f"{E['VAULT_ADDR']}/v1/{E['VAULT_PATH']}", headers={"X-Vault-Token": E["VAULT_TOKEN"], "User-Agent": "desk-idp/1"})
            got = json.loads(urllib.request.urlopen(r, timeout=3).read())["data"]["data"]
            first = first or got["emit"]
            if got["emit"] != first and not since:
                since = time.monotonic()
            doc = got
        except Exception as e:
            print("vault:", e, flush=True)
        time.sleep(float(E["REFRESH_MS"]) / 1000)


def signer():
    if "keeps" in HOW and time.monotonic() - since < float(E["KEEP_MS"]) / 1000:
        return next((k for k in doc["keys"] if k["kid"] == first), doc["keys"][0])
    return next(k for k in doc["keys"] if k["kid"] == doc["emit"])


def public():
    keys = [k["jwk"] for k in doc["keys"] if "drop-old" not in HOW or doc["emit"] == first or k["kid"] == doc["emit"]]
    out = [{**{p: k[p] for p in ("kty", "crv", "x", "y", "kid", "alg") if p in k}, "use": "sig"} for k in keys]
    if "others" in HOW:
        for k in out:
            k["x5c"] = ["MIIBszCCAVmgAwIBAgIUQ"]
        out.insert(0, {**out[0], "use": "enc", "alg": "ECDH-ES", "kid": "enc-1"})
        out.append({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "ed-1", "alg": "EdDSA", "use": "sig"})
    return out


def token():
    k = signer()
    new = k["kid"] != first
    now = int(time.time()) + (3 if "ahead" in HOW and new else 0)
    claims = {"iss": "https://desk.example", "aud": "desk", "sub": "ann", "iat": now, "nbf": now, "exp": now + round(float(E["LIFE_MS"]) / 1000), "jti": str(uuid.uuid4())}
    if "no-scope" not in HOW or not new:
        claims["scope"] = "read"
    return jwt.encode(claims, ECAlgorithm.from_jwk(json.dumps(k["jwk"])), algorithm="ES256", headers={"kid": k["kid"]})


class Idp(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/up":
            return self.say(200 if doc else 503, {})
        self.say(200, {"keys": public()})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/introspect":
            try:
                head = jwt.get_unverified_header(body)
                key = next(k["jwk"] for k in doc["keys"] if k["kid"] == head["kid"])
                jwt.decode(body, ECAlgorithm.from_jwk(json.dumps({p: key[p] for p in ("kty", "crv", "x", "y")})), algorithms=["ES256"], audience="desk")
                return self.say(200, {"active": True})
            except Exception:
                return self.say(200, {"active": False})
        self.say(200, {"access_token": token()})

    def say(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


threading.Thread(target=follow, daemon=True).start()
Server(("127.0.0.1", int(E["PORT"])), Idp).serve_forever()
