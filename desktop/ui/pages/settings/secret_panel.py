"""A form of secrets: nobody is asked about half a password, and nothing of it is kept in a draft."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit

from desktop.ui.i18n import tr
from desktop.ui.widgets.basics import button, label
from desktop.ui.widgets.fields import Form
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

PASSWORD_HINT = "几个不相干的词连起来最好记；不要用姓名、生日、连号。"


class SecretPanel(PanelContent):
    """``form`` with a new secret typed twice (fields ``first`` and ``second``) and one act."""

    def __init__(self, workspace: Workspace, title: str, subtitle: str, act: str) -> None:
        super().__init__(title, subtitle)
        self.workspace = workspace
        self.form = Form(enter_submits=True)
        self.form.submitted.connect(self.save)
        self.rows.addWidget(self.form)
        self._act = act
        self.feet = (button(act, self.save, kind="primary"),)

    def add_secret(self, name: str, title: str, hint: str = "") -> QLineEdit:
        """A field whose text is not shown."""
        field = self.form.add_text(name, title, hint=hint)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        return field

    def add_new(self, word: str, hint: str = "") -> None:
        """The new secret, twice."""
        self.add_secret("first", tr("新{word} *", word=word), hint)
        self.add_secret("second", tr("再输一遍 *"))

    def note(self, text: str) -> None:
        """A paragraph under the form."""
        self.rows.addWidget(label(text, wrap=True))

    def new_secret(self, *others: str) -> str | None:
        """What was typed twice, None (and marked) while something is missing or differs."""
        if self.form.require(*others, "first", "second") and self.form.same("first", "second"):
            return self.form.text("first")
        return None

    def save(self) -> None:
        """Carry out the act; only where the form is full."""
