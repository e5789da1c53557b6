// Pages whose every view is an address: Data and Leaderboard.
//
// Links with data-view and the page's form change the address and ask the server for that view (#PREFIX-show), without
// loading the page again. The view says in #PREFIX-said which address it drew; if another was asked meanwhile, the page
// asks again.
(() => {
  "use strict";
  const AGAIN_MS = 400;
  const byId = (id) => document.getElementById(id);
  const path = location.pathname;

  /** Return the query of a form: without empty fields; two values of one name are joined by a comma. */
  function typed(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const clean = String(value).trim();
      if (clean) query.set(name, query.has(name) ? `${query.get(name)},${clean}` : clean);
    }
    return query;
  }

  /** Follow the views of one page; return what its script needs. */
  window.playgroundViews = (prefix) => {
    let fresh = true; // the form has to be drawn too
    let focus = ""; // id of the element that has the focus once the view is drawn
    let askedAt = -Infinity;
    const isHere = () => Boolean(byId(`${prefix}-show`));

    function ask() {
      askedAt = performance.now();
      byId(`${prefix}-show`)?.click();
    }

    function show(query, redraw, at) {
      fresh = redraw;
      if (redraw) byId(`${prefix}-form`)?.reset(); // it is not drawn again if it would be as it was last drawn
      focus = at || "";
      history.pushState(history.state, "", query ? `${path}?${query}` : path); // the page's <base> is its folder
      ask();
    }

    function look() {
      const said = byId(`${prefix}-said`);
      if (!said || said.dataset.query === undefined) return;
      if (said.dataset.query !== location.search) {
        if (performance.now() - askedAt > AGAIN_MS * 5) ask();
        return;
      }
      fresh = true;
      if (!focus) return;
      const target = byId(focus);
      focus = "";
      target?.focus({ preventScroll: false });
    }

    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[data-view]") : null;
      if (!link || !isHere() || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      show(link.search.slice(1), true, link.dataset.focus);
    });

    addEventListener("popstate", () => {
      if (!isHere()) return;
      fresh = true;
      byId(`${prefix}-form`)?.reset();
      ask();
    });

    let waiting = 0;
    new MutationObserver(() => {
      waiting ||= setTimeout(() => { waiting = 0; look(); }, 30);
    }).observe(document.documentElement, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["data-query"],
    });

    return { asked: () => [location.search, fresh ? "1" : ""], show, typed };
  };
})();
