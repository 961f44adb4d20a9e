// The settings of the race, own points, and what can be copied. Ranges and words come from Rust.
'use strict';

const GROUPS = {
  data: ['data', 'n', 'noise', 'keep', 'flip'],
  net: ['hidden', 'activation', 'init', 'batch', 'l2', 'seed', 'sure'],
  each: ['loss', 'opt', 'lr', 'start'],
};
const STEPS = { noise: 0.05, keep: 0.05, flip: 0.05, l2: 0.001, lr: 0.1, n: 10, w: 0.1, b: 0.1, x: 0.1, y: 0.1, rate: 0.05 };

/** The word of a setting in the language of the page. */
const wordOf = (key, word) => T.words[key]?.[word] ?? OPTIMIZERS[word] ?? word;

const OPTIMIZERS = { sgd: 'SGD', momentum: 'SGD + momentum', adagrad: 'AdaGrad', rmsprop: 'RMSprop', adam: 'Adam', adamw: 'AdamW', lion: 'Lion' };

/** The control of a setting with this value. */
function control(key, value, onchange, properties = {}) {
  const { kind, least, most, words } = setting(key);
  if (kind === 'word') return choice(words.map(word => [word, wordOf(key, word)]), value, onchange, properties);
  const isNumber = kind === 'number' || kind === 'whole';
  const input = el('input', {
    type: isNumber ? 'number' : 'text', value, spellcheck: 'false', autocomplete: 'off', onchange: () => onchange(input.value.trim()),
    ...isNumber && { min: least, max: most, step: STEPS[key] ?? (kind === 'whole' ? 1 : 'any') }, ...properties,
  });
  return input;
}

/** Opens the race with another value; own points begin as those of now. */
function changeSetting(key, value) {
  const changes = { [key]: value };
  if (key === 'data') changes.points = value === 'own' ? pointsText(address.race.points) : '';
  if (!change(changes)) buildSettings();
  else if (value === 'own') ownPoints(true);
}

function buildSettings() {
  const { values } = address;
  const fields = keys => keys.filter(setting).map(key => labeled(T.keys[key], control(key, values[key], value => changeSetting(key, value), { id: `set-${key}` })));
  const sides = GROUPS.each.filter(setting).map(key => {
    const [word, help] = T.keys[key];
    const both = bothSides(key);
    const controls = both.map((value, side) => control(key, value, chosen => {
      both[side] = chosen;
      changeSetting(key, joined(both));
    }, { id: `set-${key}-${side}`, 'aria-label': `${word}, ${side ? T.right : T.left}` }));
    const row = el('tr', {}, el('th', { scope: 'row' }, term([word, help])), ...controls.map(control => el('td', {}, control)));
    for (const control of controls) explain(row, help, control);
    return row;
  });
  const group = (name, ...children) => el('fieldset', { class: name }, el('legend', {}, T.groups[name]), ...children);
  const focused = document.activeElement?.id;
  byId('form').replaceChildren(
    group('each', el('table', {}, el('thead', {}, el('tr', {}, el('td'), el('th', { scope: 'col' }, T.left), el('th', { scope: 'col' }, T.right))), el('tbody', {}, ...sides))),
    group('data', ...fields(GROUPS.data)),
    group('net', ...fields(GROUPS.net)));
  if (focused?.startsWith('set-')) byId(focused)?.focus();
}

function buildExamples() {
  byId('examples').replaceChildren(...T.examples.map(example => el('li', {}, exampleLink(example))));
}

/** A link that opens an example, [name, address, what happens], and plays it. */
function exampleLink([name, text]) {
  return el('a', {
    href: `#${text}`,
    onclick: event => {
      event.preventDefault();
      scrollTo(0, 0);
      if (openAddress(keepLook(text))) playRace(1500);
    },
  }, name);
}

/** An address with the language, the colors and the type of now. */
function keepLook(text) {
  const look = ['lang', 'theme', 'large'].filter(key => address.values[key] !== joined(setting(key).default)).map(key => `${key}=${address.values[key]}`);
  return [text, ...look].filter(Boolean).join('&');
}

// ---- own points

const own = { isOn: () => own.on, on: false, list: null, next: 0 };

const shortNumber = x => String(Number(x.toFixed(3)));

/** The points of the race as text, at most as many as an address holds. */
const pointsText = points => points.slice(0, 500).map(([x, y, kind]) => `${shortNumber(x)},${shortNumber(y)},${kind}`).join(';');

/** Opens the race with the own points, or shows them until there are enough. */
function openOwn() {
  const kinds = new Set(own.list.map(point => point[2]));
  const isOpen = kinds.size > 1 && change({ data: 'own', points: pointsText(own.list) });
  if (!isOpen) {
    pauseRace();
    for (const view of race.views) {
      view.picture.points(own.list, address.race.window);
      for (const words of [view.accuracy, view.state, view.units]) words.textContent = '';
    }
    byId('headline').textContent = T.own_more;
  }
  ownCount(isOpen);
}

function ownCount(isOpen) {
  byId('own-count').textContent = own.list ? `${filled(T.own_count, { n: own.list.length })} ${isOpen ? '' : T.own_more}` : '';
}

own.add = ([x, y]) => {
  own.list ??= address.race.points.slice(0, 499).map(([x, y, kind]) => [x, y, kind, 0]);
  own.list.push([x, y, own.next, 0]);
  openOwn();
};

/** Turns the adding of points by clicks on or off. */
function ownPoints(isOn) {
  own.on = isOn;
  if (byId('own-on')) byId('own-on').checked = isOn;
  for (const view of race.views) view.picture.takesPoints(isOn);
  byId('own-bar').hidden = !isOn;
  describePictures();
}

function buildOwn() {
  const kinds = [0, 1, 2].map(kind => el('label', { class: `kind kind-${kind}` },
    el('input', { type: 'radio', name: 'own-class', value: kind, checked: kind === own.next, onchange: () => { own.next = kind; } }), String(kind)));
  const table = el('textarea', { rows: 4, spellcheck: 'false', placeholder: 'x,y,class\n0.5,1.2,a\n-1,0.3,b' });
  const edit = change => () => {
    own.list ??= address.race.points.slice(0, 500).map(([x, y, kind]) => [x, y, kind, 0]);
    own.list = change(own.list);
    ownPoints(true);
    openOwn();
  };
  // beside the pictures, where the clicks are
  byId('own-bar').hidden = !own.on;
  byId('own-bar').replaceChildren(
    el('strong', {}, T.own_here), el('fieldset', { class: 'kinds' }, el('legend', {}, T.own_class), ...kinds),
    button(T.own_undo, edit(list => list.slice(0, -1))), button(T.own_clear, edit(() => [])), button(T.own_done, () => ownPoints(false)));
  byId('own').replaceChildren(
    labeled(T.own_on, el('input', { type: 'checkbox', id: 'own-on', checked: own.on, onchange: event => {
      ownPoints(event.target.checked);
      if (own.on) byId('own-bar').scrollIntoView({ block: 'center' });
    } }), { class: 'check' }),
    el('p', { id: 'own-count', class: 'note' }),
    labeled(T.csv, table, { class: 'tall' }),
    el('p', { class: 'buttons' }, button(T.csv_use, () => {
      const reply = call({ call: 'csv', text: table.value });
      if (reply.error) { showTrouble(reply.error); return; }
      const { points, classes, rows } = reply.ok;
      own.list = null;
      if (change({ data: 'own', points })) byId('own-count').textContent = filled(T.csv_used, { n: rows, classes: classes.join(T.between) });
    })));
}

// ---- what can be copied

function buildTake() {
  const text = el('textarea', { rows: 6, readonly: true, 'aria-label': T.taken, hidden: true, spellcheck: 'false' });
  const note = el('p', { class: 'note', 'aria-live': 'polite' });
  async function take(words) {
    text.hidden = false;
    text.value = words;
    try {
      await navigator.clipboard.writeText(words);
      note.textContent = T.copied;
    } catch {
      note.textContent = T.not_copied;
      text.focus();
      text.select();
    }
  }
  const asked = (name, read) => () => {
    const reply = call({ call: name });
    reply.error ? showTrouble(reply.error) : take(read(reply.ok));
  };
  byId('take').replaceChildren(
    el('p', { class: 'buttons' },
      button(T.take_program, asked('program', ok => ok.text)),
      button(T.take_command, asked('command', ({ commands, file, without }) => [
        ...without.length ? [`# ${filled(T.take_without, { keys: without.map(key => T.keys[key]?.[0] ?? key).join(T.between) })}`] : [],
        ...commands, ...file ? [`\n# ${file.name}`, file.text] : []].join('\n'))),
      button(T.take_link, () => take(`${location.href.split('#')[0]}#${composed({ steps: String(Math.min(race.now.step, 20000)) })}`))),
    note, text);
}
