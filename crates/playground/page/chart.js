// Line charts as SVG: linear or logarithmic, with a title that explains itself and a text for those who cannot see it.
'use strict';

/** Around the lines, in pixels at letters of 16 pixels. */
const ROOM = { left: 52, right: 10, top: 8, bottom: 22 };

/** About `count` round numbers between two numbers. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough) ?? 10);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
  return found;
}

/** Powers of 10, every one or every few. */
function powers(low, high, count) {
  const every = Math.max(1, Math.ceil((high - low) / count));
  const found = [];
  for (let k = Math.ceil(low / every) * every; k <= high; k += every) found.push(k);
  return found;
}

/**
 * A chart in the figure. `options`: `log`, `percent`, `x` (name of the axis), `lines` (a class for each), `dots`.
 * `draw(xs, lines, at, range)`: numbers of x, for each line its numbers (null is a gap), where the dot is, and what the axis shows at least.
 */
function lineChart(figure, options) {
  const caption = el('figcaption');
  const picture = svg('svg', { class: 'chart', role: 'img' });
  const grid = svg('g', { class: 'grid' });
  const paths = options.lines.map(name => svg('path', { class: `line ${name}` }));
  const dots = options.lines.map(name => svg('circle', { class: `dot ${name}`, r: 6, visibility: 'hidden' }));
  picture.append(grid, ...paths, ...dots);
  figure.replaceChildren(caption, picture);
  let last = null, drawn = '';
  const chart = {
    /** The title with its explanation, a note, and a name for each line. */
    title(title, note, names = []) {
      const legend = names.map((name, k) => el('span', { class: 'legend' }, svg('svg', { viewBox: '0 0 28 8', 'aria-hidden': 'true' },
        svg('path', { class: `line ${options.lines[k]}`, d: 'M1 4H27' })), name));
      caption.replaceChildren(term(title, 'strong'), note ? el('span', { class: 'note' }, note) : '', ...legend);
    },
    describe: text => picture.setAttribute('aria-label', text),
    draw(xs, lines, at, range) {
      last = [xs, lines, at, range];
      const wide = picture.clientWidth, high = picture.clientHeight;
      if (!wide || !high || !xs.length) return;
      const zoom = parseFloat(getComputedStyle(picture).fontSize) / 16;
      const [left, right, top, bottom] = [ROOM.left, ROOM.right, ROOM.top, ROOM.bottom].map(room => room * zoom);
      const scale = options.log ? y => y > 0 ? Math.log10(y) : null : y => y;
      const ys = lines.map(line => line.map(y => y === null || y === undefined ? null : scale(y)));
      let [low, high_y] = options.percent ? [0, 1] : range ?? [Infinity, -Infinity];
      for (const line of ys) for (const y of line) if (y !== null) { low = Math.min(low, y); high_y = Math.max(high_y, y); }
      if (low > high_y) [low, high_y] = [0, 1];
      if (options.log) [low, high_y] = [Math.floor(low), Math.max(Math.ceil(high_y), Math.floor(low) + 1)];
      else if (!options.percent) [low, high_y] = [Math.min(0, low), Math.max(high_y, 1e-9) * 1.05];
      const [first, end] = [xs[0], Math.max(xs[xs.length - 1], xs[0] + (options.least ?? 1))];
      const px = x => left + (x - first) / (end - first) * (wide - left - right);
      const py = y => high - bottom - (y - low) / (high_y - low) * (high - top - bottom);
      const rows = (high - top - bottom) / (32 * zoom);
      const marks = options.log ? powers(low, high_y, rows) : ticks(low, high_y, Math.max(2, rows));
      const key = [wide, high, low, high_y, first, end].join();
      if (key !== drawn) {
        drawn = key;
        const parts = [];
        for (const y of marks) {
          const words = options.log ? `10${raised(y)}` : options.percent ? percent(y) : num(y);
          parts.push(svg('path', { d: `M${left} ${py(y).toFixed(1)}H${wide - right}` }),
            svg('text', { x: left - 6, y: (py(y) + 4 * zoom).toFixed(1), 'text-anchor': 'end' }, words));
        }
        for (const x of ticks(first, end, Math.max(3, wide / (110 * zoom)))) {
          const isLast = px(x) > wide - 24 * zoom;
          parts.push(svg('text', { x: isLast ? wide - 1 : px(x).toFixed(1), y: high - 5 * zoom, 'text-anchor': isLast ? 'end' : 'middle' }, num(x)));
        }
        if (options.x) parts.push(svg('text', { x: left - 8, y: high - 5 * zoom, 'text-anchor': 'end', class: 'axis' }, options.x()));
        grid.replaceChildren(...parts);
      }
      ys.forEach((line, k) => {
        let d = '', pen = 'M';
        line.forEach((y, i) => {
          if (y === null) { pen = 'M'; return; }
          d += `${pen}${px(xs[i]).toFixed(1)} ${py(y).toFixed(1)}`;
          pen = 'L';
        });
        paths[k].setAttribute('d', d);
        const dot = at?.[k];
        dots[k].setAttribute('visibility', dot && dot.y !== null ? 'visible' : 'hidden');
        if (dot && dot.y !== null) {
          dots[k].setAttribute('cx', Math.max(left, Math.min(wide - right, px(dot.x))).toFixed(1));
          dots[k].setAttribute('cy', Math.max(4, Math.min(high - 4, py(scale(dot.y) ?? low))).toFixed(1));
        }
      });
    },
  };
  new ResizeObserver(() => { if (last) chart.draw(...last); }).observe(picture);
  return chart;
}
