// Starters in an order of this browser, without repeats, and the choice to keep going with them.
(() => {
  "use strict";
  const { browser } = window.playground;
  const byId = (id) => document.getElementById(id);
  const MAX_ORDER = 2 ** 31;

  let going = browser.read("going") === true;
  const isGoing = () => going;

  /** Return the place of the next starter; every call moves on by one. */
  function deal() {
    const { order, turn } = browser.read("starters") || { order: Math.floor(Math.random() * MAX_ORDER), turn: 0 };
    browser.write("starters", { order, turn: (turn + 1) % MAX_ORDER });
    return { order, turn };
  }

  /** Check the box as it was chosen: Gradio draws it anew. */
  function look() {
    const box = document.querySelector("[data-going]");
    if (box && box.checked !== going) box.checked = going;
  }

  function onChange(event) {
    if (event.target instanceof Element && event.target.matches("[data-going]")) {
      going = event.target.checked;
      browser.write("going", going);
    }
  }

  /** Start the next battle in place of emptying the page. */
  function onClick(event) {
    if (!going || !(event.target instanceof Element && event.target.closest("#next, #next-battle"))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    byId("go-on")?.click();
  }

  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick, true);
  Object.assign(window.playground, { deal, isGoing });
})();
