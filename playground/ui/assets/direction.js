// The direction of text: fields and blocks of answers take it from their first letter.
//
// Gradio writes dir="ltr" to its fields and none to the blocks of Markdown, and has no argument for it.
(() => {
  "use strict";
  const FIELDS = "textarea, input[type=text], input:not([type])";
  const BLOCKS = ".answer .md > *";

  function mark() {
    for (const element of document.querySelectorAll(`:is(${FIELDS}, ${BLOCKS}):not([dir=auto])`)) element.dir = "auto";
  }

  let waiting = 0; // once a frame, before it is painted
  const look = () => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      mark();
    });
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["dir"] });
  look();
})();
