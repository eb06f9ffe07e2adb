#!/bin/sh
# Builds the small ELF files of the tests and what readelf says about them. Needs GCC and binutils
# for x86-64 and arm64 (Debian: gcc, gcc-aarch64-linux-gnu).
set -eu
cd "$(dirname "$0")"

small="-Os -nostdlib -fno-stack-protector -Wl,-z,noseparate-code,-z,max-page-size=4096"
lib="$small -shared -fPIC -Wl,--version-script=lib.map,-soname=libdemo.so.1 lib.c"

gcc $lib -Wl,-z,pack-relative-relocs,-rpath,/opt/one:/opt/two,--build-id -o lib-relr.amd64
gcc $lib -mtls-dialect=gnu2 -Wl,--hash-style=sysv,-z,now,-z,initfirst,--disable-new-dtags,-rpath,/opt/old -o lib-sysv.amd64
aarch64-linux-gnu-gcc $lib -Wl,--hash-style=gnu,-z,nodelete -o lib.arm64
gcc $small -no-pie -Wl,--allow-shlib-undefined,--dynamic-linker=/lib64/ld-linux-x86-64.so.2 use.c lib-relr.amd64 -o use.amd64
aarch64-linux-gnu-gcc $small -pie -fPIE -Wl,--allow-shlib-undefined,--dynamic-linker=/lib/ld-linux-aarch64.so.1 use.c lib.arm64 -o use.arm64
gcc $small -static static.c -o static.amd64
aarch64-linux-gnu-gcc $small -static static.c -o static.arm64
gcc $small -static-pie -fPIE static.c -o static-pie.amd64
gcc $small -static -Wl,--no-eh-frame-hdr,-Ttext=0x401000 frames.s -o frames.amd64

for f in *.amd64 *.arm64; do
	strip=strip
	[ "${f%.arm64}" = "$f" ] || strip=aarch64-linux-gnu-strip
	[ "$f" = static-pie.amd64 ] || $strip "$f" # one keeps its symbols
	readelf -W -l -d -n -V -s -r --debug-dump=frames "$f" | grep -v '^  DW_CFA\|^ *$' >"$f.readelf"
done
