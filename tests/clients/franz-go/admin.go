package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	adminTopic   = "kadm-admin"
	adminGroup   = "kadm-admin-group"
	adminRecords = 100
)

// The program reads itself: every call that kadm offers has to be in it, or in `without`.
//
//go:embed admin.go
var adminSource string

// without has the calls that are not made, and why.
var without = map[string]string{
	"DescribeTransactions":        "transactions",
	"FindTxnCoordinators":         "transactions",
	"ListTransactions":            "transactions",
	"ListTransactionsByTxPattern": "transactions",
	"WriteTxnMarkers":             "transactions",
	"DescribeConsumerGroups":      "groups of the protocol of KIP-848",
	"AlterShareGroupOffsets":      "share groups",
	"DeleteShareGroupOffsets":     "share groups",
	"DescribeShareGroupOffsets":   "share groups",
	"DescribeShareGroups":         "share groups",
	"FindShareCoordinators":       "share groups",
	"ListLatestRemoteOffsets":     "tiered storage",
	"CommitAllOffsetsByID":        "OffsetCommit 10 is not served",
	"CommitOffsetsByID":           "OffsetCommit 10 is not served",
	"FetchOffsetsByID":            "OffsetFetch 10 is not served",
}

// admin makes every call of kadm and looks at its answer.
func admin(ctx context.Context) {
	login := kgo.SASL(by("plain", os.Getenv("SASL_USER"), os.Getenv("SASL_PASSWORD")))
	// The last metadata is never older than the last change.
	connection := client(login, kgo.MetadataMinAge(10*time.Millisecond))
	admin := kadm.NewClient(connection)
	admin.SetTimeoutMillis(10_000)
	adminTopics(ctx, admin)
	node := adminCluster(ctx, admin)
	adminConfigs(ctx, admin, node)
	adminOffsets(ctx, admin, connection)
	adminGroups(ctx, admin, login)
	adminAccess(ctx, admin)
	must(admin.DeleteTopic(ctx, adminTopic+"-3"))
	deleted := must(admin.DeleteTopics(ctx, adminTopic, adminTopic+"-2", "absent"))
	same("deleted", []error{nil, nil, kerr.UnknownTopicOrPartition}, []error{deleted[adminTopic].Err, deleted[adminTopic+"-2"].Err, deleted["absent"].Err})
	waitFor("no topics", func() bool { return !must(admin.ListTopics(ctx)).Has(adminTopic) })
	admin.Close()
	calls := 0
	offered := reflect.TypeOf(admin)
	for i := range offered.NumMethod() {
		name := offered.Method(i).Name
		_, excused := without[name]
		if made := strings.Contains(adminSource, "admin."+name+"("); made == excused {
			fail("%s: made %v, excused %v", name, made, excused)
		} else if made {
			calls++
		}
	}
	fmt.Printf(`{"client":"kadm","version":"%s","calls":%d,"without":%d}`+"\n", version("github.com/twmb/franz-go/pkg/kadm"), calls, len(without))
}

func same[T any](what string, expected, found T) {
	if !reflect.DeepEqual(expected, found) {
		fail("%s: expected %v, found %v", what, expected, found)
	}
}

func refused(what string, expected, found error) {
	if !errors.Is(found, expected) {
		fail("%s: expected %v, found %v", what, expected, found)
	}
}

func set(topic string, partitions ...int32) kadm.TopicsSet {
	var all kadm.TopicsSet
	all.Add(topic, partitions...)
	return all
}

func adminTopics(ctx context.Context, admin *kadm.Client) {
	settings := map[string]*string{"retention.ms": kadm.StringPtr("86400000")}
	must(admin.ValidateCreateTopics(ctx, 2, 1, settings, adminTopic))
	equal("made by a validation", false, must(admin.ListTopics(ctx)).Has(adminTopic))
	made := must(admin.CreateTopic(ctx, 2, 1, settings, adminTopic))
	retention := made.Configs["retention.ms"]
	refused("made", nil, made.Err)
	same("made", []any{int32(2), int16(1), "86400000"}, []any{made.NumPartitions, made.ReplicationFactor, retention.MaybeValue()})
	others := must(admin.CreateTopics(ctx, 1, 1, nil, adminTopic, adminTopic+"-2", adminTopic+"-3"))
	same("made twice, and others", []error{kerr.TopicAlreadyExists, nil, nil}, []error{others[adminTopic].Err, others[adminTopic+"-2"].Err, others[adminTopic+"-3"].Err})
	waitFor("the topics", func() bool { return must(admin.ListTopics(ctx)).Has(adminTopic + "-3") })
	refused("partitions validated", kerr.InvalidPartitions, must(admin.ValidateUpdatePartitions(ctx, 1, adminTopic))[adminTopic].Err)
	refused("partitions to add validated", nil, must(admin.ValidateCreatePartitions(ctx, 1, adminTopic))[adminTopic].Err)
	refused("partitions added", nil, must(admin.CreatePartitions(ctx, 1, adminTopic))[adminTopic].Err)
	refused("partitions", nil, must(admin.UpdatePartitions(ctx, 2, adminTopic+"-2"))[adminTopic+"-2"].Err)
	partitions := func() []int {
		listed := must(admin.ListTopics(ctx, adminTopic, adminTopic+"-2"))
		return []int{len(listed[adminTopic].Partitions), len(listed[adminTopic+"-2"].Partitions)}
	}
	waitFor("the partitions", func() bool { return slices.Equal(partitions(), []int{3, 2}) })
	equal("id", made.ID, must(admin.ListTopics(ctx))[adminTopic].ID)
}

func adminCluster(ctx context.Context, admin *kadm.Client) int32 {
	brokers := must(admin.ListBrokers(ctx))
	equal("brokers", 1, len(brokers))
	equal("broker", bootstrap, net.JoinHostPort(brokers[0].Host, fmt.Sprint(brokers[0].Port)))
	node := brokers[0].NodeID
	metadata := must(admin.Metadata(ctx, adminTopic))
	same("metadata", []any{22, node, 1}, []any{len(metadata.Cluster), metadata.Controller, len(metadata.Topics)})
	part := metadata.Topics[adminTopic].Partitions[0]
	same("partition", []any{node, []int32{node}, []int32{node}}, []any{part.Leader, part.Replicas, part.ISR})
	equal("cluster", metadata.Cluster, must(admin.BrokerMetadata(ctx)).Cluster)
	versions := must(admin.ApiVersions(ctx))[node]
	lowest, highest, known := versions.KeyVersions(19)
	same("versions of CreateTopics", []any{int16(2), int16(7), true}, []any{lowest, highest, known})
	dirs := must(admin.DescribeAllLogDirs(ctx, nil))[node]
	ours := must(admin.DescribeBrokerLogDirs(ctx, node, set(adminTopic, 0)))
	equal("log directories", len(dirs), len(ours))
	moved := kadm.AlterReplicaLogDirsReq{}
	for dir := range ours {
		moved.Add(dir, set(adminTopic, 0))
		_, known := ours.Lookup(dir, adminTopic, 0)
		equal("a log in its directory", true, known)
	}
	refused("moved to where it is", nil, must(admin.AlterAllReplicaLogDirs(ctx, moved))[node][adminTopic][0].Err)
	nowhere := kadm.AlterReplicaLogDirsReq{"/nowhere": set(adminTopic, 0)}
	refused("moved to nowhere", kerr.LogDirNotFound, must(admin.AlterBrokerReplicaLogDirs(ctx, node, nowhere))[adminTopic][0].Err)
	refused("election", kerr.ElectionNotNeeded, must(admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, set(adminTopic, 0)))[adminTopic][0].Err)
	var assignment kadm.AlterPartitionAssignmentsReq
	assignment.Assign(adminTopic, 0, []int32{node})
	assignment.Assign(adminTopic, 1, []int32{77})
	assignment.CancelAssign(adminTopic, 2)
	reassigned := must(admin.AlterPartitionAssignments(ctx, assignment))[adminTopic]
	refused("to its own broker", nil, reassigned[0].Err)
	refused("to no broker", kerr.InvalidReplicaAssignment, reassigned[1].Err)
	refused("cancelled", kerr.NoReassignmentInProgress, reassigned[2].Err)
	equal("reassignments", 0, len(must(admin.ListPartitionReassignments(ctx, nil))))
	feature := kadm.FeatureUpdate{Feature: "metadata.version", MaxVersionLevel: 999, UpgradeType: 1}
	refused("a feature too high", kerr.InvalidUpdateVersion, must(admin.UpdateFeatures(ctx, true, feature))["metadata.version"].Err)
	return node
}

func adminConfigs(ctx context.Context, admin *kadm.Client, node int32) {
	read := func() string {
		described := must(must(admin.DescribeTopicConfigs(ctx, adminTopic)).On(adminTopic, nil))
		for _, config := range described.Configs {
			if config.Key == "retention.ms" {
				return config.MaybeValue()
			}
		}
		return ""
	}
	change := func(value string) []kadm.AlterConfig {
		return []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}
	}
	ok := func(responses kadm.AlterConfigsResponses, err error) {
		refused("altered", nil, err)
		equal("responses", 1, len(responses))
		refused("altered", nil, responses[0].Err)
	}
	equal("a setting", "86400000", read())
	ok(admin.ValidateAlterTopicConfigs(ctx, change("1"), adminTopic))
	ok(admin.ValidateAlterTopicConfigsState(ctx, change("1"), adminTopic))
	equal("not changed by a validation", "86400000", read())
	ok(admin.AlterTopicConfigs(ctx, change("7200000"), adminTopic))
	waitFor("the change", func() bool { return read() == "7200000" })
	ok(admin.AlterTopicConfigsState(ctx, change("3600000"), adminTopic))
	waitFor("the change as a whole", func() bool { return read() == "3600000" })
	wrong := must(admin.AlterTopicConfigs(ctx, change("long"), adminTopic))[0]
	refused("no number", kerr.InvalidConfig, wrong.Err)
	broker := func(value string) []kadm.AlterConfig {
		return []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "log.retention.ms", Value: &value}}
	}
	ok(admin.ValidateAlterBrokerConfigs(ctx, broker("1"), node))
	ok(admin.ValidateAlterBrokerConfigsState(ctx, broker("1"), node))
	ok(admin.AlterBrokerConfigs(ctx, broker("9000000"), node))
	ok(admin.AlterBrokerConfigsState(ctx, broker("9500000"), node))
	waitFor("the broker's value", func() bool {
		configs := must(must(admin.DescribeBrokerConfigs(ctx, node)).On(fmt.Sprint(node), nil)).Configs
		return slices.ContainsFunc(configs, func(config kadm.Config) bool {
			return config.Key == "log.retention.ms" && config.MaybeValue()+config.Source.String() == "9500000DYNAMIC_BROKER_CONFIG"
		})
	})
	ok(admin.AlterBrokerConfigsState(ctx, nil, node))
	resources := must(admin.ListConfigResources(ctx, kmsg.ConfigResourceTypeTopic))
	equal("topics with settings", true, slices.Contains(resources.Names(), adminTopic))
}

func adminOffsets(ctx context.Context, admin *kadm.Client, connection *kgo.Client) {
	producer := client(kgo.SASL(by("plain", os.Getenv("SASL_USER"), os.Getenv("SASL_PASSWORD"))), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	records := make([]*kgo.Record, adminRecords)
	for i := range records {
		records[i] = &kgo.Record{Topic: adminTopic, Value: fmt.Appendf(nil, "v%d", i), Timestamp: time.UnixMilli(base + int64(i)*1000)}
	}
	refused("produced", nil, producer.ProduceSync(ctx, records...).FirstErr())
	producer.Close()
	first := func(listed kadm.ListedOffsets, err error) int64 {
		refused("offsets", nil, err)
		offset, _ := listed.Lookup(adminTopic, 0)
		refused("offset", nil, offset.Err)
		return offset.Offset
	}
	equal("deleted up to", int64(10), must(admin.DeleteRecords(ctx, kadm.Offsets{adminTopic: {0: {Topic: adminTopic, At: 10}}}))[adminTopic][0].LowWatermark)
	equal("start", 10, first(admin.ListStartOffsets(ctx, adminTopic)))
	equal("local start", 10, first(admin.ListLocalLogStartOffsets(ctx, adminTopic)))
	equal("end", adminRecords, first(admin.ListEndOffsets(ctx, adminTopic)))
	equal("committed", adminRecords, first(admin.ListCommittedOffsets(ctx, adminTopic)))
	equal("highest time", adminRecords-1, first(admin.ListMaxTimestampOffsets(ctx, adminTopic)))
	equal("of a time", 50, first(admin.ListOffsetsAfterMilli(ctx, base+49_500, adminTopic)))
	epochs := kadm.OffsetForLeaderEpochRequest{adminTopic: {0: 0}}
	equal("end of an epoch", int64(adminRecords), must(admin.OffsetForLeaderEpoch(ctx, epochs))[adminTopic][0].EndOffset)
	equal("end of an epoch by the old name", int64(adminRecords), must(admin.OffetForLeaderEpoch(ctx, epochs))[adminTopic][0].EndOffset)
	producers := must(admin.DescribeProducers(ctx, set(adminTopic, 0))).SortedProducers()
	equal("producers", 1, len(producers))
	equal("last sequence", int32(adminRecords-1), producers[0].LastSequence)
	internal := must(admin.ListTopicsWithInternal(ctx))
	equal("topics with internal ones", true, len(internal) >= 3)
}

func adminGroups(ctx context.Context, admin *kadm.Client, login kgo.Opt) {
	offsets := kadm.Offsets{adminTopic: {0: {Topic: adminTopic, At: 42, LeaderEpoch: -1, Metadata: "why"}}}
	committed := must(admin.CommitOffsets(ctx, adminGroup, offsets))
	refused("committed", nil, committed[adminTopic][0].Err)
	refused("committed", nil, admin.CommitAllOffsets(ctx, adminGroup, offsets))
	found := must(admin.FetchOffsets(ctx, adminGroup))[adminTopic][0]
	same("fetched", []any{int64(42), "why"}, []any{found.At, found.Metadata})
	equal("fetched with its topics", 3, len(must(admin.FetchOffsetsForTopics(ctx, adminGroup, adminTopic))[adminTopic]))
	many := admin.FetchManyOffsets(ctx, adminGroup, adminGroup+"-2")
	same("of many groups", []int{1, 0}, []int{len(many[adminGroup].Fetched), len(many[adminGroup+"-2"].Fetched)})
	coordinators := admin.FindGroupCoordinators(ctx, adminGroup)
	refused("coordinator", nil, coordinators[adminGroup].Err)
	equal("state", "Empty", must(admin.ListGroups(ctx))[adminGroup].State)
	equal("among the stable groups", "", must(admin.ListGroups(ctx, "Stable"))[adminGroup].Group)
	equal("among the classic groups", adminGroup, must(admin.ListGroupsByType(ctx, []string{"classic"}))[adminGroup].Group)
	lag := must(admin.Lag(ctx, adminGroup))[adminGroup]
	equal("lag", int64(adminRecords-42), lag.Lag[adminTopic][0].Lag)
	refused("offset deleted", nil, must(admin.DeleteOffsets(ctx, adminGroup, set(adminTopic, 0)))[adminTopic][0])
	equal("offsets after that", 0, len(must(admin.FetchOffsets(ctx, adminGroup))))
	member := client(login, kgo.ConsumerGroup(adminGroup), kgo.ConsumeTopics(adminTopic), kgo.InstanceID("one"))
	waitFor("a member", func() bool { return must(admin.DescribeGroups(ctx, adminGroup))[adminGroup].State == "Stable" })
	described := must(admin.DescribeGroups(ctx, adminGroup))[adminGroup]
	same("described", []any{"consumer", "cooperative-sticky", 1, "one"}, []any{described.ProtocolType, described.Protocol, len(described.Members), *described.Members[0].InstanceID})
	assigned := described.AssignedPartitions()
	equal("assigned", true, assigned.Lookup(adminTopic, 2))
	refused("deleted with a member", kerr.NonEmptyGroup, must(admin.DeleteGroups(ctx, adminGroup))[adminGroup].Err)
	left := must(admin.LeaveGroup(ctx, kadm.LeaveGroup(adminGroup).InstanceIDs("one", "two").Reason("the test")))
	refused("left", nil, left["one"].Err)
	refused("left without being in it", kerr.UnknownMemberID, left["two"].Err)
	member.CloseAllowingRebalance()
	waitFor("an empty group", func() bool { return must(admin.DescribeGroups(ctx, adminGroup))[adminGroup].State == "Empty" })
	must(admin.DeleteGroup(ctx, adminGroup))
	_, err := admin.DeleteGroup(ctx, adminGroup)
	refused("deleted twice", kerr.GroupIDNotFound, err)
}

func adminAccess(ctx context.Context, admin *kadm.Client) {
	rules := func() *kadm.ACLBuilder {
		return kadm.NewACLs().Topics("kadm-").ResourcePatternType(kadm.ACLPatternPrefixed).Operations(kadm.OpRead).
			Allow("User:kadm").AllowHosts("*")
	}
	created := must(admin.CreateACLs(ctx, rules()))
	equal("rules", 1, len(created))
	refused("rule", nil, created[0].Err)
	described := func() kadm.DescribedACLs { return must(admin.DescribeACLs(ctx, rules()))[0].Described }
	waitFor("the rule", func() bool { return len(described()) == 1 })
	rule := described()[0]
	same("described", []string{"User:kadm * kadm- READ"}, []string{fmt.Sprint(rule.Principal, " ", rule.Host, " ", rule.Name, " ", rule.Operation)})
	equal("deleted", 1, len(must(admin.DeleteACLs(ctx, rules()))[0].Deleted))
	waitFor("no rule", func() bool { return len(described()) == 0 })
	adminQuotas(ctx, admin)
	upsert := kadm.UpsertSCRAM{User: "kadm", Mechanism: kadm.ScramSha512, Iterations: 8192, Password: "a password"}
	refused("user", nil, must(admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{upsert}))["kadm"].Err)
	waitFor("the user", func() bool { return must(admin.DescribeUserSCRAMs(ctx, "kadm"))["kadm"].Err == nil })
	same("described", []kadm.CredInfo{{Mechanism: kadm.ScramSha512, Iterations: 8192}}, must(admin.DescribeUserSCRAMs(ctx, "kadm"))["kadm"].CredInfos)
	gone := kadm.DeleteSCRAM{User: "kadm", Mechanism: kadm.ScramSha512}
	refused("deleted", nil, must(admin.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{gone}, nil))["kadm"].Err)
	waitFor("no user", func() bool {
		return errors.Is(must(admin.DescribeUserSCRAMs(ctx, "kadm"))["kadm"].Err, kerr.ResourceNotFound)
	})
	token := must(admin.CreateDelegationToken(ctx, kadm.CreateDelegationToken{Renewers: []kadm.Principal{{Type: "User", Name: "bob"}}, MaxLifetime: time.Hour}))
	equal("owner", "admin", token.Owner.Name)
	waitFor("the token", func() bool { return len(must(admin.DescribeDelegationTokens(ctx))) == 1 })
	shown := must(admin.DescribeDelegationTokens(ctx))
	same("tokens", []any{1, token.TokenID, token.HMAC}, []any{len(shown), shown[0].TokenID, shown[0].HMAC})
	equal("renewed up to", true, !must(admin.RenewDelegationToken(ctx, token.HMAC, time.Minute)).After(token.MaxTimestamp))
	must(admin.ExpireDelegationToken(ctx, token.HMAC, -time.Millisecond))
	waitFor("no token", func() bool { return len(must(admin.DescribeDelegationTokens(ctx))) == 0 })
}

func adminQuotas(ctx context.Context, admin *kadm.Client) {
	name := "kadm"
	entity := kadm.ClientQuotaEntity{{Type: "user", Name: &name}}
	entry := func(op kadm.AlterClientQuotaOp) []kadm.AlterClientQuotaEntry {
		return []kadm.AlterClientQuotaEntry{{Entity: entity, Ops: []kadm.AlterClientQuotaOp{op}}}
	}
	read := func() kadm.DescribedClientQuotas {
		return must(admin.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &name}}))
	}
	limit := kadm.AlterClientQuotaOp{Key: "producer_byte_rate", Value: 1_000_000}
	refused("validated", nil, must(admin.ValidateAlterClientQuotas(ctx, entry(limit)))[0].Err)
	equal("not set by a validation", 0, len(read()))
	refused("set", nil, must(admin.AlterClientQuotas(ctx, entry(limit)))[0].Err)
	waitFor("the quota", func() bool { return len(read()) == 1 })
	same("quota", kadm.ClientQuotaValues{{Key: "producer_byte_rate", Value: 1_000_000}}, read()[0].Values)
	limit.Remove = true
	refused("removed", nil, must(admin.AlterClientQuotas(ctx, entry(limit)))[0].Err)
	waitFor("no quota", func() bool { return len(read()) == 0 })
}
