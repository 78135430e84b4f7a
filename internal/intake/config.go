package intake

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// Config of a Server. The zero value is usable: every limit has a default.
type Config struct {
	// RatePerMinute is how many submissions (page or JSON) a client may send each minute on average, and RateBurst how
	// many at once. Pages may be read ten times as often. Default 60 and 30; a negative rate switches the limit off.
	RatePerMinute, RateBurst int
	// TrustedProxies are the addresses whose X-Forwarded-For is believed. Default: none.
	TrustedProxies []netip.Prefix
	// MaxBody bounds the body of one submission, default 64 KiB. MaxImportBody bounds an import, default 1 GiB, as sent
	// and as unpacked; MaxImportLine one line of it, default 64 KiB. In bytes.
	MaxBody, MaxImportBody, MaxImportLine int64
	// QueueTimeout is how long a submission waits for its commit before the client is told to try again; default 10 s.
	QueueTimeout time.Duration
	// ChunkTimeout is how long an import or export may stand still before it is cut off; default 30 s.
	ChunkTimeout time.Duration
	// PublicURL is what the addresses of links begin with: scheme, host and port. Default: what the call that makes a link was
	// sent to.
	PublicURL string
	// Clock tells the time that new answers carry. Default: the wall clock.
	Clock func() time.Time
	// Log is told of faults of the store and of the program, never of what a client sent or where from.
	Log logr.Logger
	// Registerer of the metrics. Default: none, the metrics are kept but shown nowhere.
	Registerer prometheus.Registerer
	// Rand is the source of receipts, form ids and the key of client hashes. Default: crypto/rand.
	Rand io.Reader
}

func (c Config) withDefaults() (Config, error) {
	setDefault(&c.RatePerMinute, 60)
	setDefault(&c.RateBurst, 30)
	setDefault(&c.MaxBody, 64<<10)
	setDefault(&c.MaxImportBody, 1<<30)
	setDefault(&c.MaxImportLine, 64<<10)
	setDefault(&c.QueueTimeout, 10*time.Second)
	setDefault(&c.ChunkTimeout, 30*time.Second)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	for name, v := range map[string]int64{
		"RateBurst": int64(c.RateBurst), "MaxBody": c.MaxBody, "MaxImportBody": c.MaxImportBody, "MaxImportLine": c.MaxImportLine,
		"QueueTimeout": int64(c.QueueTimeout), "ChunkTimeout": int64(c.ChunkTimeout),
	} {
		if v < 0 {
			return c, fmt.Errorf("intake: %s must not be negative", name)
		}
	}
	base, err := url.Parse(c.PublicURL)
	if c.PublicURL != "" && (err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https") {
		return c, fmt.Errorf("intake: PublicURL %q must be http(s)://host[:port]", c.PublicURL)
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
