"""`plaza COMMAND`: finds the command's file, loads that alone, and turns errors into one clear line."""

import sys

import click

from commands.console import Trouble, err
from commands.groups import Group
from commands.releases import hand_over
from settings import SettingsError

# Name, the module with its `command`, and what it is for; this text is what `plaza --help` shows without loading any.
COMMANDS = {
    "up": ("up", "Start everything, and prepare it where that was not done yet."),
    "down": ("down", "Stop everything; nothing is lost."),
    "restart": ("restart", "Restart one process after another; no request fails."),
    "deploy": ("deploy", "Bring in a new version, or go back to the one before; no request fails."),
    "status": ("status", "Show each process; status 0 only if all is well."),
    "logs": ("logs", "Show the logs, all or one."),
    "migrate": ("migrate", "Bring the tables of the database up to date."),
    "create-admin": ("create_admin", "Make an administrator, or make one of a member."),
    "reset-password": ("reset_password", "Give a member a new password."),
    "mail-test": ("mail_test", "Send a test mail, and tell what the mail server says."),
    "import": ("import_", "Bring in a folder of Markdown posts."),
    "export": ("export", "Write all posts as Markdown files, so that import makes them again."),
    "backup": ("backup", "Write the whole site into one file, while it serves."),
    "restore": ("restore", "Make the site of a backup, where there is none."),
    "reindex": ("reindex", "Read for search what it does not know."),
    "shell": ("shell", "Python with the models at hand."),
    "doctor": ("doctor", "Look for what is wrong, and say what to do about it."),
    "check": ("check", "Count again what is counted; status 0 when all agrees."),
    "cache": ("cache", "Look into the cache: how well, what, and whether it is true."),
    "bench": ("bench", "Measure pages beside two yardsticks."),
    "record": ("record", "Write down what the site is asked, without its secrets."),
    "replay": ("replay", "Ask a site what was recorded, measure it, and compare."),
    "prove": ("prove", "Prove that the cache never answers with old data."),
    "dev": ("dev", "One web process, restarted at each change of a source file."),
    "test": ("test", "Run ruff, mypy and pytest."),
}


@click.group(
    cls=Group, package="commands", table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)  # fmt: skip
def plaza() -> None:
    """Plaza, a community site that stays fast and truthful when a crowd arrives.

    State is in var/ beside this program, or in the folder that PLAZA_VAR names.
    """


def main() -> None:
    """Run the command that was asked for; wrong settings and full disks are one line each."""
    try:
        hand_over(sys.argv[1:])
        plaza(prog_name="plaza")
    except SettingsError as error:
        Trouble(str(error)).show()
        sys.exit(1)
    except OSError as error:
        Trouble(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")).show()
        sys.exit(1)
    except KeyboardInterrupt:
        err.print()
        sys.exit(130)


if __name__ == "__main__":
    main()
