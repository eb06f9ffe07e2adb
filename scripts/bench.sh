#!/bin/sh
# Measures the scan and the command on hello, a net/http server and caddy, side by side with
# objdump -d and elastic's seccomp-profiler on the same files, and on Debian's redis-server with all
# its libraries: scripts/bench.sh [RUNS]
# Needs GNU time, objdump and the module proxy; the figures in docs/benchmarks.md come from here.
set -eu
cd "$(dirname "$0")/.."
echo "processors: $(nproc)"
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
go version
export CI=1 # a tool that is missing fails the run instead of leaving a gap
exec go test -run '^$' -bench 'BenchmarkScan|BenchmarkCommand|BenchmarkNative' -benchtime "${1:-5}x" -timeout 30m ./elfscan/witness
