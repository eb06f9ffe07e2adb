package symbolize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ianlancetaylor/demangle"
)

const (
	// maxMangled bounds what is demangled; longer names are shown as they are, cut.
	maxMangled = 4096
	// maxName is the length of a name, in bytes, that still suits one line of a path.
	maxName = 100
)

// Name returns a symbol's name in the form that people write: without version, C++ and Rust
// demangled, without parameters and the suffixes of compilers' clones, short, and in one printable
// line whatever the symbol holds.
func Name(symbol string) string {
	if at := strings.IndexByte(symbol, '@'); at > 0 {
		symbol = symbol[:at]
	}
	symbol = withoutClones(symbol)
	if len(symbol) > maxMangled || !mangled(symbol) {
		return shorten(symbol)
	}
	name, err := demangled(symbol)
	if err == nil && len(name) > maxName {
		name, err = demangled(symbol, demangle.NoTemplateParams)
	}
	if err != nil || name == "" {
		name = symbol
	}
	return shorten(name)
}

func demangled(symbol string, more ...demangle.Option) (string, error) {
	// Substitutions let a short symbol stand for a name of any length: ten bits bound it.
	options := append(more, demangle.NoParams, demangle.NoEnclosingParams, demangle.NoABITags, demangle.MaxLength(10))
	name, err := demangle.ToString(symbol, options...)
	return abbreviations.Replace(name), err
}

// abbreviations are the names that people have for some templates.
var abbreviations = strings.NewReplacer("[abi:cxx11]", "",
	"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string",
	"std::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string",
	"std::basic_istream<char, std::char_traits<char> >", "std::istream",
	"std::basic_ostream<char, std::char_traits<char> >", "std::ostream",
	"std::basic_iostream<char, std::char_traits<char> >", "std::iostream")

func mangled(symbol string) bool {
	for _, prefix := range []string{"_Z", "_R", "___Z", "_GLOBAL__"} {
		if strings.HasPrefix(symbol, prefix) {
			return true
		}
	}
	return false
}

// clones are the suffixes that gcc and LLVM give to parts and copies of a function.
var clones = []string{"cold", "part", "isra", "constprop", "lto_priv", "localalias", "llvm", "clone", "warm", "hot"}

// withoutClones cuts a name before ".constprop.0" and the like.
func withoutClones(symbol string) string {
	for i := 1; i < len(symbol); i++ {
		if symbol[i] != '.' {
			continue
		}
		word, _, _ := strings.Cut(symbol[i+1:min(len(symbol), i+16)], ".")
		for _, c := range clones {
			if word == c {
				return symbol[:i]
			}
		}
	}
	return symbol
}

// shorten makes a name fit and harmless: terminals act on control characters, and reports are read
// by lines.
func shorten(name string) string {
	cut := len(name) > maxName
	if cut {
		name = name[:maxName]
		for range utf8.UTFMax - 1 { // a character may have been cut in the middle
			if r, size := utf8.DecodeLastRuneInString(name); r == utf8.RuneError && size == 1 {
				name = name[:len(name)-1]
			}
		}
	}
	name = printable(name)
	if cut {
		name += "…"
	}
	return name
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
