// "Votes saved" stands on no page of a tab that has chosen "do not store" on Compare, where the box itself decides (style.css).
// What is rated on Rate is saved.
(() => {
  "use strict";
  const isRate = /\/rate\/?$/.test(location.pathname);
  const chosen = window.playground.tab.read("draft")?.values?.forget === true;
  document.documentElement.toggleAttribute("data-forget", chosen && !isRate);
})();
