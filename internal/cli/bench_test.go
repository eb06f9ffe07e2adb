package cli

import (
	"os"
	"strings"
	"testing"
)

// The commands that prove something about every call of every architecture, in process: the time of
// a whole run but for the start of the program. scripts/bench.sh measures the processes.
func BenchmarkProof(b *testing.B) {
	p, err := os.ReadFile(packageFile("..", "..", "profile", "builtin", "docker-default.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.Chdir(b.TempDir())
	for name, text := range map[string]string{"old.json": string(p), "new.json": strings.Replace(string(p), `"mkdir",`, "", 1)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, command string
		code          int
	}{
		{"Table", "table docker-default --arch all", 0},
		{"TableJSON", "table docker-default --arch all --format json", 0},
		{"Diff", "diff old.json new.json --arch all", 0},
		{"DiffCaps", "diff docker-default docker-default --new-target crun --arch all", 1},
		{"Simulate", "simulate docker-default socket 40", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, stderr, code := runApp(strings.Fields(c.command), nil, nil); code != c.code {
					b.Fatalf("exit code %d, %s", code, stderr)
				}
			}
		})
	}
}
