// The composer of the battle in the address. It comes with a reply, and never over what the visitor did meanwhile.
(() => {
  "use strict";
  const TEXTS = "#instruction, #input, #system, #with-input, #with-system";
  const FILLING = "#surprise, #starter-samples"; // a click puts another instruction into the fields
  const SETTINGS = "#mode, #columns-count, #forget, #who-chooses, #models, #own-settings, #sampling";
  const UNFOLD = "[data-edit]";
  let put = ""; // the last composer, as it came
  let changed = { texts: false, settings: false }; // since the address changed
  let editing = false; // likewise, and since the tab began something

  const isIn = (event, places) => event.target instanceof Element && event.target.closest(places) !== null;

  /** Return updates for the fields of a battle's composer; undefined leaves a field as it is. */
  function recalled(sent) {
    const { step, texts, settings } = sent ? JSON.parse(sent) : { step: -1, texts: [], settings: [] };
    const isPassed = sent === put || !window.playground.isStep(step);
    put = sent;
    if (!isPassed) setTimeout(() => document.dispatchEvent(new CustomEvent("recalled"))); // once they are in the fields
    const kept = (updates, isChanged) => updates.map((update) => (isPassed || isChanged ? undefined : update ?? undefined));
    return [...kept(texts, changed.texts), ...kept(settings, changed.settings)];
  }

  function onChange(event) {
    changed.texts ||= isIn(event, TEXTS);
    changed.settings ||= isIn(event, SETTINGS);
    editing ||= changed.texts || changed.settings;
  }

  function onClick(event) {
    changed.texts ||= isIn(event, FILLING);
    changed.settings ||= isIn(event, "[role=option]");
    editing ||= changed.texts || changed.settings || isIn(event, UNFOLD);
  }

  function onAddress() {
    changed = { texts: false, settings: false };
    editing = false;
  }

  /** Return whether the visitor edits the next comparison; the composer stays unfolded then. */
  const isEditing = () => editing;

  /** Return which of `texts` and `settings` the visitor changed. */
  const changes = () => changed;

  for (const kind of ["input", "change"]) document.addEventListener(kind, onChange, true);
  document.addEventListener("click", onClick, true);
  document.addEventListener("begun", () => (editing = false));
  window.addEventListener("popstate", onAddress);
  Object.assign(window.playground, { recalled, isEditing, changes });
})();
