// What WebAssembly computes: node runs.mjs WASM compares runs.json with it; node runs.mjs WASM --update writes it anew.
import fs from 'node:fs';

const [wasm, update] = process.argv.slice(2);
const file = new URL('runs.json', import.meta.url);
const { exports } = (await WebAssembly.instantiate(fs.readFileSync(wasm), {})).instance;
const call = request => {
  const text = Object.entries(request).map(pair => pair.map(encodeURIComponent).join('=')).join('&');
  const bytes = new TextEncoder().encode(text);
  const room = exports.input(bytes.length); // which may move the memory
  new Uint8Array(exports.memory.buffer, room, bytes.length).set(bytes);
  exports.call();
  const reply = new Uint8Array(exports.memory.buffer, exports.output(), exports.output_len());
  return JSON.parse(new TextDecoder().decode(reply)).ok;
};

const runs = JSON.parse(fs.readFileSync(file)).map(({ state, steps }) => {
  call({ call: 'open', state });
  const sides = call({ call: 'steps', n: steps }).sides;
  return { state, steps, sides: sides.map(({ loss, accuracy, gradient_norm }) => ({ loss, accuracy, gradient_norm })) };
});
const text = JSON.stringify(runs, null, 2) + '\n';
if (update) fs.writeFileSync(file, text);
else if (fs.readFileSync(file, 'utf8') !== text) {
  console.error(`runs.json is not what ${wasm} computes, which is\n${text}`);
  process.exit(1);
}
