#!/bin/sh
# Installs Debian packages, and only what is missing: with the argument `demo` what a performance needs, else what the
# tests need as well. It touches nothing else.
set -eu

if [ "${1:-}" = demo ]; then
    packages="libportaudio2"
    # Debian leaves out of python3 what makes virtual environments.
    "${PYTHON:-python3}" -m ensurepip --version >/dev/null 2>&1 || packages="python3-venv $packages"
    lost="a virtual environment may not be made, and the built-in synth stays silent"
else
    packages="jackd2 jack-tools jack-capture jack-midi-clock libportaudio2 fluidsynth fluid-soundfont-gm ardour"
    lost="the tests on JACK and with Ardour are skipped"
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "system-packages: this is no Debian; install what answers to: $packages" >&2
    echo "system-packages: without them, $lost" >&2
    exit 0
fi

missing=""
for package in $packages; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && { sudo --non-interactive true 2>/dev/null || [ -t 0 ]; }; then
    as_root="sudo"
else
    echo "system-packages: missing:$missing" >&2
    echo "system-packages: run as root: apt-get install --no-install-recommends$missing" >&2
    [ "${CI:-}" = true ] && exit 1
    echo "system-packages: going on; $lost" >&2
    exit 0
fi

echo "system-packages: installing$missing"
# jackd2 asks about real-time priority unless told not to.
# shellcheck disable=SC2086 # one word per package is meant
if ! { $as_root apt-get update --quiet --quiet && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --quiet --no-install-recommends $missing </dev/null; }; then
    [ "${CI:-}" = true ] && exit 1
    echo "system-packages: that failed; going on; $lost" >&2
fi
