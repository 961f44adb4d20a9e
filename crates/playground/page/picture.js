// The picture of one net: what it predicts as colors, the border between the classes, and the data.
'use strict';

/** The side of the large picture and of a unit's picture in pixels, before they are scaled. */
const LARGE = 48, SMALL = 20;

let palette = null;

/** The colors of the theme: paper, ink, the classes, and a color for each probability. */
function colors() {
  if (palette) return palette;
  const style = getComputedStyle(document.documentElement);
  const read = name => style.getPropertyValue(name).trim();
  const rgb = name => [1, 3, 5].map(at => parseInt(read(name).slice(at, at + 2), 16));
  const paper = rgb('--paper'), classes = ['--class-0', '--class-1', '--class-2'].map(rgb);
  const mixed = (color, share) => paper.map((part, k) => part + (color[k] - part) * share);
  const field = Array.from({ length: 256 }, (_, p) => mixed(classes[p < 128 ? 0 : 1], 0.75 * Math.abs(p / 127.5 - 1)));
  const ramp = Array.from({ length: 256 }, (_, p) => mixed(rgb('--ink'), 0.05 + 0.9 * p / 255));
  palette = { paper: read('--paper'), ink: read('--ink'), names: ['--class-0', '--class-1', '--class-2'].map(read), classes, mixed, field, ramp };
  return palette;
}

/** Paints numbers 0..255 on a canvas of that many pixels. */
function paint(canvas, size, numbers, colorOf) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  const image = context.createImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    const color = colorOf(i, numbers);
    image.data.set([color[0], color[1], color[2], 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** The color of one pixel with the probabilities of three classes. */
function colorOfThree(i, numbers) {
  const p = [numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]];
  const most = p.indexOf(Math.max(...p));
  return colors().mixed(colors().classes[most], 0.75 * Math.max(0, 1.5 * (p[most] / 255 - 1 / 3)));
}

/** For each pixel and each class (of two: the second), how far it is ahead of the others. */
function margins(size, channels, numbers) {
  if (channels === 1) return [Float32Array.from(numbers, p => p - 127.5)];
  return [0, 1, 2].map(k => Float32Array.from({ length: size * size }, (_, i) =>
    numbers[3 * i + k] - Math.max(numbers[3 * i + (k + 1) % 3], numbers[3 * i + (k + 2) % 3])));
}

/** Draws where a margin is 0, by marching squares; pixels are scaled to `wide`. */
function contour(context, margin, size, wide) {
  const scale = wide / size;
  context.beginPath();
  for (let row = 0; row + 1 < size; row++) {
    for (let column = 0; column + 1 < size; column++) {
      const at = row * size + column;
      const corner = [margin[at], margin[at + 1], margin[at + size + 1], margin[at + size]];
      const found = [];
      for (let k = 0; k < 4; k++) {
        const a = corner[k], b = corner[(k + 1) % 4];
        if (a > 0 === b > 0) continue;
        const t = a / (a - b);
        found.push([[t, 0], [1, t], [1 - t, 1], [0, 1 - t]][k]);
      }
      for (let k = 0; k + 1 < found.length; k += 2) {
        const [[x, y], [u, v]] = [found[k], found[k + 1]];
        context.moveTo((column + 0.5 + x) * scale, (row + 0.5 + y) * scale);
        context.lineTo((column + 0.5 + u) * scale, (row + 0.5 + v) * scale);
      }
    }
  }
  context.stroke();
}

/** A mark of a class: circle, square or triangle. */
function mark(context, kind, x, y, r) {
  context.beginPath();
  if (kind === 0) context.arc(x, y, r, 0, 7);
  else if (kind === 1) context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else { context.moveTo(x, y - 1.2 * r); context.lineTo(x + 1.15 * r, y + r); context.lineTo(x - 1.15 * r, y + r); context.closePath(); }
}

/** The picture of a side: `show(side)` paints the net, `points(points, window)` the data over it. */
function netPicture(onPoint) {
  const field = el('canvas', { class: 'field', 'aria-hidden': 'true' });
  const border = el('canvas', { 'aria-hidden': 'true' });
  const data = el('canvas', { role: 'img' });
  const box = el('div', { class: 'picture' }, field, border, data);
  let points = [], area = [0, 1, 0, 1], cross = null, wide = 0, margin = null;
  const dense = () => Math.min(2, devicePixelRatio || 1);

  const place = ([x, y]) => [(x - area[0]) / (area[1] - area[0]) * wide, (area[3] - y) / (area[3] - area[2]) * wide];
  const inverse = (u, v) => [area[0] + u / wide * (area[1] - area[0]), area[3] - v / wide * (area[3] - area[2])];

  function drawBorder() {
    const context = border.getContext('2d');
    context.setTransform(dense(), 0, 0, dense(), 0, 0);
    context.clearRect(0, 0, wide, wide);
    if (!margin || !wide) return;
    context.lineWidth = 2.5;
    context.lineJoin = context.lineCap = 'round';
    context.strokeStyle = colors().ink;
    for (const one of margin.classes) contour(context, one, margin.size, wide);
  }
  function drawPoints() {
    const context = data.getContext('2d'), { ink, paper, names } = colors();
    context.setTransform(dense(), 0, 0, dense(), 0, 0);
    context.clearRect(0, 0, wide, wide);
    const r = Math.max(2.2, Math.min(5.5, wide / 80)) * (points.length > 400 ? 0.75 : 1);
    context.strokeStyle = paper;
    context.lineWidth = r > 3 ? 1.5 : 1;
    for (const point of points) {
      const [x, y] = place(point);
      mark(context, point[2], x, y, r);
      context.fillStyle = names[point[2]];
      context.fill();
      context.stroke();
    }
    context.strokeStyle = ink;
    for (const point of points) {
      if (!point[3]) continue;
      const [x, y] = place(point);
      mark(context, 0, x, y, r + 3);
      context.stroke();
    }
    if (cross) {
      const [x, y] = place(cross);
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(x - 12, y); context.lineTo(x + 12, y);
      context.moveTo(x, y - 12); context.lineTo(x, y + 12);
      context.stroke();
    }
  }
  const redraw = () => {
    wide = box.clientWidth;
    for (const canvas of [border, data]) canvas.width = canvas.height = Math.round(wide * dense());
    drawBorder();
    drawPoints();
  };
  new ResizeObserver(redraw).observe(box);

  data.addEventListener('click', event => {
    if (!onPoint.isOn()) return;
    const rect = data.getBoundingClientRect();
    onPoint.add(inverse((event.clientX - rect.left) * wide / rect.width, (event.clientY - rect.top) * wide / rect.height));
  });
  data.addEventListener('keydown', event => {
    if (!onPoint.isOn()) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by && event.key !== 'Enter') return;
    event.preventDefault();
    cross ??= [(area[0] + area[1]) / 2, (area[2] + area[3]) / 2];
    if (!by) { onPoint.add(cross); return; }
    const share = event.shiftKey ? 10 : 40;
    cross = [0, 1].map(k => Math.max(area[2 * k], Math.min(area[2 * k + 1], cross[k] + by[k] * (area[2 * k + 1] - area[2 * k]) / share)));
    drawPoints();
    say(`${num(cross[0])}, ${num(cross[1])}`);
  });
  data.addEventListener('blur', () => { cross = null; drawPoints(); });

  return {
    box,
    /** Paints the net of a side, and returns how sure it is: 0 .. 1. */
    show(side) {
      const { ok } = call({ call: 'picture', side, size: LARGE });
      if (!ok) return 0;
      const numbers = pixels().slice();
      const { field: table } = colors();
      paint(field, ok.size, numbers, ok.channels === 1 ? (i, p) => table[p[i]] : colorOfThree);
      margin = { size: ok.size, classes: margins(ok.size, ok.channels, numbers) };
      drawBorder();
      let sure = 0;
      for (let i = 0; i < ok.size * ok.size; i++) {
        sure += ok.channels === 1 ? Math.abs(numbers[i] / 127.5 - 1) : 1.5 * (Math.max(numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]) / 255 - 1 / 3);
      }
      return sure / ok.size ** 2;
    },
    points(these, window) {
      [points, area] = [these, window];
      redraw();
    },
    describe: text => data.setAttribute('aria-label', text),
    /** Whether it takes points: then it can be focused. */
    takesPoints(isOn) {
      box.classList.toggle('takes-points', isOn);
      isOn ? data.setAttribute('tabindex', 0) : data.removeAttribute('tabindex');
    },
    redraw,
  };
}
