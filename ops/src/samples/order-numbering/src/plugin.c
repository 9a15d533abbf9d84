/* Gives each order a number, once: ORD-2026-000001 and so on, without gaps, from 1 each year. */
#include "viesti.h"

#define NUMBERS VIESTI_TEXT("numbers")

/* The id of {"id": "A-17"} or {"id": 4711}. */
static bool order_id(viesti_text payload, viesti_text *id) {
  viesti_text value;
  uint64_t number;
  if (!viesti_json_member(payload, VIESTI_TEXT("id"), &value)) return false;
  if (viesti_json_string(value, id)) return id->length > 0;
  *id = value;
  return viesti_parse(value, &number);
}

VIESTI_HANDLE_EVENT(type, payload) {
  viesti_text id, number, event;
  bool known;
  if (!order_id(payload, &id)) {
    return viesti_fail(VIESTI_TEXT("permanent: the order has no 'id' that is a text or a number"));
  }
  VIESTI_TRY(viesti_kv_get(NUMBERS, id, &number, &known));
  if (known) {
    /* the order was told a second time, by an event of another id */
    return viesti_ok();
  }
  VIESTI_TRY(viesti_numbering_next(VIESTI_TEXT("order"), &number));
  VIESTI_TRY(viesti_kv_put(NUMBERS, id, number));
  VIESTI_TRY(viesti_events_publish(
      VIESTI_TEXT("order.numbered"), id,
      VIESTI_JOIN(VIESTI_TEXT("{\"orderId\":"), viesti_json_quote(id), VIESTI_TEXT(",\"number\":"),
                  viesti_json_quote(number), VIESTI_TEXT("}")),
      &event));
  return viesti_ok();
}

/* Called by name: the number of {"id": …}, or null. */
VIESTI_FUNCTION("number-of", number_of, payload) {
  viesti_text id, number;
  bool known;
  if (!order_id(payload, &id)) {
    return viesti_fail(VIESTI_TEXT("the payload has no 'id' that is a text or a number"));
  }
  VIESTI_TRY(viesti_kv_get(NUMBERS, id, &number, &known));
  return viesti_return(known ? viesti_json_quote(number) : VIESTI_TEXT("null"));
}
