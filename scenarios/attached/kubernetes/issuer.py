"""The identity service of a small shop: signs access tokens with the key that is active, and publishes those that are published. What its operators do they do at /admin."""
import base64, json, secrets, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

keys, published, active = {}, [], None

def make():
    kid = "sig-" + secrets.token_hex(4)
    keys[kid] = ec.generate_private_key(ec.SECP256R1())
    return kid

active = make()
published.append(active)

def b64(n): return base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode()

def jwks():
    out = []
    for kid in published:
        n = keys[kid].public_key().public_numbers()
        out.append({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": b64(n.x), "y": b64(n.y)})
    return {"keys": out}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, code, doc):
        body = json.dumps(doc, separators=(",", ":")).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/healthz": return self.reply(200, {})
        if self.path == "/oauth/jwks": return self.reply(200, jwks())
        self.reply(404, {})

    def do_POST(self):
        global active
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()).items()}
        what, _, kid = self.path.removeprefix("/admin/").partition("/")
        if self.path == "/oauth/token":
            kid, life, now = form.get("kid") or active, int(form.get("ttl") or 12), int(time.time())
            if kid not in keys: return self.reply(400, {"error": "no such key"})
            token = jwt.encode({"iss": "http://auth:8080", "aud": "orders", "sub": form.get("client_id", "?"), "iat": now, "exp": now + life, "jti": str(uuid.uuid4())}, keys[kid], algorithm="ES256", headers={"kid": kid})
            return self.reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": life})
        if what == "make": return self.reply(200, {"kid": make()})
        if kid not in keys: return self.reply(404, {"error": "no such key"})
        if what == "publish" and kid not in published: published.append(kid)
        if what == "unpublish" and kid in published: published.remove(kid)
        if what == "activate": active = kid
        self.reply(200, jwks())

    def log_message(self, *a): pass

ThreadingHTTPServer(("", 8080), Handler).serve_forever()
