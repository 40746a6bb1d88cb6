package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// pace is how many records a sender sends in a millisecond, at most.
	pace = 4
	// padding is the usual upper bound of a record's padding; one record in manySmall is large, so that its batch skips the
	// journal.
	padding, large, manySmall = 2500, 300_000, 3000
	// filled is how many records a topic of churn gets.
	filled = 20
	// patience bounds one request of churn and commit, so that they look again what became of it.
	patience = 2 * time.Second
)

// restless makes a client come back quickly to a broker that is killed again and again.
func restless() []kgo.Opt {
	return []kgo.Opt{
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
		kgo.MetadataMinAge(20 * time.Millisecond), kgo.RequestRetries(1000), kgo.DialTimeout(time.Second),
	}
}

// send HISTORY TOPIC PARTITIONS PRODUCER idempotent|plain: as load, but paced, with padded records. A plain one does not retry.
func send(ctx context.Context, arguments []string) {
	events, topic, producer := openHistory(arguments[0]), arguments[1], arguments[3]
	partitions := int32(must(strconv.Atoi(arguments[2])))
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	options := append(restless(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(200))
	if arguments[4] == "plain" {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.RecordRetries(0))
	}
	connection := client(options...)
	pad, refused := make([]byte, large), atomic.Bool{}
	for n := 0; ctx.Err() == nil; n++ {
		length := rand.IntN(padding)
		if rand.IntN(manySmall) == 0 {
			length = large
		}
		record := &kgo.Record{Topic: topic, Partition: int32(n) % partitions, Value: fmt.Appendf(nil, "%s-%d", producer, n)}
		record.Headers = []kgo.RecordHeader{{Key: "padding", Value: pad[:length]}}
		connection.Produce(context.Background(), record, func(record *kgo.Record, err error) {
			if err == nil {
				events.write("ok %d %d %s", record.Partition, record.Offset, record.Value)
			} else {
				events.write("info %d %s", record.Partition, record.Value)
				refused.Store(true)
				if arguments[4] != "plain" {
					fmt.Fprintf(os.Stderr, "%s: %v\n", record.Value, err)
				}
			}
		})
		if refused.Swap(false) {
			time.Sleep(20 * time.Millisecond)
		} else if n%pace == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	flush, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := connection.Flush(flush); err != nil {
		fail("flush: %v", err)
	}
	connection.Close()
}

// churn HISTORY PREFIX SLOTS: makes topics PREFIX-0 .. of one partition, fills them, deletes them and makes them again, until
// SIGTERM. Before each step it lists them. Events: `creating NAME`, `created NAME ID`, `sending NAME COUNT`, `sent NAME END`,
// `deleting NAME`, `deleted NAME`, `listed NAME:ID:END,...`.
func churn(ctx context.Context, arguments []string) {
	events, prefix := openHistory(arguments[0]), arguments[1]
	slots := must(strconv.Atoi(arguments[2]))
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	connection := client(restless()...)
	admin := kadm.NewClient(connection)
	for n := 0; ctx.Err() == nil; {
		there, err := listed(connection, prefix)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		events.write("listed %s", there)
		name := fmt.Sprintf("%s-%d", prefix, n%slots)
		if strings.Contains(there, name+":") {
			remove(admin, events, name)
		} else {
			fill(admin, events, name)
		}
		n += 1 + rand.IntN(2)
	}
}

func listed(connection *kgo.Client, prefix string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Asked for by hand: kadm answers from what it heard a moment ago.
	topics, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, connection)
	if err != nil {
		return "", err
	}
	ids := map[string]string{}
	var names []string
	for _, topic := range topics.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
			return "", err
		}
		if name := *topic.Topic; strings.HasPrefix(name, prefix+"-") {
			names = append(names, name)
			ids[name] = kadm.TopicID(topic.TopicID).String()
		}
	}
	if len(names) == 0 {
		return "-", nil
	}
	sort.Strings(names)
	ends, err := kadm.NewClient(connection).ListEndOffsets(ctx, names...)
	if err != nil {
		return "", err
	}
	for i, name := range names {
		end, _ := ends.Lookup(name, 0)
		if end.Err != nil {
			return "", end.Err
		}
		names[i] = fmt.Sprintf("%s:%s:%d", name, ids[name], end.Offset)
	}
	return strings.Join(names, ","), nil
}

func fill(admin *kadm.Client, events *history, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	events.write("creating %s", name)
	made, err := admin.CreateTopic(ctx, 1, 1, nil, name)
	if err != nil {
		return
	}
	events.write("created %s %s", name, made.ID)
	producer := client(append(restless(), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0))...)
	defer producer.Close()
	records := make([]*kgo.Record, filled)
	for n := range records {
		records[n] = &kgo.Record{Topic: name, Value: fmt.Appendf(nil, "%s-%d", made.ID, n)}
	}
	events.write("sending %s %d", name, filled)
	results := producer.ProduceSync(ctx, records...)
	if results.FirstErr() == nil {
		events.write("sent %s %d", name, results[filled-1].Record.Offset+1)
	}
}

func remove(admin *kadm.Client, events *history, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	events.write("deleting %s", name)
	// A retry that finds it gone comes after an attempt that deleted it.
	if _, err := admin.DeleteTopic(ctx, name); err == nil || errors.Is(err, kerr.UnknownTopicOrPartition) {
		events.write("deleted %s", name)
	}
}

// commit HISTORY GROUP TOPIC PARTITIONS: commits 1, 2, 3, ... for all partitions and asks now and then, and after every failure,
// what is committed, until SIGTERM. Events: `committing NUMBER`, `commit-ok NUMBER`, `fetched SMALLEST LARGEST`.
func commit(ctx context.Context, arguments []string) {
	events, group, topic := openHistory(arguments[0]), arguments[1], arguments[2]
	partitions := int32(must(strconv.Atoi(arguments[3])))
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	admin := kadm.NewClient(client(restless()...))
	for n := int64(1); ctx.Err() == nil; n++ {
		events.write("committing %d", n)
		failed := commitAll(admin, group, topic, partitions, n)
		if failed == nil {
			events.write("commit-ok %d", n)
		}
		for failed != nil || n%50 == 0 {
			smallest, largest, err := fetchAll(admin, group, topic, partitions)
			if err == nil {
				events.write("fetched %d %d", smallest, largest)
				break
			}
			if ctx.Err() != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Millisecond)
	}
}

func commitAll(admin *kadm.Client, group, topic string, partitions int32, offset int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	offsets := kadm.Offsets{}
	for partition := range partitions {
		offsets.AddOffset(topic, partition, offset, -1)
	}
	answers, err := admin.CommitOffsets(ctx, group, offsets)
	if err != nil {
		return err
	}
	return answers.Error()
}

// fetchAll tells the smallest and largest of the committed offsets; one that is missing counts as 0.
func fetchAll(admin *kadm.Client, group, topic string, partitions int32) (int64, int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answers, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, 0, err
	}
	if err := answers.Error(); err != nil {
		return 0, 0, err
	}
	var smallest, largest int64
	for partition := range partitions {
		answer, _ := answers.Lookup(topic, partition)
		if partition == 0 || answer.At < smallest {
			smallest = answer.At
		}
		largest = max(largest, answer.At)
	}
	return smallest, largest, nil
}

// caught GROUP TOPIC: ends when the group has committed the end of every partition.
func caught(ctx context.Context, group, topic string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	admin := kadm.NewClient(client(restless()...))
	ends := must(admin.ListEndOffsets(ctx, topic))
	for left := "everything"; left != ""; time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil {
			fail("the group %s has not read %s", group, left)
		}
		committed, err := admin.FetchOffsets(ctx, group)
		if err != nil {
			continue
		}
		left = ""
		ends.Each(func(end kadm.ListedOffset) {
			if at, _ := committed.Lookup(topic, end.Partition); at.At < end.Offset {
				left = fmt.Sprintf("partition %d: at %d of %d", end.Partition, at.At, end.Offset)
			}
		})
	}
}

// shutdown is ext4's ioctl to stop a file system at once, and noFlush what it does with what is not on the device: drop it.
const shutdown, noFlush = 0x8004587d, 2

// cut MOUNT: a power cut as far as the file system is concerned: from now on nothing gets to the device any more.
func cut(mount string) {
	directory := must(os.Open(mount))
	if err := ioctl(directory.Fd(), shutdown, noFlush); err != nil {
		fail("shut down %s: %v", mount, err)
	}
}
