package cache

import (
	"runtime/debug"
	"testing"
)

func TestExact(t *testing.T) {
	clean := []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}
	dirty := []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	released := debug.Module{Path: "m", Version: "v1.0.0", Sum: "h1:x"}
	local := &debug.Module{Path: "../d"}
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want bool
	}{
		{"nothing", debug.BuildInfo{}, false},
		{"clean", debug.BuildInfo{Settings: clean}, true},
		{"dirty", debug.BuildInfo{Settings: dirty}, false},
		{"unknown whether modified", debug.BuildInfo{Settings: clean[:1]}, false},
		{"released", debug.BuildInfo{Main: released}, true},
		{"dependency", debug.BuildInfo{Settings: clean, Deps: []*debug.Module{&released}}, true},
		{"dependency on disk", debug.BuildInfo{Settings: clean, Deps: []*debug.Module{{Path: "d", Sum: "h1:y", Replace: local}}}, false},
		{"dependency replaced by a release", debug.BuildInfo{Settings: clean, Deps: []*debug.Module{{Path: "d", Replace: &released}}}, true},
		{"workspace", debug.BuildInfo{Settings: clean, Deps: []*debug.Module{{Path: "d", Version: "(devel)"}}}, false},
	} {
		if got := exact(&c.info); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
