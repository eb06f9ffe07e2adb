#!/usr/bin/env bash
# Makes the tables of docs/accuracy.md again. On any Debian 12, from any folder:
#   scripts/accuracy.sh install   as root: the programs, compilers and tracers; no server is started
#   scripts/accuracy.sh           as root, for the containers; takes packages for arm64 from the mirror
#   scripts/accuracy.sh record    the same, with the programs for arm64 traced anew before
# The truth for x86-64 was recorded once and stays; see docs/accuracy.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. .ci/lib.sh # sets CI: a tool that is missing fails the run instead of leaving a gap
doc=docs/accuracy.md
tables=$(mktemp -d)
tmp=$tables # for lib.sh
trap 'rm -rf "$tables"' EXIT

case "${1-}" in
install)
	install_packages "${witnesses[@]}" time
	exit
	;;
"" | record) ;;
*) die "usage: $0 [install|record]" ;;
esac
if [ "${1-}" = record ]; then
	PROFCHECK_RECORD=all go test -count=1 -v -run 'TestNativeRecord$' ./elfscan/witness | grep -v '^=== RUN'
fi
status=0
PROFCHECK_TABLES=$tables go test -count=1 -timeout 30m -run 'TestNative(Accuracy|AccuracyARM64|Floor|Enforce)$' ./elfscan/witness || status=$?
{
	echo "| measured | time | peak memory | allocated |"
	echo "|---|---|---|---|"
	go test -run '^$' -bench BenchmarkNative -benchtime "${RUNS:-5}x" -timeout 30m ./elfscan/witness | awk '
		/^Benchmark/ {
			sub(/^BenchmarkNative\//, "", $1); sub(/-[0-9]+$/, "", $1)
			ms = peak = alloc = ""
			for (i = 3; i < NF; i++) {
				if ($(i + 1) == "ns/op") ms = $i / 1e6
				if ($(i + 1) == "peakMB") peak = sprintf("%.0f MB", $i)
				if ($(i + 1) == "B/op" && $i > 1e6) alloc = sprintf("%.0f MB", $i / 1e6)
			}
			printf "| %s | %.0f ms | %s | %s |\n", $1, ms, peak, alloc
		}'
	echo
	sed -n 's/^model name[^:]*: /Processor: /p' /proc/cpuinfo | head -n 1 | tr -d '\n'
	echo ", $(nproc) cores; $(go env GOVERSION); $(date +%F)."
} >"$tables/time.md"
{
	echo "Debian $(cat /etc/debian_version), kernel $(uname -r | cut -d. -f1-2), $(qemu-aarch64-static --version | awk 'NR == 1 {print "qemu", $3}'), $(runc --version | head -n 1); $(date +%F)."
} >"$tables/machine.md"

# Each table stands between <!-- NAME --> and <!-- end -->.
awk -v dir="$tables" '
	/^<!-- end -->$/ {inside = 0}
	!inside {print}
	/^<!-- [a-z0-9]+ -->$/ && $2 != "end" {
		file = dir "/" $2 ".md"
		if ((getline line <file) > 0) {
			inside = 1
			do print line; while ((getline line <file) > 0)
			close(file)
		}
	}' "$doc" >"$tables/doc"
cp "$tables/doc" "$doc"
[ "$status" = 0 ] || echo "some tests failed: tables of those that did not finish are the old ones" >&2
exit "$status"
