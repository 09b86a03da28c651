"""The routes of accounts: in, out, what is one's own, and the links of mails."""

from typing import Any

from handlers import account, account_mail, account_tokens, proofs
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/register", account.Register, "register"),
    (r"/signin", account.SignIn, "signin"),
    (r"/signout", account.SignOut, "signout"),
    (r"/account", account.Account, "account"),
    (r"/account/name", account.ChangeName, "account_name"),
    (r"/account/password", account.ChangePassword, "account_password"),
    (r"/account/address", account_mail.ChangeAddress, "account_address"),
    (r"/account/address/confirm", account_mail.AskToConfirm, "account_confirm"),
    (r"/account/notices", account_mail.ChooseNotices, "account_notices"),
    (r"/account/sessions/revoke", account.RevokeSessions, "sessions_revoke_all"),
    (rf"/account/sessions/{ID}/revoke", account.RevokeSession, "session_revoke"),
    (r"/account/tokens", account_tokens.CreateToken, "tokens"),
    (rf"/account/tokens/{ID}/revoke", account_tokens.RevokeToken, "token_revoke"),
    (r"/forgot", proofs.Forgot, "forgot"),
    (r"/reset", proofs.Reset, "reset"),
    (r"/confirm", proofs.Confirm, "confirm"),
    (r"/unsubscribe/([0-9a-f-]{1,60})", proofs.Unsubscribe, "unsubscribe"),
)
