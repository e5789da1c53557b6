// The language of the document, which the server states. Gradio replaces it by the browser's, whatever the words are in.
//
// Boundary: the attribute of the root element; translates nothing.
(() => {
  "use strict";
  const root = document.documentElement;
  const restore = () => {
    if (root.lang !== root.dataset.language) root.lang = root.dataset.language;
  };
  restore();
  new MutationObserver(restore).observe(root, { attributes: true, attributeFilter: ["lang"] });
})();
