/* The plugin that bench measures: writes the event's data under one of 1,000 keys and is done.
   clang-14 --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=8192 -o kv-put.wasm kv-put.c */
typedef unsigned char u8;
typedef unsigned int u32;

typedef struct { u8 tag; const u8 *at; u32 length; } Reply;
typedef struct { u8 tag, unused[3], some, unused2[3]; const u8 *at; u32 length; } Option;

__attribute__((import_module("viesti:plugin/kv@1.0.0"), import_name("put")))
void kv_put(const u8 *c, u32 cl, const u8 *k, u32 kl, const u8 *v, u32 vl, Reply *ret);

__attribute__((import_module("viesti:plugin/context@1.0.0"), import_name("delivery-id")))
void delivery_id(Option *ret);

extern u8 __heap_base;
static u32 top;
static Reply ret;

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, u32 oldSize, u32 align, u32 size) {
  (void)old; (void)oldSize;
  if (!top) top = (u32)&__heap_base;
  u32 at = (top + align - 1) & ~(align - 1);
  top = at + size;
  u32 wanted = (top + 65535) / 65536, pages = __builtin_wasm_memory_size(0);
  if (wanted > pages && __builtin_wasm_memory_grow(0, wanted - pages) == (unsigned long)-1) __builtin_trap();
  return (void *)at;
}

__attribute__((export_name("handle-event")))
Reply *handle_event(const u8 *type, u32 typeLength, const u8 *data, u32 dataLength) {
  (void)type; (void)typeLength;
  Option id;
  delivery_id(&id);
  if (id.tag || !id.some || id.length < 36) __builtin_trap();
  static u8 key[3];
  u32 n = 0;
  for (u32 i = 24; i < 36; i++) n = n * 31 + id.at[i];
  n %= 1000;
  key[0] = '0' + n / 100; key[1] = '0' + n / 10 % 10; key[2] = '0' + n % 10;
  kv_put((const u8 *)"bench", 5, key, 3, data, dataLength, &ret);
  return &ret;
}
