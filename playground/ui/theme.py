"""The page's theme: Gradio's variables for light and dark, which `style.css` uses too.

Boundary: values only; no component.
"""

from __future__ import annotations

import gradio as gr

from playground.ui.colours import CARD, FIELD_LINE, FOCUS, FONT, INK, LINE, MONO, PAPER, QUIET, SOFT, WARN

_COLOURS = {
    PAPER: ("body_background_fill button_primary_text_color button_primary_text_color_hover"),
    CARD: (
        "background_fill_primary block_background_fill input_background_fill input_background_fill_focus "
        "checkbox_background_color checkbox_label_background_fill button_secondary_background_fill "
        "button_cancel_background_fill"
    ),
    QUIET: (
        "background_fill_secondary color_accent_soft code_background_fill "
        "checkbox_label_background_fill_hover checkbox_label_background_fill_selected "
        "button_secondary_background_fill_hover button_cancel_background_fill_hover"
    ),
    INK: (
        "body_text_color link_text_color link_text_color_hover link_text_color_active "
        "link_text_color_visited checkbox_background_color_selected checkbox_border_color_selected "
        "checkbox_label_text_color checkbox_label_text_color_selected button_primary_background_fill "
        "button_primary_background_fill_hover button_primary_border_color button_secondary_text_color "
        "button_secondary_text_color_hover"
    ),
    SOFT: (
        "body_text_color_subdued block_label_text_color block_title_text_color block_info_text_color "
        "input_placeholder_color"
    ),
    LINE: (
        "block_border_color border_color_primary border_color_accent input_border_color "
        "checkbox_label_border_color button_secondary_border_color"
    ),
    WARN: ("error_text_color button_cancel_text_color button_cancel_text_color_hover button_cancel_border_color"),
    FOCUS: ("input_border_color_focus"),
    FIELD_LINE: ("checkbox_border_color"),
}
"""Theme variables by colour."""
_SHAPES = {
    "*body_text_color": "color_accent",
    "0px": "block_border_width block_padding form_gap_width",
    "none": (
        "block_shadow button_transition button_primary_shadow button_secondary_shadow input_shadow "
        "input_shadow_focus checkbox_shadow"
    ),
    "transparent": "block_label_background_fill block_title_background_fill",
    "10px": "block_radius button_small_radius button_large_radius input_radius",
    "8px": "layout_gap",
    "1px": "button_border_width",
}
"""Theme variables by value, the same on light and dark."""


def page_theme() -> gr.themes.Base:
    """Return a theme with system fonts, quiet surfaces and one ink."""
    stone = gr.themes.colors.stone
    theme = gr.themes.Base(
        primary_hue=stone,
        secondary_hue=stone,
        neutral_hue=stone,
        radius_size=gr.themes.sizes.radius_md,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    theme.font, theme.font_mono = FONT, MONO
    values = {name: value for value, names in _SHAPES.items() for name in names.split()}
    for (light, dark), names in _COLOURS.items():
        for name in names.split():
            values[name], values[f"{name}_dark"] = light, dark
    return theme.set(**values)
