#!/bin/sh
# Starts Nginx in the foreground. Workers outlive a master killed with -9 and keep the port, so they are asked to leave first.
# usage: nginx.sh PIDFILE NGINX [ARGUMENT...]
pidfile=$1
shift
old=$(cat "$pidfile" 2>/dev/null)
if [ -n "$old" ] && ! kill -0 "$old" 2>/dev/null; then
    # Supervisor gives each process a group of its own, so the workers of the dead master are the group of its number.
    kill -s QUIT -- "-$old" 2>/dev/null
fi
# A port goes with the last who held it, but a socket in the file system stays behind, and Nginx does not start over it.
rm -f "$(dirname "$pidfile")/edge.sock"
exec "$@"
