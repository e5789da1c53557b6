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

  function withoutTexts(values) {
    return Object.fromEntries(Object.entries(values).filter(([name]) => !TEXTS.includes(name) && !BOXES.includes(name)));
  }

  /** Keep the values of the composer, by name. */
  function keep(values) {
    if (wanted !== null) return; // what is drawn now comes before the draft
    const battle = window.playground.showing();
    const isTheirs = !values.forget && (!battle || (typed && isTyping())); // not the battle's
    tab.write("draft", { battle, values: isTheirs ? values : withoutTexts(values) });
  }

  /** Return the draft's values by name, without texts that were typed on another page. */
  function kept() {
    wanted = null;
    const fits = !typed && found.battle === window.playground.showing();
    return fits ? found.values : withoutTexts(found.values);
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
