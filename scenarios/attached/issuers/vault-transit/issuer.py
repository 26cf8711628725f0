"""An issuer of a few lines whose keys are in Vault's transit engine: it signs with the
version that SIGN says, publishes all that Vault has, from min_decryption_version on, and
keeps no key itself. GET /keys · POST /token (seconds, kid)."""
import base64
import json
import os
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.serialization import load_pem_public_key

VAULT, TOKEN, ISSUER, SIGN = (os.environ[n] for n in ("VAULT_ADDR", "VAULT_TOKEN", "ISSUER", "SIGN"))


def vault(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{VAULT}/v1/transit/{path}", data=data, headers={"X-Vault-Token": TOKEN})
    with urllib.request.urlopen(request, timeout=3) as answer:
        return json.load(answer)["data"]


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(version, pem):
    point = load_pem_public_key(pem.encode()).public_numbers()
    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": f"transit-v{version}",
            "x": encode(point.x.to_bytes(32, "big")), "y": encode(point.y.to_bytes(32, "big"))}


def published():
    key = vault("keys/shop")
    return {"keys": [jwk(v, k["public_key"]) for v, k in key["keys"].items()]}


def token(seconds, version):
    now = int(time.time())
    version = version or int(Path(SIGN).read_text() or 0)  # 0 is the latest
    if not version:
        version = vault("keys/shop")["latest_version"]
    head = {"alg": "ES256", "typ": "JWT", "kid": f"transit-v{version}"}
    claims = {"iss": ISSUER, "sub": "web", "aud": "rehearse", "iat": now, "exp": now + seconds}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    signature = vault("sign/shop/sha2-256", {"input": base64.b64encode(signed.encode()).decode(), "key_version": version,
                                             "marshaling_algorithm": "jws"})["signature"]
    return signed + "." + signature.split(":")[2]


class Issuer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(published)

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        version = int(form.get("kid", ["transit-v0"])[0].removeprefix("transit-v"))
        self.answer(lambda: {"access_token": token(int(form.get("seconds", ["10"])[0]), version)})

    def answer(self, make):
        try:
            status, body = 200, make()
        except OSError as failed:
            status, body = 503, {"error": str(failed)}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Issuer).serve_forever()
