#!/bin/sh
# Builds the binaries of this folder from src/ with gcc and binutils for x86-64, and binutils for
# arm64. They need no C library; ld-tiny.so.1 is their dynamic loader:
#
#	root/bin/greet           dynamic: the loader, libsay.so.1
#	root/bin/sh              static, stripped
#	root/bin/greet.sh        a script for it
#	root/bin/lost            needs what is not there
#	root/lib/greet/extra.so  what greet can open
#
# sudo chroot root /bin/greet runs.
set -eu
cd "$(dirname "$0")"
rm -rf root
mkdir -p root/bin root/lib/greet root/etc
flags='-Os -ffreestanding -fno-stack-protector -fcf-protection=none -nostdlib -Wall -Wextra -Werror -Wno-main
	-Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-z,max-page-size=4096 -Wl,--hash-style=sysv -Wl,--build-id=sha1'
shared="$flags -shared -fPIC"
gcc $shared -fvisibility=hidden -Wl,-e,_start -Wl,-soname,ld-tiny.so.1 -o root/lib/ld-tiny.so.1 src/ld.c
gcc $shared -Wl,-soname,libsay.so.1 -o root/lib/libsay.so.1 src/say.c
gcc $shared -o root/lib/greet/extra.so src/extra.c
gcc $flags -fPIE -pie -Wl,-dynamic-linker,/lib/ld-tiny.so.1 -o root/bin/greet src/greet.c root/lib/libsay.so.1 root/lib/ld-tiny.so.1
gcc $flags -static -fno-pie -no-pie -s -o root/bin/sh src/shell.c
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
gcc $shared -Wl,-soname,libnowhere.so.1 -o "$tmp/libnowhere.so" src/empty.c
gcc $shared -Wl,-soname,libforeign.so.1 -o "$tmp/libforeign.so" src/empty.c
gcc $flags -fPIE -pie -Wl,--no-as-needed -Wl,-dynamic-linker,/lib/ld-tiny.so.1 -o root/bin/lost src/lost.c "$tmp/libnowhere.so" "$tmp/libforeign.so"
aarch64-linux-gnu-as -o "$tmp/foreign.o" src/foreign.s
aarch64-linux-gnu-ld -shared -z noseparate-code -z max-page-size=4096 -soname libforeign.so.1 -o root/lib/libforeign.so.1 "$tmp/foreign.o"
printf '#!/bin/sh -e\necho hello\n' >root/bin/greet.sh
chmod 755 root/bin/greet.sh
echo hello >root/etc/greeting
