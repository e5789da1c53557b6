"""Texts of the forms in front of the pages: the operator's token, a private playground's password.

Boundary: words; no markup.
"""

from __future__ import annotations

from playground.ui.texts.language import _

OPERATOR_TITLE = _("Operator")
OPERATOR_LEAD = _(
    "The operator loads models, reviews reports and has no limits. Open the link that the terminal printed when this "
    "playground started, or type its token here."
)
OPERATOR_LEAD_SET = _(
    "The operator loads models, reviews reports and has no limits. The token is that of PLAYGROUND_OPERATOR_TOKEN."
)
OPERATOR_LABEL = _("Token")
OPERATOR_BUTTON = _("Become the operator")
OPERATOR_WRONG = _(
    "This is not the operator's token. A new one is made at each start, unless PLAYGROUND_OPERATOR_TOKEN is set."
)
OPERATOR_TOO_OFTEN = _("Too many wrong tokens came from your address. Try again in {wait} s.")
OPERATOR_HUB = _("Sign in with Hugging Face")
OPERATOR_IS_ELSE = _(
    "You are signed in to Hugging Face as {name}, who is not an operator of this playground. PLAYGROUND_OPERATORS "
    "names the operators."
)
OPERATOR_IS_AUTHOR = _(
    "You are signed in to Hugging Face as {name}. The operator of this playground is the Space's author, {author}. If "
    "{author} is an organisation, set PLAYGROUND_OPERATORS to the user names of its operators."
)
OPERATOR_BACK = _("Models")
OPERATOR_PRINTED = _(
    "* To load models and review reports, open this link (anyone who has it becomes the operator): {url}"
)
OPERATOR_PRINTED_SET = _(
    "* To load models and review reports, open {url} and enter the token of PLAYGROUND_OPERATOR_TOKEN"
)

PASSWORD_TITLE = _("This playground is private")
PASSWORD_LEAD = _("Enter its password to go on.")
PASSWORD_LABEL = _("Password")
PASSWORD_BUTTON = _("Go on")
PASSWORD_WRONG = _("This is not the password of this playground.")
PASSWORD_TOO_OFTEN = _("Too many wrong passwords came from your address. Try again in {wait} s.")
PASSWORD_WANTED = _(
    "This playground is private: send its password as HTTP Basic, with any user name; in a browser, open the start "
    "page."
)
PASSWORD_FRAMED = _("Inside another site's frame your browser keeps no cookie of this playground.")
PASSWORD_FRAMED_LINK = _("Open it in a tab of its own")
