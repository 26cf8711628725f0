// shop: visits over Redis, with a pool that reads "VERSION USER PASSWORD" from a file for each new connection.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	var version string
	rdb := redis.NewClient(&redis.Options{
		Addr: os.Getenv("CACHE"), ClientName: "shop", PoolSize: 8, ConnMaxLifetime: 500 * time.Millisecond, MaxRetries: -1, DisableIdentity: true,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			text, err := os.ReadFile(os.Getenv("CACHE_LOGIN_FILE"))
			if err != nil {
				return "", "", err
			}
			login := strings.Fields(string(text))
			version = login[0]
			return login[1], login[2], nil
		},
		OnConnect: func(ctx context.Context, _ *redis.Conn) error {
			log.Printf("cache login version=%s ok", version)
			return nil
		},
	})
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {})
	http.HandleFunc("/visits", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		n, err := rdb.Incr(ctx, "shop:visits").Result()
		if err != nil {
			if strings.HasPrefix(err.Error(), "WRONGPASS") {
				log.Printf("cache login version=%s WRONGPASS", version)
			}
			http.Error(w, "cache", 500)
			return
		}
		fmt.Fprintln(w, n)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
