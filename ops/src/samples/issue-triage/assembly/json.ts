/*
 * As much of JSON as handlers need: to look into a payload, and to write texts. Values are texts of
 * JSON, as they stand in the document; nothing is built in memory but what was asked for.
 */

export namespace json {
  /** The value of an object's member; null when there is none, or it is no object. */
  export function member(object: string, name: string): string | null {
    let at = space(object, 0);
    if (at >= object.length || object.charCodeAt(at) != 0x7b) return null;
    at++;
    while (true) {
      at = space(object, at);
      if (at >= object.length || object.charCodeAt(at) != 0x22) return null;
      const keyEnd = stringEnd(object, at);
      const isIt = text(object.substring(at, keyEnd)) == name;
      at = space(object, keyEnd);
      if (at >= object.length || object.charCodeAt(at) != 0x3a) return null;
      at = space(object, at + 1);
      const end = valueEnd(object, at);
      if (isIt) return object.substring(at, end);
      at = space(object, end);
      if (at >= object.length || object.charCodeAt(at) != 0x2c) return null;
      at++;
    }
  }

  /** A member of a member: `at(payload, ["issue", "title"])`. */
  export function at(document: string, path: string[]): string | null {
    let value: string | null = document;
    for (let i = 0; i < path.length && value !== null; i++) value = member(value, path[i]);
    return value;
  }

  /** The values in an array; none when it is no array. */
  export function items(array: string): string[] {
    const values: string[] = [];
    let at = space(array, 0);
    if (at >= array.length || array.charCodeAt(at) != 0x5b) return values;
    at = space(array, at + 1);
    while (at < array.length && array.charCodeAt(at) != 0x5d) {
      const end = valueEnd(array, at);
      values.push(array.substring(at, end));
      at = space(array, end);
      if (at >= array.length || array.charCodeAt(at) != 0x2c) break;
      at = space(array, at + 1);
    }
    return values;
  }

  /** The names of an object's members, in order. */
  export function names(object: string): string[] {
    const names: string[] = [];
    let at = space(object, 0);
    if (at >= object.length || object.charCodeAt(at) != 0x7b) return names;
    at = space(object, at + 1);
    while (at < object.length && object.charCodeAt(at) == 0x22) {
      const keyEnd = stringEnd(object, at);
      const name = text(object.substring(at, keyEnd));
      if (name !== null) names.push(name);
      at = space(object, keyEnd);
      if (at >= object.length || object.charCodeAt(at) != 0x3a) break;
      at = space(object, valueEnd(object, space(object, at + 1)));
      if (at >= object.length || object.charCodeAt(at) != 0x2c) break;
      at = space(object, at + 1);
    }
    return names;
  }

  /** What a JSON string says; null when the value is none. */
  export function text(value: string | null): string | null {
    if (value === null || value.length < 2 || value.charCodeAt(0) != 0x22) return null;
    const end = value.length - 1;
    if (value.charCodeAt(end) != 0x22) return null;
    if (value.indexOf("\\") < 0) return value.substring(1, end);
    const parts: string[] = [];
    let from = 1;
    let at = 1;
    while (at < end) {
      if (value.charCodeAt(at) != 0x5c) {
        at++;
        continue;
      }
      parts.push(value.substring(from, at));
      const c = value.charCodeAt(at + 1);
      at += 2;
      if (c == 0x75) {
        parts.push(String.fromCharCode(<i32>parseInt(value.substring(at, at + 4), 16)));
        at += 4;
      } else {
        parts.push(unescaped(c));
      }
      from = at;
    }
    if (from < end) parts.push(value.substring(from, end));
    return parts.join("");
  }

  /** A text as a JSON string, with its quotation marks. */
  export function quote(text: string): string {
    const parts: string[] = ['"'];
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c >= 0x20 && c != 0x22 && c != 0x5c) continue;
      parts.push(text.substring(from, at));
      parts.push(c < 0x20 ? "\\u" + c.toString(16).padStart(4, "0") : "\\" + text.charAt(at));
      from = at + 1;
    }
    parts.push(text.substring(from));
    parts.push('"');
    return parts.join("");
  }

  function unescaped(c: i32): string {
    switch (c) {
      case 0x6e: return "\n";
      case 0x74: return "\t";
      case 0x72: return "\r";
      case 0x62: return "\b";
      case 0x66: return "\f";
      default: return String.fromCharCode(c);
    }
  }

  function isSpace(c: i32): bool {
    return c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09;
  }

  function space(text: string, from: i32): i32 {
    let at = from;
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    return at;
  }

  /** Behind the string that begins at a quotation mark. */
  function stringEnd(text: string, from: i32): i32 {
    let at = from + 1;
    while (at < text.length) {
      const c = text.charCodeAt(at);
      if (c == 0x22) return at + 1;
      at += c == 0x5c ? 2 : 1;
    }
    return text.length;
  }

  /** Behind the value that begins here. */
  function valueEnd(text: string, from: i32): i32 {
    let depth = 0;
    let at = from;
    while (at < text.length) {
      const c = text.charCodeAt(at);
      if (c == 0x22) {
        at = stringEnd(text, at);
        if (depth == 0) return at;
      } else if (c == 0x7b || c == 0x5b) {
        depth++;
        at++;
      } else if (c == 0x7d || c == 0x5d) {
        if (depth == 0) return at;
        at++;
        if (--depth == 0) return at;
      } else if (depth == 0 && (c == 0x2c || isSpace(c))) {
        return at;
      } else {
        at++;
      }
    }
    return text.length;
  }
}
