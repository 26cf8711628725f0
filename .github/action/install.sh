#!/bin/sh
# Installs a released rehearse: install.sh VERSION FOLDER. The archive of this machine's
# platform is taken only where it is the one that the release's checksums tell of.
set -eu
version=${1:?the version to install, as v1.2.3}
into=${2:?the folder to install into}
releases=${REHEARSE_RELEASES:-https://github.com/rehearse-dev/rehearse/releases/download}

case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) echo "no release for $(uname -s): build it with Go" >&2 && exit 1 ;;
esac
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*) echo "no release for $(uname -m): build it with Go" >&2 && exit 1 ;;
esac

archive=rehearse_${version#v}_${os}_${arch}.tar.gz
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
for file in "$archive" checksums.txt; do
	curl --fail --silent --show-error --location --max-time 120 --output "$file" "$releases/$version/$file"
done
grep " $archive\$" checksums.txt >expected || {
	echo "checksums.txt of $version does not tell of $archive" >&2
	exit 1
}
if command -v sha256sum >/dev/null; then sha256sum -c expected; else shasum -a 256 -c expected; fi
tar -xzf "$archive" rehearse
mkdir -p "$into"
install -m 0755 rehearse "$into/rehearse"
