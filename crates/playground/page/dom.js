// Elements, texts, numbers, and the explanations that appear where the pointer or the focus rests.
'use strict';

/** The texts of the chosen language. */
let T = TEXTS.en;

const byId = id => document.getElementById(id);

/** An element with properties, listeners (`onclick`) and children. */
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The text with its {names} replaced by values. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

/** The text of a key such as `errors.rows`. */
const textOf = key => key.split('.').reduce((texts, part) => texts?.[part], T);

/** A whole number as an exponent. */
const raised = k => String(k).replace(/./g, sign => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(sign)]);

/** A number with a few digits: 0.00003, 0.98, 12.5, 1.2·10⁻⁹. */
function num(x, digits = 2) {
  if (x === null || x === undefined || !Number.isFinite(x)) return T.alt.nothing;
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-6 || size >= 1e6)) {
    const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
    return `${mantissa}·10${raised(Number(exponent))}`.replace('-', '−');
  }
  return String(Number(x.toPrecision(Math.max(digits, Math.ceil(Math.log10(size + 1)))))).replace('-', '−');
}

/** A fraction in percent, with two digits below 10 %; never 100 % where something is missing. */
function percent(x) {
  if (x === null || !Number.isFinite(x)) return T.alt.nothing;
  return `${x < 0.095 ? num(100 * x) : x >= 0.995 && x < 1 ? '> 99' : Math.round(100 * x)} %`;
}

// ---- explanations

const explanations = new Map();

/** Gives the element an explanation: read aloud with `reader` (usually itself), shown at pointer and focus. */
function explain(element, text, reader = element) {
  if (!text) return element;
  if (!explanations.has(text)) {
    const id = `explanation-${explanations.size}`;
    explanations.set(text, id);
    byId('explanations').append(el('span', { id }, text));
  }
  element.dataset.tip = explanations.get(text);
  reader.setAttribute('aria-describedby', element.dataset.tip);
  return element;
}

/** A word with an explanation, reachable with the keyboard. */
const term = ([word, text], tag = 'span') => explain(el(tag, { class: 'term', tabindex: 0 }, word), text);

/** A button with a text or a pair [text, explanation]. */
function button(text, onclick, properties = {}) {
  const [word, help] = [text].flat();
  return explain(el('button', { type: 'button', onclick, ...properties }, word), help);
}

/** A label with its control, and an explanation of both. */
function labeled([word, help], control, properties = {}) {
  return explain(el('label', properties, el('span', {}, word), control), help, control);
}

/** A choice among pairs [value, text]. */
function choice(pairs, value, onchange, properties = {}) {
  const options = pairs.map(([value, text]) => el('option', { value }, text));
  const select = el('select', { onchange: () => onchange(select.value), ...properties }, ...options);
  select.value = value;
  return select;
}

/** Reads a text aloud to those who use a screen reader. */
const say = text => { byId('live').textContent = text; };

function showTip(element) {
  const tip = byId('tip'), box = element.getBoundingClientRect();
  tip.textContent = byId(element.dataset.tip).textContent;
  tip.hidden = false;
  const wide = tip.offsetWidth, high = tip.offsetHeight;
  const below = box.bottom + 8 + high < innerHeight ? box.bottom + 8 : Math.max(4, box.top - high - 8);
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - wide - 8))}px`;
  tip.style.top = `${below}px`;
}

const hideTip = () => { byId('tip').hidden = true; };

document.addEventListener('pointerover', event => {
  if (event.pointerType === 'touch') return;
  const element = event.target.closest('[data-tip]');
  element ? showTip(element) : hideTip();
});
document.addEventListener('focusin', event => {
  const element = event.target.closest('[data-tip]');
  if (element && event.target.matches(':focus-visible')) showTip(element);
});
// a click or a tap on the word itself
document.addEventListener('click', event => {
  const element = event.target.closest('.term[data-tip], label[data-tip] > span');
  element ? showTip(element.closest('[data-tip]')) : hideTip();
});
document.addEventListener('keydown', event => { if (event.key === 'Escape') hideTip(); });
document.addEventListener('scroll', hideTip, { passive: true, capture: true });
