// The Data page: every view of it is an address; files are downloaded with a progress bar.
//
// Links and the form change the address and ask the server for that view (#data-show), without loading the page again.
// The view says in #data-said which address it drew; if another was asked meanwhile, the page asks again.
(() => {
  "use strict";
  const POLL_MS = 400;
  const AGAIN_MS = 400;
  const TICKET_BYTES = 16;
  const PATIENCE = 8; // polls without news of a download that the browser was told to start
  const byId = (id) => document.getElementById(id);
  const path = location.pathname;

  // Views

  let fresh = true; // the form has to be drawn too
  let focus = ""; // id of the element that has the focus once the view is drawn
  let askedAt = -Infinity;

  const asked = () => [location.search, fresh ? "1" : ""];

  function ask() {
    askedAt = performance.now();
    byId("data-show")?.click();
  }

  function show(query, redraw, at) {
    fresh = redraw;
    if (redraw) byId("data-form")?.reset(); // it is not drawn again if it would be as it was last drawn
    focus = at || "";
    history.pushState(history.state, "", query ? `${path}?${query}` : path); // the page's <base> is its folder
    ask();
  }

  /** Return the query of the form: without empty fields; two values of one name are joined by a comma. */
  function typed(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const clean = String(value).trim();
      if (clean) query.set(name, query.has(name) ? `${query.get(name)},${clean}` : clean);
    }
    const format = new URLSearchParams(location.search).get("format");
    if (format) query.set("format", format);
    return query.toString();
  }

  function look() {
    const said = byId("data-said");
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

  // Downloads

  let polling = 0;

  function report(words, share, manifest, isOver, isError) {
    const box = byId("data-progress");
    if (!box) return;
    box.hidden = false;
    const bar = box.querySelector("progress");
    if (share === null || share === undefined) bar.removeAttribute("value");
    else bar.value = share;
    bar.hidden = Boolean(isError);
    const line = byId("data-progress-words");
    if (line.textContent !== words) line.textContent = words;
    line.classList.toggle("error", Boolean(isError));
    const link = box.querySelector("a");
    link.hidden = !manifest;
    if (manifest) link.href = manifest;
    box.querySelector("button").hidden = !isOver;
  }

  async function follow(ticket, words) {
    const mine = ++polling;
    let missing = 0;
    report(words.starts, null, "", false, false);
    while (mine === polling) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      let news = null;
      try {
        const reply = await fetch(`./data/progress?ticket=${ticket}`, { headers: { Accept: "application/json" } });
        if (reply.ok) news = await reply.json();
      } catch { /* connection.js says so */ }
      if (mine !== polling) return;
      if (!news) {
        missing += 1;
        if (missing < PATIENCE) continue;
        report(words.failed, null, "", true, true);
        return;
      }
      missing = 0;
      const isError = news.stage === "failed";
      const isOver = isError || news.stage === "sent";
      report(news.words, news.share, isError ? "" : news.manifest, isOver, isError);
      if (isOver) return;
    }
  }

  function download(link) {
    const bytes = crypto.getRandomValues(new Uint8Array(TICKET_BYTES));
    const ticket = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const before = link.getAttribute("href");
    link.setAttribute("href", `${before}&ticket=${ticket}`);
    setTimeout(() => link.setAttribute("href", before)); // after the browser has followed it
    const { starts, failed } = byId("data-progress").dataset;
    follow(ticket, { starts, failed });
  }

  // Events

  document.addEventListener("submit", (event) => {
    if (!(event.target instanceof Element) || event.target.id !== "data-form") return;
    event.preventDefault();
    show(typed(event.target), false, "data-apply");
  });

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a[data-view]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      show(link.search.slice(1), true, link.dataset.focus);
    }
    const file = target?.closest("a[data-download]");
    if (file) download(file);
    if (target?.closest("#data-progress button")) {
      polling += 1;
      byId("data-progress").hidden = true;
    }
  });

  addEventListener("popstate", () => {
    if (!byId("data-show")) return;
    fresh = true;
    byId("data-form")?.reset();
    ask();
  });

  let waiting = 0;
  new MutationObserver(() => {
    waiting ||= setTimeout(() => { waiting = 0; look(); }, 30);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-query"] });

  window.playgroundData = { asked };
})();
