"""What was typed and not yet saved, kept outside every widget while the window is locked.

A draft is plain Python: what to make again and the values of its fields. It is never written to
the disk, dies with the program, and holds no password: those are typed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from desktop.ui.actions import PageName

if TYPE_CHECKING:
    from desktop.ui.pages.base import Page
    from desktop.ui.widgets.panel import PanelContent

Typed = Mapping[str, Any]
"""Values by field name, as :meth:`desktop.ui.widgets.fields.Form.typed` gives them."""
MakeAgain = Callable[["Page"], "PanelContent"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsaved edits of one page: in its panel (``make`` builds that anew), on the page, or both."""

    page: PageName
    make: MakeAgain | None
    in_panel: Typed
    on_page: Typed


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user was: page, month, and what :meth:`Page.open_target` needs to be there again."""

    page: PageName
    month: str
    target: Mapping[str, Any] = field(default_factory=dict)
    drafts: tuple[Draft, ...] = ()
