package sink

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestOpen_SaysWhatIsWrongWithAnAddressAndNeverItsPassword(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"mysql://root:hunt/er2@host/db", "percent-encoded"},
		{"mysql://root:hunt?er2@host/db", "percent-encoded"},
		{"mysql://root:1#hunter2@host/db", "percent-encoded"},
		{"mysql://root:1/2?hunter2=1@host/db", "percent-encoded"},
		{"mysql://root:hunt%er2@host/db", "percent-encoded"},
		{"mysql://root:hunter2", "port"},
		{"mysql://root:hunter2@host:mysql/db", "port"},
		{"mysql://root:hunter2@host:0/db", "port"},
		{"mysql://root:hunter2@host:65536/db", "port"},
		{"mysql://root:hunter2@/db", "names no host"},
		{"mysql://root:hunter2@:3306/db", "names no host"},
		{"mysql://root:hunter2@host", "names no database"},
		{"mysql://root:hunter2@host/", "names no database"},
		{"hunter2@host:3306/db", "must be mysql://"},
		{"postgres://root:hunter2@host/db", "must be mysql://"},
	} {
		if _, err := Open(c.address); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "er2") {
			t.Errorf("%s: %v, want %q", c.address, err, c.want)
		}
	}
}

func TestReadMySQL_ReadsAPasswordWithAnAtSign(t *testing.T) {
	for _, address := range []string{"mysql://root:hunt@er2@@host/db", "mysql://root:hunt%40er2%40@host/db"} {
		c, err := readMySQL(address)
		if err != nil || c.Passwd != "hunt@er2@" || c.Addr != "host:3306" || c.User != "root" {
			t.Errorf("%s: %+v, %v", address, c, err)
		}
	}
}

func TestReadMySQL_TakesTheNamesThatOthersHaveForTLS(t *testing.T) {
	for parameters, want := range map[string]mode{
		"":                                       disabled,
		"charset=utf8mb4":                        disabled,
		"ssl_mode=DISABLED":                      disabled,
		"ssl_disabled=true":                      disabled,
		"tls=false":                              disabled,
		"tls=preferred":                          preferred,
		"ssl-mode=PREFERRED":                     preferred,
		"ssl_mode=REQUIRED":                      required,
		"ssl-mode=REQUIRED":                      required,
		"sslmode=require":                        required,
		"sslMode=REQUIRED&charset=utf8":          required,
		"tls=skip-verify":                        required,
		"ssl_verify_cert=true":                   verifyCA,
		"sslmode=verify-ca":                      verifyCA,
		"ssl-mode=VERIFY_CA":                     verifyCA,
		"ssl_verify_identity=true":               verifyIdentity,
		"ssl=true":                               verifyIdentity,
		"tls=true":                               verifyIdentity,
		"sslmode=verify-full":                    verifyIdentity,
		"ssl_mode=VERIFY_IDENTITY":               verifyIdentity,
		"ssl_check_hostname=true":                verifyIdentity,
		"ssl_mode=REQUIRED&ssl_verify_cert=true": verifyCA,
	} {
		c, err := readMySQL("mysql://u:p@host/db?" + parameters)
		if err != nil {
			t.Errorf("%s: %v", parameters, err)
			continue
		}
		got := disabled
		if c.TLS != nil {
			switch {
			case c.AllowFallbackToPlaintext:
				got = preferred
			case !c.TLS.InsecureSkipVerify:
				got = verifyIdentity
			case c.TLS.VerifyConnection != nil:
				got = verifyCA
			default:
				got = required
			}
		}
		if got != want {
			t.Errorf("%s: mode %d, want %d", parameters, got, want)
		}
	}
}

func TestReadMySQL_RefusesWhatItWouldNotHonour(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for parameters, want := range map[string]string{
		"ssl_modus=REQUIRED":                                "ssl_modus: is not known",
		"unix_socket=/tmp/mysql.sock":                       "unix_socket: is not known",
		"ssl_mode=always":                                   "ssl_mode: must be DISABLED",
		"ssl_disabled=perhaps":                              "ssl_disabled: must be true or false",
		"ssl_mode=REQUIRED&ssl_mode=DISABLED":               "more than once",
		"ssl_mode=REQUIRED&tls=false":                       "contradict",
		"ssl_mode=DISABLED&ssl_verify_cert=true":            "contradict",
		"ssl_mode=PREFERRED&ssl_ca=" + empty:                "contradict",
		"ssl_mode=VERIFY_IDENTITY&ssl_check_hostname=false": "contradict",
		"ssl_ca=" + empty:                                   "holds no certificate",
		"ssl_ca=/nowhere.pem":                               "/nowhere.pem",
		"ssl_cert=/a.pem":                                   "belong together",
		"ssl_cert=/a.pem&ssl_key=/b.pem":                    "ssl_cert and ssl_key: ",
		"ssl_ca=%zz":                                        "percent-encoded",
	} {
		if _, err := Open("mysql://u:p@host/db?" + parameters); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", parameters, err, want)
		}
	}
}

// TestMySQL_ConnectsAsSecurelyAsItIsAsked: on a server that made its own certificates,
// as MySQL does at its first start.
func TestMySQL_ConnectsAsSecurelyAsItIsAsked(t *testing.T) {
	t.Setenv("GODEBUG", "tlsrsakex=1") // the old server of make services knows no other exchange of keys that Go knows
	address := emptyMySQL(t)
	admin, err := Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var folder, ca string
	if err := admin.sql.QueryRow("SELECT @@datadir, @@ssl_ca").Scan(&folder, &ca); err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(ca) {
		ca = filepath.Join(folder, ca)
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Skipf("the server has no authority's certificate that can be read here: %v", err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		parameters string
		encrypted  bool
		refused    bool
	}{
		{"", false, false},
		{"ssl_mode=DISABLED", false, false},
		{"ssl_mode=PREFERRED", true, false},
		{"ssl_mode=REQUIRED", true, false},
		{"sslmode=require", true, false},
		{"ssl_mode=VERIFY_CA", true, true}, // no authority of this machine's has signed it
		{"ssl_mode=VERIFY_CA&ssl_ca=" + url.QueryEscape(ca), true, false},
		{"ssl_ca=" + url.QueryEscape(ca) + "&ssl_check_hostname=false", true, false},
		{"ssl_ca=" + url.QueryEscape(ca), true, true}, // it does not name the host
	} {
		db, err := Open(address + "?" + c.parameters)
		if err != nil {
			t.Fatal(err)
		}
		var name, cipher string
		err = db.sql.QueryRow("SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher)
		if c.refused {
			if kind := classify(err); kind != Insecure {
				t.Errorf("%q: %v, of kind %s", c.parameters, err, kind)
			}
		} else if err != nil || (cipher != "") != c.encrypted {
			t.Errorf("%q: cipher %q, %v", c.parameters, cipher, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMySQL_SaysThatThereIsNoSuchDatabase(t *testing.T) {
	db, err := Open(emptyMySQL(t) + "_missing")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if kind := classify(db.Migrate(t.Context())); kind != NoDatabase {
		t.Errorf("kind %s", kind)
	}
}

func TestClassify_TellsWhatIsWrongWithTLS(t *testing.T) {
	for _, err := range []error{
		&tls.CertificateVerificationError{Err: errors.New("expired")}, mysql.ErrNoTLS,
		&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")},
		&mysql.MySQLError{Number: 3159, Message: "Connections using insecure transport are prohibited"},
	} {
		if kind := classify(err); kind != Insecure {
			t.Errorf("%v: %s", err, kind)
		}
	}
}

func TestOpen_UsesTheVeryFileThatIsNamed(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a#b?c%20d.db")
	migrated(t, "sqlite:"+path)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), "a#b?c%20d.db") {
			t.Errorf("made %s", file.Name())
		}
	}
}

func TestOpen_LetsOtherUsersReadNothingOfSQLite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	folder := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(folder, "tipoff.db")
	db := migrated(t, "sqlite:"+path)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range append(files, folder) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o664); err != nil { // as a person may have set it, for a group of analysts
		t.Fatal(err)
	}
	migrated(t, "sqlite:"+path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
