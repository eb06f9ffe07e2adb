package loader

import (
	"fmt"
	"slices"
)

// checkVersions notes what makes the loader refuse to start: a version that a module requires and
// that the library does not define. A library without versions at all is accepted, and so is the
// absence of a weak version; see match_symbol in elf/dl-version.c of glibc. musl does not check.
func (l *linker) checkVersions(from int) {
	if _, ok := l.rules.(*musl); ok {
		return
	}
	for i := from; i < len(l.c.Modules); i++ {
		for _, q := range l.c.Modules[i].bind.requires {
			j, ok := l.names[q.library]
			if !ok || q.weak {
				continue
			}
			defines := l.c.Modules[j].bind.defines
			if len(defines) == 0 || slices.Contains(defines, q.version) {
				continue
			}
			name := fmt.Sprintf("%s (%s)", q.library, q.version)
			l.missing(name, i, fmt.Sprintf("version %s not found in %s", q.version, l.c.Modules[j].Path))
		}
	}
}
