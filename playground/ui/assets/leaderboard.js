// The Leaderboard page: every view of it is an address (views.js), and a board that is drawn again keeps the reader's
// place: open details, the places of tables that scroll, and the focus.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const views = window.playgroundViews("leaderboard");

  // Filters

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element ? event.target.closest("#leaderboard-form") : null;
    if (form) views.show(views.typed(form).toString(), false, "");
  });
  document.addEventListener("submit", (event) => {
    if (event.target instanceof Element && event.target.id === "leaderboard-form") event.preventDefault();
  });

  // The reader's place

  const open = new Map(); // id of details -> whether the reader left them open
  const scrolled = new Map(); // label of a box -> how far it was scrolled
  let focused = ""; // id of the element of the board that has the focus

  document.addEventListener("toggle", (event) => {
    if (event.target.id && event.target.closest("#board")) open.set(event.target.id, event.target.open);
  }, true);
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box instanceof Element && box.matches("#board .scroll")) scrolled.set(box.getAttribute("aria-label"), box.scrollLeft);
  }, true);
  document.addEventListener("focusin", (event) => {
    focused = event.target.closest("#board") ? event.target.id : "";
  });

  function restore() {
    for (const details of document.querySelectorAll("#board details[id]"))
      if (open.has(details.id) && details.open !== open.get(details.id)) details.open = open.get(details.id);
    for (const box of document.querySelectorAll("#board .scroll"))
      if (scrolled.has(box.getAttribute("aria-label"))) box.scrollLeft = scrolled.get(box.getAttribute("aria-label"));
    if (focused && document.activeElement === document.body) byId(focused)?.focus({ preventScroll: true });
  }

  let watched = null;
  new MutationObserver((changes) => {
    const board = byId("board");
    if (!board || !changes.some((change) => board.contains(change.target))) return;
    cancelAnimationFrame(watched);
    watched = requestAnimationFrame(restore);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
