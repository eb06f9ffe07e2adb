package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC217", Name: "ordered-comparisons", Severity: finding.Info,
	Title: "several rules with ordered comparisons, which libseccomp may join wrongly",
	Why: "libseccomp joins the rules on a call into one tree of 32-bit comparisons. Where one of them compares by order (NE, LT, LE, " +
		"GT, GE) and has more conditions, or where two compare the same argument by order and differ in the upper word, the tree " +
		"does not always mean what the rules say: it may allow more or less, or the profile may not load.",
	When: "Always a note: most such profiles come out right, and whether this one does depends on the release of libseccomp.",
	Wrong: "Where the filter that the runtime really builds was compared with the profile, with profcheck diff --equal. Nothing is said " +
		"for runtimes that do without libseccomp.",
	Remedy:  "Write rules with EQ and MASKED_EQ, one for each value, or one rule only.",
	Sources: []string{"https://github.com/seccomp/libseccomp/blob/v2.5.4/src/db.c _db_tree_add, measured against its filters"},
	Run: func(p *Pass) {
		p.conflicts(profile.ConflictOrdered, finding.Info, "write one rule with EQ for each value")
	},
})
