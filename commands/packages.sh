#!/bin/sh
# Finds which system packages are missing and installs them with apt; starts no service and leaves none enabled.
# usage: packages.sh [python] [mysql] [redis] [nginx] [wrk] [tests] ...
set -u

has() { PATH="$PATH:/usr/sbin:/sbin:/usr/libexec" command -v "$1" >/dev/null 2>&1; }

good_python() {  # Python 3.11 or newer that can make a virtual environment
    for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
    done
    return 1
}

missing=""
for part in "$@"; do
    case $part in
    python) good_python || missing="$missing python3 python3-venv" ;;
    # The packages with the binaries alone: they bring no service and no /var/lib/mysql. The script that makes a data
    # directory is in the one, and my_print_defaults, which it calls, in the other.
    mysql)
        if ! has mariadbd && ! has mysqld; then
            missing="$missing mariadb-server-core mariadb-client-core"
        elif has mariadb-install-db && ! has my_print_defaults; then
            missing="$missing mariadb-client-core"
        fi
        ;;
    redis) has redis-server || missing="$missing redis-server" ;;
    nginx) has nginx || missing="$missing nginx" ;;
    wrk) has wrk || missing="$missing wrk" ;;
    tests)
        has chromium || has chromium-browser || missing="$missing chromium"
        # Screenshots of Chinese posts need Chinese letters, and Latin ones should look the same everywhere.
        ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
        has sshd || missing="$missing openssh-server"  # the tests of deploy/fabfile.py run one of their own
        has systemd-analyze || missing="$missing systemd"
        ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf >/dev/null 2>&1 || missing="$missing fonts-dejavu-core"
        ;;
    esac
done
[ -n "$missing" ] || exit 0

root=""
[ "$(id -u)" = 0 ] || root=sudo
line="${root:+sudo }apt-get install -y --no-install-recommends$missing"
if ! has apt-get || { [ -n "$root" ] && ! { has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }; then
    printf 'Plaza needs packages that are not installed. As an administrator, run:\n\n    %s\n\n' \
        "apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

printf 'Installing with apt:%s\n' "$missing" >&2
log=$(mktemp) || exit 1
# Debian asks policy-rc.d before it starts a service; 101 means "not allowed". What was there before is put back.
# shellcheck disable=SC2016
$root sh -c '
    policy=/usr/sbin/policy-rc.d
    kept=
    if [ -e $policy ]; then kept=$(mktemp $policy.XXXXXX) && mv $policy "$kept"; fi
    restore() { rm -f $policy; [ -z "$kept" ] || mv "$kept" $policy; }
    trap restore EXIT
    trap "exit 1" INT TERM HUP
    printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
    wait="-o DPkg::Lock::Timeout=300"
    export DEBIAN_FRONTEND=noninteractive
    apt-get $wait install -y -q --no-install-recommends "$@" ||
        { apt-get $wait update -q && apt-get $wait install -y -q --no-install-recommends "$@"; } || exit 1
    # Nor shall they start at the next boot: only what came just now is switched off.
    for package in "$@"; do
        case $package in redis-server | nginx) systemctl disable "$package.service" >/dev/null 2>&1 ;;
        openssh-server) systemctl disable ssh.service >/dev/null 2>&1 ;; esac
    done
    exit 0
' packages $missing </dev/null >"$log" 2>&1
status=$?
if [ "$status" != 0 ]; then
    tail -n 5 "$log" >&2
    printf '\nThe installation failed; the whole output is in %s. The line was:\n\n    %s\n\n' "$log" "$line" >&2
    exit 1
fi
rm -f "$log"
