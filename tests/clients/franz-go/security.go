package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
)

// security is what the lanes over TLS ask for: SSL_CA, and SSL_CERT with SSL_KEY, name PEM files.
func security() []kgo.Opt {
	ca := os.Getenv("SSL_CA")
	if ca == "" {
		return nil
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(must(os.ReadFile(ca)))
	if certificate := os.Getenv("SSL_CERT"); certificate != "" {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(certificate, os.Getenv("SSL_KEY")))}
	}
	return []kgo.Opt{kgo.DialTLSConfig(config)}
}
