package reports

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browserTimeout bounds a test in the browser, on a machine that is busy.
const browserTimeout = 8 * time.Minute

// browser starts a Chromium for a test; it is skipped where there is none,
// unless REHEARSE_REQUIRE_CHROMIUM says that there must be one.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("REHEARSE_REQUIRE_CHROMIUM") == "1" {
			t.Fatal("no chromium, chromium-browser or google-chrome on PATH, and REHEARSE_REQUIRE_CHROMIUM wants one")
		}
		t.Skip("no chromium, chromium-browser or google-chrome on PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	t.Cleanup(cancel)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU,
		chromedp.Flag("no-sandbox", os.Getuid() == 0), // Chromium refuses to be root with one
		chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// heard is what a page asked for, and what it complained of.
type heard struct {
	mu       sync.Mutex
	requests []string
	errors   []string
}

// listen hears a tab from now on.
func listen(t *testing.T, ctx context.Context) *heard {
	t.Helper()
	h := &heard{}
	complain := func(format string, args ...any) { h.errors = append(h.errors, fmt.Sprintf(format, args...)) }
	err := chromedp.Listen(ctx, func(event any) {
		h.mu.Lock()
		defer h.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "data:") { // is in the file itself
				h.requests = append(h.requests, e.Request.URL)
			}
		case *log.EventEntryAdded:
			complain("%s: %s", e.Entry.Level, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			complain("console %s", e.Type)
		case *runtime.EventExceptionThrown:
			complain("%s %s", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, log.Enable, cdp.Empty{})
	call(t, ctx, runtime.Enable, cdp.Empty{})
	return h
}

func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// open shows a page in a window of a width.
func open(t *testing.T, ctx context.Context, url string, width int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url), chromedp.WaitReady("main")); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates a JavaScript expression.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (h *heard) all() (requests, errors []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests), slices.Clone(h.errors)
}

// save writes a page to a file and returns its URL.
func save(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func TestReportInABrowser(t *testing.T) {
	ctx := browser(t)
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteHTML(&b, m); err != nil {
				t.Fatal(err)
			}
			tab, cancel := chromedp.NewContext(ctx)
			defer cancel()
			url, heard := save(t, b.Bytes()), listen(t, tab)
			open(t, tab, url, 1200)
			checkKeyboard(t, tab)
			checkNames(t, tab)
			checkColours(t, tab)
			checkPrint(t, tab)
			for _, width := range []int64{1200, 768, 360} {
				open(t, tab, url, width)
				if wide := pageWidth(t, tab); wide > width {
					t.Errorf("in a window of %d px the page is %d px wide: it must be scrolled sideways", width, wide)
				}
			}
			requests, errors := heard.all()
			if want := slices.Repeat([]string{url}, 4); !slices.Equal(requests, want) {
				t.Errorf("got requests %q, want those of the file itself alone", requests)
			}
			if len(errors) > 0 {
				t.Errorf("got %q in the browser's console, want nothing", errors)
			}
			keepPictures(t, tab, name)
		})
	}
}

// keepPictures keeps what the page looks like, in the folder that the
// environment names, for people to look at.
func keepPictures(t *testing.T, ctx context.Context, name string) {
	dir := os.Getenv("REHEARSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	keep := func(name string, data []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1200}, {"dark", "dark", 1200}, {"narrow", "light", 360}} {
		scheme(t, ctx, look.scheme)
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(look.width, 900)); err != nil {
			t.Fatal(err)
		}
		data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		keep(name+"-"+look.name+".png", data, err)
	}
	data, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	keep(name+".pdf", data, err)
}

// checkKeyboard wants the first press of Tab to reach the link to the answer.
func checkKeyboard(t *testing.T, ctx context.Context) {
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if text := ask[string](t, ctx, `document.activeElement.textContent`); text != "Skip to the answer" {
		t.Errorf("after one Tab: got the focus on %q, want it on the link to the answer", text)
	}
}

// checkNames wants the page to have its landmarks, and what a screen reader is
// told of to have names.
func checkNames(t *testing.T, ctx context.Context) {
	seen := map[string]int{}
	for _, n := range call(t, ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		seen[role]++
		named := n.Name != nil && strings.Trim(string(n.Name.Value), `"`) != ""
		switch role {
		case "image", "img", "table", "region", "navigation", "heading", "link":
			if !named {
				t.Errorf("an element of the role %s has no name", role)
			}
		}
	}
	for _, role := range []string{"main", "navigation", "banner", "contentinfo", "heading", "table"} {
		if seen[role] == 0 {
			t.Errorf("the page has no %s, only %v", role, seen)
		}
	}
}

// pageWidth is how wide the page is; wide tables and charts scroll in their
// own place and do not count.
func pageWidth(t *testing.T, ctx context.Context) int64 {
	return ask[int64](t, ctx, `document.documentElement.scrollWidth`)
}

func scheme(t *testing.T, ctx context.Context, name string) {
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// leastContrast finds the text that stands out least from what is behind it.
// The measure is that of WCAG 2.2, 1.4.3, which wants 4.5 to 1.
const leastContrast = `(() => {
	const part = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 };
	const light = s => { const [r, g, b] = s.match(/[\d.]+/g).map(Number); return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b) };
	const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/^rgba.*, 0\)$/.test(c)) return c } return 'rgb(255, 255, 255)' };
	let least = 21, where = '';
	for (const e of document.querySelectorAll('main *, footer *')) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.closest('style, title, desc, .unseen')) continue;
		const svg = e.closest('svg'), style = getComputedStyle(e);
		const [a, b] = [light(svg ? style.fill : style.color), light(behind(svg ? svg.parentElement : e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < least) { least = ratio; where = e.textContent.trim().slice(0, 40) }
	}
	return {least, where, back: getComputedStyle(document.body).backgroundColor};
})()`

// contrast is what leastContrast finds, and the page's background.
type contrastFound struct {
	Least float64 `json:"least"`
	Where string  `json:"where"`
	Back  string  `json:"back"`
}

// checkColours wants the page to follow the reader's setting, with text that
// stands out.
func checkColours(t *testing.T, ctx context.Context) {
	backs := map[string]bool{}
	for _, name := range []string{"dark", "light"} {
		scheme(t, ctx, name)
		got := ask[contrastFound](t, ctx, leastContrast)
		if got.Least < 4.5 {
			t.Errorf("%s: %q has a contrast of %.2f, want at least 4.5", name, got.Where, got.Least)
		}
		backs[got.Back] = true
	}
	if len(backs) != 2 {
		t.Errorf("light and dark have the background %v in common", backs)
	}
}

// checkPrint wants the page to come out as a PDF with text on its pages.
func checkPrint(t *testing.T, ctx context.Context) {
	data, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(data, []byte("%PDF-")) || !bytes.Contains(data, []byte("/Font")) || !bytes.Contains(data, []byte("/Type /Page")) {
		t.Errorf("got %d bytes, want a PDF with text on pages", len(data))
	}
}

// A browser that hears and sees nothing would find every report good.
func TestBrowserHearsAPageThatIsBad(t *testing.T) {
	tab := browser(t)
	url := save(t, []byte(`<!DOCTYPE html><title>bad</title><main style="width: 2000px"><p style="color: #aaa">hardly to be read</p>`+
		`<img src="missing.png"></main><script>nothing.there()</script>`))
	heard := listen(t, tab)
	open(t, tab, url, 360)
	requests, errors := heard.all()
	if len(requests) < 2 || !strings.HasSuffix(requests[1], "missing.png") {
		t.Errorf("got requests %q, want that of the picture too", requests)
	}
	if !slices.ContainsFunc(errors, func(e string) bool { return strings.Contains(e, "nothing is not defined") }) {
		t.Errorf("got errors %q, want that of the script", errors)
	}
	if wide := pageWidth(t, tab); wide <= 360 {
		t.Errorf("got a page of %d px, want one that is too wide", wide)
	}
	if got := ask[contrastFound](t, tab, leastContrast); got.Least >= 4.5 || got.Where != "hardly to be read" {
		t.Errorf("got the least contrast %+v, want that of the grey text", got)
	}
}
