// The form on the Rate page in which raters of a live study write an instruction; it says `write` to rate.js when sent.
//
// What was typed stays in this tab until the answers to it have come: it is there again after a reload or a failure.
// That it was sent is kept with it: a page that was reloaded meanwhile sees only the answers.
(() => {
  "use strict";
  const DRAFT = "rate instruction", SENT = "rate instruction is sent";
  const byId = (id) => document.getElementById(id);
  const { tab } = window.playground;
  let isDrawn = false;

  const field = () => byId("rate-words-of-rater");

  /** Show the form with what was typed, and why there is no battle on the last instruction. */
  function open(why, mayUndo, takesFocus) {
    begin();
    if (!field().value) field().value = tab.read(DRAFT) || "";
    tell(why);
    lock(false);
    byId("undo-last-write").hidden = !mayUndo;
    if (takesFocus) field().focus();
  }

  function tell(text) {
    byId("rate-write-said").textContent = text;
  }

  function lock(isSending) {
    byId("rate-send").disabled = isSending;
    field().readOnly = isSending;
  }

  /** Note that the server took what was typed. */
  function sent() {
    tab.write(SENT, true);
  }

  /** Forget what was sent: its answers have come. */
  function done() {
    if (!tab.read(SENT)) return;
    keep("");
    if (field()) field().value = "";
  }

  function keep(text) {
    tab.write(DRAFT, text);
    tab.write(SENT, false);
  }

  function begin() {
    if (isDrawn) return;
    isDrawn = true;
    const form = byId("rate-write");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field().readOnly) document.dispatchEvent(new CustomEvent("write", { detail: field().value }));
    });
    field().addEventListener("input", () => keep(field().value));
    field().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  window.playground.rateWrite = { open, tell, lock, sent, done };
})();
