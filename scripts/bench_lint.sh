#!/bin/sh
# Measures lint: one profile, one profile for all targets and architectures, and a thousand files:
# scripts/bench_lint.sh [RUNS]
# A thousand files are the built-ins as convert writes them, each with another rule, so that no two are the
# same: as large as profiles get. Where the shared folder is, another thousand are the public profiles of
# it in turn. Needs GNU time. The figures in docs/benchmarks.md come from here.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-10}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -o "$dir/profcheck" ./cmd/profcheck
echo "processors: $(nproc)"
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
go version
uptime

# measure NAME COMMAND...: the mean time of the runs and the largest resident set.
measure() {
	name=$1
	shift
	i=0
	: >"$dir/times"
	while [ "$i" -lt "$runs" ]; do
		# Findings make exit code 1, which is none of our business.
		/usr/bin/time -a -o "$dir/times" -f '%e %M' "$@" >/dev/null 2>"$dir/stderr" || [ $? -le 1 ]
		i=$((i + 1))
	done
	grep -v status "$dir/times" | awk -v name="$name" '{s += $1; if ($2 > m) m = $2} END {printf "%-45s %.0f ms, %.0f MB\n", name, 1000 * s / NR, m / 1024}'
}

all=docker,podman,crio,containerd,spo,runc,crun,kernel
measure "lint docker-default" "$dir/profcheck" lint docker-default
for p in docker-default podman-default; do
	measure "lint $p, 8 targets, all architectures" "$dir/profcheck" lint "$p" --target "$all" --arch all
done
mkdir "$dir/many"
"$dir/profcheck" convert docker-default --to docker -o "$dir/base.json" 2>/dev/null
"$dir/profcheck" convert podman-default --to podman -o "$dir/base2.json" 2>/dev/null
i=0
while [ "$i" -lt 1000 ]; do
	base=$dir/base.json
	[ $((i % 2)) = 0 ] || base=$dir/base2.json
	sed "0,/\"syscalls\": \[/s//\"syscalls\": [{\"names\": [\"mknod\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 2, \"value\": $i, \"op\": \"SCMP_CMP_EQ\"}]},/" "$base" >"$dir/many/p$i.json"
	i=$((i + 1))
done
runs=3
measure "lint of 1,000 files as large as built-ins" "$dir/profcheck" lint "$dir/many"
shared=${PROFCHECK_SHARED:-../shared}/corpora/profiles
[ -d "$shared" ] || exit 0
mkdir "$dir/public"
i=0
while [ "$i" -lt 1000 ]; do
	for f in "$shared"/moby/*.json "$shared"/oci/*.json "$shared"/containers-common/*.json; do
		[ "$i" -lt 1000 ] || break
		cp "$f" "$dir/public/p$i.json"
		i=$((i + 1))
	done
done
echo "$(du -sk "$dir/public" | cut -f 1) kB of public profiles"
# Some of them are refused, which is exit code 3.
measure "lint of 1,000 public profiles" sh -c '"$@"; [ $? -le 3 ]' sh "$dir/profcheck" lint "$dir/public"
