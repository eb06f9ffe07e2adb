package kernels

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

var update = flag.Bool("update", false, "write what the machines answer to testdata")

// recordings are the ABIs of machines of which testdata has a part of the answers.
var recordings = []struct{ machine, arch string }{
	{"s390x", "s390x"},
	{"arm64", "arm"},
}

func recordingFile(machine, arch string) string {
	return filepath.Join("testdata", machine+"-"+arch+".gz")
}

// recorded finds the ABI of a recording.
func recorded(machine, arch string) (abi, bool) {
	for _, m := range machines {
		for _, b := range m.ABIs {
			if m.Name == machine && b.Arch == arch {
				return b, true
			}
		}
	}
	return abi{}, false
}

// TestRecorded compares recorded answers of kernels with what we say, and with what evaluators say
// that have a fault: the comparison must notice.
func TestRecorded(t *testing.T) {
	for _, r := range recordings {
		t.Run(r.machine+"/"+r.arch, func(t *testing.T) {
			b, ok := recorded(r.machine, r.arch)
			if !ok {
				t.Fatal("no such ABI")
			}
			data, err := os.ReadFile(recordingFile(r.machine, r.arch))
			if err != nil {
				t.Fatal(err)
			}
			groups, answers, ip, err := readRecording(data)
			if err != nil {
				t.Fatal(err)
			}
			n := b.compare(groups, answers, ip, b.ours)
			t.Logf("%d pairs, %d filters and stacks, %d programs", n.Pairs, n.Filters, n.Programs)
			if n.Wrong > 0 {
				t.Errorf("%d disagreements, such as\n%s", n.Wrong, strings.Join(n.First, "\n"))
			}
			if n.Pairs < 2000 || n.Stacks < 10 || n.Programs < 500 {
				t.Error("little was recorded")
			}
			b.mustNotice(t, groups, answers, ip)
		})
	}
}

// record writes a part of an ABI's answers.
func record(file, kernel string, groups []group, answers []outcome, ip uint64) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# %s\nip %#x\n", kernel, ip)
	left := map[string]int{"filter": 1600, "stack": 800, "action": 200, "actions": 200} // calls
	for _, g := range groups {
		if g.Kind == verdicts {
			g.Programs = g.Programs[500:1500]
			g.slot += 500
		}
		calls := min(len(g.Calls), 30, left[g.What])
		if g.Kind != verdicts && calls == 0 {
			continue
		}
		left[g.What] -= calls
		fmt.Fprintf(&text, "group %d %s\n", g.Kind, g.What)
		for j, p := range g.Programs {
			fmt.Fprintf(&text, "program %x %s\n", uint32(answers[g.slot+j]), hex.EncodeToString(p.Encode(binary.LittleEndian)))
		}
		at := g.slot + len(g.Programs)
		for j, d := range g.Calls[len(g.Calls)-calls:] { // those that kill are the last ones
			fmt.Fprintf(&text, "call %x %d %x %x\n", uint32(answers[at+len(g.Calls)-calls+j]), d.Nr, d.Arch, d.Args)
		}
		fmt.Fprintf(&text, "arch %x\n", uint32(answers[at+len(g.Calls)]))
	}
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zw.Write(text.Bytes()); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, packed.Bytes(), 0o644)
}

// readRecording is the inverse of record.
func readRecording(data []byte) (groups []group, answers []outcome, ip uint64, err error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, 0, err
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		return nil, nil, 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		word, rest, _ := strings.Cut(line, " ")
		var answer uint32
		var err error
		g := &group{}
		if len(groups) > 0 {
			g = &groups[len(groups)-1]
		}
		switch word {
		case "#":
			continue
		case "ip":
			_, err = fmt.Sscanf(rest, "%v", &ip)
		case "group":
			groups = append(groups, group{slot: len(answers)})
			g = &groups[len(groups)-1]
			_, err = fmt.Sscanf(rest, "%d %s", &g.Kind, &g.What)
		case "program":
			var b []byte
			if _, err = fmt.Sscanf(rest, "%x %x", &answer, &b); err == nil {
				var p filter.Program
				p, err = filter.Decode(b, binary.LittleEndian)
				g.Programs = append(g.Programs, p)
			}
			answers = append(answers, outcome(answer))
		case "call":
			var d filter.Data
			_, err = fmt.Sscanf(rest, "%x %d %x [%x %x %x %x %x %x]", &answer, &d.Nr, &d.Arch,
				&d.Args[0], &d.Args[1], &d.Args[2], &d.Args[3], &d.Args[4], &d.Args[5])
			g.Calls = append(g.Calls, d)
			answers = append(answers, outcome(answer))
		case "arch":
			_, err = fmt.Sscanf(rest, "%x", &answer)
			answers = append(answers, outcome(answer))
		default:
			err = fmt.Errorf("what is it?")
		}
		if err != nil {
			return nil, nil, 0, fmt.Errorf("%.80q: %w", line, err)
		}
	}
	return groups, answers, ip, lines.Err()
}
