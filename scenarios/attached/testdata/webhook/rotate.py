"""How the team rotates the secret: rotate.py first|which|make|accept|emit|revoke|restore|withdraw|value [ID]"""
import json, os, secrets, sys
folder, step, name = os.environ["SHOP"], sys.argv[1], (sys.argv[2:] or [""])[0]
def put(path, text):
    with open(folder + "/" + path + ".new", "w") as f: f.write(text)
    os.replace(folder + "/" + path + ".new", folder + "/" + path)
book = json.load(open(folder + "/book.json")) if os.path.exists(folder + "/book.json") else {"values": {}, "taken": [], "signs": ""}
def give():  # the receiver's file: the secret that signs first, and one more
    rest = [i for i in book["taken"] if i != book["signs"]]
    lines = ["WEBHOOK_SECRET=" + book["values"][book["signs"]]] + ["WEBHOOK_SECRET_PREVIOUS=" + book["values"][i] for i in rest[-1:]]
    if book["signs"] not in book["taken"]: lines = ["WEBHOOK_SECRET=" + book["values"][i] for i in rest[-1:]]
    put("webhook.env", "\n".join(lines) + "\n")
def make():
    new = "whsec-" + secrets.token_hex(4); book["values"][new] = secrets.token_hex(24); return new
if step == "first": name = make(); book["taken"], book["signs"] = [name], name
elif step == "which": print(book["signs"])
elif step == "make": print(make())
elif step in ("accept", "restore"): book["taken"] = [i for i in book["taken"] if i != name] + [name]
elif step in ("emit", "sign"): book["signs"] = name
elif step in ("revoke", "withdraw"): book["taken"] = [i for i in book["taken"] if i != name]
elif step == "value": print(book["values"][name])
if step in ("first", "emit", "sign"): put("sender.json", json.dumps({"id": name, "value": book["values"][name]}))
if step not in ("which", "value", "make", "sign"): give()
put("book.json", json.dumps(book))
