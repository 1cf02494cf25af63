package harness

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Picture writes a picture of the page's window. It keeps the file if that looks the same.
func (p *Person) Picture(file string) {
	p.T.Helper()
	p.Is(`document.documentElement.scrollWidth <= innerWidth`, "true")
	p.Eval(`document.activeElement.blur(); scrollTo(0, 0); await Promise.all(document.getAnimations().map((a) => a.finished));
		for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame)`, nil)
	shot, err := chromedp.Call(p.Ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		p.T.Fatal(err)
	}
	now, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		p.T.Fatal(err)
	}
	if old, err := os.ReadFile(file); err == nil {
		if before, err := png.Decode(bytes.NewReader(old)); err == nil && similar(before, now) {
			return
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, reduce(now)); err != nil {
		p.T.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		p.T.Fatal(err)
	}
}

// reduce returns the picture with its 128 most frequent colours, so that its file is small.
func reduce(picture image.Image) image.Image {
	counts := map[color.RGBA]int{}
	pixels := image.NewRGBA(picture.Bounds())
	draw.Draw(pixels, pixels.Rect, picture, pixels.Rect.Min, draw.Src)
	for y := range pixels.Rect.Dy() {
		for x := range pixels.Rect.Dx() {
			counts[pixels.RGBAAt(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	// Of colours that are nearly equal, the palette contains the most frequent one only.
	var palette color.Palette
	near := map[color.RGBA]bool{}
	for _, c := range colours {
		if group := (color.RGBA{c.R >> 3, c.G >> 3, c.B >> 3, 0}); !near[group] && len(palette) < 128 {
			near[group] = true
			palette = append(palette, c)
		}
	}
	index := map[color.RGBA]uint8{}
	for c := range counts {
		index[c] = uint8(palette.Index(c))
	}
	reduced := image.NewPaletted(pixels.Rect, palette)
	for y := range pixels.Rect.Dy() {
		for x := range pixels.Rect.Dx() {
			reduced.SetColorIndex(x, y, index[pixels.RGBAAt(x, y)])
		}
	}
	return reduced
}

// similar returns whether at most one of a thousand pixels differs visibly.
func similar(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	const visible = 32 << 8 // more than reduce changes
	differ, all := 0, a.Bounds().Dx()*a.Bounds().Dy()
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			if max(r, r2)-min(r, r2) > visible || max(g, g2)-min(g, g2) > visible || max(bl, bl2)-min(bl, bl2) > visible {
				differ++
			}
		}
	}
	return differ*1000 <= all
}
