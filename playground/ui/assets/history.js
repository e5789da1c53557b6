// The battle's address: an entry of the history for each battle, the scroll position in it, the hub's frame.
(() => {
  "use strict";
  const HUB = "https://huggingface.co";
  const MOST_FRAMES = 60; // until the answers are there
  let known = "";
  let step = 0;
  let clickedAt = 0; // the scroll position before the answers give way to something shorter
  let landing = true; // the address came first, its battle is drawn afterwards

  const inAddress = (url) => url.searchParams.get("battle") || "";

  function follow({ detail: news }) {
    const battle = news.battle || "";
    const url = new URL(location.href);
    if (battle !== known) {
      known = battle;
      if (inAddress(url) !== battle) move(url, battle, Number(news.step) > step && !news.gone);
    }
    if (landing && (battle || !inAddress(url))) {
      landing = false;
      restoreScroll();
    }
    step = Math.max(step, Number(news.step));
    tellTheHub(url);
  }

  /** Put a battle into the address: in a new entry if the visitor went on to it, so that Back returns to the last one. */
  function move(url, battle, isNew) {
    if (battle) url.searchParams.set("battle", battle);
    else url.searchParams.delete("battle");
    if (!isNew) {
      history.replaceState(history.state, "", url);
      return;
    }
    keepScroll(clickedAt);
    history.pushState({}, "", url);
    if (!battle) scrollTo(0, 0);
  }

  function keepScroll(top = scrollY) {
    history.scrollRestoration = "manual"; // the browser would scroll before the answers are there
    history.replaceState({ ...history.state, scroll: Math.round(top) }, "");
  }

  function restoreScroll() {
    const top = history.state?.scroll;
    let left = top ? MOST_FRAMES : 0;
    const attempt = () => {
      if (left-- <= 0 || Math.abs(scrollY - top) < 2) return;
      scrollTo(0, top);
      requestAnimationFrame(attempt);
    };
    attempt();
  }

  /** On a Space the hub's page frames this one: give it the query, so that its reload brings the battle back. */
  function tellTheHub(url) {
    if (window.parent === window || framing() !== HUB) return;
    const query = new URLSearchParams(url.search);
    for (const name of [...query.keys()]) if (name.startsWith("__")) query.delete(name); // the hub's own
    window.parent.postMessage({ queryString: query.toString() }, HUB);
  }

  /** Return the origin of the page around this one; a message to another one would be an error in the console. */
  function framing() {
    if (location.ancestorOrigins?.length) return location.ancestorOrigins[0];
    return document.referrer ? new URL(document.referrer).origin : "";
  }

  document.addEventListener("battle", follow);
  document.addEventListener("click", () => (clickedAt = scrollY), true);
  window.addEventListener("popstate", () => (landing = inAddress(new URL(location.href)) !== known));
  window.addEventListener("pagehide", () => document.getElementById("status") && keepScroll());
})();
