// The franz-go client with its default settings.
//
// Without arguments it runs the client lane: produce with every codec, consume alone and compare, seek by timestamp,
// consume in a group of two, commit, resume. The subcommands serve the lanes that kill brokers.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// budget bounds a run, whatever becomes of the gate that started it.
const budget = time.Hour

var bootstrap = os.Getenv("BOOTSTRAP")

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	command := "suite"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	switch command {
	case "suite":
		suite(ctx)
	case "load":
		load(ctx, os.Args[2:])
	case "drain":
		drain(ctx, os.Args[2], false)
	case "cat":
		drain(ctx, os.Args[2], true)
	case "group":
		group(ctx, os.Args[2:])
	case "send":
		send(ctx, os.Args[2:])
	case "churn":
		churn(ctx, os.Args[2:])
	case "commit":
		commit(ctx, os.Args[2:])
	case "caught":
		caught(ctx, os.Args[2], os.Args[3])
	case "probe":
		probe(ctx, os.Args[2], int32(must(strconv.Atoi(os.Args[3]))))
	case "fetch":
		fetch(ctx, os.Args[2], int32(must(strconv.Atoi(os.Args[3]))))
	case "drop":
		drop(ctx, os.Args[2])
	case "cut":
		cut(os.Args[2])
	case "create":
		create(ctx, os.Args[2:])
	case "stock":
		stock(ctx, os.Args[2:])
	case "note":
		note(ctx, os.Args[2:])
	case "survey":
		survey(ctx, os.Args[2], os.Args[3:])
	case "ids":
		ids(ctx)
	case "admin":
		admin(ctx)
	case "login":
		login(ctx)
	default:
		fail("no command is called %s", command)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func equal[T comparable](what string, expected, found T) {
	if expected != found {
		fail("%s: expected %v, found %v", what, expected, found)
	}
}
