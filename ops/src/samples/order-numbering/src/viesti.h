/*
 * Viesti's host API for plugins in C: viesti:plugin@1.0.0, by the canonical ABI. One header, no
 * library: include it in every source file. Needs clang with the wasm32 target.
 *
 * Every function of the host answers with true, or with false and a sentence in viesti_error. Within
 * an exported function VIESTI_TRY(call) returns that sentence as the plugin's own error; since
 * nothing of a call that fails takes effect, that is nearly always right.
 *
 * Memory that is allocated is never freed: each call has an instance of its own, which is thrown
 * away after it.
 */
#ifndef VIESTI_H
#define VIESTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- texts: UTF-8 with a length, no zero at the end; also lists of bytes */

typedef struct {
  const char *at;
  uint32_t length;
} viesti_text;

/* A text from a literal. */
#define VIESTI_TEXT(literal) ((viesti_text){(literal), sizeof(literal) - 1})

/* ---- what an exported function returns */

typedef struct {
  uint8_t error;
  viesti_text text; /* the reply, or the error */
} viesti_reply;

__attribute__((weak)) viesti_reply viesti_answer;

/* What the last function of the host that answered with false said. */
__attribute__((weak)) viesti_text viesti_error;

__attribute__((unused)) static viesti_reply *viesti_ok(void) {
  viesti_answer.error = 0;
  viesti_answer.text = (viesti_text){0, 0};
  return &viesti_answer;
}

/* Of a named function: its reply. */
__attribute__((unused)) static viesti_reply *viesti_return(viesti_text reply) {
  viesti_answer.error = 0;
  viesti_answer.text = reply;
  return &viesti_answer;
}

/*
 * Nothing of the call takes effect, and the delivery is tried again. When the error begins with
 * "permanent: " it is not.
 */
__attribute__((unused)) static viesti_reply *viesti_fail(viesti_text error) {
  viesti_answer.error = 1;
  viesti_answer.text = error;
  return &viesti_answer;
}

#define VIESTI_TRY(call)                          \
  do {                                            \
    if (!(call)) return viesti_fail(viesti_error); \
  } while (0)

#define VIESTI_EXPORT(name) __attribute__((export_name(name)))

/* VIESTI_INIT() { … } is called once for each version, before it takes over. */
#define VIESTI_INIT() VIESTI_EXPORT("init") viesti_reply *viesti_export_init(void)

/* VIESTI_HANDLE_EVENT(type, payload) { … } is called for each event. */
#define VIESTI_HANDLE_EVENT(type, payload)                                                       \
  static viesti_reply *viesti_handle_event(viesti_text type, viesti_text payload);               \
  VIESTI_EXPORT("handle-event")                                                                  \
  viesti_reply *viesti_export_handle_event(const char *t, uint32_t tl, const char *p, uint32_t pl) { \
    return viesti_handle_event((viesti_text){t, tl}, (viesti_text){p, pl});                      \
  }                                                                                              \
  static viesti_reply *viesti_handle_event(viesti_text type, viesti_text payload)

/* VIESTI_ON_APP_CREATED(app) { … } is called once in an app, after the first init. */
#define VIESTI_ON_APP_CREATED(app)                                               \
  static viesti_reply *viesti_on_app_created(viesti_text app);                   \
  VIESTI_EXPORT("on-app-created")                                                \
  viesti_reply *viesti_export_on_app_created(const char *a, uint32_t al) {       \
    return viesti_on_app_created((viesti_text){a, al});                          \
  }                                                                              \
  static viesti_reply *viesti_on_app_created(viesti_text app)

/* VIESTI_FUNCTION("quote", quote, payload) { … } is a named function that replies. */
#define VIESTI_FUNCTION(name, symbol, payload)                              \
  static viesti_reply *viesti_function_##symbol(viesti_text payload);       \
  VIESTI_EXPORT(name)                                                       \
  viesti_reply *viesti_export_##symbol(const char *p, uint32_t pl) {        \
    return viesti_function_##symbol((viesti_text){p, pl});                  \
  }                                                                         \
  static viesti_reply *viesti_function_##symbol(viesti_text payload)

/* ---- memory */

extern uint8_t __heap_base;
__attribute__((weak)) uint32_t viesti_heap_top;

/* The host allocates with it, too. */
VIESTI_EXPORT("cabi_realloc")
__attribute__((weak)) void *cabi_realloc(void *old, uint32_t old_size, uint32_t align, uint32_t size) {
  if (!viesti_heap_top) viesti_heap_top = (uint32_t)&__heap_base;
  uint32_t start = (viesti_heap_top + align - 1) & ~(align - 1);
  uint32_t end = start + size;
  uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) << 16;
  if (end < start) __builtin_trap();
  if (end > have && (int32_t)__builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == -1) {
    __builtin_trap();
  }
  viesti_heap_top = end;
  for (uint32_t i = 0; i < old_size && i < size; i++) {
    ((volatile uint8_t *)start)[i] = ((uint8_t *)old)[i];
  }
  return (void *)start;
}

__attribute__((unused)) static void *viesti_allocate(uint32_t size) {
  return cabi_realloc(NULL, 0, 8, size);
}

/* The compiler calls these of its own accord. */
__attribute__((weak, no_builtin)) void *memcpy(void *to, const void *from, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}

__attribute__((weak, no_builtin)) void *memset(void *to, int value, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = (uint8_t)value;
  return to;
}

__attribute__((weak, no_builtin)) void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, size);
  for (size_t i = size; i > 0; i--) ((uint8_t *)to)[i - 1] = ((const uint8_t *)from)[i - 1];
  return to;
}

__attribute__((weak, no_builtin)) int memcmp(const void *one, const void *other, size_t size) {
  for (size_t i = 0; i < size; i++) {
    int difference = ((const uint8_t *)one)[i] - ((const uint8_t *)other)[i];
    if (difference) return difference;
  }
  return 0;
}

/* ---- work with texts */

__attribute__((unused)) static bool viesti_same(viesti_text one, viesti_text other) {
  return one.length == other.length && memcmp(one.at, other.at, one.length) == 0;
}

__attribute__((unused)) static bool viesti_begins(viesti_text text, viesti_text prefix) {
  return text.length >= prefix.length && memcmp(text.at, prefix.at, prefix.length) == 0;
}

__attribute__((unused)) static viesti_text viesti_join(const viesti_text *parts, uint32_t count) {
  uint32_t length = 0, at = 0;
  for (uint32_t i = 0; i < count; i++) length += parts[i].length;
  char *joined = viesti_allocate(length);
  for (uint32_t i = 0; i < count; i++) {
    memcpy(joined + at, parts[i].at, parts[i].length);
    at += parts[i].length;
  }
  return (viesti_text){joined, length};
}

/* VIESTI_JOIN(a, b, c): one text after the other. */
#define VIESTI_JOIN(...)                         \
  viesti_join((const viesti_text[]){__VA_ARGS__}, \
              sizeof((const viesti_text[]){__VA_ARGS__}) / sizeof(viesti_text))

/* A number in decimal. */
__attribute__((unused)) static viesti_text viesti_decimal(uint64_t number) {
  char *digits = viesti_allocate(20);
  uint32_t at = 20;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  return (viesti_text){digits + at, 20 - at};
}

/* False unless it is a decimal number of at most 19 digits. */
__attribute__((unused)) static bool viesti_parse(viesti_text digits, uint64_t *number) {
  *number = 0;
  if (digits.length == 0 || digits.length > 19) return false;
  for (uint32_t i = 0; i < digits.length; i++) {
    if (digits.at[i] < '0' || digits.at[i] > '9') return false;
    *number = *number * 10 + (uint64_t)(digits.at[i] - '0');
  }
  return true;
}

/* ---- JSON: enough to read members of a payload, and to write texts */

__attribute__((unused)) static uint32_t viesti_json_space(viesti_text json, uint32_t at) {
  while (at < json.length && (json.at[at] == ' ' || json.at[at] == '\n' || json.at[at] == '\r' ||
                              json.at[at] == '\t')) {
    at++;
  }
  return at;
}

/* Behind the string that begins at a quotation mark. */
__attribute__((unused)) static uint32_t viesti_json_string_end(viesti_text json, uint32_t at) {
  for (at++; at < json.length && json.at[at] != '"'; at++) {
    if (json.at[at] == '\\') at++;
  }
  return at < json.length ? at + 1 : json.length;
}

/* Behind the value that begins here. */
__attribute__((unused)) static uint32_t viesti_json_end(viesti_text json, uint32_t at) {
  uint32_t depth = 0;
  while (at < json.length) {
    char c = json.at[at];
    if (c == '"') {
      at = viesti_json_string_end(json, at);
    } else if (c == '{' || c == '[') {
      depth++;
      at++;
      continue;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      depth--;
      at++;
    } else if (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      if (depth == 0) return at;
      at++;
      continue;
    } else {
      while (at < json.length && json.at[at] != ',' && json.at[at] != '}' && json.at[at] != ']' &&
             json.at[at] != ' ' && json.at[at] != '\n' && json.at[at] != '\r' && json.at[at] != '\t') {
        at++;
      }
    }
    if (depth == 0) return at;
  }
  return at;
}

/*
 * The value of a member, as it stands in the text of an object: `"a\nb"`, `12`, `{…}`. False when
 * there is none. Names are compared as they are written, so one with escapes is not found.
 */
__attribute__((unused)) static bool viesti_json_member(viesti_text object, viesti_text name,
                                                       viesti_text *value) {
  uint32_t at = viesti_json_space(object, 0);
  if (at >= object.length || object.at[at] != '{') return false;
  at++;
  for (;;) {
    at = viesti_json_space(object, at);
    if (at >= object.length || object.at[at] != '"') return false;
    uint32_t end = viesti_json_string_end(object, at);
    viesti_text key = {object.at + at + 1, end - at < 2 ? 0 : end - at - 2};
    at = viesti_json_space(object, end);
    if (at >= object.length || object.at[at] != ':') return false;
    at = viesti_json_space(object, at + 1);
    end = viesti_json_end(object, at);
    if (viesti_same(key, name)) {
      *value = (viesti_text){object.at + at, end - at};
      return true;
    }
    at = viesti_json_space(object, end);
    if (at >= object.length || object.at[at] != ',') return false;
    at++;
  }
}

__attribute__((unused)) static int32_t viesti_json_hex(viesti_text json, uint32_t at) {
  int32_t value = 0;
  if (at + 4 > json.length) return -1;
  for (uint32_t i = at; i < at + 4; i++) {
    char c = json.at[i];
    int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

__attribute__((unused)) static uint32_t viesti_utf8(char *to, uint32_t point) {
  if (point < 0x80) {
    to[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    to[0] = (char)(0xc0 | point >> 6);
    to[1] = (char)(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    to[0] = (char)(0xe0 | point >> 12);
    to[1] = (char)(0x80 | (point >> 6 & 0x3f));
    to[2] = (char)(0x80 | (point & 0x3f));
    return 3;
  }
  to[0] = (char)(0xf0 | point >> 18);
  to[1] = (char)(0x80 | (point >> 12 & 0x3f));
  to[2] = (char)(0x80 | (point >> 6 & 0x3f));
  to[3] = (char)(0x80 | (point & 0x3f));
  return 4;
}

/* What a JSON string says. False unless it is one. */
__attribute__((unused)) static bool viesti_json_string(viesti_text json, viesti_text *text) {
  if (json.length < 2 || json.at[0] != '"' || json.at[json.length - 1] != '"') return false;
  char *to = viesti_allocate(json.length); /* escapes are longer than what they stand for */
  uint32_t length = 0;
  for (uint32_t at = 1; at < json.length - 1; at++) {
    if (json.at[at] != '\\') {
      to[length++] = json.at[at];
      continue;
    }
    char c = json.at[++at];
    if (c == 'u') {
      int32_t unit = viesti_json_hex(json, at + 1);
      if (unit < 0) return false;
      at += 4;
      uint32_t point = (uint32_t)unit;
      if (unit >= 0xd800 && unit < 0xe000) {
        int32_t low = at + 2 < json.length && json.at[at + 1] == '\\' && json.at[at + 2] == 'u'
                          ? viesti_json_hex(json, at + 3)
                          : -1;
        if (unit >= 0xdc00 || low < 0xdc00 || low >= 0xe000) return false;
        at += 6;
        point = 0x10000 + ((point - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
      }
      length += viesti_utf8(to + length, point);
    } else {
      to[length++] = c == 'n'   ? '\n'
                     : c == 't' ? '\t'
                     : c == 'r' ? '\r'
                     : c == 'b' ? '\b'
                     : c == 'f' ? '\f'
                                : c;
    }
  }
  *text = (viesti_text){to, length};
  return true;
}

/* The text of a member that is a string. False when there is none. */
__attribute__((unused)) static bool viesti_json_text(viesti_text object, viesti_text name,
                                                     viesti_text *text) {
  viesti_text value;
  return viesti_json_member(object, name, &value) && viesti_json_string(value, text);
}

/* A text as a JSON string, with its quotation marks. */
__attribute__((unused)) static viesti_text viesti_json_quote(viesti_text text) {
  static const char hex[] = "0123456789abcdef";
  char *to = viesti_allocate(text.length * 6 + 2);
  uint32_t length = 0;
  to[length++] = '"';
  for (uint32_t i = 0; i < text.length; i++) {
    uint8_t c = (uint8_t)text.at[i];
    if (c < 0x20) {
      memcpy(to + length, "\\u00", 4);
      to[length + 4] = hex[c >> 4];
      to[length + 5] = hex[c & 15];
      length += 6;
    } else {
      if (c == '"' || c == '\\') to[length++] = '\\';
      to[length++] = (char)c;
    }
  }
  to[length++] = '"';
  return (viesti_text){to, length};
}

/* ---- the host, as abi.md lists it */

#define VIESTI_IMPORT(of, name)                                       \
  __attribute__((import_module("viesti:plugin/" of "@1.0.0"), import_name(name)))

/* Return areas, by the shapes of abi.md. */
typedef struct { /* U and P */
  uint8_t error;
  viesti_text text;
} viesti_area;

typedef struct { /* O */
  uint8_t error;
  union {
    struct {
      uint8_t some;
      viesti_text text;
    } ok;
    viesti_text error_text;
  } is;
} viesti_option_area;

typedef struct { /* S */
  uint8_t error;
  union {
    uint8_t flag;
    uint32_t number;
    viesti_text error_text;
  } is;
} viesti_small_area;

typedef struct { /* L */
  uint8_t error;
  union {
    uint64_t number;
    viesti_text error_text;
  } is;
} viesti_long_area;

_Static_assert(sizeof(viesti_area) == 12 && sizeof(viesti_option_area) == 16 &&
                   sizeof(viesti_small_area) == 12 && sizeof(viesti_long_area) == 16,
               "abi.md");

typedef struct {
  const viesti_text *at;
  uint32_t count;
} viesti_texts;

VIESTI_IMPORT("kv", "get")
void viesti_import_kv_get(const char *, uint32_t, const char *, uint32_t, viesti_option_area *);
VIESTI_IMPORT("kv", "put")
void viesti_import_kv_put(const char *, uint32_t, const char *, uint32_t, const char *, uint32_t,
                          viesti_area *);
VIESTI_IMPORT("kv", "delete")
void viesti_import_kv_delete(const char *, uint32_t, const char *, uint32_t, viesti_small_area *);
VIESTI_IMPORT("kv", "list")
void viesti_import_kv_list(const char *, uint32_t, const char *, uint32_t, const char *, uint32_t,
                           uint32_t, viesti_area *);
VIESTI_IMPORT("entities", "insert")
void viesti_import_entities_insert(const char *, uint32_t, const char *, uint32_t, viesti_area *);
VIESTI_IMPORT("entities", "update")
void viesti_import_entities_update(const char *, uint32_t, const char *, uint32_t, uint64_t,
                                   const char *, uint32_t, viesti_long_area *);
VIESTI_IMPORT("entities", "delete")
void viesti_import_entities_delete(const char *, uint32_t, const char *, uint32_t, uint64_t,
                                   viesti_area *);
VIESTI_IMPORT("entities", "query")
void viesti_import_entities_query(const char *, uint32_t, const char *, uint32_t, viesti_area *);
VIESTI_IMPORT("numbering", "next")
void viesti_import_numbering_next(const char *, uint32_t, viesti_area *);
VIESTI_IMPORT("config", "get")
void viesti_import_config_get(const char *, uint32_t, viesti_option_area *);
VIESTI_IMPORT("events", "publish")
void viesti_import_events_publish(const char *, uint32_t, const char *, uint32_t, const char *,
                                  uint32_t, viesti_area *);
VIESTI_IMPORT("log", "write")
void viesti_import_log_write(uint32_t, const char *, uint32_t, viesti_area *);
VIESTI_IMPORT("context", "app") void viesti_import_context_app(viesti_area *);
VIESTI_IMPORT("context", "principal") void viesti_import_context_principal(viesti_option_area *);
VIESTI_IMPORT("context", "permissions") void viesti_import_context_permissions(viesti_area *);
VIESTI_IMPORT("context", "delivery-id") void viesti_import_context_delivery_id(viesti_option_area *);
VIESTI_IMPORT("context", "attempt") void viesti_import_context_attempt(viesti_small_area *);
VIESTI_IMPORT("context", "now") void viesti_import_context_now(viesti_long_area *);

/* A text in two arguments, as the imports take it. */
#define VIESTI_TWO(text) (text).at, (text).length

__attribute__((unused)) static bool viesti_taken(const viesti_area *area, viesti_text *text) {
  *(area->error ? &viesti_error : text) = area->text;
  return !area->error;
}

__attribute__((unused)) static bool viesti_optional(const viesti_option_area *area, viesti_text *text,
                                                    bool *found) {
  if (area->error) {
    viesti_error = area->is.error_text;
    return false;
  }
  *found = area->is.ok.some;
  *text = *found ? area->is.ok.text : (viesti_text){0, 0};
  return true;
}

/* kv: found is false when there is no such key. */
__attribute__((unused)) static bool viesti_kv_get(viesti_text collection, viesti_text key,
                                                  viesti_text *value, bool *found) {
  viesti_option_area area;
  viesti_import_kv_get(VIESTI_TWO(collection), VIESTI_TWO(key), &area);
  return viesti_optional(&area, value, found);
}

__attribute__((unused)) static bool viesti_kv_put(viesti_text collection, viesti_text key,
                                                  viesti_text value) {
  viesti_area area;
  viesti_text nothing;
  viesti_import_kv_put(VIESTI_TWO(collection), VIESTI_TWO(key), VIESTI_TWO(value), &area);
  return viesti_taken(&area, &nothing);
}

__attribute__((unused)) static bool viesti_kv_delete(viesti_text collection, viesti_text key,
                                                     bool *was_there) {
  viesti_small_area area;
  viesti_import_kv_delete(VIESTI_TWO(collection), VIESTI_TWO(key), &area);
  if (area.error) viesti_error = area.is.error_text;
  else *was_there = area.is.flag;
  return !area.error;
}

/* The keys after `after` that begin with `prefix`, at most `limit`; both may be empty. */
__attribute__((unused)) static bool viesti_kv_list(viesti_text collection, viesti_text prefix,
                                                   viesti_text after, uint32_t limit,
                                                   viesti_texts *keys) {
  viesti_area area;
  viesti_text list;
  viesti_import_kv_list(VIESTI_TWO(collection), VIESTI_TWO(prefix), VIESTI_TWO(after), limit, &area);
  if (!viesti_taken(&area, &list)) return false;
  *keys = (viesti_texts){(const viesti_text *)list.at, list.length};
  return true;
}

/* entities: fields are a JSON object. */
__attribute__((unused)) static bool viesti_entities_insert(viesti_text entity, viesti_text fields,
                                                           viesti_text *id) {
  viesti_area area;
  viesti_import_entities_insert(VIESTI_TWO(entity), VIESTI_TWO(fields), &area);
  return viesti_taken(&area, id);
}

__attribute__((unused)) static bool viesti_entities_update(viesti_text entity, viesti_text id,
                                                           uint64_t version, viesti_text fields,
                                                           uint64_t *now) {
  viesti_long_area area;
  viesti_import_entities_update(VIESTI_TWO(entity), VIESTI_TWO(id), version, VIESTI_TWO(fields), &area);
  if (area.error) viesti_error = area.is.error_text;
  else *now = area.is.number;
  return !area.error;
}

__attribute__((unused)) static bool viesti_entities_delete(viesti_text entity, viesti_text id,
                                                           uint64_t version) {
  viesti_area area;
  viesti_text nothing;
  viesti_import_entities_delete(VIESTI_TWO(entity), VIESTI_TWO(id), version, &area);
  return viesti_taken(&area, &nothing);
}

/* The answer is {"rows":[…],"next":…}. */
__attribute__((unused)) static bool viesti_entities_query(viesti_text entity, viesti_text query,
                                                          viesti_text *answer) {
  viesti_area area;
  viesti_import_entities_query(VIESTI_TWO(entity), VIESTI_TWO(query), &area);
  return viesti_taken(&area, answer);
}

__attribute__((unused)) static bool viesti_numbering_next(viesti_text rule, viesti_text *number) {
  viesti_area area;
  viesti_import_numbering_next(VIESTI_TWO(rule), &area);
  return viesti_taken(&area, number);
}

/* config: pointer is a JSON pointer, as in "/mail/from"; the value is JSON. */
__attribute__((unused)) static bool viesti_config_get(viesti_text pointer, viesti_text *value,
                                                      bool *found) {
  viesti_option_area area;
  viesti_import_config_get(VIESTI_TWO(pointer), &area);
  return viesti_optional(&area, value, found);
}

/* events: an empty subject means none; payload is JSON. */
__attribute__((unused)) static bool viesti_events_publish(viesti_text type, viesti_text subject,
                                                          viesti_text payload, viesti_text *id) {
  viesti_area area;
  viesti_import_events_publish(VIESTI_TWO(type), VIESTI_TWO(subject), VIESTI_TWO(payload), &area);
  return viesti_taken(&area, id);
}

enum { VIESTI_TRACE, VIESTI_DEBUG, VIESTI_INFO, VIESTI_WARN, VIESTI_ERROR };

__attribute__((unused)) static bool viesti_log(uint32_t level, viesti_text message) {
  viesti_area area;
  viesti_text nothing;
  viesti_import_log_write(level, VIESTI_TWO(message), &area);
  return viesti_taken(&area, &nothing);
}

__attribute__((unused)) static bool viesti_context_app(viesti_text *app) {
  viesti_area area;
  viesti_import_context_app(&area);
  return viesti_taken(&area, app);
}

__attribute__((unused)) static bool viesti_context_principal(viesti_text *principal, bool *found) {
  viesti_option_area area;
  viesti_import_context_principal(&area);
  return viesti_optional(&area, principal, found);
}

__attribute__((unused)) static bool viesti_context_permissions(viesti_texts *permissions) {
  viesti_area area;
  viesti_text list;
  viesti_import_context_permissions(&area);
  if (!viesti_taken(&area, &list)) return false;
  *permissions = (viesti_texts){(const viesti_text *)list.at, list.length};
  return true;
}

__attribute__((unused)) static bool viesti_context_delivery_id(viesti_text *id, bool *found) {
  viesti_option_area area;
  viesti_import_context_delivery_id(&area);
  return viesti_optional(&area, id, found);
}

/* From 1. */
__attribute__((unused)) static bool viesti_context_attempt(uint32_t *attempt) {
  viesti_small_area area;
  viesti_import_context_attempt(&area);
  if (area.error) viesti_error = area.is.error_text;
  else *attempt = area.is.number;
  return !area.error;
}

/* Milliseconds since 1970-01-01T00:00:00Z. */
__attribute__((unused)) static bool viesti_context_now(uint64_t *now) {
  viesti_long_area area;
  viesti_import_context_now(&area);
  if (area.error) viesti_error = area.is.error_text;
  else *now = area.is.number;
  return !area.error;
}

#endif
