/* Greets people, and remembers how often. */
#include "viesti.h"

#define GREETINGS VIESTI_TEXT("greetings")

/* On {"name": "Ada"}: one more greeting, and an event that says so. */
VIESTI_HANDLE_EVENT(type, payload) {
  viesti_text name, stored, id;
  bool found;
  uint64_t count = 0;
  if (!viesti_json_text(payload, VIESTI_TEXT("name"), &name)) {
    return viesti_fail(VIESTI_TEXT("permanent: the event has no text 'name'"));
  }
  VIESTI_TRY(viesti_kv_get(GREETINGS, name, &stored, &found));
  if (found && !viesti_parse(stored, &count)) {
    return viesti_fail(VIESTI_JOIN(VIESTI_TEXT("what is stored is no number: "), stored));
  }
  viesti_text now = viesti_decimal(count + 1);
  VIESTI_TRY(viesti_kv_put(GREETINGS, name, now));
  VIESTI_TRY(viesti_log(VIESTI_INFO, VIESTI_JOIN(VIESTI_TEXT("greeting "), name, VIESTI_TEXT(" after "), type)));
  VIESTI_TRY(viesti_events_publish(
      VIESTI_TEXT("greeting.sent"), name,
      VIESTI_JOIN(VIESTI_TEXT("{\"to\":"), viesti_json_quote(name), VIESTI_TEXT(",\"count\":"), now,
                  VIESTI_TEXT("}")),
      &id));
  return viesti_ok();
}

/* Called by name, with a reply: how often somebody was greeted. */
VIESTI_FUNCTION("count", count, payload) {
  viesti_text name, stored;
  bool found;
  if (!viesti_json_text(payload, VIESTI_TEXT("name"), &name)) {
    return viesti_fail(VIESTI_TEXT("the payload has no text 'name'"));
  }
  VIESTI_TRY(viesti_kv_get(GREETINGS, name, &stored, &found));
  return viesti_return(found ? stored : VIESTI_TEXT("0"));
}
