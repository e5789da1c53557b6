// What is typed and chosen in the composer, for this tab: it survives a reload and a look at another page.
//
// Settings return with the empty page and with the battle that they were chosen beside. Texts return on the page that they
// were typed on; those of a battle come from the server, and with "do not store" none are kept.
(() => {
  "use strict";
  const { tab } = window.playground;
  const byId = (id) => document.getElementById(id);
  const TEXTS = ["instruction", "input", "system"];
  const BOXES = ["with_input", "with_system"];
  const found = tab.read("draft"); // before anything is drawn
  let wanted = found ? found.battle : null; // the page on which the draft returns
  let typed = false; // since the page was loaded

  const isTyping = () => Boolean(byId("composer")?.contains(document.activeElement));

  const only = (values, isWanted) => Object.fromEntries(Object.entries(values).filter(([name]) => isWanted(name)));
  const isText = (name) => TEXTS.includes(name) || BOXES.includes(name);
  const withoutTexts = (values) => only(values, (name) => !isText(name));

  /** Keep the values of the composer, by name. */
  function keep(values) {
    if (wanted !== null) return; // what is drawn now comes before the draft
    const battle = window.playground.showing();
    const isTheirs = !values.forget && (!battle || (typed && isTyping())); // not the battle's
    tab.write("draft", { battle, values: isTheirs ? values : withoutTexts(values) });
  }

  /** Return the draft's values by name, without texts that were typed on another page, and what the visitor changed since. */
  function kept() {
    wanted = null;
    const changed = window.playground.changes();
    const fits = !typed && !changed.texts && found.battle === window.playground.showing();
    return only(found.values, (name) => (isText(name) ? fits : !changed.settings));
  }

  /** Put the draft back: on the empty page at once, beside a battle after the battle's composer. */
  function restore() {
    if (wanted !== null) byId("draft")?.click();
  }

  function look() {
    if (!window.playground.showing() && byId("instruction")) restore();
  }

  function follow({ detail: news }) {
    const draft = tab.read("draft");
    if (news.battle && news.battle !== found?.battle) wanted = null;
    const battle = window.playground.showing();
    if (wanted === null && draft && draft.battle !== battle) tab.write("draft", { battle, values: withoutTexts(draft.values) });
  }

  function onInput(event) {
    if (event.isTrusted && event.target instanceof Element && event.target.closest("#instruction, #input, #system")) typed = true;
  }

  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("battle", follow);
  document.addEventListener("recalled", restore);
  document.addEventListener("input", onInput, true);
  Object.assign(window.playground, { keep, kept });
})();
