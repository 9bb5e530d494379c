// Makes the pages live. Each of them works without: what is here only saves a reload.

const parts = document.querySelectorAll('[data-live]');
let stream;

/** One stream a tab, and none while nobody looks: a browser has six connections for all tabs of a site. */
function follow() {
  if (document.hidden || parts.length === 0) {
    stream?.close();
    stream = undefined;
    return;
  }
  if (stream) return;
  stream = new EventSource('/console/live');
  stream.addEventListener('parts', event => {
    const fresh = JSON.parse(event.data);
    for (const part of document.querySelectorAll('[data-live]')) {
      const markup = fresh[part.dataset.live];
      if (typeof markup === 'string') replace(part, markup);
    }
    document.dispatchEvent(new Event('segue:fresh'));
  });
}

/** Puts the part in place anew where it differs; what had the focus has it again. */
function replace(part, markup) {
  if (part.dataset.markup === markup) return;
  part.dataset.markup = markup;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  // A text that is being selected would be taken out of somebody's hands.
  const selection = document.getSelection();
  if (!selection.isCollapsed && part.contains(selection.anchorNode)) {
    delete part.dataset.markup;
    return;
  }
  const focusedAt = focused ? [...part.querySelectorAll('a, button, summary')].indexOf(focused) : -1;
  const key = focused?.getAttribute('href');
  // Made by the server, in which every value is escaped.
  part.innerHTML = markup;
  if (focused) {
    const choices = [...part.querySelectorAll('a, button, summary')];
    const same = choices.find(choice => key !== null && choice.getAttribute('href') === key);
    (same ?? choices[focusedAt])?.focus({ preventScroll: true });
  }
}

document.addEventListener('visibilitychange', follow);
addEventListener('pagehide', () => stream?.close());
addEventListener('pageshow', event => {
  if (event.persisted) {
    stream = undefined;
    follow();
  }
});
// After the first paint.
new PerformanceObserver((_painted, observer) => {
  observer.disconnect();
  follow();
}).observe({ type: 'paint', buffered: true });

// One box ticks all of a page.
const all = document.querySelector('[data-check-all]');
const boxes = [...document.querySelectorAll('input[name="id"]')];
if (all && boxes.length > 0) {
  all.parentElement.hidden = false;
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) {
    box.addEventListener('change', () => {
      all.checked = boxes.every(each => each.checked);
      all.indeterminate = !all.checked && boxes.some(each => each.checked);
    });
  }
}

// A form is sent once, however often it is clicked.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener('submit', event => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
  });
}
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// The state of an action that is under way: asked for again once the answer is there.
const progress = document.querySelector('[data-progress]');
if (progress) {
  const ask = async () => {
    if (!document.hidden) {
      const answer = await fetch(progress.dataset.progress, { headers: { accept: 'text/html' } }).catch(
        () => null,
      );
      if (answer?.ok) {
        progress.innerHTML = await answer.text();
        if (progress.querySelector('[data-done]')) return;
      }
    }
    setTimeout(ask, 700);
  };
  if (!progress.querySelector('[data-done]')) ask();
}
