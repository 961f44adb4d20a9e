// The drawn net of each side: pictures of the hidden units, weights as lines, and the reason why a gradient is small.
'use strict';

const ROW = 40, UNIT = 28;

const layerSizes = () => address.race.sizes;

/** The name of a unit of a layer; layer 0 is the input, the last one the output. */
function unitName(layer, unit) {
  const sizes = layerSizes();
  if (layer === 0) return filled(T.input, { n: unit + 1 });
  if (layer === sizes.length - 1) return sizes.at(-1) === 1 ? T.output : filled(T.output_n, { n: address.race.classes[unit] });
  return filled(T.unit_of, { unit: unit + 1, layer });
}

/** What a weight is, its gradient, and why that is small. */
function weightStory(layer, row, column, weight, isBias) {
  const values = { from: isBias ? '' : unitName(layer, row), to: unitName(layer + 1, column), w: num(weight.weight), g: num(weight.gradient) };
  const why = filled(T.why_small[weight.why] ?? '', { share: percent(weight.share ?? null) });
  return `${filled(isBias ? T.bias_of : T.weight_of, values)} ${why}`;
}

/** The diagram of a side. `update()` asks Rust anew. */
function netDiagram(side) {
  const title = el('h3');
  const lines = svg('svg', { class: 'lines', 'aria-hidden': 'true' });
  const units = el('div', { class: 'units' });
  const story = el('p', { class: 'story' });
  const tables = el('div', { class: 'scroll' });
  const summary = el('summary');
  const details = el('details', {}, summary, tables);
  const box = el('article', { class: `net side-${side}` }, title, el('div', { class: 'net-box' }, lines, units), story, details);
  let shapes = [], nodes = [], cells = [], layers = [], chosen = null;

  const at = (layer, unit) => {
    const sizes = layerSizes(), high = ROW * Math.max(...sizes);
    return [(layer + 0.5) / sizes.length * 100, high / 2 + (unit - (sizes[layer] - 1) / 2) * ROW];
  };

  /** Shows the story of a weight; null shows the hint. */
  function tell(place) {
    chosen = place;
    for (const shape of shapes) shape.line.classList.toggle('chosen', shape.key === place?.join());
    if (!place) { story.textContent = T.weight_hint; return; }
    const [layer, row, column] = place;
    const weight = row < 0 ? layers[layer].bias[column] : layers[layer].rows[row][column];
    story.textContent = weightStory(layer, row, column, weight, row < 0);
  }

  function build() {
    const sizes = layerSizes(), high = ROW * Math.max(...sizes);
    summary.replaceChildren(T.weight_table);
    lines.setAttribute('viewBox', `0 0 100 ${high}`);
    lines.setAttribute('preserveAspectRatio', 'none');
    lines.parentElement.style.height = `${high}px`;
    shapes = [];
    nodes = [];
    for (let layer = 0; layer + 1 < sizes.length; layer++) {
      for (let row = 0; row < sizes[layer]; row++) {
        for (let column = 0; column < sizes[layer + 1]; column++) {
          const [[x, y], [u, v]] = [at(layer, row), at(layer + 1, column)];
          const d = `M${x} ${y}C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`;
          const line = svg('path', { d, class: 'weight' });
          const wide = svg('path', { d, class: 'grip' }); // easier to hit
          wide.addEventListener('pointerenter', () => { refresh(); tell([layer, row, column]); });
          shapes.push({ line, wide, layer, row, column, key: [layer, row, column].join() });
        }
      }
    }
    lines.replaceChildren(...shapes.map(shape => shape.line), ...shapes.map(shape => shape.wide));
    const drawn = [];
    sizes.forEach((count, layer) => {
      for (let unit = 0; unit < count; unit++) {
        const [x, y] = at(layer, unit);
        const isHidden = layer > 0 && layer + 1 < sizes.length;
        const node = el('div', { class: isHidden ? 'unit' : 'end', tabindex: isHidden ? 0 : undefined, role: isHidden ? 'img' : undefined });
        const canvas = isHidden && el('canvas'), word = el('span', { class: 'word' }, isHidden ? '' : unitName(layer, unit));
        node.append(...[canvas, word].filter(Boolean));
        node.style.left = `${x}%`;
        node.style.top = `${y}px`;
        drawn.push(node);
        if (isHidden) nodes.push({ node, canvas, word, layer, unit });
      }
    });
    units.replaceChildren(...drawn);
    tables.replaceChildren(el('p', { class: 'note' }, T.weight_table_note));
    cells = [];
    for (let layer = 0; layer + 1 < sizes.length; layer++) {
      const columns = Array.from({ length: sizes[layer + 1] }, (_, column) => column);
      const head = el('tr', {}, el('th'), ...columns.map(column => el('th', { scope: 'col' }, unitName(layer + 1, column))));
      const rows = Array.from({ length: sizes[layer] + 1 }, (_, row) => {
        const isBias = row === sizes[layer];
        return el('tr', {}, el('th', { scope: 'row' }, isBias ? T.bias : unitName(layer, row)), ...columns.map(column => {
          const cell = el('td', { tabindex: row + column === 0 ? 0 : -1, onfocus: () => { refresh(); tell([layer, isBias ? -1 : row, column]); say(story.textContent); } });
          cells.push({ cell, layer, row: isBias ? -1 : row, column });
          return cell;
        }));
      });
      tables.append(el('table', { onkeydown: walk }, el('thead', {}, head), el('tbody', {}, ...rows)));
    }
    tell(null);
  }

  /** Arrow keys move from cell to cell. */
  function walk(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest('td');
    if (!by || !cell) return;
    event.preventDefault();
    const row = cell.parentElement, rows = row.parentElement.rows;
    const next = rows[row.rowIndex - 1 + by[0]]?.cells[cell.cellIndex + by[1]];
    if (next?.tagName !== 'TD') return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  /** Asks Rust for weights and gradients. */
  function refresh() {
    const { ok } = call({ call: 'weights', side });
    if (!ok) return false;
    layers = ok.layers;
    return true;
  }

  return {
    box,
    build,
    title: text => { title.textContent = text; },
    /** Paints the units and the weights anew. */
    update() {
      if (!refresh()) return;
      for (const { line, layer, row, column } of shapes) {
        const { weight } = layers[layer].rows[row][column];
        line.classList.toggle('minus', weight < 0);
        line.style.strokeWidth = Math.min(6, 0.4 + 1.6 * Math.abs(weight ?? 0)).toFixed(2);
      }
      if (details.open) {
        for (const { cell, layer, row, column } of cells) {
          const weight = row < 0 ? layers[layer].bias[column] : layers[layer].rows[row][column];
          cell.replaceChildren(num(weight.weight), el('small', {}, `∂ ${num(weight.gradient)}`));
        }
      }
      if (chosen) tell(chosen);
      const { ok } = call({ call: 'units', side, size: SMALL });
      if (!ok) return;
      const numbers = pixels(), { ramp } = colors(), step = ok.size * ok.size;
      ok.units.forEach(({ state }, k) => {
        const { node, canvas, word, layer, unit } = nodes[k] ?? {};
        if (!node) return;
        paint(canvas, ok.size, numbers.subarray(k * step, (k + 1) * step), (i, p) => ramp[p[i]]);
        if (node.dataset.state === state) return;
        const [name, help] = T[`unit_${state}`];
        node.dataset.state = state;
        node.className = `unit ${state}`;
        word.textContent = name;
        node.setAttribute('aria-label', `${unitName(layer, unit)} ${name}`);
        explain(node, `${unitName(layer, unit)}. ${help}`);
      });
    },
    ondetails: does => details.addEventListener('toggle', does),
  };
}
