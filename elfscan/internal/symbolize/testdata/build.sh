#!/bin/sh
# Makes the binaries of this directory from their sources, and beside each what addr2line says
# about it. Made with gcc 12.2, rustc 1.95 and binutils 2.40.
set -e
cd "$(dirname "$0")"
flags="-O2 -fPIC -shared -nostdlib -fno-asynchronous-unwind-tables -fno-stack-protector -ffile-prefix-map=$PWD=/src -Wl,--build-id=sha1 -Wl,-z,noseparate-code"

gcc $flags -gdwarf-5 names.c -o c5.so
gcc $flags -gdwarf-4 -gz=zlib names.c -o c4.so
gcc $flags -gdwarf-2 -gstrict-dwarf -gz=zlib-gnu names.c -o c2.so
g++ $flags -gdwarf-5 names.cc -o cc.so
for mangling in legacy v0; do # the old mangling counts as unstable by now
	RUSTC_BOOTSTRAP=1 rustc -O -g -Z unstable-options -C symbol-mangling-version=$mangling -C panic=abort \
		-C link-args="-nostdlib -Wl,--build-id=sha1 -Wl,-z,noseparate-code" \
		--remap-path-prefix "$PWD=/src" --remap-path-prefix "$(rustc --print sysroot)=/rust" \
		names.rs -o rust-$mangling.so
done

objcopy --only-keep-debug c5.so split.debug
objcopy --strip-all --add-gnu-debuglink=split.debug c5.so split.so

for so in *.so; do
	[ $so = split.so ] && continue
	# Every fourth address of the code: function and line of each frame.
	readelf -SW $so | sed -n 's/.* \.text  *PROGBITS  *\([0-9a-f]*\) [0-9a-f]* \([0-9a-f]*\).*/\1 \2/p' | {
		read -r start size
		i=0
		while [ $i -lt $((0x$size)) ]; do
			printf '0x%x\n' $((0x$start + i))
			i=$((i + 4))
		done
	} | addr2line -a -f -i -C -e $so | sed 's/ (discriminator.*//' > $so.addr2line
done
