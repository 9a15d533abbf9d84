/** Calls every function of the host but entities', and tells what it answered. */
import {
  config, context, done, events, fail, failure, forgive, kv, log, numbering, reply, textAt,
} from "./viesti";
import { json } from "./json";

export { cabi_realloc } from "./viesti";

let said = "";

function say(name: string, value: string | null): void {
  said += name + "=" + (value === null ? "none" : value) + "\n";
}

export function everything(payload: usize, length: usize): usize {
  const given = json.text(json.member(textAt(payload, length), "in"));
  if (given === null) return fail("no 'in'");
  say("app", context.app());
  say("principal", context.principal());
  say("permissions", context.permissions().join(","));
  say("delivery", context.deliveryId());
  say("attempt", context.attempt().toString());
  say("now", context.now().toString());
  kv.put("open", "text", given);
  const value = kv.get("open", "text");
  say("value", json.quote(value === null ? "none" : value));
  say("nothing", kv.get("open", "nothing"));
  kv.put("open", "k1", "");
  kv.putBytes("open", "k2", Uint8Array.wrap(String.UTF8.encode("2")));
  kv.put("open", "k3", "3");
  say("page", kv.list("open", "k", "k1", 1).join(","));
  say("keys", kv.list("open", "k", "", 1000).join(","));
  const empty = kv.getBytes("open", "k1");
  say("empty", empty === null ? "none" : "true" + empty.length.toString());
  const was = kv.remove("open", "k2");
  const again = kv.remove("open", "k2");
  say("deleted", was.toString() + "," + again.toString());
  say("number", numbering.next("order"));
  say("config", config.get("/mail/from"));
  say("unset", config.get("/mail/to"));
  log.debug(given);
  say("event", events.publish("told", "subject", json.quote(given)).length.toString());
  if (failure() !== null) return done();
  kv.put("closed", "k", given);
  say("refused", failure());
  forgive();
  return reply(said);
}

export function init(): usize {
  kv.put("open", "init", "1");
  return done();
}

export function onAppCreated(app: usize, length: usize): usize {
  kv.put("open", "app", textAt(app, length));
  return done();
}
