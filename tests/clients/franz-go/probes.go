package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// told prints a Kafka error's name, or `ok`.
func told(err error) {
	if err == nil {
		fmt.Println("ok")
	} else {
		fmt.Println(err)
	}
}

// probe TOPIC PARTITION: sends one record once and prints what came of it.
func probe(ctx context.Context, topic string, partition int32) {
	connection := client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0),
		kgo.RecordDeliveryTimeout(10*time.Second))
	told(connection.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: []byte("probe-0")}).FirstErr())
}

// fetch TOPIC PARTITION: asks once for the partition's first records and prints what came of it.
func fetch(ctx context.Context, topic string, partition int32) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	wanted := kmsg.NewFetchRequestTopicPartition()
	wanted.Partition, wanted.PartitionMaxBytes = partition, 1<<20
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.Partitions = topic, []kmsg.FetchRequestTopicPartition{wanted}
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes, request.Topics = 100, 1, 1<<20, []kmsg.FetchRequestTopic{of}
	request.SessionEpoch = -1
	// The last version that names topics.
	connection := client(kgo.RetryTimeout(5*time.Second), kgo.MaxVersions(kversion.V2_8_0()))
	answer, err := request.RequestWith(ctx, connection)
	if err == nil {
		part := answer.Topics[0].Partitions[0]
		err = kerr.ErrorForCode(part.ErrorCode)
		if err == nil && len(part.RecordBatches) == 0 {
			err = fmt.Errorf("nothing")
		}
	}
	told(err)
}

// drop TOPIC: deletes it and prints what came of it.
func drop(ctx context.Context, topic string) {
	_, err := kadm.NewClient(client()).DeleteTopic(ctx, topic)
	told(err)
}
