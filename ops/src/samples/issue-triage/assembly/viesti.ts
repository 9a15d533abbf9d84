/*
 * Viesti's host API for plugins in AssemblyScript: viesti:plugin@1.0.0, by the canonical ABI, without
 * further packages. Compile with --runtime stub: each call has an instance of its own, whose memory
 * is thrown away after it.
 *
 * AssemblyScript cannot catch exceptions, so no function of the host throws. The first error that the
 * host answers with is kept; the functions answer with nothing (null, "", 0) from then on as well as
 * then. An exported function ends with `return done()`, which passes that error on as the plugin's
 * own: nothing of such a call takes effect. Whoever can live with an error asks `failure()` and
 * calls `forgive()`.
 */

// ---- what exported functions get and return

/** A parameter that is a text. */
export function textAt(pointer: usize, length: usize): string {
  return String.UTF8.decodeUnsafe(pointer, length);
}

/** A parameter that is a list of bytes. */
export function bytesAt(pointer: usize, length: usize): Uint8Array {
  const bytes = new Uint8Array(length as i32);
  memory.copy(bytes.dataStart, pointer, length);
  return bytes;
}

let hostError: string | null = null;

/** The first error that the host has answered with; null when there was none. */
export function failure(): string | null {
  return hostError;
}

/** Goes on as if the host had not answered with an error. */
export function forgive(): void {
  hostError = null;
}

const ANSWER: usize = memory.data(12, 4);

/** All went well, unless the host has answered with an error. */
export function done(): usize {
  return reply("");
}

/** The reply of a named function, unless the host has answered with an error. */
export function reply(text: string): usize {
  const error = hostError;
  if (error !== null) return fail(error);
  store<u8>(ANSWER, 0);
  storeText(ANSWER + 4, text);
  return ANSWER;
}

/**
 * Nothing of the call takes effect, and the delivery is tried again; not so when the error begins
 * with "permanent: ".
 */
export function fail(error: string): usize {
  store<u8>(ANSWER, 1);
  storeText(ANSWER + 4, error);
  return ANSWER;
}

/** The host allocates with it: every plugin exports it. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const place = heap.alloc(size); // aligned to 16
  if (old != 0) memory.copy(place, old, min(oldSize, size));
  return place;
}

// ---- UTF-8

function utf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
}

function start(bytes: ArrayBuffer): usize {
  return changetype<usize>(bytes);
}

function storeText(at: usize, text: string): void {
  const bytes = utf8(text);
  store<usize>(at, start(bytes));
  store<usize>(at + 4, bytes.byteLength);
}

function loadText(at: usize): string {
  return textAt(load<usize>(at), load<usize>(at + 4));
}

// ---- return areas, by the shapes of abi.md; a call is over before the next one begins

const AREA: usize = memory.data(16, 8);

/** Whether the host has answered with an error, which is kept. */
function refused(errorAt: usize): bool {
  if (load<u8>(AREA) == 0) return false;
  if (hostError === null) hostError = loadText(AREA + errorAt);
  return true;
}

function takenText(): string {
  return refused(4) ? "" : loadText(AREA + 4);
}

function takenTexts(): string[] {
  const texts: string[] = [];
  if (refused(4)) return texts;
  const first = load<usize>(AREA + 4);
  const count = load<usize>(AREA + 8);
  for (let i: usize = 0; i < count; i++) texts.push(loadText(first + 8 * i));
  return texts;
}

function takenOption(): string | null {
  return refused(4) || load<u8>(AREA + 4) == 0 ? null : loadText(AREA + 8);
}

// ---- kv

// @ts-ignore: decorator
@external("viesti:plugin/kv@1.0.0", "get")
declare function kvGet(c: usize, cl: usize, k: usize, kl: usize, ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/kv@1.0.0", "put")
declare function kvPut(c: usize, cl: usize, k: usize, kl: usize, v: usize, vl: usize, ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/kv@1.0.0", "delete")
declare function kvDelete(c: usize, cl: usize, k: usize, kl: usize, ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/kv@1.0.0", "list")
declare function kvList(
  c: usize, cl: usize, p: usize, pl: usize, a: usize, al: usize, limit: u32, ret: usize
): void;

/** Values by key, in collections of the app. */
export namespace kv {
  /** A value that is a text; null when there is no such key. */
  export function get(collection: string, key: string): string | null {
    const c = utf8(collection), k = utf8(key);
    kvGet(start(c), c.byteLength, start(k), k.byteLength, AREA);
    return takenOption();
  }

  /** A value of any bytes; null when there is no such key. */
  export function getBytes(collection: string, key: string): Uint8Array | null {
    const c = utf8(collection), k = utf8(key);
    kvGet(start(c), c.byteLength, start(k), k.byteLength, AREA);
    if (refused(4) || load<u8>(AREA + 4) == 0) return null;
    return bytesAt(load<usize>(AREA + 8), load<usize>(AREA + 12));
  }

  export function put(collection: string, key: string, value: string): void {
    const c = utf8(collection), k = utf8(key), v = utf8(value);
    kvPut(start(c), c.byteLength, start(k), k.byteLength, start(v), v.byteLength, AREA);
    refused(4);
  }

  export function putBytes(collection: string, key: string, value: Uint8Array): void {
    const c = utf8(collection), k = utf8(key);
    kvPut(start(c), c.byteLength, start(k), k.byteLength, value.dataStart, value.length, AREA);
    refused(4);
  }

  /** Whether there was such a key. */
  export function remove(collection: string, key: string): bool {
    const c = utf8(collection), k = utf8(key);
    kvDelete(start(c), c.byteLength, start(k), k.byteLength, AREA);
    return !refused(4) && load<u8>(AREA + 4) != 0;
  }

  /** The keys after `after` that begin with `prefix`, in order, at most `limit`. */
  export function list(collection: string, prefix: string, after: string, limit: u32): string[] {
    const c = utf8(collection), p = utf8(prefix), a = utf8(after);
    kvList(
      start(c), c.byteLength, start(p), p.byteLength, start(a), a.byteLength, limit, AREA
    );
    return takenTexts();
  }
}

// ---- entities

// @ts-ignore: decorator
@external("viesti:plugin/entities@1.0.0", "insert")
declare function entitiesInsert(e: usize, el: usize, f: usize, fl: usize, ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/entities@1.0.0", "update")
declare function entitiesUpdate(
  e: usize, el: usize, i: usize, il: usize, version: u64, f: usize, fl: usize, ret: usize
): void;
// @ts-ignore: decorator
@external("viesti:plugin/entities@1.0.0", "delete")
declare function entitiesDelete(
  e: usize, el: usize, i: usize, il: usize, version: u64, ret: usize
): void;
// @ts-ignore: decorator
@external("viesti:plugin/entities@1.0.0", "query")
declare function entitiesQuery(e: usize, el: usize, q: usize, ql: usize, ret: usize): void;

/** What the manifest declares; fields are a JSON object. */
export namespace entities {
  /** The id of the new one. */
  export function insert(entity: string, fields: string): string {
    const e = utf8(entity), f = utf8(fields);
    entitiesInsert(start(e), e.byteLength, start(f), f.byteLength, AREA);
    return takenText();
  }

  /** The new version. */
  export function update(entity: string, id: string, version: u64, fields: string): u64 {
    const e = utf8(entity), i = utf8(id), f = utf8(fields);
    entitiesUpdate(
      start(e), e.byteLength, start(i), i.byteLength, version, start(f), f.byteLength, AREA
    );
    return refused(8) ? 0 : load<u64>(AREA + 8);
  }

  export function remove(entity: string, id: string, version: u64): void {
    const e = utf8(entity), i = utf8(id);
    entitiesDelete(start(e), e.byteLength, start(i), i.byteLength, version, AREA);
    refused(4);
  }

  /** {"rows":[…],"next":…} */
  export function query(entity: string, query: string): string {
    const e = utf8(entity), q = utf8(query);
    entitiesQuery(start(e), e.byteLength, start(q), q.byteLength, AREA);
    return takenText();
  }
}

// ---- numbering, config, events, log

// @ts-ignore: decorator
@external("viesti:plugin/numbering@1.0.0", "next")
declare function numberingNext(r: usize, rl: usize, ret: usize): void;

export namespace numbering {
  /** The next number of a rule of the manifest. */
  export function next(rule: string): string {
    const r = utf8(rule);
    numberingNext(start(r), r.byteLength, AREA);
    return takenText();
  }
}

// @ts-ignore: decorator
@external("viesti:plugin/config@1.0.0", "get")
declare function configGet(k: usize, kl: usize, ret: usize): void;

export namespace config {
  /** What a JSON pointer (`/mail/from`) points to, as JSON; null when there is nothing. */
  export function get(pointer: string): string | null {
    const p = utf8(pointer);
    configGet(start(p), p.byteLength, AREA);
    return takenOption();
  }
}

// @ts-ignore: decorator
@external("viesti:plugin/events@1.0.0", "publish")
declare function eventsPublish(
  t: usize, tl: usize, s: usize, sl: usize, p: usize, pl: usize, ret: usize
): void;

export namespace events {
  /** The event's id. An empty subject means none; the payload is JSON. */
  export function publish(type: string, subject: string, payload: string): string {
    const t = utf8(type), s = utf8(subject), p = utf8(payload);
    eventsPublish(
      start(t), t.byteLength, start(s), s.byteLength, start(p), p.byteLength, AREA
    );
    return takenText();
  }
}

// @ts-ignore: decorator
@external("viesti:plugin/log@1.0.0", "write")
declare function logWrite(level: i32, m: usize, ml: usize, ret: usize): void;

export namespace log {
  function write(level: i32, message: string): void {
    const m = utf8(message);
    logWrite(level, start(m), m.byteLength, AREA);
    refused(4);
  }

  export function trace(message: string): void {
    write(0, message);
  }

  export function debug(message: string): void {
    write(1, message);
  }

  export function info(message: string): void {
    write(2, message);
  }

  export function warn(message: string): void {
    write(3, message);
  }

  export function error(message: string): void {
    write(4, message);
  }
}

// ---- context

// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "app")
declare function contextApp(ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "principal")
declare function contextPrincipal(ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "permissions")
declare function contextPermissions(ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "delivery-id")
declare function contextDeliveryId(ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "attempt")
declare function contextAttempt(ret: usize): void;
// @ts-ignore: decorator
@external("viesti:plugin/context@1.0.0", "now")
declare function contextNow(ret: usize): void;

/** The call that is running. */
export namespace context {
  export function app(): string {
    contextApp(AREA);
    return takenText();
  }

  /** On whose behalf; null when on nobody's. */
  export function principal(): string | null {
    contextPrincipal(AREA);
    return takenOption();
  }

  export function permissions(): string[] {
    contextPermissions(AREA);
    return takenTexts();
  }

  /** Null for calls that are not of a delivery. */
  export function deliveryId(): string | null {
    contextDeliveryId(AREA);
    return takenOption();
  }

  /** From 1. */
  export function attempt(): u32 {
    contextAttempt(AREA);
    return refused(4) ? 0 : load<u32>(AREA + 4);
  }

  /** Milliseconds since 1970-01-01T00:00:00Z. */
  export function now(): u64 {
    contextNow(AREA);
    return refused(8) ? 0 : load<u64>(AREA + 8);
  }
}
