// The state of the page in the address after `#`. What a value may be is known to Rust alone (the call `settings`).
'use strict';

const address = {
  /** From Rust: key, kind, least, most, default, words, sides. */
  settings: [],
  /** key -> text as in the address. */
  values: {},
  /** What the last `open` replied. */
  race: null,
  /** Why the last address could not be opened. */
  error: null,
};

const setting = key => address.settings.find(setting => setting.key === key);

/** One text of both sides: "a" or "a,b". */
const joined = value => Array.isArray(value) ? (value[0] === value[1] ? value[0] : value.join(',')) : String(value);

/** The values of both sides. */
function bothSides(key) {
  const [left, right = left] = address.values[key].split(',');
  return [left, right];
}

/** The values with changes, as an address: only what differs from the defaults. */
function composed(changes = {}) {
  const parts = [];
  for (const { key, default: usual } of address.settings) {
    const text = changes[key] ?? address.values[key];
    if (text !== joined(usual)) parts.push(`${key}=${encodeURIComponent(text).replace(/%(2C|3A|3B)/g, decodeURIComponent)}`);
  }
  return parts.join('&');
}

/** The settings of the race alone, as an address. */
function raceAddress() {
  const others = ['view', 'lang', 'theme', 'large', 'steps', 'side', 'row', ...Object.keys(SLIDERS)];
  return composed(Object.fromEntries(others.map(key => [key, joined(setting(key).default)])));
}

function writeAddress() {
  const text = composed();
  history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
}

/** Changes what the race does not depend on: view, language, the one neuron. */
function setValue(key, value) {
  address.values[key] = joined(value);
  writeAddress();
}

/** Opens an address. An error is shown, and nothing changes. */
function openAddress(text, isWritten = true) {
  const reply = call({ call: 'open', state: text });
  if (reply.error) {
    address.error = reply.error;
    showTrouble(reply.error);
    return false;
  }
  hideTrouble();
  address.race = reply.ok;
  address.values = Object.fromEntries(Object.entries(reply.ok.values).map(([key, value]) => [key, joined(value)]));
  const steps = Number(address.values.steps);
  address.values.steps = '0';
  if (isWritten) writeAddress();
  opened(steps);
  return true;
}

/** Opens the race with some settings changed. */
const change = changes => openAddress(composed(changes));

function showTrouble(error) {
  const values = { ...error, key: T.keys[error.key]?.[0] ?? error.key, known: error.known?.join(T.between) };
  for (const name of ['least', 'most']) if (typeof values[name] === 'number') values[name] = num(values[name]);
  const text = filled(T.errors[error.code] ?? filled(T.errors.unknown, { code: error.code }), values);
  byId('trouble').firstElementChild.textContent = error.code === 'broken' ? text : `${text} ${T.errors.kept}`;
  byId('trouble').hidden = false;
  byId('trouble').scrollIntoView({ block: 'nearest' });
}

const hideTrouble = () => { byId('trouble').hidden = true; };

