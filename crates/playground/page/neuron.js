// One neuron under both losses: the factors of its gradient with their numbers, and the one that vanishes.
'use strict';

const neuron = { playing: false, step: 0, start: null, close: [null, null], due: 0, sides: [] };

/** The curves against z. */
const CURVES = ['a', 'loss', 'dz'];

const SLIDERS = { w: [-10, 10, 0.1], b: [-10, 10, 0.1], x: [-5, 5, 0.1], y: [0, 1, 0.05], rate: [0.01, 5, 0.01] };

function askNeuron() {
  const { x, y, rate } = address.values;
  return call({ call: 'neuron', w: bothSides('w'), b: bothSides('b'), x, y, rate });
}

function buildNeuron() {
  const { neuron: words } = T;
  const sliders = Object.entries(SLIDERS).map(([key, [least, most, step]]) => {
    const shown = el('output');
    const slider = el('input', { type: 'range', min: least, max: most, step, id: `neuron-${key}`, oninput: () => {
      address.values[key] = slider.value;
      neuron.start = null;
      restartNeuron();
    }, onchange: writeAddress });
    const [word, help] = T.keys[key === 'rate' ? 'lr' : key];
    const label = explain(el('label', { class: 'slider', for: slider.id }, el('span', {}, word, ' ', shown), slider), help, slider);
    return { key, slider, shown, label };
  });
  neuron.sliders = sliders;
  neuron.clock = el('output', { class: 'clock' });
  neuron.sides = [0, 1].map(side => {
    const factors = ['da', 'slope', 'dz', 'dw'].map(key => {
      const formula = el('span', { class: 'formula' }), value = el('strong'), word = el('em');
      return { key, formula, value, word, box: el('div', { class: `factor ${key}` }, term(words[key], 'span'), formula, value, word) };
    });
    const signs = ['×', '×', '='];
    const product = factors.flatMap((factor, k) => k ? [el('span', { class: 'sign' }, signs[k - 1]), factor.box] : [factor.box]);
    const view = { name: el('h2'), output: el('p', { class: 'note' }), state: el('p', { class: 'state' }), close: el('p', { class: 'note' }), factors };
    const figures = [el('figure'), el('figure'), el('figure')];
    const lines = [side ? 'right' : 'left'];
    view.box = el('article', { class: `side side-${side}` }, view.name, view.output,
      el('div', { class: 'product', role: 'group', 'aria-label': words.chain }, ...product), view.state, view.close, el('div', { class: 'curves' }, ...figures));
    view.charts = figures.map(figure => lineChart(figure, { lines, least: 1, x: () => 'z' }));
    CURVES.forEach((name, k) => view.charts[k].title(words[`${name}_chart`], name === 'loss' ? T.charts.own_scale : ''));
    return view;
  });
  neuron.play = button(T.play, () => neuron.playing ? pauseNeuron() : playNeuron(), { class: 'main' });
  byId('neuron').replaceChildren(
    el('p', { class: 'lead' }, words.lead),
    el('div', { class: 'sliders' }, ...sliders.map(slider => slider.label)),
    el('div', { class: 'bar' }, neuron.play,
      button(words.step, () => { pauseNeuron(); stepNeuron(); }),
      button(words.reset, () => { pauseNeuron(); restartNeuron(); writeAddress(); }), neuron.clock),
    el('h3', { class: 'chain' }, words.chain),
    el('div', { class: 'sides' }, ...neuron.sides.map(side => side.box)));
}

/** Back to the start; the first time, or after a slider has moved, that is the values of now. */
function restartNeuron() {
  neuron.start ??= ['w', 'b'].map(key => address.values[key]);
  [address.values.w, address.values.b] = neuron.start;
  Object.assign(neuron, { step: 0, close: [null, null] });
  drawNeuron();
}

function stepNeuron() {
  const { ok } = askNeuron();
  if (!ok) return;
  const limit = setting('w');
  const kept = value => String(Math.max(limit.least, Math.min(limit.most, value ?? 0)));
  address.values.w = joined(ok.sides.map(side => kept(side.next_w)));
  address.values.b = joined(ok.sides.map(side => kept(side.next_b)));
  neuron.step++;
  drawNeuron();
}


/** What is seen of the neuron on a side. */
function neuronSentence(side, isCancel) {
  const { neuron: words } = T;
  const error = Math.abs(side.a - Number(address.values.y));
  const values = { da: num(side.da), slope: num(side.slope), dz: num(side.dz), error: num(error), share: percent(side.slope) };
  if (error < 0.1) return filled(words.say_done, values);
  if (isCancel) return filled(words.say_cancel, values);
  return filled(side.slope < 0.05 ? words.say_vanish : words.say_steep, values);
}

function drawNeuron() {
  const reply = askNeuron();
  if (reply.error) { pauseNeuron(); showTrouble(reply.error); return; }
  const { sides, curves } = reply.ok, { neuron: words } = T;
  const x = Number(address.values.x);
  for (const { key, slider, shown } of neuron.sliders) {
    slider.value = bothSides(key)[0];
    const both = bothSides(key).map(text => num(Number(text)));
    shown.textContent = joined(both).replace(',', ' | ');
  }
  neuron.clock.textContent = filled(words.clock, { n: neuron.step });
  sides.forEach((side, k) => {
    const view = neuron.sides[k], isCancel = k === 1;
    view.name.replaceChildren(wordOf('loss', isCancel ? 'ce' : 'mse'), el('span', { class: 'formula' }, isCancel ? '−y ln a − (1 − y) ln(1 − a)' : '½ (a − y)²'));
    view.output.textContent = filled(words.output, { a: num(side.a, 3), y: address.values.y, l: num(side.loss, 3) });
    const slope = () => isCancel ? el('del', {}, 'a (1 − a)') : 'a (1 − a)';
    const formulas = {
      da: isCancel ? ['(a − y) / ', slope()] : ['a − y'],
      slope: [slope()],
      dz: ['x'],
      dw: [isCancel ? '(a − y) · x' : '(a − y) · a (1 − a) · x'],
    };
    const numbers = { da: side.da, slope: side.slope, dz: x, dw: side.dw };
    for (const { key, formula, value, word, box } of view.factors) {
      formula.replaceChildren(...formulas[key]);
      value.textContent = numbers[key] === null ? '∞' : num(numbers[key], 3);
      const error = Math.abs(side.a - Number(address.values.y));
      const isTiny = error >= 0.1 && (key === 'slope' && side.slope < 0.05 || key === 'dw' && Math.abs(side.dw ?? 0) < 0.05 * Math.abs(x) * error);
      const cancels = isCancel && (key === 'da' || key === 'slope');
      box.classList.toggle('tiny', isTiny && !cancels);
      box.classList.toggle('cancels', cancels);
      word.textContent = cancels ? words.cancels : isTiny ? words.vanishes : '';
    }
    view.state.textContent = neuronSentence(side, isCancel);
    if (neuron.close[k] === null && Math.abs(side.a - Number(address.values.y)) < 0.1) neuron.close[k] = neuron.step;
    view.close.textContent = neuron.close[k] ? filled(words.close, { n: neuron.close[k] }) : '';
    CURVES.forEach((name, at) => {
      // outputs and gradients on the same scale left and right; each loss on its own
      const y = Number(address.values.y), range = { a: [0, 1], dz: [-y, 1 - y] }[name];
      view.charts[at].draw(curves.z, [name === 'a' ? curves.a : curves[name][k]], [{ x: side.z, y: side[name] }], range);
      if (!neuron.playing) view.charts[at].describe(filled(words.alt, { title: words[`${name}_chart`][0], z: num(side.z), v: num(side[name]) }));
    });
  });
}

function playNeuron() {
  if (neuron.playing) return;
  neuron.playing = true;
  neuron.play.textContent = T.pause;
  const frame = time => {
    neuron.frame = requestAnimationFrame(frame);
    if (time >= neuron.due) { neuron.due = time + 80; stepNeuron(); }
    if (neuron.close.every(step => step !== null) || neuron.step > 20000) pauseNeuron();
  };
  neuron.frame = requestAnimationFrame(frame);
}

function pauseNeuron() {
  if (!neuron.playing) return;
  neuron.playing = false;
  cancelAnimationFrame(neuron.frame);
  neuron.play.textContent = T.play;
  drawNeuron();
  writeAddress();
  say(neuron.sides.map(side => `${side.name.firstChild.textContent}: ${side.state.textContent}`).join(' '));
}
