package witness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// nativeServers are the six that published work reports on.
var nativeServers = []string{"redis-server", "nginx", "haproxy", "memcached", "lighttpd", "sqlite3"}

// unseen are the calls that may be missing from a scan that is not told what the program opens,
// with the reason. There may be five; with the opened objects given there are none.
var unseen = map[string]map[string]string{
	"id":         {"prctl": "libnss_systemd.so.2, which nsswitch.conf names for users and groups"},
	"lighttpd":   {"pwrite64": "mod_cgi.so and others of server.modules", "readlinkat": "libnss_systemd.so.2"},
	"nginx":      {"readlinkat": "libnss_systemd.so.2"},
	"python3.11": {"msync": "the extension mmap, which a script imports"},
}

// unseenARM64 are those of the programs for arm64.
var unseenARM64 = map[string]map[string]string{
	"python3.11": {"msync": "the extension mmap, which a script imports"},
}

// maxUnseen is how many calls may be missing over all programs without plugins.
const maxUnseen = 5

// The aims for the sets.
const (
	minServerF1 = 0.75
	maxMeanSet  = 88
)

// TestNativeAccuracy scans Debian's programs in place and holds the scans to the traces.
func TestNativeAccuracy(t *testing.T) {
	rows := accuracy(t, "amd64", func(t *testing.T, p nativeTruth) string {
		needPackage(t, p)
		return ""
	})
	if len(rows) < len(nativeTruths(t, "amd64")) {
		return // some are not installed, or failed
	}
	judgeRows(t, rows)
	table(t, "amd64", accuracyTable(rows))
}

// TestNativeAccuracyARM64 does so with the programs for arm64, unpacked.
func TestNativeAccuracyARM64(t *testing.T) {
	root, versions := debRoot(t, "arm64", arm64Packages...)
	rows := accuracy(t, "arm64", func(t *testing.T, p nativeTruth) string {
		if v := versions[p.Package]; v != p.Version {
			t.Logf("%s: version %s is unpacked, the trace is of %s", p.Name, v, p.Version)
		}
		return root
	})
	judgeMissed(t, rows, unseenARM64)
	table(t, "arm64", accuracyTable(rows))
}

// accuracy scans each program of an architecture, without and with the objects that it opens.
func accuracy(t *testing.T, arch string, root func(t *testing.T, p nativeTruth) string) []tableRow {
	t.Helper()
	shareScans(t)
	var rows []tableRow
	for _, p := range nativeTruths(t, arch) {
		t.Run(p.Name, func(t *testing.T) {
			dir := root(t, p)
			res := scanNative(t, dir, p.Path)
			row := p.judge(res)
			row.pluginSure, row.pluginF1, row.pluginMissed = row.sure, row.f1, row.missed
			if plugins := p.plugins(t, dir, res); len(plugins) > 0 {
				res := scanNative(t, dir, p.Path, plugins...)
				with := p.judge(res)
				row.plugins, row.pluginSure = len(plugins), len(p.allowed(res))
				row.pluginF1, row.pluginMissed = with.f1, with.missed
			}
			judgeUnresolved(t, res)
			if len(row.pluginMissed) > 0 {
				t.Errorf("traced but not in the scan with what it opened given: %v", row.pluginMissed)
			}
			rows = append(rows, row)
		})
	}
	return rows
}

// judgeMissed wants an explanation for each call that a scan without plugins lacks.
func judgeMissed(t *testing.T, rows []tableRow, explained map[string]map[string]string) {
	t.Helper()
	missing := 0
	for _, r := range rows {
		missing += len(r.missed)
		for _, call := range r.missed {
			name, _, _ := strings.Cut(call, " ")
			why := explained[r.name][name]
			if why == "" {
				t.Errorf("%s: %s was traced, the scan without plugins lacks it, and nothing explains that", r.name, call)
			}
			t.Logf("%s: %s is not in the scan without plugins: %s", r.name, call, why)
		}
	}
	if missing > maxUnseen {
		t.Errorf("%d calls missing without plugins, at most %d", missing, maxUnseen)
	}
}

// judgeRows holds all rows together to the aims.
func judgeRows(t *testing.T, rows []tableRow) {
	t.Helper()
	judgeMissed(t, rows, unseen)
	all, servers := means(rows, nil), means(rows, nativeServers)
	if servers.f1 < minServerF1 {
		t.Errorf("mean F1 of %v is %.3f, want at least %.2f", nativeServers, servers.f1, minServerF1)
	}
	if all.set > maxMeanSet {
		t.Errorf("the mean set has %.1f calls, want at most %d", all.set, maxMeanSet)
	}
}

// rowMeans are means over rows.
type rowMeans struct{ truth, found, set, cond, precision, recall, f1, pluginSet, pluginF1 float64 }

func means(rows []tableRow, names []string) (m rowMeans) {
	n := 0.0
	for _, r := range rows {
		if names != nil && !slices.Contains(names, r.name) {
			continue
		}
		n++
		m.truth, m.found, m.set, m.cond = m.truth+float64(r.truth), m.found+float64(r.found), m.set+float64(r.sure), m.cond+float64(r.cond)
		m.precision, m.recall, m.f1 = m.precision+r.precision, m.recall+r.recall, m.f1+r.f1
		m.pluginSet, m.pluginF1 = m.pluginSet+float64(r.pluginSure), m.pluginF1+r.pluginF1
	}
	if n == 0 {
		return m
	}
	for _, v := range []*float64{&m.truth, &m.found, &m.set, &m.cond, &m.precision, &m.recall, &m.f1, &m.pluginSet, &m.pluginF1} {
		*v /= n
	}
	return m
}

// accuracyTable renders rows with their means.
func accuracyTable(rows []tableRow) []string {
	lines := []string{
		"| program | truth | found | not conditional | conditional | missed | unresolved | precision | recall | F1 | plugins | set | missed | F1 |",
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
	}
	for _, r := range rows {
		plugins := "| | | |"
		if r.plugins > 0 {
			plugins = fmt.Sprintf("| %d | %d | %s | %.3f |", r.plugins, r.pluginSure, listed(r.pluginMissed), r.pluginF1)
		}
		lines = append(lines, fmt.Sprintf("| %s | %d | %d | %d | %d | %s | %d | %.3f | %.3f | %.3f %s",
			r.name, r.truth, r.found, r.sure, r.cond, listed(r.missed), r.unresolved, r.precision, r.recall, r.f1, plugins))
	}
	for _, s := range []struct {
		name  string
		names []string
	}{{"mean of the six servers", nativeServers}, {"mean of all", nil}} {
		m := means(rows, s.names)
		lines = append(lines, fmt.Sprintf("| **%s** | %.1f | %.1f | %.1f | %.1f | | | %.3f | %.3f | %.3f | | %.1f | | %.3f |",
			s.name, m.truth, m.found, m.set, m.cond, m.precision, m.recall, m.f1, m.pluginSet, m.pluginF1))
	}
	return lines
}

// listed renders missed calls: their number, with the names if there are any.
func listed(calls []string) string {
	if len(calls) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", len(calls), strings.ReplaceAll(strings.Join(calls, ", "), "|", "/"))
}
