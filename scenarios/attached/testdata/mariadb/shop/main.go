// shop: orders over MariaDB, with a pool that reads "USER PASSWORD" from a file for each new connection.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// logins makes each connection with the login of its moment.
type logins struct{}

func (logins) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (logins) Connect(ctx context.Context) (driver.Conn, error) {
	text, err := os.ReadFile(os.Getenv("DB_LOGIN_FILE"))
	if err != nil {
		return nil, err
	}
	login := strings.Fields(string(text))
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = login[0], login[1], "tcp", os.Getenv("DB"), "shop"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return connector.Connect(ctx)
}

func main() {
	db := sql.OpenDB(logins{})
	db.SetConnMaxLifetime(500 * time.Millisecond)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {})
	http.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		var id int
		if err := db.QueryRowContext(r.Context(), "SELECT id FROM orders").Scan(&id); err != nil {
			log.Print(err)
			http.Error(w, "database", 500)
			return
		}
		fmt.Fprintln(w, id)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
