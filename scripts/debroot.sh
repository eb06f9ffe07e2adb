#!/usr/bin/env bash
# Unpacks Debian packages with everything that they depend on into a folder, to be read or run from
# there: scripts/debroot.sh ARCHITECTURE FOLDER PACKAGE...
# The packages come from the mirrors of Debian that this machine's apt has, through apt with a state
# of its own in the folder: nothing is installed, no script of a package runs, and neither root nor
# dpkg's foreign architectures are needed. A folder that is complete is left as it is; FOLDER/root is
# the root, FOLDER/packages lists names and versions.
set -euo pipefail

[ $# -ge 3 ] || {
	echo "usage: $0 ARCHITECTURE FOLDER PACKAGE..." >&2
	exit 2
}
arch=$1
dir=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
wanted="$arch $*"

exec 9>"$dir/lock"
flock 9 # another run may be at it
[ "$(cat "$dir/wanted" 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf "$dir/wanted" "$dir/root" "$dir/apt"
mkdir -p "$dir/root" "$dir/apt/lists/partial" "$dir/apt/archives/partial" "$dir/apt/empty"

# sources prints the mirrors of Debian itself that apt is configured with; others may lack the
# architecture.
sources() {
	apt-get indextargets --format '$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
		awk '$1 == "Debian" && $NF == "Packages" {print "deb", $2, $3, $4}' | sort -u
}
[ -n "$(sources)" ] || {
	echo "apt knows no mirror of Debian; apt-get update must have run once" >&2
	exit 1
}
sources >"$dir/apt/sources.list"
: >"$dir/apt/status"

apt() {
	apt-get -qq -o Dir::Etc::sourcelist="$dir/apt/sources.list" -o Dir::Etc::sourceparts="$dir/apt/empty" \
		-o Dir::Etc::preferencesparts="$dir/apt/empty" -o Dir::Etc::preferences=/dev/null \
		-o Dir::State="$dir/apt" -o Dir::State::lists="$dir/apt/lists" -o Dir::State::status="$dir/apt/status" \
		-o Dir::State::extended_states="$dir/apt/extended_states" -o Dir::Cache="$dir/apt" \
		-o Dir::Cache::archives="$dir/apt/archives" -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}
apt update
apt install --yes --no-install-recommends --download-only "$@"
# Debian's systems have /bin and the like as links into /usr; its packages of today do not ship them.
for sub in bin sbin lib; do
	mkdir -p "$dir/root/usr/$sub"
	ln -s "usr/$sub" "$dir/root/$sub"
done
[ "$arch" != amd64 ] || {
	mkdir "$dir/root/usr/lib64"
	ln -s usr/lib64 "$dir/root/lib64"
}
for deb in "$dir"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$dir/root"
done
for deb in "$dir"/apt/archives/*.deb; do
	dpkg-deb --showformat '${Package} ${Version}\n' --show "$deb"
done >"$dir/packages"
rm -rf "$dir/apt"
printf '%s' "$wanted" >"$dir/wanted"
