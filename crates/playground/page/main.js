// The start of the page: tabs, language, colors, keys; and what tests may use.
'use strict';

const VIEWS = ['race', 'neuron', 'tape'];

/** Fills every text of the page in the chosen language. */
function buildPage() {
  document.documentElement.lang = address.values.lang ?? 'en';
  document.title = T.page_title;
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = textOf(element.dataset.text);
  const { values } = address;
  byId('tabs').replaceChildren(...VIEWS.map(view => el('button', {
    type: 'button', role: 'tab', id: `tab-${view}`, 'aria-controls': view,
    onclick: () => openView(view),
    onkeydown: event => {
      const by = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
      if (!by) return;
      const next = VIEWS[(VIEWS.indexOf(view) + by) % 3];
      openView(next);
      byId(`tab-${next}`).focus();
    },
  }, T.views[view])));
  const languages = Object.entries(TEXTS).map(([key, texts]) => [key, texts.language]);
  byId('options').replaceChildren(
    labeled(T.lang, choice(languages, values.lang, value => { setValue('lang', value); buildAll(); }, { id: 'lang' })),
    labeled(T.theme, choice(Object.entries(T.words.theme), values.theme, value => { setValue('theme', value); changeLook(); }, { id: 'theme' })),
    labeled(T.large, el('input', { type: 'checkbox', id: 'large', checked: values.large === '1', onchange: event => { setValue('large', event.target.checked ? '1' : '0'); changeLook(); } }), { class: 'check' }));
}

/** Builds all views anew, in the language of the address; the race goes on. */
function buildAll() {
  T = TEXTS[address.values.lang] ?? TEXTS.en;
  buildPage();
  buildRace();
  buildNeuron();
  buildTape();
  buildExamples();
  buildOwn();
  buildTake();
  if (!address.race) return;
  labelRace();
  buildSettings();
  showView();
  draw(true);
}

/** Colors and size of the letters. */
function applyLook() {
  const { theme, large, lang } = address.values;
  if (T !== (TEXTS[lang] ?? TEXTS.en)) buildAll();
  const root = document.documentElement;
  const isDark = theme === 'dark' || theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'dark' : 'light';
  root.classList.toggle('large', large === '1');
  byId('theme').value = theme;
  byId('lang').value = lang;
  byId('large').checked = large === '1';
  palette = null;
  for (const view of race.views) view.picture.redraw();
}

function changeLook() {
  applyLook();
  draw(true);
}

/** Changes the view without touching the race. */
function openView(view) {
  setValue('view', view);
  showView();
  draw(true);
}

function showView() {
  const { view } = address.values;
  for (const name of VIEWS) {
    byId(name).hidden = name !== view;
    const tab = byId(`tab-${name}`);
    tab.setAttribute('aria-selected', name === view);
    tab.tabIndex = name === view ? 0 : -1;
  }
  if (view !== 'race') pauseRace();
  if (view !== 'neuron') pauseNeuron();
  if (view === 'neuron') { neuron.start = null; restartNeuron(); }
  if (view === 'tape') drawTape();
}

document.addEventListener('keydown', event => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const isFree = event.target === document.body;
  if (event.key === ' ' && isFree) {
    event.preventDefault();
    const { view } = address.values;
    if (view === 'race') race.playing ? pauseRace() : playRace();
    if (view === 'neuron') neuron.playing ? pauseNeuron() : playNeuron();
  }
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by && address.values.view === 'tape' && (isFree || event.target.closest('.stepper button'))) showStep(tape.at + by, true);
});

async function start() {
  byId('loading').textContent = T.loading;
  try {
    await unpackEngine();
    address.settings = call({ call: 'settings' }).ok.settings;
  } catch (error) {
    byId('loading').textContent = filled(T.errors.lost, { message: error.message });
    return;
  }
  address.values = Object.fromEntries(address.settings.map(({ key, default: usual }) => [key, joined(usual)]));
  byId('loading').hidden = true;
  document.querySelector('main').hidden = false;
  buildAll();
  engine.onTrap = () => setTimeout(() => { // the new module knows nothing: open the last settings again
    race.autoplay = false;
    if (openAddress(composed())) showTrouble({ code: 'broken' });
  });
  race.autoplay = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (!openAddress(location.hash.slice(1))) { // an address that cannot be read: the defaults, at rest, below the message
    race.autoplay = false;
    const { error } = address;
    openAddress('', false);
    showTrouble(error);
  }
  race.autoplay = false;
  addEventListener('hashchange', () => openAddress(location.hash.slice(1)));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changeLook);
  byId('trouble').querySelector('button').addEventListener('click', () => { race.autoplay = false; openAddress(''); });
  byId('to-neuron').addEventListener('click', event => { event.preventDefault(); openView('neuron'); scrollTo(0, 0); });
}

/** For tests: `call(request)` is the raw call, `state()` the numbers of now, `step(n)` takes steps and paints. */
window.playground = {
  call,
  state: () => ({ address: composed(), values: { ...address.values }, playing: race.playing, ...race.now, reached: [...race.reached], sure: [...race.sure] }),
  step: n => advance({ call: 'steps', n }),
  play: playRace,
  pause: pauseRace,
};

start();
