"""The team's own rotator of its signing key: makes and publishes the next one, waits, signs with it, waits, and takes the old one out.
   rotate.py LEAD WINDOW [fail|hang|nothing|half]    what goes wrong after it signs with the next one, or at once
   rotate.py back                                     the old key signs again, and every other is taken out"""
import json, os, sys, time, urllib.parse, urllib.request
AUTH, STATE = "http://127.0.0.1:7680", os.environ["SHOP"] + "/rotation.json"
def ask(what, kid=None):
    body = urllib.parse.urlencode({"kid": kid or ""}).encode() if what != "active" else None
    return urllib.request.urlopen(AUTH + "/admin/" + what, body, timeout=5).read().decode().strip()
def keep(**state):
    with open(STATE, "w") as f: json.dump(state, f)
if sys.argv[1] == "back":
    state = json.load(open(STATE))
    keys = json.load(urllib.request.urlopen(AUTH + "/jwks", timeout=5))["keys"]
    if state["old"] not in [k["kid"] for k in keys]: ask("publish", state["old"]); time.sleep(7)
    ask("activate", state["old"]); time.sleep(6); ask("unpublish", state["new"])
    sys.exit()
lead, window, wrong = float(sys.argv[1]), float(sys.argv[2]), (sys.argv[3:] or [""])[0]
if wrong == "nothing": print("rotated"); sys.exit()
old, new = ask("active"), ask("make")
keep(old=old, new=new)
ask("publish", new); print("published", new, flush=True)
if wrong == "half-published": sys.exit()
time.sleep(lead)
ask("activate", new); print("signs with", new, flush=True)
if wrong == "half": sys.exit()
if wrong == "fail": sys.exit("cannot reach the audit log")
if wrong == "hang": time.sleep(3600)
time.sleep(window)
ask("unpublish", old); print("took out", old, flush=True)
