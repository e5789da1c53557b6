"""The part of the Operator page about answers to a file: choose a file and models, write, stop.

Boundary: asks `FileAnswers`; each event checks for itself whether its sender is the operator.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from string import Template

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.ui.http.operator import operator_status
from playground.ui.rendering import escape, live_region
from playground.ui.texts import file_answers as texts
from playground.ui.texts import formats
from playground.ui.texts.operator import NOT_YOURS
from playground.ui.wiring import AT_ONCE, Updates

TICK_S = 1.0
MOST_BYTES = 700_000
"""The largest file: the page's requests have at most 1,000,000 bytes, and base64 takes a third more."""
MOST_TROUBLES = 20
MOST_NAME_CHARS = 200
SAID = "answers-words"
"""Id of the live region."""

_CHOSEN = Template("""
element.addEventListener("change", async (event) => {
  const file = event.target.files?.[0];
  if (!file) return;
  const read = () => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,?/, ""));
    reader.readAsDataURL(file);
  });
  trigger("click", { name: file.name, size: file.size, data: file.size > $most ? "" : await read() });
  event.target.value = ""; // the same file can be chosen again after it was changed
});
""")


class AnswersPanel:
    """Components and handlers; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        label = escape(texts.FILE)
        with gr.Column(visible=False, elem_id="operator-answers") as self.box:
            head = f"<h2>{escape(texts.TITLE)}</h2><p class='soft'>{escape(texts.LEAD)}</p>"
            gr.HTML(head, apply_default_css=False)
            self.file = gr.HTML(
                f"<label>{label}<input type='file' accept='.jsonl,.json,.csv,.tsv,.parquet,.txt,text/plain'></label>",
                elem_id="answers-file",
                apply_default_css=False,
                js_on_load=_CHOSEN.substitute(most=MOST_BYTES),
            )
            self.models = gr.CheckboxGroup(label=texts.MODELS, elem_id="answers-models", elem_classes="chips")
            with gr.Row(elem_id="answers-acts"):
                self.write = gr.Button(texts.WRITE, size="sm", elem_id="answers-write", interactive=False)
                self.stop = gr.Button(texts.STOP, size="sm", elem_id="answers-stop", visible=False)
            self.said = gr.HTML(live_region(SAID, ""), apply_default_css=False)
            self.troubles = gr.HTML(elem_id="answers-troubles", apply_default_css=False)
        self.timer = gr.Timer(TICK_S, active=False)

    @property
    def outputs(self) -> list[gr.Blocks]:
        """Components that each event changes."""
        return [self.write, self.stop, self.said, self.troubles, self.timer]

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, after each press, and while answers are written."""
        demo.load(self.draw, None, [self.box, self.models, *self.outputs], **AT_ONCE)
        self.timer.tick(self.follow, None, self.outputs, **AT_ONCE)
        self.file.click(self.take, None, self.outputs, **AT_ONCE)
        self.write.click(self.begin, [self.models], self.outputs, **AT_ONCE)
        self.stop.click(self.end, None, self.outputs, **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the state for the operator; nothing for anybody else."""
        if not operator_status(request).is_operator:
            hidden = {self.box: gr.update(visible=False), self.models: gr.skip(), self.said: "", self.troubles: ""}
            return {**hidden, self.write: gr.skip(), self.stop: gr.skip(), self.timer: gr.skip()}
        cards = self._arena.models.line_up
        models = gr.update(choices=[(card.name, card.id) for card in cards], value=[card.id for card in cards])
        return {self.box: gr.update(visible=True), self.models: models, **self._draw()}

    def follow(self, request: gr.Request) -> Updates:
        """Draw the state while answers are written."""
        return self._managed(request, lambda: None)

    def take(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Read the file that was chosen."""
        return self._managed(request, lambda: self._arena.file_answers.take(*_read_file(event._data)))

    def begin(self, models: object, request: gr.Request) -> Updates:
        """Write the missing answers."""
        chosen = [one for one in models if isinstance(one, str)] if isinstance(models, list) else []
        return self._managed(request, lambda: self._arena.file_answers.begin(chosen))

    def end(self, request: gr.Request) -> Updates:
        """Stop after what is being written."""
        return self._managed(request, self._arena.file_answers.stop)

    def _managed(self, request: gr.Request, do: Callable[[], None]) -> Updates:
        """Do something for the operator, and draw the state or the error."""
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", NOT_YOURS)
            do()
        except PlaygroundError as error:
            unchanged = {part: gr.skip() for part in self.outputs}
            return {**unchanged, self.said: live_region(SAID, error.public, is_error=True)}
        return self._draw()

    def _draw(self) -> Updates:
        state = self._arena.file_answers.state
        lines = "".join(f"<li>{escape(line)}</li>" for line in texts.troubles(state, MOST_TROUBLES))
        return {
            self.write: gr.update(interactive=state.file is not None and not state.running),
            self.stop: gr.update(visible=state.running, interactive=not state.is_stopped),
            self.said: live_region(SAID, texts.state(state), is_error=bool(state.error)),
            self.troubles: f"<ul>{lines}</ul>" if lines else "",
            self.timer: gr.Timer(active=state.running),
        }


def _read_file(sent: object) -> tuple[str, bytes]:
    """Return the name and the bytes of a file that the page's script has sent.

    Raises:
        InvalidValue: there is none, or it is too large.
    """
    found = sent if isinstance(sent, dict) else {}
    name, size, data = found.get("name"), found.get("size"), found.get("data")
    if not isinstance(name, str) or not isinstance(data, str) or type(size) is not int:
        raise InvalidValue(texts.NOT_A_FILE)
    name = name[-MOST_NAME_CHARS:]
    if size > MOST_BYTES:
        raise InvalidValue(texts.TOO_LARGE.format(name=name, most=formats.size(MOST_BYTES)))
    try:
        return name, base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise InvalidValue(texts.NOT_A_FILE) from error
