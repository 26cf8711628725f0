"""A provider of API keys: keys with their state lie in keys.json; every call is a line of access.log with the key's id and the caller's agent."""
import http.server, json, sys
folder = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        presented = self.headers.get("Authorization", "").removeprefix("Bearer ")
        key = next((k for k in json.load(open(folder + "/keys.json")) if k["value"] == presented), None)
        status = 401 if key is None or not key["active"] else 403 if self.command not in key.get("may", ["GET", "POST"]) else 201 if self.command == "POST" else 200
        with open(folder + "/access.log", "a") as log:
            print(f'{self.command} {self.path} key={key["id"] if key else "-"} agent="{self.headers.get("User-Agent", "-")}" {status}', file=log)
        self.send_response(status); self.send_header("Content-Length", "0"); self.end_headers()
    do_GET = do_POST = answer
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 7180), Handler).serve_forever()
