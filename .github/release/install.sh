#!/bin/sh
# Installs mainstay: finds the archive for this system, checks it, and puts the program in its place in one step.
#   sh install.sh [--version VERSION] [--to FOLDER] [--from PLACE] [--require-signature | --without-signature] [--dry-run]
# --to: /usr/local/bin for root, ~/.local/bin for everybody else. --from: an address or a folder that has the files of a
# release, instead of GitHub's. No archive is taken whose digest is not the one in SHA256SUMS, or whose signature is wrong.
# Where neither minisign nor OpenSSL 3 is there to check a signature, curl's https and the digest have to do, and that is said;
# what wget brought is refused then, unless --without-signature takes it as it is. --require-signature refuses it always.
# The last line calls everything: half of this file does nothing.
set -eu

# Both are written in when a release is made.
VERSION=''
PUBLIC_KEY=''
RELEASES=https://github.com/mainstay-dev/mainstay/releases/download

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf 'help: %s\n' "$2" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

main() {
    version=$VERSION to='' from='' required='' without='' dry_run='' fetched_by=''
    while [ $# -gt 0 ]; do
        case $1 in
            --version | --to | --from)
                [ $# -gt 1 ] || die "$1 needs a value"
                case $1 in
                    --version) version=${2#v} ;;
                    --to) to=$2 ;;
                    --from) from=${2%/} ;;
                esac
                shift
                ;;
            --require-signature) required=yes ;;
            --without-signature) without=yes ;;
            --dry-run) dry_run=yes ;;
            -h | --help) usage; exit 0 ;;
            *) usage >&2; die "there is no option $1" ;;
        esac
        shift
    done
    [ -z "$required" ] || [ -z "$without" ] || die '--require-signature and --without-signature exclude each other'
    [ -n "$version" ] || die 'no version is named' 'say which: --version 0.1.0; an installer from a release knows its own'
    case $version in
        *[!0-9A-Za-z.+-]*) die "$version is not a version" ;;
    esac
    from=${from:-$RELEASES/v$version}
    check_address
    target=$(target_of "$(uname -s)" "$(uname -m)") || exit 1
    archive=mainstay-$version-$target.tar.gz
    to=${to:-$(usual_folder)}
    case $to in
        /*) ;;
        *) to=$PWD/$to ;;
    esac

    if [ -n "$dry_run" ]; then
        say "would fetch $from/$archive, and check it by SHA256SUMS$([ -z "$PUBLIC_KEY" ] || echo ' and its signature')"
        say "would write $to/mainstay$(instead_of "$to/mainstay")"
        exit 0
    fi
    can_write "$to"
    work=$(mktemp -d)
    staged=''
    trap 'rm -rf "$work" ${staged:+"$staged"}' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    fetch SHA256SUMS
    fetch "$archive"
    check_digest
    check_signature
    tar -xzf "$work/$archive" -C "$work" || die "$archive can't be unpacked"
    program=$work/mainstay-$version-$target/mainstay
    [ -f "$program" ] || die "$archive holds no program"
    put_in_place
}

usage() {
    say 'usage: sh install.sh [--version VERSION] [--to FOLDER] [--from PLACE] [--require-signature | --without-signature] [--dry-run]'
    say '  --to     /usr/local/bin for root, ~/.local/bin for everybody else'
    say "  --from   an address or a folder that has the files of a release, instead of GitHub's"
    say '  --require-signature   nothing is taken whose signature was not checked'
    say '  --without-signature   where it can not be checked, what wget brought is taken as it is'
}

# target_of SYSTEM PROCESSOR, as uname says them.
target_of() {
    case $2 in
        x86_64 | amd64) processor=x86_64 ;;
        aarch64 | arm64) processor=aarch64 ;;
        *) die "there is no mainstay for the processor $2" 'there are builds for x86_64 and aarch64; others build it: cargo install mainstay' ;;
    esac
    case $1 in
        Linux) echo "$processor-unknown-linux-musl" ;;
        Darwin)
            # A translated shell is told that the processor is the older one.
            [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" != 1 ] || processor=aarch64
            echo "$processor-apple-darwin"
            ;;
        MINGW* | MSYS* | CYGWIN*) die 'this is Windows' 'install.ps1 installs mainstay there' ;;
        *) die "there is no mainstay for $1" 'there are builds for Linux, macOS and Windows' ;;
    esac
}

usual_folder() {
    if [ "$(id -u)" = 0 ]; then
        echo /usr/local/bin
    else
        echo "${HOME:?}/.local/bin"
    fi
}

instead_of() {
    if [ -e "$1" ]; then
        printf ' in place of %s' "$("$1" --version 2>/dev/null || echo 'what is there')"
    fi
}

can_write() {
    [ ! -d "$1/mainstay" ] || die "$1/mainstay is a folder" 'say where else the program is to be: --to FOLDER'
    # What is not there yet is made at the end, when there is something to put into it.
    there=$1
    while [ ! -e "$there" ]; do
        there=$(dirname "$there")
    done
    [ -d "$there" ] && [ -w "$there" ] ||
        die "$(id -un) may not write in $there" 'type it with sudo, or say where else: --to ~/.local/bin'
}

# What stands before an @ looks like the host, and is not: the true one comes after it.
check_address() {
    case $from in
        http://* | https://*)
            host=${from#*://}
            case ${host%%/*} in
                *@*) die "$from has an @ before its first /" 'name the address without an account' ;;
            esac
            ;;
    esac
}

# fetch NAME [may-lack]: one file of the release into the folder of work.
fetch() {
    case $from in
        https://* | http://localhost[:/]* | http://127.0.0.1[:/]* | "http://[::1]"[:/]*)
            if has curl; then
                fetched_by=curl
                # No answer leads from a safe way to one at which everybody listens; a server that falls silent is left.
                curl --fail --silent --show-error --location --proto "=${from%%:*}" --retry 3 --connect-timeout 20 \
                    --speed-limit 100 --speed-time 30 --output "$work/$1" "$from/$1" 2>"$work/said" && return 0
            elif has wget; then
                fetched_by=wget
                wget -q -T 30 -O "$work/$1" "$from/$1" 2>"$work/said" && return 0
            else
                die 'neither curl nor wget is installed' 'install one of them, or bring the files of the release and say --from FOLDER'
            fi
            rm -f "$work/$1"
            why=$(tail -n 1 "$work/said")
            ;;
        http://*) die "$from can be changed by everybody on the way" 'name an address with https://' ;;
        *)
            [ ! -e "$from/$1" ] || { cp "$from/$1" "$work/$1" && return 0; }
            why='there is no such file'
            ;;
    esac
    [ "${2:-}" != may-lack ] || return 1
    die "can't fetch $from/$1: ${why:-no answer}" "is there a release $version with a build for this system?"
}

digest() {
    if has sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif has shasum; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    elif has openssl; then
        openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
    else
        die 'nothing here can check a digest' 'install coreutils or openssl'
    fi
}

check_digest() {
    wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
    [ -n "$wanted" ] || die "SHA256SUMS of the release says nothing of $archive" 'nothing was installed'
    found=$(digest "$work/$archive") || exit 1
    [ "$wanted" = "$found" ] ||
        die "$archive is damaged: its sha256 is $found, and SHA256SUMS says $wanted" 'nothing was installed; fetch it again'
}

check_signature() {
    if [ -z "$PUBLIC_KEY" ]; then
        not_checked 'this installer knows no key of the makers' 'take install.sh from a release'
        return 0
    fi
    fetch "$archive.minisig" may-lack || die "$archive is not signed" 'nothing was installed'
    if has minisign; then
        minisign -Vm "$work/$archive" -x "$work/$archive.minisig" -P "$PUBLIC_KEY" >"$work/said" 2>&1 || wrong_signature
    elif has openssl && openssl pkeyutl -help 2>&1 | grep -q -e '-rawin' && has base64 &&
        openssl dgst -blake2b512 /dev/null >/dev/null 2>&1; then
        verify_with_openssl || wrong_signature
    else
        not_checked 'neither minisign nor OpenSSL 3 is here to check the signature' 'install minisign'
        return 0
    fi
    # The maker's own word on what was signed: another version under this name is not it.
    comment=$(sed -n 's/^trusted comment: //p' "$work/$archive.minisig")
    [ "$comment" = "name:mainstay version:$version" ] ||
        die "$archive is signed as something else: $comment" 'nothing was installed'
}

# not_checked WHY HELP: the digest comes from where the archive does, so it is worth what the way to there is. Some wgets check
# no certificate, and all may be led on to a way at which everybody listens.
not_checked() {
    [ -z "$required" ] || die "$1" "$2"
    case $fetched_by$without$from in
        wgethttps://*) die "$1, and wget alone does not show who sent it" "$2, or curl; or take it as it is: --without-signature" ;;
    esac
    warn "its signature was not checked: $1; its sha256 is that of SHA256SUMS from the same place"
}

wrong_signature() { die "$archive is not signed with the key of the makers" 'nothing was installed'; }

# Minisign's format: two letters, eight bytes that name the key, then an Ed25519 signature of the file's BLAKE2b digest; below it
# one of signature and comment together.
verify_with_openssl() {
    printf '%s' "$PUBLIC_KEY" | base64 -d >"$work/key" || return 1
    sed -n 2p "$work/$archive.minisig" | base64 -d >"$work/signature" || return 1
    sed -n 4p "$work/$archive.minisig" | base64 -d >"$work/whole" || return 1
    [ "$(head -c 2 "$work/signature")" = ED ] || return 1
    [ "$(tail -c +3 "$work/key" | head -c 8 | od -An -tx1)" = "$(tail -c +3 "$work/signature" | head -c 8 | od -An -tx1)" ] || return 1
    # What says "an Ed25519 key" before its bytes (RFC 8410).
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c +11 "$work/key"; } >"$work/key.der"
    tail -c +11 "$work/signature" >"$work/of-file"
    openssl dgst -blake2b512 -binary "$work/$archive" >"$work/digest" || return 1
    { cat "$work/of-file"; sed -n 's/^trusted comment: //p' "$work/$archive.minisig" | tr -d '\r\n'; } >"$work/with-comment"
    for pair in of-file:digest whole:with-comment; do
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
            -in "$work/${pair#*:}" -sigfile "$work/${pair%:*}" >/dev/null 2>&1 || return 1
    done
}

# In one step: whoever looks finds the program before, or this one. What runs goes on with its own file.
put_in_place() {
    mkdir -p "$to" || die "$to can't be made"
    staged=$(mktemp "$to/.mainstay-XXXXXX") || die "$to can't take the program" 'is its disk full?'
    cp "$program" "$staged" && chmod 755 "$staged" || die "$to can't take the program" 'is its disk full?'
    said=$("$staged" --version 2>&1) || die "the program does not run here: $said" 'nothing was installed'
    [ "$said" = "mainstay $version" ] || die "the archive holds another version: $said" 'nothing was installed'
    before=$(instead_of "$to/mainstay")
    mv -f "$staged" "$to/mainstay"
    staged=''
    say "installed $to/mainstay, $version$before"
    case :$PATH: in
        *:"$to":*)
            first=$(command -v mainstay || true)
            [ "$first" = "$to/mainstay" ] || [ -z "$first" ] || warn "note: $first comes before it in PATH"
            ;;
        *) warn "note: $to is not in PATH; in ~/.profile: PATH=\"$to:\$PATH\"" ;;
    esac
    say "\`mainstay demo\` shows what it does"
}

main "$@"
