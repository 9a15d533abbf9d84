// Runs once, before memory is frozen: every call of a script begins where this ends.
// Gets the one function of the host, gives the one function that the host calls.
(function (host) {
  'use strict';
  const { parse, stringify } = JSON;
  const { freeze } = Object;
  const { apply } = Reflect;
  const { exec } = RegExp.prototype;
  const evaluate = eval;
  const then = Promise.prototype.then;
  const resolve = Promise.resolve.bind(Promise);
  const position = /script\.js:(\d+)(?::(\d+))?/;
  let outcome;

  function ask(name, args) {
    const answer = host(name, stringify(args));
    if (answer[0] === '-') throw new Error(answer.slice(1));
    return parse(answer.slice(1));
  }
  const asking = (name) => (...args) => ask(name, args);
  const group = (name, ...functions) => {
    const members = {};
    for (const member of functions) members[member] = asking(name + '.' + member);
    return members;
  };

  const kv = {
    getText: asking('kv.get'),
    putText: (key, text) => {
      if (typeof text !== 'string') throw new TypeError('kv.putText takes a string');
      ask('kv.put', [key, text]);
    },
    get: (key) => {
      const text = kv.getText(key);
      return text === null ? null : parse(text);
    },
    put: (key, value) => {
      const text = stringify(value);
      if (text === undefined) throw new TypeError('kv.put takes a value that JSON can express');
      ask('kv.put', [key, text]);
    },
    ...group('kv', 'delete', 'list'),
  };
  const viesti = {
    kv: freeze(kv),
    entities: freeze(group('entities', 'insert', 'update', 'delete', 'query')),
    numbering: freeze(group('numbering', 'next')),
    config: freeze(group('config', 'get')),
    events: freeze(group('events', 'publish')),
    log: freeze(group('log', 'trace', 'debug', 'info', 'warn', 'error')),
  };

  // sfc32, started from a hash of the text (FNV-1a with another seed for each word) when first used.
  function seedRandom(text) {
    const word = (start) => {
      let hash = start;
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
      return hash;
    };
    let [a, b, c] = [word(0x811c9dc5), word(0x9e3779b9), word(0x243f6a88)];
    let d = 1;
    const next = () => {
      const sum = (a + b + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      return sum >>> 0;
    };
    for (let i = 0; i < 12; i++) next();
    return next;
  }
  let next;
  Math.random = function random() {
    next ??= seedRandom(String(viesti.context.deliveryId ?? viesti.context.now));
    return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  };

  function describe(error) {
    let message = 'an error that cannot be shown';
    let at = null;
    try {
      if (error instanceof Error) {
        message = error.name === 'Error' ? String(error.message) : error.name + ': ' + error.message;
        at = apply(exec, position, [String(error.stack)]);
      } else {
        message = typeof error === 'object' ? stringify(error) : String(error);
      }
    } catch {
      // A getter or a toString that throws: the message above has to do.
    }
    return stringify({ message, line: at ? +at[1] : 0, column: at && at[2] ? +at[2] : 0 });
  }

  const returned = (value) => {
    try {
      const json = stringify(value);
      outcome = '+' + (json === undefined ? 'null' : json);
    } catch (error) {
      threw(error);
    }
  };
  const threw = (error) => {
    outcome = '-' + describe(error);
  };
  const value = (argument) =>
    typeof argument === 'string' ? parse(argument)
      : argument === undefined ? undefined
      : new Uint8Array(argument);

  function functionNamed(name) {
    if (typeof globalThis[name] === 'function') return globalThis[name];
    let found;
    try {
      found = evaluate(name); // const and class are not on the global object
    } catch {
      found = undefined;
    }
    if (typeof found !== 'function') throw new TypeError('the script defines no function ' + name);
    return found;
  }

  return function (operation, ...args) {
    switch (operation) {
      case 'begin': {
        viesti.context = freeze(parse(args[0]));
        globalThis.viesti = freeze(viesti);
        return undefined;
      }
      case 'call':
        try {
          const [name, ...values] = args;
          const result = functionNamed(name)(...values.map(value));
          if (result instanceof Promise) apply(then, resolve(result), [returned, threw]);
          else returned(result);
        } catch (error) {
          threw(error);
        }
        return undefined;
      case 'outcome':
        return outcome === undefined ? '?' : outcome;
      default:
        return describe(args[0]);
    }
  };
})
