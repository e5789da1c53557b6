"""The look as Gradio's theme variables, light and dark; `style.css` does the rest with the same variables.

Boundary: values only; no component.
"""

from __future__ import annotations

import gradio as gr

FONT = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'

INK, PAPER = ("#1d1b18", "#eeeae4"), ("#fbfaf8", "#161513")
"""Each a colour on light and on dark."""
CARD, QUIET = ("#ffffff", "#1e1c1a"), ("#f4f1ec", "#262320")
SOFT, LINE = ("#66615b", "#a8a198"), ("#e4e0d9", "#34302c")
FIELD_LINE = ("#8d867d", "#7b746b")  # 3 : 1 against the card: the edge of what can be typed into
FOCUS, WARN = ("#2b5fd9", "#8fb0ff"), ("#a3331b", "#ff9f87")


def page_theme() -> gr.themes.Base:
    """System fonts, quiet surfaces, one ink."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.stone,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    theme.font, theme.font_mono = FONT, MONO
    pairs = {
        "body_background_fill": PAPER,
        "background_fill_primary": CARD,
        "background_fill_secondary": QUIET,
        "body_text_color": INK,
        "body_text_color_subdued": SOFT,
        "block_background_fill": CARD,
        "block_border_color": LINE,
        "block_label_text_color": SOFT,
        "block_title_text_color": SOFT,
        "block_info_text_color": SOFT,
        "border_color_primary": LINE,
        "border_color_accent": LINE,
        "color_accent_soft": QUIET,
        "link_text_color": INK,
        "link_text_color_hover": INK,
        "link_text_color_active": INK,
        "link_text_color_visited": INK,
        "code_background_fill": QUIET,
        "error_text_color": WARN,
        "input_background_fill": CARD,
        "input_background_fill_focus": CARD,
        "input_border_color": LINE,
        "input_border_color_focus": FOCUS,
        "input_placeholder_color": SOFT,
        "checkbox_background_color": CARD,
        "checkbox_border_color": FIELD_LINE,
        "checkbox_background_color_selected": INK,
        "checkbox_border_color_selected": INK,
        "checkbox_label_background_fill": CARD,
        "checkbox_label_background_fill_hover": QUIET,
        "checkbox_label_background_fill_selected": QUIET,
        "checkbox_label_border_color": LINE,
        "checkbox_label_text_color": INK,
        "checkbox_label_text_color_selected": INK,
        "button_primary_background_fill": INK,
        "button_primary_background_fill_hover": INK,
        "button_primary_text_color": PAPER,
        "button_primary_text_color_hover": PAPER,
        "button_primary_border_color": INK,
        "button_secondary_background_fill": CARD,
        "button_secondary_background_fill_hover": QUIET,
        "button_secondary_text_color": INK,
        "button_secondary_text_color_hover": INK,
        "button_secondary_border_color": LINE,
        "button_cancel_background_fill": CARD,
        "button_cancel_background_fill_hover": QUIET,
        "button_cancel_text_color": WARN,
        "button_cancel_text_color_hover": WARN,
        "button_cancel_border_color": WARN,
    }
    values: dict[str, str] = {}
    for name, (light, dark) in pairs.items():
        values[name], values[f"{name}_dark"] = light, dark
    return theme.set(
        **values,
        color_accent="*body_text_color",
        block_border_width="0px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_title_background_fill="transparent",
        block_padding="0px",
        block_radius="10px",
        layout_gap="8px",
        form_gap_width="0px",
        button_border_width="1px",
        button_transition="none",
        button_small_radius="10px",
        button_large_radius="10px",
        button_primary_shadow="none",
        button_secondary_shadow="none",
        input_shadow="none",
        input_shadow_focus="none",
        input_radius="10px",
        checkbox_shadow="none",
    )
