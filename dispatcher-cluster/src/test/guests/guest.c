/* A plugin for tests: what it does with an event is the event's type. Built by build.sh. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(of, name) \
  __attribute__((import_module("viesti:plugin/" of "@1.0.0"), import_name(name)))
#define TEXT(text) (const u8 *)text, sizeof(text) - 1

typedef struct { u8 tag; const u8 *at; u32 length; } Reply;               /* U and P */
typedef struct { u8 tag; union { struct { u8 some; const u8 *at; u32 length; }; struct { const u8 *error; u32 errorLength; }; }; } Option; /* O */

IMPORT("kv", "get") void kv_get(const u8 *c, u32 cl, const u8 *k, u32 kl, Option *ret);
IMPORT("kv", "put") void kv_put(const u8 *c, u32 cl, const u8 *k, u32 kl, const u8 *v, u32 vl, Reply *ret);
IMPORT("events", "publish") void publish(const u8 *t, u32 tl, const u8 *s, u32 sl, const u8 *p, u32 pl, Reply *ret);
IMPORT("numbering", "next") void next(const u8 *r, u32 rl, Reply *ret);
IMPORT("context", "delivery-id") void delivery_id(Option *ret);

extern u8 __heap_base;
static u32 top;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 oldSize, u32 align, u32 size) {
  (void)old; (void)oldSize;
  if (!top) top = (u32)&__heap_base;
  u32 at = (top + align - 1) & ~(align - 1);
  top = at + size;
  u32 wanted = (top + 65535) / 65536, pages = __builtin_wasm_memory_size(0);
  if (wanted > pages && __builtin_wasm_memory_grow(0, wanted - pages) == (unsigned long)-1) __builtin_trap();
  return (void *)at;
}

static Reply ret;

static Reply *ok(void) { ret.tag = 0; return &ret; }

static Reply *fail(const u8 *message, u32 length) {
  ret.tag = 1; ret.at = message; ret.length = length;
  return &ret;
}

static int is(const u8 *a, u32 al, const char *b) {
  u32 i = 0;
  for (; i < al && b[i]; i++) if (a[i] != (u8)b[i]) return 0;
  return i == al && !b[i];
}

static Reply *put(const u8 *c, u32 cl, const u8 *k, u32 kl, const u8 *v, u32 vl) {
  Reply r;
  kv_put(c, cl, k, kl, v, vl, &r);
  return r.tag ? fail(r.at, r.length) : ok();
}

/* one more, in decimal */
static Reply *count(const u8 *c, u32 cl, const u8 *k, u32 kl) {
  Option o;
  kv_get(c, cl, k, kl, &o);
  if (o.tag) return fail(o.error, o.errorLength);
  u64 n = 0;
  if (o.some) for (u32 i = 0; i < o.length; i++) n = n * 10 + (o.at[i] - '0');
  n++;
  u8 text[20]; u32 at = sizeof text;
  do { text[--at] = '0' + n % 10; n /= 10; } while (n);
  return put(c, cl, k, kl, text + at, sizeof text - at);
}

EXPORT("init") Reply *init(void) {
#ifdef INIT_FAILS
  return fail(TEXT("init does not want to"));
#else
  return count(TEXT("meta"), TEXT("inits"));
#endif
}

EXPORT("on-app-created") Reply *on_app_created(const u8 *app, u32 length) {
  return put(TEXT("meta"), TEXT("app"), app, length);
}

EXPORT("handle-event") Reply *handle_event(const u8 *type, u32 tl, const u8 *data, u32 dl) {
  if (is(type, tl, "count")) return count(TEXT("counters"), TEXT("total"));
  if (is(type, tl, "published")) return count(TEXT("counters"), TEXT("published"));
  if (is(type, tl, "put")) return put(TEXT("puts"), data, dl, TEXT(VERSION));
  if (is(type, tl, "nothing")) return ok();
  if (is(type, tl, "fail")) { put(TEXT("puts"), TEXT("failed"), data, dl); return fail(TEXT("no")); }
  if (is(type, tl, "permanent")) return fail(TEXT("permanent: never"));
  if (is(type, tl, "trap")) { put(TEXT("puts"), TEXT("trapped"), data, dl); __builtin_trap(); }
  if (is(type, tl, "loop")) { put(TEXT("puts"), TEXT("looped"), data, dl); for (volatile u32 i = 0;; i++) ; }
  if (is(type, tl, "grow")) { while (__builtin_wasm_memory_grow(0, 16) != (unsigned long)-1) {} __builtin_trap(); }
  if (is(type, tl, "publish")) {
    Reply r;
    publish(TEXT("published"), TEXT("by-guest"), data, dl, &r);
    return r.tag ? fail(r.at, r.length) : put(TEXT("puts"), TEXT("published"), r.at, r.length);
  }
  if (is(type, tl, "number")) {
    Reply r;
    next(TEXT("order"), &r);
    return r.tag ? fail(r.at, r.length) : put(TEXT("numbers"), r.at, r.length, data, dl);
  }
  if (is(type, tl, "pointer")) { kv_put((u8 *)0xfffffff0u, 0x7fffffffu, TEXT("k"), data, dl, &ret); return ok(); }
  return fail(type, tl);
}

EXPORT("echo") Reply *echo(const u8 *data, u32 length) {
  ret.tag = 0; ret.at = data; ret.length = length;
  return &ret;
}

EXPORT("add") Reply *add(const u8 *data, u32 length) {
  Reply *counted = count(TEXT("counters"), data, length);
  if (counted->tag) return counted;
  Option o;
  kv_get(TEXT("counters"), data, length, &o);
  ret.tag = 0; ret.at = o.at; ret.length = o.length;
  return &ret;
}
