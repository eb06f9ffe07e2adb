#!/bin/sh
# Builds the object files of the tests from their sources, with Debian 12's gcc 12.2.
set -eu
cd "$(dirname "$0")"
for level in O0 O2 Os; do
	gcc -$level -fPIC -shared -fvisibility=hidden -nostdlib -g0 -Wl,--build-id=none -o shapes.amd64.$level shapes.c
	aarch64-linux-gnu-gcc -$level -fPIC -shared -fvisibility=hidden -nostdlib -g0 -Wl,--build-id=none -Wl,-z,max-page-size=4096 -o shapes.arm64.$level shapes.c
done
gcc -O2 -fno-pic -no-pie -nostdlib -g0 -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,--unresolved-symbols=ignore-all -Wl,-e,direct -o shapes.amd64.O2-nopic shapes.c
gcc -shared -nostdlib -g0 -Wl,--build-id=none -o asm.amd64 asm.amd64.s
aarch64-linux-gnu-gcc -shared -nostdlib -g0 -Wl,--build-id=none -Wl,-z,max-page-size=4096 -o asm.arm64 asm.arm64.s
