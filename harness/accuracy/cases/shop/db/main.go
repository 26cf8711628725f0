// shop-db: orders over PostgreSQL, database/sql + pgx. DSN in DATABASE_URL, or in DATABASE_URL_FILE (read again when it changes).
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var mu sync.Mutex
var dsn string

func load() error {
	if f := os.Getenv("DATABASE_URL_FILE"); f != "" {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		mu.Lock()
		dsn = strings.TrimSpace(string(b))
		mu.Unlock()
		return nil
	}
	dsn = os.Getenv("DATABASE_URL")
	return nil
}
func main() {
	if err := load(); err != nil {
		log.Fatal(err)
	}
	if os.Getenv("DATABASE_URL_FILE") != "" {
		go func() {
			for range time.Tick(2 * time.Second) {
				if err := load(); err != nil {
					log.Print(err)
				}
			}
		}()
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		log.Fatal(err)
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		mu.Lock()
		defer mu.Unlock()
		n, err := pgx.ParseConfig(dsn)
		if err != nil {
			return err
		}
		c.User, c.Password = n.User, n.Password
		return nil
	}))
	life := 30 * time.Minute
	if s := os.Getenv("CONN_MAX_LIFETIME"); s != "" {
		life, _ = time.ParseDuration(s)
	}
	db.SetConnMaxLifetime(life)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		ctx, c := context.WithTimeout(r.Context(), 2*time.Second)
		defer c()
		var n int
		if err := db.QueryRowContext(ctx, "select 1").Scan(&n); err != nil {
			log.Print(err)
			http.Error(w, "database", 500)
			return
		}
		json.NewEncoder(w).Encode(map[string]int{"orders": n})
	})
	addr := os.Getenv("LISTEN")
	if addr == "" {
		addr = ":8080"
	}
	log.Fatal(http.ListenAndServe(addr, nil))
	_ = sql.ErrNoRows
}
