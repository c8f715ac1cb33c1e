//go:build mail

package mail

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const invoice = `<style>body,td,th{font:14px/1.5 'DejaVu Sans',sans-serif} th,td{padding:6px;text-align:left} .p{text-align:right}
thead{background:#eef1f8} .t td{border-top:1px solid #888;font-weight:bold}</style>
<img src='cid:logo' alt='Efferent' width=32 height=32><h2>Thank you, Ann</h2><p>Invoice 1042 is <b>paid</b>. Here is what you bought:</p>
<table cellspacing=0><thead><tr><th>Item<th class=p>Price</thead><tr><td>Blåbærgrød, 3 jars<td class=p>€ 12.00
<tr><td>Postage<td class=p>€ 4.50<tr class=t><td>Together<td class=p>€ 16.50</table>
<p>The invoice is attached. Is something wrong? <a href='https://efferent.test/help'>Tell us</a>, or answer this mail.</p>`

// logo is two rings, as a PNG.
func logo(t *testing.T) []byte {
	t.Helper()
	const size = 64
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for n := range size * size {
		x, y := n%size, n/size
		dx, dy := x-size/2, y-size/2
		if d := dx*dx + dy*dy; d < 8*8 || d > 20*20 && d < 28*28 {
			img.SetNRGBA(x, y, color.NRGBA{0x20, 0x4a, 0x9a, 0xff})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPicture shows the documentation's HTML mail, as Postfix delivered it, in Chromium,
// where PICTURE says into which file (make docs-picture).
func TestPicture(t *testing.T) {
	picture := os.Getenv("PICTURE")
	if picture == "" {
		t.Skip("PICTURE does not name a file")
	}
	s := startServers(t)
	d := startDev(t, s)
	d.send(t, "n_7", map[string]any{
		"recipient": []string{"ann@acme.test", "bob@acme.test"}, "cc": []string{"Accounts <caro@acme.test>"},
		"reply_to": "Help <help@efferent.test>", "subject": "Invoice 1042 is paid – thank you", "html": invoice,
		"attachments": []map[string]string{
			{"name": "invoice-1042.pdf", "content": base64.StdEncoding.EncodeToString([]byte("%PDF-1.4"))},
			{"s3": "acme-files/invoices/1042.xml"},
			{"name": "logo.png", "content": base64.StdEncoding.EncodeToString(logo(t)), "content_id": "logo"},
		},
	})
	s.look(t, "ann", 1)
	found, err := filepath.Glob(filepath.Join(s.dir, "mail", "ann", "[nc][eu][wr]", "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if out, err := exec.Command(os.Getenv("PYTHON"), "picture.py", found[0], picture).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
