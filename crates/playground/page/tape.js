// The tape of one point: the drawn graph, and a stepper through its forward and its backward pass.
'use strict';

const tape = { steps: [], at: 0 };

/** Words of Rust, which are English, in the language of the page. */
const translated = text => T.tape.phrases.reduce((text, [from, to]) => text.replace(from, to), text);

function buildTape() {
  const { tape: words } = T;
  const row = el('input', { type: 'number', min: 0, step: 1, onchange: () => {
    row.value = Math.max(0, Math.min(address.race.rows - 1, Math.round(Number(row.value) || 0)));
    setValue('row', row.value);
    drawTape();
  } });
  const side = choice([['left', ''], ['right', '']], address.values.side, value => { setValue('side', value); drawTape(); });
  const slider = el('input', { type: 'range', min: 0, value: 0, oninput: () => showStep(Number(slider.value), true) });
  const move = by => () => showStep(tape.at + by, true);
  Object.assign(tape, {
    row, side, slider,
    note: el('p', { class: 'note' }), position: el('strong'), card: el('div', { class: 'card', 'aria-live': 'polite' }),
    graph: el('div', { class: 'scroll graph', role: 'region', tabindex: 0, 'aria-label': words.graph }),
  });
  byId('tape').replaceChildren(
    el('p', { class: 'lead' }, words.lead),
    el('div', { class: 'bar' }, labeled(words.side, side), labeled(words.row, row), tape.note),
    el('div', { class: 'passes' },
      el('div', { class: 'stepper' },
        el('div', { class: 'bar' },
          button('◀', move(-1), { 'aria-label': words.back }), labeled([tape.position, words.step[1]], slider, { class: 'slider' }), button('▶', move(1), { 'aria-label': words.next })),
        el('p', { class: 'buttons' }, button(words.smallest, () => showStep(narrowest(), true))),
        tape.card),
      tape.graph));
}

/** Asks Rust for the tape of the chosen side and row. */
function drawTape() {
  const { values, race: { rows, classes, points } } = address;
  const chosen = Math.min(Number(values.row), rows - 1);
  [0, 1].forEach(side => { tape.side.options[side].textContent = `${side ? T.right : T.left}: ${sideName(side)}`; });
  tape.side.value = values.side;
  tape.row.value = chosen;
  tape.row.max = rows - 1;
  const point = points[chosen];
  tape.note.textContent = `${filled(T.tape.point, { x: num(point[0]), y: num(point[1]), kind: classes[point[2]] })} ${filled(T.tape.before, { n: race.now.step })}`;
  const reply = call({ call: 'tape', side: values.side === 'right' ? 1 : 0, row: chosen });
  if (reply.error) { showTrouble(reply.error); return; }
  tape.graph.innerHTML = reply.ok.svg; // drawn and escaped by Rust
  for (const words of tape.graph.querySelectorAll('text, title')) {
    if (!words.childElementCount) words.textContent = translated(words.textContent);
  }
  tape.steps = reply.ok.steps;
  tape.slider.max = tape.steps.length - 1;
  showStep(Math.min(tape.at, tape.steps.length - 1), false);
}

/** The step at which the smallest share of the gradient passes. */
function narrowest() {
  const shares = tape.steps.map(step => Math.min(...(step.sends ?? []).map(sent => sent.share ?? Infinity)));
  return shares.some(Number.isFinite) ? shares.indexOf(Math.min(...shares)) : tape.steps.length - 1;
}

const lastNumber = element => Number(element.id.split('-').pop());

/** Shows one step: its text, its node, and what has been computed so far. */
function showStep(at, follows) {
  const { steps, graph } = tape, { tape: words } = T;
  tape.at = at = Math.max(0, Math.min(steps.length - 1, at));
  const step = steps[at];
  if (!step) return;
  tape.slider.value = at;
  tape.position.textContent = filled(words.position, { n: at + 1, of: steps.length, pass: words[step.pass] });
  const line = (text, name) => text ? [el('p', name ? { class: name } : {}, translated(text))] : [];
  const isForward = step.pass === 'forward';
  const units = step.units && (step.units.dead || step.units.saturated) ? `${words.here} ${filled(words.units, step.units)}` : '';
  const equation = [step.formula, step.worked, step.value].filter(part => part !== null && part !== undefined && part !== '').join(' = ');
  tape.card.replaceChildren(
    el('h3', {}, `${isForward ? '' : '∂'}${step.name}`, el('span', { class: 'note' }, step.operation)),
    ...isForward ? [...line(`${step.name} = ${equation}`, 'formula'), ...line(words.stories[step.operation] ?? step.story), ...line(units, 'warning')]
      : [...line(`∂${step.name} = ${step.gradient}`, 'formula'), ...step.sends.flatMap(sent => [
        ...line(filled(words.sends, { name: `∂${sent.to}`, formula: [sent.derivative, sent.worked].filter(Boolean).join(' = '), value: sent.value }), 'formula'),
        ...line(sent.share === null || sent.share === undefined ? '' : filled(words.share, { share: percent(sent.share) }), 'warning')])]);
  const walked = new Set(steps.slice(0, at + 1).filter(step => step.pass === 'backward').map(step => step.node));
  const nodes = [...graph.querySelectorAll('g.node')], edges = [...graph.querySelectorAll('path.edge')];
  const last = Math.max(...nodes.map(lastNumber));
  for (const group of nodes) {
    const node = lastNumber(group);
    group.classList.toggle('now', node === step.node);
    group.classList.toggle('later', isForward && node > step.node);
    // a gradient is known when all that the node sends its value to has been walked
    const users = edges.filter(edge => Number(edge.id.split('-').at(-2)) === node).map(lastNumber);
    group.classList.toggle('unknown', isForward || node !== last && !(users.length && users.every(user => walked.has(user))));
  }
  for (const edge of edges) {
    edge.classList.toggle('later', isForward && lastNumber(edge) > step.node);
    edge.classList.toggle('unknown', !walked.has(lastNumber(edge)));
  }
  const now = nodes.find(group => lastNumber(group) === step.node);
  if (!now || !follows) return;
  const view = graph.getBoundingClientRect(), box = now.getBoundingClientRect();
  graph.scrollLeft += (box.left + box.right - view.left - view.right) / 2;
  graph.scrollTop += (box.top + box.bottom - view.top - view.bottom) / 2;
}
