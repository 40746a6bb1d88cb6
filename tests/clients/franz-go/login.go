package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// login produces and consumes behind a login by every mechanism that is named, and is refused with a wrong password. By
// OAUTHBEARER the password is a token.
func login(ctx context.Context) {
	user, password := os.Getenv("SASL_USER"), os.Getenv("SASL_PASSWORD")
	names := strings.Split(strings.ToLower(os.Getenv("SASL_MECHANISMS")), ",")
	for _, name := range names {
		mechanism := by(name, user, password)
		topic := os.Getenv("TOPIC_PREFIX") + "franz-go-" + name
		must(kadm.NewClient(client(kgo.SASL(mechanism))).CreateTopic(ctx, 1, 1, nil, topic))
		producer := client(kgo.SASL(mechanism))
		for i := range 20 {
			record := &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, "behind a login %d", i)}
			if err := producer.ProduceSync(ctx, record).FirstErr(); err != nil {
				fail("produce by %s: %v", name, err)
			}
		}
		producer.Close()
		consumer := client(kgo.SASL(mechanism), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		next := 0
		read(ctx, consumer, func(record *kgo.Record) bool {
			equal("value", fmt.Sprintf("behind a login %d", next), string(record.Value))
			next++
			return next == 20
		})
		consumer.Close()
	}
	wrong := client(kgo.SASL(by(names[0], user, "wrong")))
	// franz-go does not read why a token is refused.
	isTold := func(err error) bool {
		return err != nil && names[0] == "oauthbearer" && strings.Contains(err.Error(), "unexpected data in oauth response")
	}
	if err := wrong.Ping(ctx); !errors.Is(err, kerr.SaslAuthenticationFailed) && !isTold(err) {
		fail("a wrong password: %v", err)
	}
	fmt.Printf(`{"clients":"franz-go %s"}`+"\n", version("github.com/twmb/franz-go"))
}

// by makes a mechanism; by SCRAM the user may be the id of a delegation token, and the password its HMAC.
func by(mechanism, user, password string) sasl.Mechanism {
	auth := scram.Auth{User: user, Pass: password, IsToken: os.Getenv("SASL_IS_TOKEN") != ""}
	switch mechanism {
	case "scram-sha-256":
		return auth.AsSha256Mechanism()
	case "scram-sha-512":
		return auth.AsSha512Mechanism()
	case "oauthbearer":
		return oauth.Auth{Token: password}.AsMechanism()
	default:
		return plain.Auth{User: user, Pass: password}.AsMechanism()
	}
}
