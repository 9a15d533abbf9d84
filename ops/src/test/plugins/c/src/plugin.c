/* Calls every function of the host but entities', and tells what it answered. */
#include "viesti.h"

#define T VIESTI_TEXT

static viesti_text said;

static void say(viesti_text name, viesti_text value) {
  said = VIESTI_JOIN(said, name, T("="), value, T("\n"));
}

static viesti_text orNone(viesti_text text, bool found) { return found ? text : T("none"); }

static viesti_text yes(bool is) { return is ? T("true") : T("false"); }

static viesti_text joined(viesti_texts texts) {
  viesti_text all = T("");
  for (uint32_t i = 0; i < texts.count; i++) {
    all = i == 0 ? texts.at[0] : VIESTI_JOIN(all, T(","), texts.at[i]);
  }
  return all;
}

VIESTI_FUNCTION("everything", everything, payload) {
  viesti_text in, text;
  viesti_texts texts;
  bool found, other;
  uint32_t attempt;
  uint64_t now;
  said = T("");
  if (!viesti_json_text(payload, T("in"), &in)) return viesti_fail(T("no 'in'"));
  VIESTI_TRY(viesti_context_app(&text));
  say(T("app"), text);
  VIESTI_TRY(viesti_context_principal(&text, &found));
  say(T("principal"), orNone(text, found));
  VIESTI_TRY(viesti_context_permissions(&texts));
  say(T("permissions"), joined(texts));
  VIESTI_TRY(viesti_context_delivery_id(&text, &found));
  say(T("delivery"), orNone(text, found));
  VIESTI_TRY(viesti_context_attempt(&attempt));
  say(T("attempt"), viesti_decimal(attempt));
  VIESTI_TRY(viesti_context_now(&now));
  say(T("now"), viesti_decimal(now));
  VIESTI_TRY(viesti_kv_put(T("open"), T("text"), in));
  VIESTI_TRY(viesti_kv_get(T("open"), T("text"), &text, &found));
  say(T("value"), viesti_json_quote(orNone(text, found)));
  VIESTI_TRY(viesti_kv_get(T("open"), T("nothing"), &text, &found));
  say(T("nothing"), orNone(text, found));
  VIESTI_TRY(viesti_kv_put(T("open"), T("k1"), T("")));
  VIESTI_TRY(viesti_kv_put(T("open"), T("k2"), T("2")));
  VIESTI_TRY(viesti_kv_put(T("open"), T("k3"), T("3")));
  VIESTI_TRY(viesti_kv_list(T("open"), T("k"), T("k1"), 1, &texts));
  say(T("page"), joined(texts));
  VIESTI_TRY(viesti_kv_list(T("open"), T("k"), T(""), 1000, &texts));
  say(T("keys"), joined(texts));
  VIESTI_TRY(viesti_kv_get(T("open"), T("k1"), &text, &found));
  say(T("empty"), VIESTI_JOIN(yes(found), viesti_decimal(text.length)));
  VIESTI_TRY(viesti_kv_delete(T("open"), T("k2"), &found));
  VIESTI_TRY(viesti_kv_delete(T("open"), T("k2"), &other));
  say(T("deleted"), VIESTI_JOIN(yes(found), T(","), yes(other)));
  VIESTI_TRY(viesti_numbering_next(T("order"), &text));
  say(T("number"), text);
  VIESTI_TRY(viesti_config_get(T("/mail/from"), &text, &found));
  say(T("config"), orNone(text, found));
  VIESTI_TRY(viesti_config_get(T("/mail/to"), &text, &found));
  say(T("unset"), orNone(text, found));
  VIESTI_TRY(viesti_log(VIESTI_DEBUG, in));
  VIESTI_TRY(viesti_events_publish(T("told"), T("subject"), viesti_json_quote(in), &text));
  say(T("event"), viesti_decimal(text.length));
  say(T("refused"), viesti_kv_put(T("closed"), T("k"), in) ? T("no") : viesti_error);
  return viesti_return(said);
}

VIESTI_INIT() { return viesti_kv_put(T("open"), T("init"), T("1")) ? viesti_ok() : viesti_fail(viesti_error); }

VIESTI_ON_APP_CREATED(app) {
  VIESTI_TRY(viesti_kv_put(T("open"), T("app"), app));
  return viesti_ok();
}
