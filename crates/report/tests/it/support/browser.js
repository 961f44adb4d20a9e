// Measures every page of PAGES at every width of WIDTHS and writes the faults as JSON into the document.
const SLACK = 0.75; // pixels of rounding
const faults = [];
const links = [];

function measure(page, doc, view) {
  const width = doc.documentElement.clientWidth;
  const where = `${page} at ${width} px`;
  const told = new Set();
  const fault = (what, text) => {
    const words = `${where}: ${what}` + (text === undefined ? '' : ` "${text.trim().replace(/\s+/g, ' ').slice(0, 60)}"`);
    if (!told.has(words)) faults.push(words);
    told.add(words);
  };
  const inside = (box, frame) => box.left >= frame.left - SLACK && box.top >= frame.top - SLACK
    && box.right <= frame.right + SLACK && box.bottom <= frame.bottom + SLACK;
  const scrolls = e => ['auto', 'scroll'].includes(view.getComputedStyle(e).overflowX);
  const inScroll = e => { while ((e = e.parentElement)) if (scrolls(e)) return true; return false; };
  const seen = e => e.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });

  for (const details of doc.querySelectorAll('details')) details.open = true;

  // a page to step through: every step shows itself alone, and where it is; then it stays at the last, with all numbers
  for (const stepper of doc.querySelectorAll('.stepper')) {
    const slider = stepper.querySelector('input');
    for (let step = 0; step <= Number(slider.max); step += 1) {
      slider.value = step;
      slider.dispatchEvent(new view.Event('input'));
      const items = [...stepper.querySelectorAll('.steps li')].filter(seen);
      if (items.length !== 1) fault(`${items.length} steps are shown at step ${step}`);
      if (stepper.querySelectorAll('g.node.now').length !== 1) fault(`no node is marked at step ${step}`);
    }
  }

  if (doc.documentElement.scrollWidth > width) fault('the page scrolls sideways');
  for (const e of doc.body.querySelectorAll('*:not(svg *)')) {
    const box = e.getBoundingClientRect();
    if (box.width === 0 || inScroll(e)) continue;
    if (box.left < -SLACK || box.right > width + SLACK) fault(`<${e.localName}> is wider than the page`, e.textContent);
    const style = view.getComputedStyle(e);
    const clips = axis => ['hidden', 'clip'].includes(style[axis]);
    if (e.localName !== 'svg' && (clips('overflowX') && e.scrollWidth > e.clientWidth + 1
      || clips('overflowY') && e.scrollHeight > e.clientHeight + 1)) fault(`<${e.localName}> clips its content`, e.textContent);
  }

  for (const svg of doc.querySelectorAll('svg')) picture(svg);

  for (const e of doc.querySelectorAll('*')) {
    for (const name of ['src', 'href', 'xlink:href', 'srcset', 'data', 'action', 'poster']) {
      const to = e.getAttribute(name);
      if (to === null || to.startsWith('data:')) continue;
      if (to.startsWith('#')) {
        if (to !== '#' && !doc.getElementById(decodeURIComponent(to.slice(1)))) fault(`a link to ${to}, which is not there`);
      } else if (/^[a-z][a-z0-9+.-]*:|^\//i.test(to)) fault(`a link to the outside, ${to}`);
      else if (e.localName === 'img' && name === 'src') {
        if (!seen(e) || !e.naturalWidth || e.getBoundingClientRect().width < 20) fault(`a picture that does not show, ${to}`);
      } else if (e.localName !== 'a') fault(`a link to the outside, ${to}`);
      else links.push([page, to]);
    }
  }
  const styles = [...doc.querySelectorAll('style')].map(e => e.textContent);
  const inline = [...doc.querySelectorAll('[style]')].map(e => e.getAttribute('style'));
  for (const [from] of [...styles, ...inline].join('\n').matchAll(/@import[^;]*|url\(\s*(?!["']?(#|data:))[^)]*/g)) {
    fault('a style from the outside', from);
  }
  // without a script but that of a page to step through, and with nothing named that is outside, there is no request
  const scripts = doc.querySelectorAll('script:not([type$=json])').length;
  if (scripts > doc.querySelectorAll('.stepper').length || /fetch|import|XMLHttp|https?:/.test(doc.querySelector('script')?.textContent ?? '')) fault('a script');

  function picture(svg) {
    const frame = svg.getBoundingClientRect();
    // of a picture in two shapes the other one is seen
    const shapes = svg.closest('.wide, .narrow')?.parentElement.querySelectorAll('svg') ?? [];
    if (!seen(svg) && [...shapes].some(shape => shape !== svg && seen(shape))) return;
    const title = svg.querySelector('title')?.textContent ?? '';
    if (!seen(svg) || frame.width < 20 || frame.height < 20) return fault('a picture without visible area', title);
    if (!inScroll(svg) && (frame.left < -SLACK || frame.right > width + SLACK)) fault('a picture wider than the page', title);

    // what has a color of its own; a rectangle as large as the picture is its paper
    const clear = color => /^rgba\(.*, 0\)$/.test(color);
    const colors = e => {
      const style = view.getComputedStyle(e);
      return [[style.fill, style.fillOpacity], [style.stroke, style.strokeOpacity * parseFloat(style.strokeWidth)]]
        .filter(([color, weight]) => color !== 'none' && !clear(color) && weight > 0).map(([color]) => color);
    };
    const faint = e => { let o = 1; for (; e; e = e.parentElement) o *= view.getComputedStyle(e).opacity; return o < 0.05; };
    let paper = 'rgba(0, 0, 0, 0)';
    for (let e = svg; e && clear(paper); e = e.parentElement) paper = view.getComputedStyle(e).backgroundColor;
    let marks = 0;
    for (const e of svg.querySelectorAll('path,rect,circle,ellipse,line,polyline,polygon,image')) {
      if (e.closest('defs,pattern,clipPath,mask,symbol') || !seen(e) || faint(e)) continue;
      const box = e.getBoundingClientRect();
      if (e.localName === 'rect' && box.width * box.height > 0.95 * frame.width * frame.height) { paper = colors(e)[0] ?? paper; continue; }
      const on = box.right > frame.left && box.left < frame.right && box.bottom > frame.top && box.top < frame.bottom;
      if (on && box.width + box.height > 1 && colors(e).some(color => color !== paper)) marks += 1;
    }
    if (marks === 0) fault('a picture without visible graphics', title);

    // the boxes of glyphs; they hold room above and below, which may touch
    const words = [];
    for (const text of svg.querySelectorAll('text')) {
      if (!seen(text)) continue;
      const walker = doc.createTreeWalker(text, 4 /* texts */);
      while (walker.nextNode()) {
        if (!walker.currentNode.data.trim()) continue;
        const range = doc.createRange();
        range.selectNodeContents(walker.currentNode);
        for (const box of range.getClientRects()) words.push({ text, box, words: walker.currentNode.data });
      }
    }
    for (const word of words) {
      const { left, right, top, bottom } = word.box;
      const air = 0.18 * (bottom - top);
      word.ink = { left, right, top: top + air, bottom: bottom - air };
      if (!inside(word.ink, frame)) fault('clipped words', word.words);
    }
    words.forEach((a, i) => words.slice(i + 1).filter(b => a.text !== b.text).forEach(b => {
      const wide = Math.min(a.ink.right, b.ink.right) - Math.max(a.ink.left, b.ink.left);
      const high = Math.min(a.ink.bottom, b.ink.bottom) - Math.max(a.ink.top, b.ink.top);
      if (wide > SLACK && high > SLACK) fault('words on words', `${a.words} | ${b.words}`);
    }));
  }
}

addEventListener('load', async () => {
  for (const page of PAGES) for (const width of WIDTHS) {
    const frame = document.createElement('iframe');
    frame.style = `border:0;width:${width}px;height:900px`;
    const loaded = new Promise(done => { frame.onload = done; });
    frame.src = page;
    document.body.prepend(frame);
    await loaded;
    try {
      measure(page, frame.contentDocument, frame.contentWindow);
    } catch (error) {
      faults.push(`${page}: it cannot be measured: ${error}`);
    }
    frame.remove();
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.getElementById('findings').textContent = JSON.stringify({ dark, faults, links });
});
