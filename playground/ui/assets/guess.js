// The question which model an answer was: a click on a choice, or the key of its number, is the guess.
//
// #guess, whose event takes the number from here, saves it. Not to know is a press of #reveal.
(() => {
  "use strict";
  const { typing } = window.playground;
  const byId = (id) => document.getElementById(id);
  let guess = "";

  function save(button) {
    guess = button.dataset.guess;
    byId("guess")?.click();
  }

  function onClick(event) {
    const button = event.target instanceof Element ? event.target.closest("#question [data-guess]") : null;
    if (button) save(button);
  }

  function onKey(event) {
    if (event.defaultPrevented || event.repeat || event.isComposing || byId("keys")?.open) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key) || typing(event.target)) return;
    const button = document.querySelector(`#question [data-guess="${event.key}"]`);
    if (!button?.getClientRects().length) return;
    event.preventDefault();
    save(button);
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  window.playground.guessed = () => guess;
})();
