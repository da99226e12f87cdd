"""What the register of documents shares with other pages: the formats that are issued, and who sees which entry."""

from __future__ import annotations

from django.db.models import Q

from lzgis.web.models import Role, User

#: Formats in which a document is issued.
ISSUED = ("docx", "pdf")


def visible(user: User) -> Q:
    """Return the condition of entries that a user may see: own ones and those of the department, all for administrators."""
    if user.may(Role.ADMINISTRATOR):
        return Q()
    own = Q(issued_by=user.username)
    return own | Q(department=user.department) if user.department else own
