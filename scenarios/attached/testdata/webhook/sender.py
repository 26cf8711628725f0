"""A sender of events that is not ours: POST /send has it deliver one, signed in GitHub's scheme. Its secrets lie in secrets.json; deliveries.log is its record."""
import hashlib, hmac, http.client, http.server, json, sys, uuid
folder = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self): self.end(200)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        signs = json.load(open(folder + "/sender.json"))
        body = json.dumps({"id": str(uuid.uuid4()), "type": "charge.succeeded"}).encode()
        try:
            c = http.client.HTTPConnection("127.0.0.1", 7281, timeout=5)
            c.request("POST", "/webhooks/payments", body, {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=" + hmac.new(signs["value"].encode(), body, hashlib.sha256).hexdigest()})
            status = c.getresponse().status; c.close()
        except OSError: status = 0
        with open(folder + "/deliveries.log", "a") as log: print(f'delivered to hooks secret={signs["id"]} answer={status}', file=log)
        self.end(202 if 0 < status < 300 else 502)
    def end(self, code):
        self.send_response(code); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 7280), Handler).serve_forever()
