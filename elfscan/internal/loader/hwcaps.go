package loader

import "debug/elf"

// subdirs are the directories below each directory of a search path in which ld.so looks before it
// looks in that directory itself. "ld.so --help" prints them.
type subdirs struct {
	variants []string // on some machines, the newest first
	always   []string // on all machines of the architecture
}

// hwcapSubdirs are those of one architecture and one release of glibc 2: glibc-hwcaps since 2.33,
// and until 2.36 combinations of "tls", the platform and some features. A release of 0 is unknown.
func hwcapSubdirs(machine elf.Machine, minor int) subdirs {
	var s subdirs
	if machine == elf.EM_X86_64 && (minor == 0 || minor >= 33) {
		s.variants = []string{"glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"}
	}
	if minor == 0 || minor >= 37 {
		return s
	}
	platforms, features, base := []string{"haswell", "xeon_phi", "x86_64"}, []string{"avx512_1/x86_64", "avx512_1", "x86_64"}, "x86_64"
	if machine == elf.EM_AARCH64 {
		platforms, features, base = []string{"aarch64"}, []string{"atomics"}, "aarch64"
	}
	s.always = []string{"tls/" + base, "tls", base}
	for _, tls := range []string{"tls/", ""} {
		for _, p := range platforms {
			for _, f := range features {
				s.variants = append(s.variants, tls+p+"/"+f)
			}
			if p != base {
				s.variants = append(s.variants, tls+p)
			}
		}
		for _, f := range features {
			if f != base {
				s.variants = append(s.variants, tls+f)
			}
		}
	}
	return s
}

// existing leaves of the subdirectories those that a directory has.
func (g *glibc) existing(l *linker, dir string) subdirs {
	if s, ok := g.subdirsOf[dir]; ok {
		return s
	}
	var s subdirs
	if info, inside, err := l.root.stat(l.absolute(dir)); err == nil && info.IsDir() {
		for _, v := range g.subdirs.variants {
			if l.root.exists(join(inside, v)) {
				s.variants = append(s.variants, v)
			}
		}
		for _, v := range g.subdirs.always {
			if l.root.exists(join(inside, v)) {
				s.always = append(s.always, v)
			}
		}
	}
	g.subdirsOf[dir] = s
	return s
}
