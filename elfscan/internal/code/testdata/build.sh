#!/bin/sh
# Builds the files in this directory from src. GCC 12 and binutils 2.40 of Debian 12 made those that
# are kept; other versions may arrange code differently, so look at what the tests say.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL
flags='-nostdlib -static -fno-stack-protector -fno-ident -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096'

for name in clone crt restorer table noreturn slots exit; do
	gcc $flags -static-pie -Wl,--no-dynamic-linker -o "$name.amd64" "src/$name.S"
done
gcc $flags -no-pie -o absolute.amd64 src/absolute.S
gcc $flags -O2 -static-pie -fPIE -fcf-protection=none -o switch.amd64 src/switch.c
gcc $flags -O2 -no-pie -fno-pie -fcf-protection=none -o switch-exec.amd64 src/switch.c
for ibt in none branch; do
	property=
	test "$ibt" = none || property=-Wl,-z,ibtplt
	gcc $flags -shared -O2 -fPIC -fcf-protection=$ibt $property -o "plt-$ibt.amd64" src/plt.c
done
g++ $flags -shared -O2 -fPIC -fcf-protection=none -o landing.amd64 src/landing.cc

cross=aarch64-linux-gnu-gcc
for name in clone exit; do
	$cross $flags -static-pie -Wl,--no-dynamic-linker -o "$name.arm64" "src/$name-arm64.S"
done
$cross $flags -O2 -static-pie -fPIE -o switch.arm64 src/switch.c
$cross $flags -O2 -static-pie -fPIE -fsection-anchors -o anchors.arm64 src/anchors.c
for bti in none bti; do
	protection=
	test "$bti" = none || protection='-mbranch-protection=bti -Wl,-z,force-bti'
	$cross $flags -shared -O2 -fPIC $protection -o "plt-$bti.arm64" src/plt.c
done
