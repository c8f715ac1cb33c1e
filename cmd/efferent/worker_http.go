package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/loopback"
	"github.com/efferent/efferent/internal/settings"
)

// workerHTTP says where the API is served, and to whom.
type workerHTTP struct {
	HTTP       string   `name:"http" placeholder:"HOST:PORT" help:"Serve the API here. ${worker_http}"`
	AllowHost  []string `sep:"none" placeholder:"NAME" help:"A host name that the API answers to beside localhost; may be repeated."`
	TokenFrom  string   `env:"EFFERENT_API_TOKEN_FROM" placeholder:"WHERE" help:"${worker_token}"`
	BehindAuth bool     `help:"Something in front of the API asks for credentials, such as API Gateway with IAM: ask for no token."`
}

// apiToken is the environment variable that holds the token itself.
const apiToken = "EFFERENT_API_TOKEN"

// shortestToken is what can't be guessed: 96 bits in base64.
const shortestToken = 16

// check refuses to serve others without a lock on the door.
func (h *workerHTTP) check() error {
	if h.HTTP == "" {
		if len(h.AllowHost) > 0 || h.TokenFrom != "" || h.BehindAuth {
			return errors.New("--allow-host, --token-from and --behind-auth are for the API: say with --http where to serve it")
		}
		return nil
	}
	for _, name := range h.AllowHost {
		if err := sqsserver.CheckHost(name); err != nil {
			return fmt.Errorf("--allow-host: %w", err)
		}
	}
	host, _, err := net.SplitHostPort(h.HTTP)
	switch locked := h.BehindAuth || h.TokenFrom != "" || os.Getenv(apiToken) != ""; {
	case err != nil:
		return fmt.Errorf("--http %s: %w; it is HOST:PORT, such as 127.0.0.1:8080", h.HTTP, err)
	case h.TokenFrom != "" && os.Getenv(apiToken) != "":
		return fmt.Errorf("--token-from and %s both say what the token is: use one", apiToken)
	case loopback.Is(host) && len(h.AllowHost) == 0:
		return nil
	case len(h.AllowHost) == 0:
		return fmt.Errorf("--http %s serves other machines too: name with --allow-host by which names they may ask for it", h.HTTP)
	case !locked:
		return fmt.Errorf("--http %s with --allow-host serves others too: ask for a token, by %s or --token-from, or say with "+
			"--behind-auth that something in front of it asks for credentials", h.HTTP, apiToken)
	}
	return nil
}

// token is what the API asks for; empty where it asks for none. It is read once.
func (h *workerHTTP) token(ctx context.Context, secrets awssecrets.API) (string, error) {
	text, from := os.Getenv(apiToken), apiToken
	if h.TokenFrom != "" {
		var err error
		if text, err = awssecrets.SecretOrFile(ctx, secrets, h.TokenFrom); err != nil {
			return "", fmt.Errorf("--token-from: %w", err)
		}
		from = "--token-from " + h.TokenFrom
	}
	text = strings.TrimSpace(text)
	if text == "" && h.TokenFrom == "" {
		return "", nil
	}
	if len(text) < shortestToken || strings.ContainsAny(text, " \t\r\n") {
		return "", fmt.Errorf("%s: a token has %d characters at least, and no spaces; openssl rand -hex 32 makes one", from, shortestToken)
	}
	return text, nil
}

// openServers opens the addresses. Errors name the flag that can mend them.
func (w *worker) openServers(ctx context.Context) error {
	health := &health{watches: w.watches, stopping: ctx}
	if w.HTTP != "" {
		served, err := w.api(ctx)
		if err != nil {
			return err
		}
		if err := w.listen("http", w.HTTP, health.before(served)); err != nil {
			return err
		}
	}
	if w.Health != "" {
		return w.listen("health", w.Health, health.before(http.NotFoundHandler()))
	}
	return nil
}

// api is the API, for those who may use it.
func (w *worker) api(ctx context.Context) (http.Handler, error) {
	secrets, queues := secretsmanager.NewFromConfig(w.config), sqs.NewFromConfig(w.config)
	token, err := w.token(ctx, secrets)
	if err != nil {
		return nil, err
	}
	exit, err := wayOut(w.kept.room, queues, w.url, time.Now)
	if err != nil {
		return nil, err
	}
	caller := "local"
	if token != "" {
		caller = "token"
	} else if w.BehindAuth {
		caller = "front"
	}
	registration, err := settings.ReadEndpoints(os.Getenv)
	if err != nil {
		return nil, err
	}
	callers, tokens := localCallers(caller, registration, secrets, time.Now)
	redactors := redactors(w.delivery.Redaction, secrets, w.log)
	handler, err := replayHandler(replayParts{queues: queues, attempts: w.kept.attempts, claims: w.kept.claims, room: w.kept.room,
		exit: exit, circuits: w.kept.circuits, outcomes: w.outcomes, endpoints: w.kept.endpoints, lanes: w.delivery.AuditLanes,
		caller: callers, reports: slices.Contains(w.Queues, settings.ReportsQueue), url: w.url, redactors: redactors, log: w.log,
		book: workerBook(w.config, w.delivery.AuditLanes), watch: w.watch})
	if err != nil {
		return nil, err
	}
	all, err := served(handler, endpointParts{Endpoints: registration, kept: w.kept, secrets: secrets, queues: queues, url: w.url,
		prober:  awssecrets.Client(secrets, w.delivery.Client(), w.delivery.CABundle, settings.CABundle),
		refuses: w.delivery.Client().Refuses, outcomes: w.outcomes, watch: w.watch,
		redactors: redactors, caller: callers, tokens: tokens, now: time.Now, log: w.log})
	if err != nil {
		return nil, err
	}
	w.watch.ask(queues, w.url, w.kept.circuits)
	return sqsserver.LoopbackOnly(tokenOnly(w.watch.beside(all), token, tokens != nil), w.AllowHost...), nil
}

// tokenOnly lets in who brings the token (RFC 6750, section 2.1); everybody, where
// there is none. How long it takes tells nothing of the token. Where there are tenants'
// own tokens, next looks at those.
func tokenOnly(next http.Handler, token string, tenants bool) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tenants && access.Brings(r) {
			next.ServeHTTP(w, r)
			return
		}
		scheme, brought, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		sum := sha256.Sum256([]byte(strings.TrimSpace(brought)))
		if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="efferent"`)
		api.WriteProblem(w, http.StatusUnauthorized, "send the token of this API, as Authorization: Bearer TOKEN")
	})
}

// server is one of the worker's addresses.
type server struct {
	name     string
	listener net.Listener
	http     *http.Server
}

func (w *worker) listen(flag, address string, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--%s %s: %w; choose another address or port with --%s", flag, address, err, flag)
	}
	w.servers = append(w.servers, &server{flag, l, &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelWarn)}})
	return nil
}

func (s *server) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// end lets requests in hand finish, for a moment.
func (s *server) end() {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
}
