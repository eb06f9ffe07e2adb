package loader

import (
	"os"
	"strings"
	"testing"
)

func FuzzCache(f *testing.F) {
	if data, err := os.ReadFile(cachePath); err == nil && len(data) < 1<<20 {
		f.Add(data)
	}
	f.Add([]byte(cacheNewMagic + "\x01\x00\x00\x00\x08\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 12) +
		"\x03\x03\x00\x00\x48\x00\x00\x00\x4a\x00\x00\x00" + strings.Repeat("\x00", 12) + "a\x00/b\x00"))
	f.Add([]byte(cacheOldMagic + "\x00\x01\x00\x00\x00" + "\x03\x03\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00" + "a\x00/b\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for name, list := range parseCache(data) {
			for _, e := range list {
				if n++; len(name) >= maxPath || len(e.Path) >= maxPath {
					t.Fatalf("names of %d and %d bytes", len(name), len(e.Path))
				}
			}
		}
		if n*cacheOldEntry > len(data) {
			t.Fatalf("%d entries in %d bytes", n, len(data))
		}
	})
}

func FuzzConf(f *testing.F) {
	f.Add("include /etc/ld.so.conf.d/*.conf\n/opt/lib # more\n/a=libc6\n\thwcap 1 x\n")
	f.Fuzz(func(t *testing.T, text string) {
		dirs, includes := parseConf(text, "/etc/ld.so.conf")
		for i, d := range dirs {
			if d == "" && includes[i] == "" || d != "" && !strings.HasPrefix(d, "/") {
				t.Fatalf("directory %d is %q, pattern %q", i, d, includes[i])
			}
		}
	})
}

func FuzzNsswitch(f *testing.F) {
	f.Add("passwd: files systemd\nhosts: files [!UNAVAIL=return] dns # x\nbad\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range parseNsswitch(text) {
			for _, s := range d.services {
				if s == "" || strings.ContainsAny(s, "/ []\x00") {
					t.Fatalf("service %q", s)
				}
			}
		}
	})
}

func FuzzServers(f *testing.F) {
	f.Add("load_module modules/x.so;\nhttp { include y; }\n", "auth required [a b] pam_x.so\n@include common\n")
	f.Fuzz(func(t *testing.T, conf, pam string) {
		nginxStatements(conf)
		pamModules(pam, true)
		pamModules(pam, false)
		scriptLine([]byte("#!" + conf))
		envCommand(pam)
		systemDirs([]byte(conf))
	})
}
