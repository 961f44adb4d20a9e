// Shows one step at a time: its text, its node, what has been computed so far. The slider has the arrow keys by itself.
for (const stepper of document.querySelectorAll('.stepper')) {
  const items = [...stepper.querySelectorAll('.steps li')];
  const bar = stepper.querySelector('.now');
  const slider = bar.querySelector('input');
  const nodes = [...stepper.querySelectorAll('g.node')];
  const edges = [...stepper.querySelectorAll('path.edge')];
  const graph = stepper.querySelector('.scroll');
  const last = Math.max(...nodes.map(group => Number(group.id.split('-').pop())));
  const place = element => Number(element.id.split('-').pop());
  bar.hidden = false;
  stepper.classList.add('live');
  const show = follow => {
    const step = Number(slider.value);
    const { pass, node } = items[step].dataset;
    const walked = new Set(items.slice(0, step + 1).filter(item => item.dataset.pass === 'backward').map(item => Number(item.dataset.node)));
    items.forEach((item, at) => { item.hidden = at !== step; });
    bar.querySelector('output').textContent = `${step + 1} (${pass})`;
    for (const group of nodes) {
      group.classList.toggle('now', place(group) === Number(node));
      group.classList.toggle('later', pass === 'forward' && place(group) > Number(node));
      // a gradient is known when all that the node sends its value to has been walked
      const users = edges.filter(edge => Number(edge.id.split('-').at(-2)) === place(group)).map(place);
      const known = pass === 'backward' && (place(group) === last || users.length > 0 && users.every(user => walked.has(user)));
      group.classList.toggle('unknown', !known);
    }
    for (const edge of edges) {
      edge.classList.toggle('later', pass === 'forward' && place(edge) > Number(node));
      edge.classList.toggle('unknown', !walked.has(place(edge)));
    }
    const now = nodes.find(group => place(group) === Number(node));
    if (!now) return;
    if (follow) now.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    // where the graph is wider than the page, the box of the step is scrolled to the middle
    const view = graph.getBoundingClientRect(), box = now.getBoundingClientRect();
    graph.scrollLeft += (box.left + box.right - view.left - view.right) / 2;
  };
  slider.addEventListener('input', () => show(true));
  addEventListener('keydown', event => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.target === slider) return;
    slider.value = Number(slider.value) + by;
    show(true);
  });
  show(false);
}
