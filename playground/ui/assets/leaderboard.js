// The Leaderboard page: every view of it is an address (views.js), and a board that is drawn again keeps the reader's
// place: where tables are scrolled to, and the focus. `folds.js` keeps what is open.
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

  // The plot as a picture

  const DRAWN = ["fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "paint-order", "font-family",
    "font-size", "font-weight"];
  const SHARPNESS = 2; // pixels of the picture for one of the page
  const BORDER = 16;

  /** Return the plot as an SVG file of its own: with the styles that the page gives it. */
  function standalone(plot) {
    const copy = plot.cloneNode(true);
    const originals = [plot, ...plot.querySelectorAll("*")];
    [copy, ...copy.querySelectorAll("*")].forEach((element, number) => {
      const style = getComputedStyle(originals[number]);
      for (const name of DRAWN) element.style.setProperty(name, style.getPropertyValue(name));
    });
    copy.setAttribute("width", plot.clientWidth);
    copy.setAttribute("height", plot.clientHeight);
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  }

  async function picture(plot) {
    const image = new Image();
    image.src = URL.createObjectURL(standalone(plot));
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = (plot.clientWidth + 2 * BORDER) * SHARPNESS;
    canvas.height = (plot.clientHeight + 2 * BORDER) * SHARPNESS;
    const pen = canvas.getContext("2d");
    pen.scale(SHARPNESS, SHARPNESS);
    pen.fillStyle = getComputedStyle(plot.closest(".box")).backgroundColor;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, BORDER, BORDER);
    URL.revokeObjectURL(image.src);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-png]") : null;
    const plot = button && byId(button.dataset.png);
    if (!plot) return;
    const link = document.createElement("a");
    link.download = "playground-leaderboard.png";
    link.href = URL.createObjectURL(await picture(plot));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000); // after the browser has taken it
  });

  // The reader's place

  const scrolled = new Map(); // label of a box -> how far it was scrolled
  let focused = ""; // id of the element of the board that has the focus

  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box instanceof Element && box.matches("#board .scroll")) scrolled.set(box.getAttribute("aria-label"), box.scrollLeft);
  }, true);
  document.addEventListener("focusin", (event) => {
    focused = event.target.closest("#board") ? event.target.id : "";
  });

  function restore() {
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
