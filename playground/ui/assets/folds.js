// Folds (`details` with an id) stay as the reader left them when Gradio draws them again in place.
//
// A click says it (a key press makes one), not "toggle", which Gradio's drawing fires too.
(() => {
  "use strict";
  const left = new Map(); // id -> whether the reader left it open

  document.addEventListener("click", (event) => {
    const fold = event.target instanceof Element ? event.target.closest("details[id] > summary")?.parentElement : null;
    if (fold) left.set(fold.id, !fold.open);
  });

  function restore() {
    for (const [id, open] of left) {
      const fold = document.getElementById(id);
      if (fold && fold.open !== open) fold.open = open;
    }
  }

  let waiting = 0;
  new MutationObserver(() => {
    if (left.size) waiting ||= requestAnimationFrame(() => { waiting = 0; restore(); });
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["open", "id"] });
})();
