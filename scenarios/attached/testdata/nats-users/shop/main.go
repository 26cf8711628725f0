// shop: an order is a message to NATS, by a connection that is kept; "USER PASSWORD" is read from a file,
// and another login than before makes another connection.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

var (
	mu   sync.Mutex
	conn *nats.Conn
	in   string
)

func order() error {
	mu.Lock()
	defer mu.Unlock()
	text, err := os.ReadFile(os.Getenv("LOGIN_FILE"))
	if err != nil {
		return err
	}
	if login := strings.Fields(string(text)); conn == nil || conn.IsClosed() || in != string(text) {
		next, err := nats.Connect(os.Getenv("BROKER"), nats.Name("shop"), nats.UserInfo(login[0], login[1]))
		if err != nil {
			log.Printf("login %s %v", login[0], err)
			return err
		}
		if conn != nil {
			conn.Close()
		}
		conn, in = next, string(text)
	}
	if err := conn.Publish("orders", []byte("order")); err != nil {
		return err
	}
	if err := conn.FlushTimeout(time.Second); err != nil {
		return err
	}
	return conn.LastError() // a denied message is answered so
}

func main() {
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /order", func(w http.ResponseWriter, _ *http.Request) {
		if err := order(); err != nil {
			http.Error(w, "broker", http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
