"""Nginx on a machine that has nothing else of Plaza running: `python -P -m commands.front` renders what it reads, and becomes it.

`upstreams` names the web processes that it asks. deploy/compose.yaml starts its Nginx so.
"""

import os
import sys

from commands import nginx
from commands.console import Trouble
from commands.places import make_folders
from settings import SettingsError, load


def main() -> None:
    settings = load()
    make_folders(settings)
    nginx.render_files(settings)
    # By the script that Supervisor uses, too: it clears away what an Nginx before it has left.
    command = ["/bin/sh", f"{settings.var}/etc/nginx.sh", f"{settings.run}/nginx.pid", *nginx.command(settings)]
    os.execv(command[0], command)  # noqa: S606 - a program of ours, from a list


if __name__ == "__main__":
    try:
        main()
    except (Trouble, SettingsError) as error:
        sys.exit(f"plaza: {error}")
