"""A Prometheus as far as one alert asks it: how often the provider refused the client's key in the last 2 seconds, where that is more than 5."""
import http.server, json, sys, time
folder, seen = sys.argv[1], []
def refused(): return sum('agent="payclient' in line and " 401" in line for line in open(folder + "/access.log"))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        now = time.time()
        seen.append((now, refused()))
        while seen[0][0] < now - 2: seen.pop(0)
        n = seen[-1][1] - seen[0][1]
        result = [{"metric": {}, "value": [now, str(n)]}] if n > 5 else []
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 7190), Handler).serve_forever()
