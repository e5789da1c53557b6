// The Data page: every view of it is an address (views.js); files are downloaded with a progress bar.
(() => {
  "use strict";
  const POLL_MS = 400;
  const TICKET_BYTES = 16;
  const PATIENCE = 8; // polls without news of a download that the browser was told to start
  const byId = (id) => document.getElementById(id);

  // Views

  const views = window.playgroundViews("data");

  /** Return the query of the form, with the format that is open. */
  function typed(form) {
    const query = views.typed(form);
    const format = new URLSearchParams(location.search).get("format");
    if (format) query.set("format", format);
    return query.toString();
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
    views.show(typed(event.target), false, "data-apply");
  });

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const file = target?.closest("a[data-download]");
    if (file) download(file);
    if (target?.closest("#data-progress button")) {
      polling += 1;
      byId("data-progress").hidden = true;
    }
  });

  window.playgroundData = { asked: views.asked };
})();
