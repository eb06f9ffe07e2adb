package report

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// sarifFormat is SARIF 2.1.0, one run with the results of all that was judged.
var sarifFormat = Format{
	Name:  "sarif",
	Title: "SARIF 2.1.0, for code scanning",
	Kinds: findingKinds,
	Write: func(w io.Writer, d Document, o Options) error {
		r, ok := resultsOf(d)
		if !ok || d.kind() == "expect" {
			return noForm("sarif", d)
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(r.sarif(&o.Tool))
	},
}

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifBase   = "%SRCROOT%" // the name that readers of SARIF know for the root of the sources

	// printKey is the kind of our fingerprints; a new way to compute them gets a new version.
	printKey = "profcheck/v1"

	// What GitHub takes of one run, and of one result
	// (docs.github.com, "SARIF results exceed one or more limits").
	maxResults = 25000
	maxSteps   = 1000
)

// sarifLevels are SARIF's words for severities.
var sarifLevels = map[string]string{"error": "error", "warning": "warning", "info": "note"}

// sarif makes a log of one run. The New functions of the library set what the standard takes an absent
// field for, such as -1 for an offset that nobody knows, so nothing here is made in another way.
func (r *results) sarif(t *Tool) *sarif.Report {
	run := sarif.NewRunWithInformationURI("profcheck", t.URI)
	if t.Version != "" {
		run.Tool.Driver.Version = &t.Version
	}
	root := sarif.NewArtifactLocation()
	root.Description = sarif.NewTextMessage("The directory that profcheck ran in.")
	run.OriginalUriBaseIds = map[string]sarif.ArtifactLocation{sarifBase: *root}
	run.ColumnKind = word("unicodeCodePoints")
	rules := slices.Clone(t.Checks)
	index := make(map[string]int)
	for i, c := range rules {
		index[c.ID] = i
	}
	verdicts := []map[string]any{}
	for _, s := range r.subjects {
		verdicts = append(verdicts, map[string]any{"name": visible(s.name), "verdict": s.word, "summary": visible(s.headline)})
		prints := Fingerprints(s.findings)
		for i, f := range s.findings {
			if _, ok := index[f.Check]; !ok { // of another version of profcheck
				index[f.Check] = len(rules)
				rules = append(rules, CheckInfo{ID: f.Check, Severity: f.Severity})
			}
			run.Results = append(run.Results, r.sarifResult(f, index[f.Check], prints[i]))
		}
	}
	for _, c := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, c.sarif())
	}
	run.Properties = sarif.NewPropertyBag().Add("judged", verdicts)
	run.Invocations = []*sarif.Invocation{r.sarifInvocation(run)}
	log := sarif.NewReport()
	log.Schema = sarifSchema
	log.Runs = []*sarif.Run{run}
	return log
}

// sarifInvocation says what could not be judged, and leaves out of the run what is too much of it.
func (r *results) sarifInvocation(run *sarif.Run) *sarif.Invocation {
	invocation := sarif.NewInvocation().WithExecutionSuccessful(len(r.errors) == 0)
	for _, f := range r.errors {
		note := sarif.NewNotification().WithLevel("error").WithMessage(sarif.NewTextMessage(sarifPlain(visible(f.Message))))
		note.Locations = []*sarif.Location{r.sarifPlace(Finding{Position: f.position()})}
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, note)
	}
	if n := len(run.Results); n > maxResults {
		slices.SortStableFunc(run.Results, func(a, b *sarif.Result) int { return sarifRank(a.Level) - sarifRank(b.Level) })
		run.Results = run.Results[:maxResults]
		text := fmt.Sprintf("%d results of %d are left out, the least grave ones.", n-maxResults, n)
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications,
			sarif.NewNotification().WithLevel("warning").WithMessage(sarif.NewTextMessage(text)))
	}
	return invocation
}

func sarifRank(level string) int { return slices.Index([]string{"error", "warning", "note"}, level) }

func (r *results) sarifResult(f Finding, rule int, print string) *sarif.Result {
	hash, number, _ := strings.Cut(print, ":")
	if number == "" {
		number = "1"
	}
	out := sarif.NewRuleResult(f.Check)
	out.RuleIndex, out.Level = rule, sarifLevels[f.Severity]
	out.Message = sarif.NewTextMessage(sarifText(f))
	out.PartialFingerprints = map[string]string{printKey: hash + ":" + number}
	out.Locations = []*sarif.Location{r.sarifPlace(f)}
	if len(f.Path) > 0 {
		out.CodeFlows = []*sarif.CodeFlow{sarifFlow(f.Path)}
		related := sarifFrame(f.Path[innermost(f.Path)])
		related.ID = 1
		out.RelatedLocations = []*sarif.Location{related}
	}
	if s := f.Suppressed; s != nil {
		out.Suppressions = []*sarif.Suppression{r.sarifSuppression(s)}
	}
	properties := sarif.NewPropertyBag()
	if f.Arch != "" {
		properties.Add("arch", visible(f.Arch))
	}
	if len(f.Syscalls) > 0 {
		properties.Add("syscalls", f.Syscalls)
	}
	if len(properties.Properties) > 0 {
		out.Properties = properties
	}
	return out
}

// sarifText is what a result says: the message with its proof and remedy, one a line.
func sarifText(f Finding) string {
	lines := []string{visible(f.sentence())}
	if f.Witness != nil {
		lines = append(lines, visible("Shown by: "+f.Witness.call()))
	}
	if f.Remedy != "" {
		lines = append(lines, visible("Do: "+f.Remedy))
	}
	return sarifPlain(strings.Join(lines, "\n"))
}

// sarifPlain makes a text that means itself: what looks like a placeholder is doubled, and what looks
// like a link is escaped (SARIF 3.11.5, 3.11.6).
func sarifPlain(text string) string {
	text = placeholder.ReplaceAllString(text, "{$0}")
	return link.ReplaceAllString(text, `\[$1\]$2`)
}

var (
	placeholder = regexp.MustCompile(`\{[0-9]+\}`)
	link        = regexp.MustCompile(`\[([^\]\[]*)\](\()`)
)

// sarif describes a check.
func (c CheckInfo) sarif() *sarif.ReportingDescriptor {
	rule := sarif.NewRule(c.ID)
	if c.Name != "" {
		rule.Name = &c.Name
	}
	rule.DefaultConfiguration = sarif.NewReportingConfiguration().WithLevel(sarifLevels[c.Severity])
	if c.Title != "" {
		rule.ShortDescription = prose(capital(c.Title), "")
	}
	if full := strings.TrimSpace(capital(c.Title) + ". " + c.Why); c.Title != "" && c.Why != "" {
		rule.FullDescription = prose(full, "")
	}
	var text, markdown []string
	for _, part := range []struct{ label, text string }{
		{"Why", c.Why}, {"When", c.When}, {"Where it can be wrong", c.Wrong}, {"What to do", c.Remedy},
		{"Sources", strings.Join(c.Sources, "; ")},
	} {
		if part.text != "" {
			text = append(text, part.label+": "+part.text)
			markdown = append(markdown, "**"+part.label+":** "+markdownText(part.text))
		}
	}
	if text != nil {
		rule.Help = prose(strings.Join(text, "\n\n"), strings.Join(markdown, "\n\n"))
	}
	tags, security := c.tags()
	rule.Properties = sarif.NewPropertyBag().WithTags(tags).Add("precision", "high")
	if security {
		rule.Properties.Add("security-severity", scores[c.Severity])
	}
	return rule
}

// prose is a text of a check, with its form in Markdown if there is one.
func prose(text, markdown string) *sarif.MultiformatMessageString {
	out := sarif.NewMultiformatMessageString().WithText(text)
	if markdown != "" {
		out.Markdown = &markdown
	}
	return out
}

// word is an optional text that is there.
func word(s string) *string { return &s }

// scores are what GitHub ranks alerts by, 0.0 to 10.0: from 7.0 high, from 4.0 medium.
var scores = map[string]string{"error": "8.0", "warning": "5.0", "info": "2.0"}

// tags groups checks by the first digit of their identifiers, and reports whether a finding is one on
// security: those that say that a program fails, or what was ignored, are not.
func (c CheckInfo) tags() (tags []string, security bool) {
	tags = []string{"seccomp"}
	if len(c.ID) < 3 {
		return tags, false
	}
	group := checkGroups[c.ID[2]]
	if group == "" {
		return tags, false
	}
	tags = append(tags, group)
	// What is open without need is a matter of security although it takes a program to say it.
	if security = !strings.Contains("569", c.ID[2:3]) || c.Name == "unused-allow"; security {
		tags = append(tags, "security")
	}
	return tags, security
}

// checkGroups are the groups of checks by the first digit of their identifiers.
var checkGroups = map[byte]string{
	'1': "syntax", '2': "rules", '3': "arguments", '4': "architectures", '5': "errno", '6': "needs",
	'7': "attack-surface", '8': "actions", '9': "context",
}

// capital begins a sentence; the texts of checks begin in ASCII.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// visible shows control characters, which no reader of a report expects, and broken UTF-8.
func visible(s string) string { return clean(s) }
