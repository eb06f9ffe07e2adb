# What .ci/run and .ci/witness share; read by them, not run. It expects steps and allowed_skips.
exec </dev/null
export CI=true

# What the tests call: tracing, containers, disassembly, other processors, libseccomp itself, and
# the C compiler for it and for the race detector, and machines for kernels of other architectures.
witnesses=(ca-certificates strace runc gcc libc6-dev libseccomp-dev binutils
	binutils-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static crun
	qemu-system-misc qemu-system-arm)

# What reads the files for pipelines: the runner of hooks, formatters of manual pages, shells.
witnesses+=(pre-commit git mandoc groff zsh fish)

# What lists the groups of SystemCallFilter=.
witnesses+=(systemd)

# What elfscan/witness has traces of, and compilers for programs that do nothing.
witnesses+=(apache2-utils bash bsdutils busybox-static coreutils curl dash fd-find git gzip haproxy
	jq libnginx-mod-http-echo libnss-systemd lighttpd memcached nginx-light openssh-client python3
	redis-server redis-tools ripgrep rsync socat sqlite3 stress-ng tar
	g++ gcc-aarch64-linux-gnu musl-tools)

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# install_packages installs the Debian packages that are missing.
install_packages() {
	local p missing=()
	command -v dpkg-query >/dev/null || die "no Debian: install what these packages hold, then run the other steps: $*"
	for p; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
	done
	if [ ${#missing[@]} = 0 ]; then
		echo "nothing is missing"
		return
	fi
	[ "$(id -u)" = 0 ] || die "not root; install: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	retry apt-get -qq update
	# Servers are installed to be read: policy-rc.d keeps their packages from starting them.
	local policy=/usr/sbin/policy-rc.d status=0
	if [ -e "$policy" ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	retry apt-get -qq install -y --no-install-recommends "${missing[@]}" >"$tmp/apt.log" 2>&1 || status=$?
	[ -z "$policy" ] || rm -f "$policy"
	[ "$status" = 0 ] || {
		cat "$tmp/apt.log"
		return 1
	}
	echo "installed: ${missing[*]}"
}

# retry runs a command up to three times.
retry() {
	local i
	for i in 1 2 3; do
		"$@" && return
		sleep $((i * 5))
	done
	return 1
}

# all_tests runs all tests, within a time, and prints the closing line of each package, what failed,
# and what was skipped.
all_tests() {
	local status=0
	go test -v -count=1 -timeout "$1" ./... >"$tmp/tests.log" 2>&1 || status=$?
	awk -f .ci/tests.awk -v skips="$tmp/skips" "$tmp/tests.log"
	judge_skips "$tmp/skips" || status=1
	return "$status"
}

# judge_skips prints the skipped tests in a file of "PACKAGE TEST<tab>REASON" and fails if one is
# not allowed.
judge_skips() {
	local name reason allowed bad=0
	if [ ! -s "$1" ]; then
		echo "skipped: none"
		return
	fi
	echo "skipped:"
	while IFS=$'\t' read -r name reason; do
		allowed=no
		for rule in ${allowed_skips[@]+"${allowed_skips[@]}"}; do
			[[ $name =~ ${rule%%$'\t'*} ]] && allowed="yes, ${rule#*$'\t'}"
		done
		echo "  $name: $reason (allowed: $allowed)"
		[ "$allowed" != no ] || bad=1
	done <"$1"
	return "$bad"
}

# fuzz runs every fuzz target: fuzz SECONDS-EACH SECONDS-ALL, the second shared out if there are many.
fuzz() {
	local targets n each pkg name bad=0
	targets=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ {names[++n] = $1} /^ok/ {for (i = 1; i <= n; i++) print $2, names[i]; n = 0}')
	n=$(wc -l <<<"$targets")
	each=$(($2 / n))
	[ "$each" -le "$1" ] || each=$1
	echo "$n targets, ${each}s each"
	while read -r pkg name; do
		echo "$name in $pkg"
		fuzz_one "$pkg" "$name" "$each" || bad=1
	done <<<"$targets"
	return "$bad"
}

# fuzz_one runs one target. The go command can report the end of the time itself as a failure
# ("context deadline exceeded") with no failing input: such a run counts for nothing and is repeated.
fuzz_one() {
	local try
	for try in 1 2 3; do
		if go test -run '^$' -fuzz "^$2\$" -fuzztime "$3s" -fuzzminimizetime 10x "$1" >"$tmp/fuzz.log" 2>&1; then
			grep '^fuzz: elapsed' "$tmp/fuzz.log" | tail -n 1
			return
		fi
		grep -q 'context deadline exceeded' "$tmp/fuzz.log" && ! grep -q 'Failing input' "$tmp/fuzz.log" || break
	done
	cat "$tmp/fuzz.log"
	return 1
}

# run_steps runs the named steps, or all, and goes on after one that fails.
run_steps() {
	local name status start failed=() times=()
	[ $# -gt 0 ] || set -- "${steps[@]}"
	for name; do
		[[ " ${steps[*]} " = *" $name "* ]] || die "no step $name; there are: ${steps[*]}"
	done
	command -v go >/dev/null || die "the go command is not in PATH"
	PROFCHECK_SHARED=$(cd "${PROFCHECK_SHARED:-../shared}" 2>/dev/null && pwd) ||
		die "no shared data: put it in ../shared or name its folder in PROFCHECK_SHARED"
	export PROFCHECK_SHARED
	# The checkout may belong to another user, whose repository git would not read.
	GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
	export GOFLAGS
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	for name; do
		printf '\n== %s\n' "$name"
		start=$SECONDS
		set +e # and not "|| status=$?", under which bash would run the step without -e
		(set -e && "step_$name")
		status=$?
		set -e
		times+=("$(printf '%5ds  %s' $((SECONDS - start)) "$name")")
		if [ "$status" = 0 ]; then
			printf '== %s passed, %ds\n' "$name" $((SECONDS - start))
		else
			printf '== %s failed with %d, %ds\n' "$name" "$status" $((SECONDS - start))
			failed+=("$name")
		fi
	done
	printf '\n== times\n'
	printf '%s\n' "${times[@]}" "$(printf '%5ds  in all' "$SECONDS")"
	if [ ${#failed[@]} -gt 0 ]; then
		echo "FAILED: ${failed[*]}"
		return 1
	fi
	echo "all steps passed"
}
