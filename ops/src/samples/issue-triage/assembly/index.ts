/** Decides what each issue of GitHub is about, and keeps count. */
import { config, done, events, fail, kv, log, textAt } from "./viesti";
import { json } from "./json";
import { Rules } from "./rules";

export { cabi_realloc } from "./viesti";

const ISSUES = "issues";
const LABELS = "labels";

export function handleEvent(type: usize, typeLength: usize, payload: usize, length: usize): usize {
  const event = textAt(payload, length);
  const issue = json.member(event, "issue");
  const repository = json.text(json.at(event, ["repository", "full_name"]));
  const number = json.at(event, ["issue", "number"]);
  if (issue === null || repository === null || number === null) {
    return fail("permanent: the payload has no issue with a number in a repository");
  }
  const key = repository + "#" + number;
  const before = kv.get(ISSUES, key);
  const action = json.text(json.member(event, "action"));
  if (action == "deleted" || action == "transferred") {
    if (before !== null) {
      kv.remove(ISSUES, key);
      count(before, -1);
    }
    return done();
  }
  const label = Rules.configured(config.get("/rules")).decide(
    json.text(json.member(issue, "title")),
    json.text(json.member(issue, "body")),
    labelsOf(issue)
  );
  if (label == before) return done();
  if (before !== null) count(before, -1);
  count(label, 1);
  kv.put(ISSUES, key, label);
  log.info(key + " is " + label);
  const was = before === null ? "null" : json.quote(before);
  events.publish(
    "triage.labelled",
    key,
    `{"repository":${json.quote(repository)},"number":${number},"label":${json.quote(label)},"before":${was}}`
  );
  return done();
}

function count(label: string, more: i64): void {
  const stored = kv.get(LABELS, label);
  const now = (stored === null ? 0 : I64.parseInt(stored)) + more;
  kv.put(LABELS, label, now.toString());
}

/** What people have put on it. */
function labelsOf(issue: string): string[] {
  const names: string[] = [];
  const labels = json.member(issue, "labels");
  if (labels === null) return names;
  const items = json.items(labels);
  for (let i = 0; i < items.length; i++) {
    const name = json.text(json.member(items[i], "name"));
    if (name !== null) names.push(name);
  }
  return names;
}
