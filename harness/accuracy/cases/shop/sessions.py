"""sessions: checks HS256 tokens with PyJWT. SECRETS_FILE has one secret a line, the newest first, and is read again every RELOAD_S seconds; or SECRET has the only one."""
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import jwt
read, secrets = 0.0, [os.environ["SECRET"]] if "SECRET" in os.environ else []
def held():
    global read, secrets
    if "SECRETS_FILE" in os.environ and time.monotonic() - read > float(os.environ["RELOAD_S"]):
        secrets, read = open(os.environ["SECRETS_FILE"]).read().split(), time.monotonic()
    return secrets
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/healthz": return self.end(200)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        for secret in held():
            try:
                jwt.decode(token, secret, algorithms=["HS256"], issuer=os.environ["ISSUER"], audience="rehearse")
                return self.end(200)
            except jwt.InvalidSignatureError: continue
            except jwt.PyJWTError as e: print("refused", type(e).__name__, flush=True); return self.end(401)
        print("refused InvalidSignatureError", flush=True); self.end(401)
    def end(self, code):
        self.send_response(code); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), H).serve_forever()
