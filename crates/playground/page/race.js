// The race: both nets take the same steps; pictures, sentences and charts follow.
'use strict';

const SPEEDS = ['slow', 1, 5, 20, 100];
/** At most this many points in a chart, and steps in a race. */
const KEPT = 300, LAST_STEP = 20000;
const ADAPTIVE = ['adagrad', 'rmsprop', 'adam', 'adamw', 'lion'];

const race = {
  playing: false, speed: 'slow', views: [], charts: {}, diagrams: [],
  /** The last reply of `steps`. */
  now: { step: 0, epoch: 0, sides: [] },
  /** What the charts show: one entry every `stride` steps, and the last. */
  history: [], stride: 1,
  /** How sure each net is, 0 .. 1, and the step at which it had 90 % right. */
  sure: [0, 0], reached: [null, null],
  due: 0, told: 0, drawn: 0, asked: 0, frame: 0,
};

/** What tells the sides apart: their losses, else their optimizers. */
function sideName(side) {
  for (const key of ['loss', 'opt']) {
    const both = bothSides(key);
    if (both[0] !== both[1]) return wordOf(key, both[side]);
  }
  return side ? T.right : T.left;
}

/** What happens to the slope of the output's sigmoid under a loss. */
const KINDS = { mse: 'slope', half_mse: 'slope', ce: 'cancel', focal: 'focal', hinge: 'margin', squared_hinge: 'margin' };

/** The losses of one point: p is the probability of class 1, q that of the true class, y the target, s the target as −1 or 1, z the logit. */
const FORMULAS = {
  mse: '(p − y)²', half_mse: '½ (p − y)²', ce: '−y ln p − (1 − y) ln(1 − p)', focal: '−(1 − q)² ln q',
  hinge: 'max(0, 1 − s z)', squared_hinge: 'max(0, 1 − s z)²',
};

function whyText() {
  const losses = bothSides('loss');
  const said = [...new Set(losses)].map(loss => filled(T.why[KINDS[loss]], { loss: wordOf('loss', loss) }));
  return [address.race.classes.length > 2 ? T.why_start_many : T.why_start, ...said].map(text => el('p', {}, text));
}

/** What is seen of a side at this moment. */
function sentence(side) {
  const now = race.now.sides[side];
  if (!now) return '';
  if (now.diverged || now.loss === null || now.gradient_norm === null) return T.state.diverged;
  const opt = bothSides('opt')[side], isAdaptive = ADAPTIVE.includes(opt);
  const values = { g: num(now.gradient_norm, 1), s: num(now.slope, 1), opt: wordOf('opt', opt), dead: now.dead, of: now.units };
  // the share of the loss that a small step of SGD takes away: rate · |gradient|² / loss
  const share = Number(bothSides('lr')[side]) * now.gradient_norm ** 2 / now.loss;
  const isSmall = share < (now.accuracy < 0.5 ? 0.01 : 0.001), isBySlope = KINDS[bothSides('loss')[side]] === 'slope';
  const isSure = race.sure[side] > 0.8;
  let name;
  if (now.accuracy >= 0.95) name = now.gradient_norm < 0.05 ? 'done' : 'nearly';
  else if (now.accuracy < 0.8 && now.dead > now.units / 2) name = 'dead';
  else if (now.accuracy < 0.5) {
    name = isSmall ? isAdaptive ? 'adaptive' : isSure ? isBySlope ? 'sure_by_slope' : 'sure_stalled' : 'wrong_stalled' : isSure ? 'sure_large' : 'wrong_large';
  } else name = isSmall ? isAdaptive ? 'stuck_adaptive' : 'stuck' : 'learning';
  return filled(T.state[name], values);
}

/** The line above both pictures. */
function headline() {
  const { step, sides } = race.now, { headline: words } = T;
  if (step === 0) {
    const keys = GROUPS.each.filter(key => bothSides(key)[0] !== bothSides(key)[1]);
    const differ = keys.join() === 'loss' ? words.loss : keys.length ? filled(words.differs, { keys: keys.map(key => T.keys[key][0]).join(T.between) }) : '';
    return [address.values.start === 'wrong' ? words.wrong : '', words.same, differ].filter(Boolean).join(' ');
  }
  const [n, m] = race.reached.map(step => step ?? Infinity);
  const first = n <= m ? 0 : 1, second = 1 - first;
  const values = { first: sideName(first), second: sideName(second), a: percent(sides[first].accuracy), b: percent(sides[second].accuracy) };
  const isBoth = Math.max(n, m) < Infinity;
  const end = step >= LAST_STEP ? `${filled(words.ended, { n: LAST_STEP })} ` : '';
  return end + filled(isBoth ? words.both : words.running, { ...values, n: isBoth ? Math.min(n, m) : step, m: Math.max(n, m) });
}

function buildRace() {
  const steps = choice(SPEEDS.map(speed => [String(speed), speed === 'slow' ? T.speed_slow : filled(speed === 1 ? T.speed_one : T.speed_many, { n: speed })]),
    String(race.speed), value => { race.speed = value === 'slow' ? value : Number(value); }, { id: 'speed' });
  byId('bar').replaceChildren(
    button(race.playing ? T.pause : T.play, () => race.playing ? pauseRace() : playRace(), { id: 'play', class: 'main' }),
    button(T.one_step, () => { pauseRace(); advance({ call: 'steps', n: 1 }); }, { id: 'one-step' }),
    button(T.one_epoch, () => { pauseRace(); advance({ call: 'epoch' }); }, { id: 'one-epoch' }),
    button(T.reset, () => { pauseRace(); resetRace(); say(headline()); }, { id: 'reset' }),
    labeled(T.speed, steps),
    el('output', { id: 'clock' }));
  if (!race.views.length) makeViews();
  const lines = ['left', 'right'];
  race.charts = {
    accuracy: lineChart(byId('chart-accuracy'), { lines, percent: true, least: 20, x: () => T.charts.steps }),
    gradient: lineChart(byId('chart-gradient'), { lines, log: true, least: 20, x: () => T.charts.steps }),
    loss: race.views.map((view, side) => lineChart(view.loss, { lines: [lines[side]], least: 20, x: () => T.charts.steps })),
  };
}

function makeViews() {
  race.views = [0, 1].map(side => {
    const picture = netPicture(own);
    const view = {
      picture, name: el('h2'), formula: el('p', { class: 'formula' }), accuracy: el('strong', { class: 'accuracy' }),
      state: el('p', { class: 'state' }), units: el('p', { class: 'note units-note' }), loss: el('figure', { class: 'loss' }),
    };
    byId('sides').append(el('article', { class: `side side-${side}` }, el('div', { class: 'heading' }, view.name, view.formula), picture.box,
      el('div', { class: 'beside' }, el('div', { class: 'now' }, view.accuracy, view.state, view.units), view.loss)));
    return view;
  });
  race.diagrams = [0, 1].map(side => {
    const diagram = netDiagram(side);
    byId('diagrams').append(diagram.box);
    diagram.ondetails(() => diagram.update());
    return diagram;
  });
}

/** Names and titles, after a change of settings or language. */
function labelRace() {
  const names = [0, 1].map(sideName);
  const { charts: words } = T;
  race.charts.accuracy.title(words.accuracy, '', names);
  race.charts.gradient.title(words.gradient, words.log, names);
  race.views.forEach((view, side) => {
    const loss = bothSides('loss')[side];
    view.name.textContent = names[side];
    view.formula.textContent = FORMULAS[loss];
    race.charts.loss[side].title(words.loss, words.own_scale);
    race.diagrams[side].title(names[side]);
    race.diagrams[side].build();
  });
  byId('why').replaceChildren(...whyText());
  const example = T.examples.find(([, text, note]) => note && text === raceAddress());
  const links = [1, 2, 3].flatMap(k => [k > 1 ? ' · ' : ' ', exampleLink(T.examples[k])]);
  byId('when').replaceChildren(...example && example[1] ? [el('strong', {}, example[0]), `: ${example[2]}`] : [T.when, ...links]);
  byId('glossary').replaceChildren(`${T.glossary_title}: `, ...[...T.glossary, T.unit_saturated, T.unit_dead].flatMap((pair, k) => [k ? ' · ' : '', term(pair)]));
  byId('see').textContent = address.race.points.some(point => point[3]) ? `${T.see} ${T.see_flipped}` : T.see;
}

/** The race has been opened: shows its start, takes the steps of the address, and plays. */
async function opened(steps) {
  const goesOn = race.playing || race.autoplay;
  setPlaying(false);
  begin(address.race);
  own.list = address.values.data === 'own' ? address.race.points.map(([x, y, kind]) => [x, y, kind, 0]) : null;
  applyLook();
  labelRace();
  buildSettings();
  ownCount(true);
  for (const view of race.views) view.picture.points(address.race.points, address.race.window);
  showView();
  draw(true);
  const opening = race.opening = {}, portion = Math.ceil(steps / 200);
  for (let taken = 0, pause = performance.now(); taken < steps;) {
    const n = Math.min(portion, steps - taken);
    advance({ call: 'steps', n }, false);
    taken += n;
    if (performance.now() - pause < 30) continue;
    byId('headline').textContent = filled(T.headline.opening, { n: taken, of: steps });
    await new Promise(requestAnimationFrame);
    if (race.opening !== opening) return;
    pause = performance.now();
  }
  if (steps) { draw(true); return; }
  if (goesOn && address.values.view === 'race') playRace(1500);
  else if (!goesOn) byId('play').classList.toggle('big', race.now.step === 0);
}

function resetRace() {
  const reply = call({ call: 'reset' });
  if (reply.error) { showTrouble(reply.error); return; }
  begin(reply.ok);
  draw(true);
}

/** Forgets what the charts show. */
function begin(now) {
  Object.assign(race, { history: [], stride: 1, reached: [null, null] });
  take(now);
}

/** Keeps what a call replied. */
function take(now) {
  race.now = now;
  const { history } = race;
  const before = history.at(-2);
  if (before && history.at(-1).step - before.step < race.stride) history.pop();
  history.push(now);
  if (history.length > KEPT) {
    race.history = history.filter((_, k) => k % 2 === 0 || k === history.length - 1);
    race.stride = Math.max(2 * race.stride, 2 * Math.ceil(now.step / KEPT));
  }
  now.sides.forEach((side, k) => {
    if (race.reached[k] === null && side.accuracy >= 0.9) {
      race.reached[k] = now.step;
      if (now.step) say(headline());
    }
  });
}

/** Takes steps and shows the result. */
function advance(request, isDrawn = true) {
  const reply = call(request);
  if (reply.error) { pauseRace(); showTrouble(reply.error); return; }
  take(reply.ok);
  if (isDrawn) draw(!race.playing);
}

/** Shows where the race is: pictures always, words six times a second, units twice. */
function draw(isAll) {
  const time = performance.now();
  race.sure = race.views.map((view, side) => view.picture.show(side));
  if (isAll || time - race.drawn > 30) {
    race.drawn = time;
    const xs = race.history.map(entry => entry.step);
    const both = name => [0, 1].map(side => race.history.map(entry => entry.sides[side][name]));
    race.charts.accuracy.draw(xs, both('accuracy'));
    race.charts.gradient.draw(xs, both('gradient_norm'));
    both('loss').forEach((line, side) => race.charts.loss[side].draw(xs, [line]));
  }
  if (isAll || time - race.told > 160) {
    race.told = time;
    byId('headline').textContent = headline();
    byId('clock').textContent = filled(T.clock, { step: race.now.step, epoch: Math.floor(race.now.epoch) });
    race.views.forEach((view, side) => {
      const now = race.now.sides[side], of = now.units;
      view.accuracy.textContent = filled(T.accuracy_is, { a: percent(now.accuracy) });
      view.state.textContent = sentence(side);
      const words = !of ? T.units_none : now.dead + now.saturated ? T.units_some : T.units_ok;
      view.units.textContent = `${filled(words, { of, ...now })} ${filled(T.slope_is, { s: num(now.slope, 1) })}`;
    });
    describePictures();
  }
  const box = byId('nets').getBoundingClientRect();
  const isSeen = box.height && box.top < innerHeight && box.bottom > 0;
  if (isAll || isSeen && time - race.asked > 500) {
    race.asked = time;
    for (const diagram of race.diagrams) diagram.update();
  }
}

/** What the pictures and charts show, for those who do not see them. */
function describePictures() {
  if (!race.now.sides.length) return;
  race.views.forEach((view, side) => {
    const now = race.now.sides[side];
    view.picture.describe([
      filled(T.alt.picture, { loss: sideName(side), a: percent(now.accuracy), n: address.race.rows, sure: percent(race.sure[side]) }),
      own.on ? T.alt.field : '',
    ].join(' '));
    const alt = (title, values) => filled(T.alt.chart, { title, n: race.now.step, values });
    race.charts.loss[side].describe(alt(T.charts.loss[0], `${sideName(side)} ${num(now.loss)}`));
    const pairs = (name, show) => race.now.sides.map((now, k) => `${sideName(k)} ${show(now[name])}`).join(T.between);
    race.charts.accuracy.describe(alt(T.charts.accuracy[0], pairs('accuracy', percent)));
    race.charts.gradient.describe(alt(T.charts.gradient[0], pairs('gradient_norm', num)));
  });
}

function playRace(hold = 0) {
  if (race.playing) return;
  if (race.now.step >= LAST_STEP) { say(filled(T.headline.ended, { n: LAST_STEP })); return; }
  setPlaying(true);
  byId('play').classList.remove('big');
  race.due = performance.now() + hold;
  race.frame = requestAnimationFrame(frame);
}

function setPlaying(isPlaying) {
  race.playing = isPlaying;
  cancelAnimationFrame(race.frame);
  byId('play').textContent = isPlaying ? T.pause : T.play;
}

function pauseRace() {
  if (!race.playing) return;
  setPlaying(false);
  draw(true);
  say(headline());
}

function frame(time) {
  race.frame = requestAnimationFrame(frame);
  if (time >= race.due) {
    const isSlow = race.speed === 'slow';
    race.due = isSlow ? time + 100 : time;
    advance({ call: 'steps', n: isSlow ? 1 : race.speed });
    if (race.now.step >= LAST_STEP) pauseRace();
  }
}
