// The page of the playground in a browser: node crates/playground/tests/browser.mjs PAGE.html [PART OF A NAME]
//
// Wants puppeteer-core, where .ci/run puts it: npm install --no-save --prefix target/browser puppeteer-core@24.43.1
// The browser is SURPRISAL_BROWSER, or Chromium on the path. The page is opened from its file, without a server; SURPRISAL_COMMAND, if it
// is set, is the command whose `play` serves it in one test.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const puppeteer = createRequire(join(root, 'target/browser/'))('puppeteer-core');
const [file, only = ''] = process.argv.slice(2);
if (!file) throw new Error('usage: node browser.mjs PAGE.html [PART OF A NAME]');
const url = pathToFileURL(resolve(file)).href;

const executablePath = process.env.SURPRISAL_BROWSER || ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap(name => process.env.PATH.split(delimiter).map(folder => join(folder, name))).find(existsSync);
const browser = await puppeteer.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});

// ---- a page that keeps what goes wrong on it

/** Runs in the page before its own scripts. */
function observe() {
  window.began = performance.now(); // with an address of megabytes, the browser itself takes seconds up to here
  new MutationObserver(() => {
    if (document.querySelector('#trouble:not([hidden])')) window.answered ??= performance.now();
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['hidden'] });
  addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective}, ${event.sample || event.blockedURI}`));
  for (const name of ['putImageData', 'drawImage']) {
    const paint = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...values) {
      paint.apply(this, values);
      if (this.canvas.isConnected) window.firstPicture ??= performance.now();
    };
  }
}

/** A new page at `#fragment`, when it can be used; `faults` are sentences. */
async function open(fragment = '', { width = 1280, height = 800, at = url } = {}) {
  const page = await browser.newPage();
  page.faults = [];
  page.on('pageerror', error => page.faults.push(`exception: ${error.message}`));
  page.on('console', said => { if (['error', 'warn'].includes(said.type())) page.faults.push(`console: ${said.text().slice(0, 300)}`); });
  page.on('request', request => { if (!/^(data|blob):/.test(request.url()) && request.url().split('#')[0] !== at) page.faults.push(`request: ${request.url().slice(0, 200)}`); });
  page.on('dialog', dialog => { page.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.evaluateOnNewDocument(observe);
  await page.setViewport({ width, height });
  await page.goto(fragment ? `${at}#${fragment}` : at);
  await page.waitForFunction(() => window.playground?.state && document.querySelector('main:not([hidden])') && window.firstPicture, { polling: 10, timeout: 20000 })
    .catch(error => { throw new Error([`#${fragment.slice(0, 100)} does not start: ${error.message}`, ...page.faults].join('\n    ')); });
  return page;
}

/** Waits until the page has painted twice. */
const painted = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
const state = page => page.evaluate(() => playground.state());
const pause = page => page.evaluate(() => playground.pause());
const calls = (page, request) => page.evaluate(request => playground.call(request), request);
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
/** The message about an address, or '' if there is none to be seen. */
const trouble = page => page.evaluate(() => {
  const box = document.querySelector('#trouble');
  return box.checkVisibility() ? box.innerText.trim() : '';
});
/** Changes the address of an open page; returns after how many milliseconds it has answered. */
const hash = (page, fragment) => page.evaluate(async fragment => {
  location.hash = fragment;
  const began = performance.now();
  await new Promise(done => setTimeout(done));
  return performance.now() - began;
}, fragment);

// ---- tests

const tests = [];
const test = (name, run) => { if (name.includes(only)) tests.push([name, run]); };
function check(isTrue, message) { if (!isTrue) throw new Error(message); }
function same(found, expected, what) {
  check(JSON.stringify(found) === JSON.stringify(expected), `${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}
/** Faults, a line each. */
function listed(faults) {
  const different = [...new Set(faults)];
  const more = different.length > 20 ? [`and ${different.length - 20} more`] : [];
  return ['', ...different.slice(0, 20), ...more].join('\n    ');
}
async function close(page, what = '') {
  const { faults } = page;
  await page.close();
  check(!faults.length, what + listed(faults));
}

const VIEWS = ['race', 'neuron', 'tape'], LANGUAGES = ['en', 'zh'];

test('the first picture is there within a second', async () => {
  const times = [];
  for (let k = 0; k < 5; k++) { // the machine may be busy: the best of five
    const page = await open();
    times.push(Math.round(await page.evaluate(() => firstPicture)));
    await close(page);
  }
  console.log(`    first picture after ${times.join(', ')} ms`);
  check(Math.min(...times) < 1000, `${times} ms`);
});

if (process.env.SURPRISAL_COMMAND) {
  test('surprisal play serves it', async () => {
    const served = spawn(process.env.SURPRISAL_COMMAND, ['play', '--page', file, 'steps=20'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const said = String(await new Promise((done, fail) => { served.stdout.once('data', done); served.once('exit', fail); }));
      const [, at, fragment] = /(http:\/\/127\.0\.0\.1:\d+\/)#(\S+)/.exec(said);
      const page = await open(fragment, { at });
      await page.waitForFunction(() => playground.state().step === 20);
      await close(page);
    } finally {
      served.kill('SIGINT');
    }
  });
}

test('after ten seconds by itself the two accuracies differ', async () => {
  const page = await open();
  await wait(10000);
  const { step, sides } = await state(page);
  const shown = await page.$$eval('.side .accuracy', elements => elements.map(element => element.innerText));
  console.log(`    step ${step}: ${shown.join(', ')}`);
  check(step > 0 && Math.abs(sides[0].accuracy - sides[1].accuracy) >= 0.05, JSON.stringify(sides));
  check(shown.length === 2 && shown[0] !== shown[1], shown.join());
  await close(page);
});

test('20 steps a picture: more than 20 pictures a second', async () => {
  const page = await open('data=moons&hidden=8-8');
  await pause(page);
  await page.select('#speed', '20');
  await page.evaluate(() => { playground.play(); });
  await wait(1000);
  const from = await state(page);
  await wait(5000);
  const to = await state(page);
  const rate = (to.step - from.step) / 20 / 5;
  console.log(`    ${rate.toFixed(1)} pictures a second`);
  check(rate > 20, `${rate}`);
  await close(page);
});

// ---- texts

test('each language has every text, with the same values in it', async () => {
  const page = await open();
  const faults = await page.evaluate(() => {
    const faults = [];
    const values = text => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
    const compare = (english, other, path) => {
      if (typeof english === 'string') {
        if (typeof other !== 'string' || values(english) !== values(other)) faults.push(`${path}: ${english} | ${other}`);
      } else for (const key of new Set([...Object.keys(english), ...Object.keys(other ?? {})])) {
        // words of Rust, which the English page shows as they are
        if (!/^tape\.(stories|phrases)$/.test(`${path}.${key}`.slice(1))) compare(english[key] ?? '(missing)', other?.[key], `${path}.${key}`);
      }
    };
    for (const texts of Object.values(TEXTS)) compare(TEXTS.en, texts, '');
    return faults;
  });
  check(!faults.length, listed(faults));
  await close(page);
});

// ---- numbers

test('the numbers are those of runs.json, bit for bit', async () => {
  const runs = JSON.parse(readFileSync(new URL('runs.json', import.meta.url)));
  check(runs.length > 0, 'there is no run');
  const page = await open();
  await pause(page);
  for (const { state, steps, sides } of runs) {
    const opened = await calls(page, { call: 'open', state });
    check(opened.ok, `${state}: ${JSON.stringify(opened)}`);
    const now = await calls(page, { call: 'steps', n: steps });
    const numbers = ({ loss, accuracy, gradient_norm }) => ({ loss, accuracy, gradient_norm });
    same([now.ok.step, now.ok.sides.map(numbers)], [steps, sides], state);
  }
  await close(page);
});

// ---- links

const LINKS = [
  'steps=120', 'view=neuron', 'view=tape&row=3&side=right', 'lang=zh&theme=dark', 'large=1&theme=light',
  'data=circles&n=300&noise=0.2&seed=11', 'data=xor&hidden=8-8&activation=relu&steps=40', 'data=spirals&hidden=16-16-8&lr=0.1',
  'data=lines&hidden=none&start=random', 'data=three&loss=mse,ce', 'keep=0.1&flip=0.2', 'opt=sgd,adam&lr=0.5,0.01&loss=ce',
  'start=random,wrong&sure=4', 'init=normal:1&batch=0&l2=0.01', 'init=constant:1&start=random',
  'data=own&points=0,0,0;1,0,0;0,1,1;1,1,1;2,2,1;-1,-1,0&batch=2&steps=5', 'view=neuron&w=3,-2&b=-1.5&x=0.5&y=1&rate=2',
  'loss=hinge,squared_hinge&opt=momentum', 'opt=lion,adamw&lr=0.001', 'seed=9007199254740992',
];

test('a link restores its state', async () => {
  for (const link of LINKS) {
    const page = await open(link);
    same(await trouble(page), '', link);
    const steps = Number(/steps=(\d+)/.exec(link)?.[1] ?? 0);
    await page.waitForFunction(steps => playground.state().step >= steps, {}, steps);
    await pause(page);
    if (steps) same((await state(page)).step, steps, `${link}: steps`);
    const shown = await state(page);
    // another page, at the address that this one shows with the steps that it has taken
    const again = [shown.address, `steps=${shown.step}`].filter(Boolean).join('&');
    const second = await open(again);
    await second.waitForFunction(steps => playground.state().step >= steps, {}, shown.step);
    await pause(second);
    const restored = await state(second);
    same(restored.values, shown.values, link);
    if (shown.step && restored.step === shown.step) same(restored.sides, shown.sides, `${link}: numbers`);
    // the canonical text of the link is that of the address
    const canonical = async text => (await calls(page, { call: 'open', state: text })).ok?.state;
    same(await canonical(again), await canonical(`${link.replace(/&?steps=\d+/, '')}&steps=${shown.step}`.replace(/^&/, '')), link);
    await close(second, link);
    await close(page, link);
  }
});

test('the copied link has the race as it is', async () => {
  const page = await open('data=circles&hidden=8-8&opt=adam&lr=0.01&steps=30');
  await page.waitForFunction(() => playground.state().step === 30);
  await page.evaluate(() => playground.step(12));
  const { sides } = await state(page);
  await page.evaluate(() => [...document.querySelectorAll('#take button')].at(-1).click());
  const link = await page.waitForFunction(() => [...document.querySelectorAll('#take textarea')].find(area => !area.hidden && area.value)?.value);
  const text = await link.jsonValue();
  const second = await open(text.split('#')[1]);
  await second.waitForFunction(() => playground.state().step === 42);
  same((await state(second)).sides, sides, text);
  await close(second);
  await close(page);
});

// ---- nonsense after #

const many = n => Array.from({ length: n }, (_, k) => `${k % 10},${k % 7},${k % 2}`).join(';');
const HOSTILE = [
  'n=1000000', 'n=1e308', 'n=NaN', 'n=inf', 'n=-1', 'n=20.5', 'n=', 'n=0x20', 'n=1_000', 'n=１００', '%20n=100', 'N=100', 'n=100%26n',
  'hidden=1000000', 'hidden=16-16-16-16', 'hidden=-1', 'hidden=8-', 'hidden=0', 'hidden=99999999999999999999', `hidden=${'8-'.repeat(5000)}8`,
  'lr=NaN', 'lr=inf', 'lr=1e999', 'lr=-1', 'lr=0.1,0.2,0.3', 'lr=,', 'noise=Infinity', 'keep=0', 'flip=0.6', 'batch=1e9', 'seed=1e300', 'seed=-0.5',
  'steps=1e12', 'steps=-1', 'rate=1e400', 'row=1e9', 'x=1e9', 'w=nan,nan', 'y=-0.1', 'opt=sgd,adam,lion',
  'loss=<script>window.injected=1</script>', 'loss=%3Cscript%3Ewindow.injected=1%3C/script%3E', '<img src=x onerror=window.injected=1>',
  'data=%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.injected%3D1%3E', 'view=javascript:window.injected=1', '%3Csvg%20onload=window.injected=1%3E=1',
  'theme=%27;window.injected=1;%27', 'lang=xx', 'lang=__proto__', 'lang=constructor', 'theme=toString', 'view=hasOwnProperty', '__proto__=1', '__proto__[injected]=1',
  'constructor=prototype', 'n=100&n=200', 'loss=mse&loss=ce', 'n=%', 'n=%zz', 'n=%ff%fe', '%00=1', 'n', '=', '=1', 'n=100=200',
  'points=1,2', 'points=NaN,0,1', 'points=1e300,0,1', 'points=0,0,9', 'points=0,0,-1', 'points=;;;', `data=own&points=${many(501)}`, 'data=own&points=0,0,1', 'data=own',
  'init=constant:NaN', 'init=normal:1e400', 'init=evil', 'init=normal:1:2', 'loss=nothing', 'activation=__proto__', '%E2%80%AEn=100',
  'a'.repeat(1_900_000), `n=${'1'.repeat(1_000_000)}`, `points=${'0,0,0;'.repeat(300_000)}`, `${'n=100&'.repeat(200_000)}n=100`, `lang=${'%E4%B8%AD'.repeat(100_000)}`,
];

const name = fragment => fragment.length > 60 ? `${fragment.slice(0, 60)}.. (${fragment.length})` : fragment;

test(`${HOSTILE.length} kinds of nonsense after # are refused`, async () => {
  let slowest = 0;
  for (const fragment of HOSTILE) {
    let page, took = Infinity;
    for (let k = 0; k < 2 && took > 2000; k++) { // the machine may be busy: once more
      await page?.close();
      page = await open(fragment);
      took = await page.evaluate(() => answered - began);
    }
    slowest = Math.max(slowest, took);
    check(took < 2000, `${name(fragment)}: answered after ${took} ms`);
    const message = await trouble(page);
    check(message.length > 10 && message.length < 2000, `${name(fragment)}: message "${message.slice(0, 200)}"`);
    check(await page.evaluate(() => window.injected === undefined && {}.injected === undefined && !document.querySelector('#trouble :is(img, script, svg)')), `${name(fragment)}: something injected runs`);
    // it goes on to work, and the default button takes the message away
    await page.evaluate(() => playground.step(5));
    same((await state(page)).step, 5, name(fragment));
    await page.click('#trouble button');
    same(await trouble(page), '', name(fragment));
    await close(page, name(fragment));
  }
  console.log(`    the slowest answer took ${Math.round(slowest)} ms`);
});

test('nonsense after # changes nothing on an open page', async () => {
  const page = await open('data=circles&steps=20');
  await page.waitForFunction(() => playground.state().step === 20);
  for (const fragment of HOSTILE) {
    const before = await state(page);
    const took = await hash(page, fragment);
    check(took < 2000, `${name(fragment)}: answered after ${took} ms`);
    check(await trouble(page), `${name(fragment)}: no message`);
    same(await state(page), before, name(fragment));
  }
  await page.evaluate(() => { playground.step(1); });
  same((await state(page)).step, 21, 'after all');
  check(await page.evaluate(() => window.injected === undefined && {}.injected === undefined), 'something injected runs');
  await close(page);
});

test('a defect of the module is reported, and the page goes on', async () => {
  const page = await open('data=circles&seed=3&steps=20');
  await page.waitForFunction(() => playground.state().step === 20);
  await page.evaluate(() => {
    engine.exports = { ...engine.exports, call() { throw new WebAssembly.RuntimeError('unreachable'); } };
    playground.step(1);
  });
  await page.waitForFunction(() => document.querySelector('#trouble').checkVisibility());
  same(page.faults.splice(0).length, 1, 'the trap on the console');
  const { values } = await state(page);
  same([values.data, values.seed], ['circles', '3'], 'the settings');
  await page.evaluate(() => playground.step(5));
  same((await state(page)).step, 5, 'a new race');
  await close(page);
});

// ---- controls

const CONTROLS = 'button, input, select, textarea, summary, a[href], [role="tab"], [tabindex="0"]';

/** Runs in the page: the controls that can be used now, each with a key that a rebuilt one has too. */
function listControls(selector) {
  const seen = new Map();
  window.controls = new Map();
  for (const element of document.querySelectorAll(selector)) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.disabled) continue;
    const { x, y, width, height } = element.getBoundingClientRect();
    if (!width || !height) continue;
    const base = element.id ? `${element.localName}#${element.id}`
      : `${element.closest('[id]')?.id ?? ''} ${element.localName} ${(element.ariaLabel ?? element.innerText ?? '').trim().slice(0, 40)}`;
    const n = seen.get(base) ?? 0;
    seen.set(base, n + 1);
    controls.set(n ? `${base} (${n})` : base, element);
  }
  return [...controls.keys()];
}

/** Runs in the page: what can be done with a control. */
function waysToUse(key) {
  const element = controls.get(key);
  if (!element) return null;
  if (element.localName === 'select') return [...element.options].map(option => option.value);
  if (element.localName === 'textarea') return element.readOnly ? ['focus'] : ['', 'x,y,class\n0.5,1.2,a\n-1,0.3,b\n0,0,a\n2,1,b\n', '<script>window.injected=1</script>'];
  if (element.localName !== 'input') return ['click'];
  if (element.type === 'checkbox') return ['click', 'click'];
  if (element.type === 'radio') return ['click'];
  const values = element.type === 'number' || element.type === 'range' ? [element.min, element.max, ''] : ['none', '8-8', 'nonsense', '<b>'];
  return [...values, element.value];
}

/** Runs in the page: uses a control; returns what is wrong. */
function use(key, way) {
  const element = controls.get(key);
  element.scrollIntoView({ block: 'center' });
  const { x, y, width, height } = element.getBoundingClientRect();
  const at = document.elementFromPoint(x + width / 2, y + height / 2);
  const isFree = at && (element.contains(at) || at.contains(element) || at.closest('label')?.contains(element));
  element.focus();
  if (way === 'click') element.click();
  else if (way !== 'focus') {
    element.value = way;
    for (const type of ['input', 'change']) element.dispatchEvent(new Event(type, { bubbles: true }));
  }
  return isFree ? '' : `covered by ${at?.outerHTML.slice(0, 100)}`;
}

for (const language of LANGUAGES) {
  for (const view of VIEWS) {
    test(`every control of ${view} in ${language}`, async () => {
      const fragment = `view=${view}&lang=${language}`;
      let page = await open(fragment);
      await pause(page);
      const keys = await page.evaluate(listControls, CONTROLS);
      check(keys.length > 10, `only ${keys.length} controls`);
      const faults = [];
      let uses = 0;
      for (const key of keys) {
        await page.evaluate(listControls, CONTROLS);
        let ways = await page.evaluate(waysToUse, key);
        if (!ways) { // what was done before has taken it away: from the beginning
          await close(page, `before ${key}`);
          page = await open(fragment);
          await pause(page);
          await page.evaluate(listControls, CONTROLS);
          ways = await page.evaluate(waysToUse, key);
          if (!ways) { faults.push(`${key}: not there again`); continue; }
        }
        for (const way of ways) {
          if (!(await page.evaluate(listControls, CONTROLS)).includes(key)) break;
          const wrong = await page.evaluate(use, key, way);
          uses++;
          if (wrong) faults.push(`${key}: ${wrong}`);
          await painted(page);
          if (page.faults.length) { faults.push(...page.faults.splice(0).map(fault => `${key} = ${way}: ${fault}`)); break; }
        }
      }
      check(await page.evaluate(() => window.injected === undefined), 'something injected runs');
      console.log(`    ${keys.length} controls, used ${uses} times`);
      check(!faults.length, listed(faults));
      await close(page);
    });
  }
}

/** Runs in the page: the control that has the focus, by its key. */
function focused() {
  return [...controls].find(([, element]) => element === document.activeElement)?.[0] ?? null;
}

test('the keyboard alone reaches every control', async () => {
  for (const view of VIEWS) {
    const page = await open(`view=${view}`);
    await pause(page);
    await page.evaluate(() => { document.querySelectorAll('details').forEach(details => { details.open = true; }); });
    await painted(page);
    const keys = await page.evaluate(listControls, CONTROLS);
    // one of a group with arrow keys has the place of all in the order of Tab
    const wanted = await page.evaluate(() => [...controls].filter(([, element]) =>
      !(element.type === 'radio' && !element.checked) && element.tabIndex >= 0).map(([key]) => key));
    const unreachable = await page.evaluate(() => [...controls].filter(([, element]) => element.tabIndex < 0 &&
      !element.closest('[role="tablist"], [role="radiogroup"], [role="grid"], [role="toolbar"], table')?.querySelector('[tabindex="0"]')).map(([key]) => key));
    same(unreachable, [], `${view}: not reachable`);
    const order = [];
    for (let k = 0; k < 3 * keys.length + 20; k++) {
      await page.keyboard.press('Tab');
      const key = await page.evaluate(focused);
      if (key && key === order[0]) break;
      if (key) order.push(key);
    }
    const missing = wanted.filter(key => !order.includes(key));
    console.log(`    ${view}: ${order.length} controls by Tab`);
    same(missing, [], `${view}: not reached by Tab`);
    // the order of Tab is that of the page
    const places = order.map(key => keys.indexOf(key));
    check(places.every((place, k) => k === 0 || place > places[k - 1]), `${view}: the order of Tab is not that of the page`);
    await close(page, view);
  }
});

const NAMED = new Set(['button', 'checkbox', 'combobox', 'radio', 'slider', 'spinbutton', 'tab', 'textbox', 'link', 'switch', 'listbox', 'searchbox', 'DisclosureTriangle', 'image', 'img', 'figure', 'tabpanel', 'tablist']);

test('each control and each picture has a name', async () => {
  for (const language of LANGUAGES) {
    for (const view of VIEWS) {
      const page = await open(`view=${view}&lang=${language}`);
      await pause(page);
      const session = await page.createCDPSession();
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      const nameless = [];
      let named = 0;
      for (const { ignored, role, name, backendDOMNodeId: backendNodeId } of nodes) {
        if (ignored || !NAMED.has(role?.value)) continue;
        if (name?.value?.trim()) { named++; continue; }
        if (['figure', 'tabpanel', 'tablist'].includes(role.value)) continue; // what is in them has names
        const { node } = await session.send('DOM.describeNode', { backendNodeId });
        nameless.push(`${role.value}: ${node.localName} ${node.attributes.join(' ')}`);
      }
      check(named > 10, `${view}: only ${named} names`);
      same(nameless, [], `${view} in ${language}`);
      await close(page);
    }
  }
});

// ---- layout

/** Runs in the page: what is clipped or sticks out. */
function layoutFaults() {
  const faults = [], wide = document.documentElement.clientWidth;
  const shown = element => `<${element.localName}${element.id && `#${element.id}`}${element.classList.length ? `.${[...element.classList].join('.')}` : ''}> ${(element.textContent ?? '').trim().slice(0, 30)}`;
  if (document.documentElement.scrollWidth > wide) faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
  const canvas = document.createElement('canvas').getContext('2d');
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (box.width <= 2 || box.height <= 2) continue; // for screen readers alone
    let [scrolls, hides] = [false, false];
    for (let above = element.parentElement; above; above = above.parentElement) {
      const { overflowX, clip, clipPath } = getComputedStyle(above);
      scrolls ||= ['auto', 'scroll'].includes(overflowX) && above !== document.documentElement && above !== document.body;
      hides ||= above.getBoundingClientRect().width <= 2 || clip !== 'auto' || clipPath !== 'none';
    }
    if (hides) continue;
    const sticksOut = box => box.right > wide + 1 || box.left < -1;
    if (!scrolls && sticksOut(box) && !sticksOut(element.parentElement.getBoundingClientRect())) faults.push(`${shown(element)}: from ${Math.round(box.left)} to ${Math.round(box.right)} of ${wide}`);
    const isText = element.childNodes.length && element.textContent.trim() && !(element instanceof SVGElement);
    if (isText && ['hidden', 'clip'].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1) faults.push(`${shown(element)}: clipped, ${element.scrollWidth} in ${element.clientWidth}`);
    if (isText && ['hidden', 'clip'].includes(style.overflowY) && element.scrollHeight > element.clientHeight + 1) faults.push(`${shown(element)}: clipped, ${element.scrollHeight} in ${element.clientHeight} high`);
    if (element.localName === 'button' && element.scrollWidth > element.clientWidth + 1) faults.push(`${shown(element)}: its text sticks out`);
    if (element.localName === 'input' && ['text', 'number'].includes(element.type) && element.scrollWidth > element.clientWidth + 1) faults.push(`${shown(element)}: ${element.value} is clipped`);
    if (element.localName === 'select') {
      canvas.font = style.font;
      const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const text = canvas.measureText(element.selectedOptions[0]?.text ?? '').width;
      if (text > room + 1) faults.push(`${shown(element)}: "${element.selectedOptions[0].text}" is ${Math.round(text)} wide in ${Math.round(room)}`);
    }
    if (element.localName === 'text' && element.ownerSVGElement) {
      const { left, right, top, bottom } = element.ownerSVGElement.getBoundingClientRect();
      if (getComputedStyle(element.ownerSVGElement).overflow !== 'visible' && (box.left < left - 2 || box.right > right + 2 || box.top < top - 2 || box.bottom > bottom + 2)) faults.push(`${shown(element)}: outside of its picture`);
    }
  }
  return faults;
}

for (const width of [360, 768, 1280]) {
  test(`nothing is clipped or sticks out at ${width} pixels`, async () => {
    const page = await open('', { width });
    await pause(page);
    const faults = new Map();
    const looks = LANGUAGES.flatMap(lang => ['light', 'dark'].flatMap(theme => [0, 1].map(large => `lang=${lang}&theme=${theme}&large=${large}`)));
    for (const look of looks) {
      for (const rest of ['view=race&steps=60', 'view=race&data=three&loss=mse,ce&hidden=16-16-16&flip=0.2', 'view=neuron', 'view=tape', 'n=1e99']) {
        await hash(page, `${look}&${rest}`);
        await pause(page);
        await page.evaluate(() => { document.querySelectorAll('details').forEach(details => { details.open = true; }); });
        await wait(60);
        await painted(page);
        for (const fault of await page.evaluate(layoutFaults)) faults.set(fault, faults.get(fault) ?? `${look}&${rest}`);
      }
    }
    check(!faults.size, listed([...faults].map(([fault, look]) => `${fault} (${look})`)));
    await close(page);
  });
}

// ----

let failed = 0;
for (const [name, run] of tests) {
  const began = performance.now();
  try {
    await run();
    console.log(`ok      ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}
await browser.close();
console.log(`\n${tests.length - failed} passed, ${failed} failed`);
process.exit(failed || !tests.length ? 1 : 0);
