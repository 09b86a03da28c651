"""The routes of the manage pages."""

from typing import Any

from handlers import (
    manage_audit,
    manage_boards,
    manage_cache,
    manage_comments,
    manage_editor,
    manage_files,
    manage_home,
    manage_mails,
    manage_posts,
    manage_revisions,
    manage_roles,
    manage_site,
    manage_typing,
    manage_users,
)
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/manage/", manage_home.Manage, "manage"),
    (r"/manage", manage_home.Manage, "manage_bare"),
    (r"/manage/blogs", manage_posts.ManageBlogs, "manage_blogs"),
    (r"/manage/blogs/create", manage_editor.CreatePost, "manage_create"),
    (r"/manage/blogs/edit", manage_editor.EditPost, "manage_edit"),
    (r"/manage/blogs/render", manage_typing.RenderText, "manage_render"),
    (r"/manage/blogs/autosave", manage_typing.KeepTyped, "manage_autosave"),
    (r"/manage/blogs/discard", manage_typing.ForgetTyped, "manage_discard"),
    (r"/manage/blogs/revisions", manage_revisions.RevisionsOfPost, "manage_revisions"),
    (r"/manage/blogs/revision", manage_revisions.OneRevision, "manage_revision"),
    (r"/manage/blogs/preview", manage_editor.PreviewPost, "manage_preview"),
    (rf"/manage/blogs/{ID}/(publish|unpublish|trash|restore)", manage_posts.ActOnPost, "manage_action"),
    (r"/manage/comments", manage_comments.ManageComments, "manage_comments"),
    (r"/manage/users", manage_users.ManageUsers, "manage_users"),
    (rf"/manage/users/{ID}", manage_users.ManageUser, "manage_user"),
    (rf"/manage/users/{ID}/roles", manage_users.SetRoles, "manage_user_roles"),
    (rf"/manage/users/{ID}/link", manage_users.HandOutLink, "manage_user_link"),
    (r"/manage/roles", manage_roles.ManageRoles, "manage_roles"),
    (rf"/manage/roles/{ID}", manage_roles.ManageRole, "manage_role"),
    (rf"/manage/roles/{ID}/delete", manage_roles.DeleteRole, "manage_role_delete"),
    (r"/manage/site", manage_site.ManageSite, "manage_site"),
    (r"/manage/mails", manage_mails.ManageMails, "manage_mails"),
    (r"/manage/boards", manage_boards.ManageBoards, "manage_boards"),
    (r"/manage/boards/create", manage_boards.CreateBoard, "manage_board_create"),
    (rf"/manage/boards/{ID}", manage_boards.ManageBoard, "manage_board"),
    (rf"/manage/boards/{ID}/scores", manage_boards.ManageScores, "manage_scores"),
    (r"/manage/files", manage_files.ManageFiles, "manage_files"),
    (r"/manage/cache", manage_cache.ManageCache, "manage_cache"),
    (r"/manage/cache/drop", manage_cache.DropFromCache, "manage_cache_drop"),
    (r"/manage/audit", manage_audit.ManageAudit, "manage_audit"),
    (r"/manage/audit\.csv", manage_audit.AuditCsv, "manage_audit_csv"),
)
