"""How the team rotates its key at the provider: keys.py first|which|make|accept|emit|revoke|restore|value [ID]. What goes wrong:
make-reader (a key that may read and no more), make-only (making one ends the others), revoke-used (the key in use, whatever is asked for)"""
import json, os, secrets, sys
folder, step, name = os.environ["SHOP"], sys.argv[1], (sys.argv[2:] or [""])[0]
def put(path, text):
    with open(folder + "/" + path + ".new", "w") as f: f.write(text)
    os.replace(folder + "/" + path + ".new", folder + "/" + path)
def read(): return json.load(open(folder + "/keys.json"))
def active(to): put("keys.json", json.dumps([k | {"active": to if k["id"] == name else k["active"]} for k in read()]))
def make(**more):
    key = {"id": "key_" + secrets.token_hex(6), "value": "sk_" + secrets.token_urlsafe(24), "active": False} | more
    put("keys.json", json.dumps((read() if os.path.exists(folder + "/keys.json") else []) + [key])); return key["id"]
def emit():
    put("payments_api_key", next(k["value"] for k in read() if k["id"] == name)); put("which", name)
if step == "first": name = make(); active(True); emit()
elif step == "which": print(open(folder + "/which").read())
elif step == "make": print(make())
elif step == "make-reader": print(make(may=["GET"]))
elif step == "make-only": name = open(folder + "/which").read(); active(False); print(make())
elif step in ("accept", "restore"): active(True)
elif step == "emit": emit()
elif step == "revoke": active(False)
elif step == "revoke-used": name = open(folder + "/which").read(); active(False)
elif step == "value": print(next(k["value"] for k in read() if k["id"] == name))
