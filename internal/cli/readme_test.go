package cli

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Every command in a console block of README.md is run here, in process and in the root of the
// repository, and gives what README shows; ... stands for what varies.
func TestReadme(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skipf("README shows the output on linux/amd64, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	data, err := os.ReadFile(packageFile("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(packageFile("..", ".."))
	ran, code := 0, 0
	for _, c := range consoleCommands(string(data)) {
		switch {
		case c.text == "go test ./...":
			continue // this is part of it
		case c.text == "echo $?":
			if want := fmt.Sprint(code); len(c.output) != 1 || c.output[0] != want {
				t.Errorf("line %d: the exit code is %s, README says %q", c.line, want, c.output)
			}
			continue
		}
		words, err := shellWords(c.text)
		if err != nil {
			t.Fatalf("line %d: %v", c.line, err)
		}
		stdout, stderr, status := runApp(words, nil, nil)
		ran, code = ran+1, status
		if got := append(lines(stdout), lines(stderr)...); !match(c.output, got) {
			t.Errorf("line %d: %s gives\n%s\nREADME says\n%s", c.line, c.text, strings.Join(got, "\n"), strings.Join(c.output, "\n"))
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands found", ran)
	}
}

type consoleCommand struct {
	line   int
	text   string
	output []string
}

// consoleCommands finds the commands in the console blocks of a Markdown text.
func consoleCommands(text string) []consoleCommand {
	var out []consoleCommand
	inside := false
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && isCommand:
			out = append(out, consoleCommand{line: n, text: command})
		case inside && len(out) > 0:
			out[len(out)-1].output = append(out[len(out)-1].output, strings.TrimRight(line, " "))
		}
	}
	return out
}

// shellWords splits a command of README into the arguments of profcheck: blanks, double quotes, and
// the one substitution that README uses.
func shellWords(command string) ([]string, error) {
	rest, ok := strings.CutPrefix(command, "profcheck ")
	if !ok {
		if rest, ok = strings.CutPrefix(command, "go run ./cmd/profcheck "); !ok {
			return nil, fmt.Errorf("not a command of profcheck: %s", command)
		}
	}
	if strings.Contains(rest, "$(go env GOROOT)") {
		root, err := goroot()
		if err != nil {
			return nil, err
		}
		rest = strings.ReplaceAll(rest, "$(go env GOROOT)", root)
	}
	if strings.ContainsAny(rest, "$`'\\|<>;&*?") {
		return nil, fmt.Errorf("more shell than this test knows: %s", command)
	}
	var words []string
	for i, part := range strings.Split(rest, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words, nil
}

// goroot asks the go command, as README does.
func goroot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	return strings.TrimSpace(string(out)), err
}

func TestShellWords(t *testing.T) {
	got, err := shellWords(`profcheck "a b" c  "d"`)
	if err != nil || strings.Join(got, "|") != "a b|c|d" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"ls", "profcheck a | b", "profcheck $HOME"} {
		if got, err := shellWords(bad); err == nil {
			t.Errorf("%s: %q", bad, got)
		}
	}
}
