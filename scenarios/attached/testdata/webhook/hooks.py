"""A receiver that is not ours: takes GitHub's signatures by WEBHOOK_SECRET and WEBHOOK_SECRET_PREVIOUS of a dotenv file, which it reads again every 2 s."""
import hashlib, hmac, http.server, sys, threading, time
file, secrets = sys.argv[1], []
def load():
    global secrets
    env = dict(line.rstrip("\n").partition("=")[::2] for line in open(file) if line.strip())
    secrets = [env[k] for k in ("WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS") if env.get(k)]
def follow():
    while True:
        time.sleep(2); load()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self): self.end(200)
    def do_POST(self):
        body, got = self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.headers.get("X-Hub-Signature-256", "")
        good = any(hmac.compare_digest("sha256=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest(), got) for s in secrets)
        self.end(204 if good else 400)
    def end(self, code):
        self.send_response(code); self.send_header("Content-Length", "0") if code != 204 else None; self.end_headers()
    def log_message(self, *a): pass
load(); threading.Thread(target=follow, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", 7281), Handler).serve_forever()
