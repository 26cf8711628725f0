// stock: levels over MariaDB, with database/sql, whose pool makes each connection with the login of its moment. LIFE_MS: how long a
// connection lives; without it, for good. READ: start (the login of its start), refused (that, and anew once it was refused; a caller is asked to wait for that).
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

var env = os.Getenv

type login struct{ Tag, User, Password string }

// read is what the Vault has.
func read() (login, error) {
	q, err := http.NewRequest(http.MethodGet, env("VAULT_ADDR")+"/v1/"+env("VAULT_PATH"), nil)
	if err != nil {
		return login{}, err
	}
	q.Header.Set("X-Vault-Token", env("VAULT_TOKEN"))
	q.Header.Set("User-Agent", env("NAME"))
	r, err := (&http.Client{Timeout: 2 * time.Second}).Do(q)
	if err != nil {
		return login{}, err
	}
	defer r.Body.Close()
	var said struct {
		Data struct {
			Data struct {
				Emit string
				Keys []login
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		return login{}, err
	}
	for _, l := range said.Data.Data.Keys {
		if l.Tag == said.Data.Data.Emit {
			return l, nil
		}
	}
	return login{}, errors.New("there is none")
}

// pool makes connections; it keeps the last login that it read.
type pool struct {
	mu    sync.Mutex
	has   login
	stale bool
}

func (p *pool) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (p *pool) Connect(ctx context.Context) (driver.Conn, error) {
	p.mu.Lock()
	if p.has.User == "" || env("READ") == "" || p.stale {
		if l, err := read(); err != nil {
			log.Print("login: ", err)
		} else {
			p.has, p.stale = l, false
		}
	}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr = p.has.User, p.has.Password, "tcp", net.JoinHostPort(env("DB_HOST"), env("DB_PORT"))
	p.mu.Unlock()
	c.ConnectionAttributes = "program_name:" + env("NAME") + "/1"
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == 1045 && env("READ") == "refused" {
		p.mu.Lock()
		p.stale = true
		p.mu.Unlock()
	}
	return conn, err
}

func main() {
	db := sql.OpenDB(&pool{})
	life, _ := strconv.ParseFloat(env("LIFE_MS"), 64)
	db.SetConnMaxLifetime(time.Duration(life * float64(time.Millisecond)))
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	tries := 1
	if env("READ") == "refused" {
		tries = 3
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/up" {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		var err error
		for range tries {
			var n int
			if err = db.QueryRowContext(ctx, "SELECT 1").Scan(&n); err == nil {
				return
			}
		}
		log.Print("database: ", err)
		http.Error(w, "database", http.StatusInternalServerError)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+env("PORT"), nil))
}
