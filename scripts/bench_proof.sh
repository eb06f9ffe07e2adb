#!/bin/sh
# Measures the commands that prove something about whole filters, as processes with their start, and
# one evaluation of Docker's filter beside golang.org/x/net/bpf: scripts/bench_proof.sh [RUNS]
# The figures in docs/benchmarks.md come from here.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-20}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -o "$tmp/profcheck" ./cmd/profcheck
sed 's/"mkdir",//; s/"reboot"/"vhangup"/' profile/builtin/docker-default.json > "$tmp/new.json"
cp profile/builtin/docker-default.json "$tmp/old.json"

# mean COMMAND...: wall time of a process in the mean of the runs, after one that is not counted.
# The exit code is not looked at: a diff that loosens has 1.
mean() {
	"$tmp/profcheck" "$@" > /dev/null 2>&1 || true
	start=$(date +%s%N)
	i=0
	while [ "$i" -lt "$runs" ]; do
		"$tmp/profcheck" "$@" > /dev/null 2>&1 || true
		i=$((i + 1))
	done
	end=$(date +%s%N)
	echo "$(((end - start) / runs / 1000)) us  profcheck $*" | sed "s|$tmp/||g"
}

echo "processors: $(nproc)"
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
go version
mean version
mean simulate docker-default socket 40
mean table docker-default --arch x86_64
mean table docker-default --arch all
mean diff "$tmp/old.json" "$tmp/new.json" --arch x86_64
mean diff "$tmp/old.json" "$tmp/new.json" --arch all
mean diff docker-default docker-default --new-target crun --arch all
mean compile docker-default --as hex
mean verify docker-default
shared=${PROFCHECK_SHARED:-../shared}
if [ -d "$shared/vectors/moby" ]; then
	mean table "$shared/vectors/moby/moby-amd64-dockerdefault-opt2.bpf" --arch x86_64
	mean diff --equal "$shared/vectors/moby/moby-amd64-dockerdefault-opt2.bpf" "$shared/vectors/moby/moby-amd64-nocaps-opt2.bpf"
fi
go test -run '^$' -bench Proof ./internal/cli
go test -run '^$' -bench . ./simulate
