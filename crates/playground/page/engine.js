// The WebAssembly module: unpacks it from the page, calls it, and starts it anew after a trap.
'use strict';

const engine = { module: null, exports: null, onTrap: () => {} };

/** Decodes the element with the id `wasm`: base64 of raw deflate. */
async function unpackEngine() {
  const packed = atob(document.getElementById('wasm').textContent.trim());
  const bytes = Uint8Array.from(packed, letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  engine.module = await WebAssembly.compile(await new Response(stream).arrayBuffer());
  startEngine();
}

function startEngine() {
  engine.exports = new WebAssembly.Instance(engine.module, {}).exports;
}

/** A lone half of a surrogate pair cannot be encoded. */
const encoded = value => encodeURIComponent(String(value).replace(/[\ud800-\udfff]/gu, '\ufffd'));

/** A request to Rust, an object of texts and numbers, and its reply: { ok } or { error }. */
function call(request) {
  const { memory, input, call: run, output, output_len: length } = engine.exports;
  try {
    const text = new TextEncoder().encode(Object.entries(request).map(pair => pair.map(encoded).join('=')).join('&'));
    const at = input(text.length);
    new Uint8Array(memory.buffer, at, text.length).set(text);
    run();
    return JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, output(), length())));
  } catch (trap) {
    console.error(trap);
    startEngine();
    engine.onTrap();
    return { error: { code: 'broken' } };
  }
}

/** The pixels of the last `picture` or `units`; they are valid until the next call. */
function pixels() {
  const { memory, bytes, bytes_len: length } = engine.exports;
  return new Uint8Array(memory.buffer, bytes(), length());
}
