#!/bin/sh
# Starts a Python process of the version of Plaza that CODE is now, and of no other: var/current may be switched to another
# release at any moment, so the link is followed once, here, and nothing is looked up through it later.
# usage: process.sh CODE [PYTHON-ARGUMENT...]
root=$(cd "$1" && pwd -P) || exit 1
venv=$(cd "$root/.venv" && pwd -P) || exit 1
shift
# The working folder also tells `plaza doctor` and `plaza deploy` which release a process is of.
cd "$root" || exit 1
# Supervisor has the PYTHONPATH of the release that it was started from, however long ago.
PYTHONPATH=$root exec "$venv/bin/python" -P "$@"
