/** Greets people, and remembers how often. */
import { done, events, fail, kv, log, reply, textAt } from "./viesti";
import { json } from "./json";

export { cabi_realloc } from "./viesti";

const GREETINGS = "greetings";

/** On {"name": "Ada"}: one more greeting, and an event that says so. */
export function handleEvent(type: usize, typeLength: usize, payload: usize, length: usize): usize {
  const name = json.text(json.member(textAt(payload, length), "name"));
  if (name === null) return fail("permanent: the event has no text 'name'");
  const stored = kv.get(GREETINGS, name);
  const count = (stored === null ? 0 : I64.parseInt(stored)) + 1;
  kv.put(GREETINGS, name, count.toString());
  log.info("greeting " + name + " after " + textAt(type, typeLength));
  events.publish("greeting.sent", name, `{"to":${json.quote(name)},"count":${count}}`);
  return done();
}

/** Called by name, with a reply: how often somebody was greeted. */
export function count(payload: usize, length: usize): usize {
  const name = json.text(json.member(textAt(payload, length), "name"));
  if (name === null) return fail("the payload has no text 'name'");
  const stored = kv.get(GREETINGS, name);
  return reply(stored === null ? "0" : stored);
}
