# scripts/packages.sh -- the Debian packages that each job needs, and how they come in.
#
# To be read by a POSIX shell: `. scripts/packages.sh`, then `packages_install NAME...`.
# This is the one list of packages.  'a|b' means that either will do; the first is
# what gets installed.

# To build the library and the program, and to run the tests.
packages_build='
    gcc libc6-dev meson ninja-build pkg-config|pkgconf
    zlib1g-dev libcurl4-openssl-dev|libcurl4-gnutls-dev libmd-dev libyaml-dev libjansson-dev
    libsqlite3-dev libcmocka-dev'

# For scripts/demo: its data.
packages_demo='dataset-fashion-mnist'

# For .ci/run: the tests that are skipped without them, and the second compiler.
packages_ci='g++ clang clang-format libclang-rt-14-dev llvm util-linux'

packages_has() { # packages_has PACKAGE
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

packages_missing() { # packages_missing NAME...: those of the list that are not installed
    for packages_row in "$@"; do
        packages_found=
        for packages_one in $(echo "$packages_row" | tr '|' ' '); do
            if packages_has "$packages_one"; then packages_found=yes; fi
        done
        [ "$packages_found" ] || echo "${packages_row%%|*}"
    done
}

packages_apt() { # packages_apt ARGUMENT...: apt-get with the right to install
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    elif [ -t 0 ]; then
        sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@"
    fi
}

# Says what is missing, installs it, and fails with what to do where it cannot.
packages_install() { # packages_install NAME...
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "This is not Debian; going on with what is installed.  Needed are: $*" >&2
        return 0
    fi
    packages_list=$(packages_missing "$@" | tr '\n' ' ')
    packages_list=${packages_list% }
    [ "$packages_list" ] || return 0
    echo "These Debian packages are missing and will be installed: $packages_list"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
        echo "Installing needs root, and there is no sudo here.  As root, run:" >&2
        echo "    apt-get install $packages_list" >&2
        return 1
    fi
    packages_log=$(mktemp)
    # A list that cannot be brought up to date need not be one that matters here.
    packages_apt update -qq >"$packages_log" 2>&1 || true
    # shellcheck disable=SC2086
    if packages_apt install -y --no-install-recommends $packages_list >>"$packages_log" 2>&1; then
        rm -f "$packages_log"
        echo "They are installed."
        return 0
    fi
    tail -n 20 "$packages_log" >&2
    rm -f "$packages_log"
    echo "The packages could not be installed.  As root, run:" >&2
    echo "    apt-get update && apt-get install $packages_list" >&2
    return 1
}
