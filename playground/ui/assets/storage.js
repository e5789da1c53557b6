// Values that the page keeps in the browser: for one tab, or for all tabs; in memory where the browser keeps nothing.
//
// Nothing of an undecided battle is kept but its id, a vote that waits for the server, and what the rater types.
(() => {
  "use strict";
  const PREFIX = `playground ${location.pathname.replace(/[^/]*$/, "")} `; // several may share one host

  /** Return a shelf over `sessionStorage` or `localStorage`; reading either may be forbidden. */
  function shelf(area) {
    const memory = new Map();
    const stored = (act) => {
      try {
        return act(window[area]);
      } catch {
        return null; // forbidden, full, or changed by hand
      }
    };
    return Object.freeze({
      read: (key) => stored((kept) => JSON.parse(kept.getItem(PREFIX + key))) ?? memory.get(key) ?? null,
      write(key, value) {
        memory.set(key, value);
        stored((kept) => kept.setItem(PREFIX + key, JSON.stringify(value)));
      },
      drop(key) {
        memory.delete(key);
        stored((kept) => kept.removeItem(PREFIX + key));
      },
      keys() {
        const found = stored((kept) => Object.keys(kept).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length)));
        return [...new Set([...memory.keys(), ...(found || [])])];
      },
    });
  }

  window.playground = { tab: shelf("sessionStorage"), browser: shelf("localStorage") };
})();
