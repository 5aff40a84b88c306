"""Acts somebody may not do: the button stays, grey, and its tool tip says who may.

This is for the eye; the service refuses all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from desktop.access.actor import Act, permit
from desktop.errors import NotPermitted

if TYPE_CHECKING:
    from desktop.ui.workspace import Workspace

W = TypeVar("W", bound=QWidget | QAction)


class _StayGrey(QObject):
    """Takes back whatever enables the widget later: a row that was chosen, a field that is full."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.EnabledChange
            and isinstance(watched, QWidget)
            and watched.isEnabled()
        ):
            watched.setEnabled(False)
        return False


def gate(widget: W, workspace: Workspace, act: Act) -> W:
    """The same widget, grey for good unless the act is allowed."""
    why = refusal(workspace, act)
    if why:
        deny(widget, why)
    return widget


def refusal(workspace: Workspace, act: Act) -> str:
    """Why who is logged in may not do ``act``, in words; empty if he may."""
    try:
        permit(workspace.desk.actor, act)
    except NotPermitted as refused:
        return refused.message
    return ""


def deny(widget: QWidget | QAction, why: str) -> None:
    """Grey, with the reason as tool tip and for screen readers."""
    widget.setEnabled(False)
    widget.setToolTip(why)
    if isinstance(widget, QWidget):
        widget.setAccessibleDescription(why)
        widget.installEventFilter(_StayGrey(widget))
