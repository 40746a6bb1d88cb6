// The admin client of kafkajs: every call that it offers, with its answer looked at. A call without a check fails the program.
'use strict'

const {
  AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, Kafka, ResourcePatternTypes, logLevel,
} = require('kafkajs')
const { version } = require('kafkajs/package.json')

const { BOOTSTRAP, SASL_USER: username, SASL_PASSWORD: password } = process.env
const TOPIC = 'kafkajs-admin'
const GROUP = 'kafkajs-admin-group'
const RECORDS = 100
const BASE = Date.now() - 3_600_000
const LIMIT = 60_000

// What is there and asks a broker nothing.
const NO_CALLS = ['events', 'logger']

const kafka = new Kafka({ brokers: [BOOTSTRAP], logLevel: logLevel.NOTHING, sasl: { mechanism: 'plain', username, password } })
const admin = kafka.admin()
const called = new Set()

function fail(message) {
  console.error(message)
  process.exit(1)
}

function equal(what, expected, found) {
  const [wanted, got] = [expected, found].map(value => JSON.stringify(value))
  if (wanted !== got) fail(`${what}: expected ${wanted}, found ${got}`)
}

// Every call goes through here, so that those that were never made are known.
const calls = new Proxy(admin, {
  get(client, name) {
    called.add(name)
    return client[name]
  },
})

// Kafka's own broker shows a change of metadata a little after it was answered.
async function until(what, condition) {
  const end = Date.now() + LIMIT
  while (!(await condition())) if (Date.now() > end) fail(`waited too long for ${what}`)
}

async function refused(what, type, promise) {
  const error = await promise.then(() => null, error => error)
  const found = error && (error.type || error.errors?.[0]?.type || error.groups?.[0]?.error?.type || error.name)
  equal(what, type, found)
}

async function topics() {
  const entry = { topic: TOPIC, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '86400000' }] }
  equal('validated only', true, await calls.createTopics({ topics: [entry], validateOnly: true, waitForLeaders: false }))
  equal('not made by a validation', false, (await calls.listTopics()).includes(TOPIC))
  equal('made', true, await calls.createTopics({ topics: [entry] }))
  equal('made twice', false, await calls.createTopics({ topics: [entry] }))
  await until('the topic', async () => (await calls.listTopics()).includes(TOPIC))
  await calls.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 3 }] })
  await until('the third partition', async () =>
    (await calls.fetchTopicMetadata({ topics: [TOPIC] })).topics[0].partitions.length === 3)
  await refused('fewer partitions', 'INVALID_PARTITIONS',
    calls.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 1 }] }))
}

async function cluster() {
  const { brokers, controller, clusterId } = await calls.describeCluster()
  const [host, port] = BOOTSTRAP.split(':')
  equal('brokers', [[host, Number(port)]], brokers.map(broker => [broker.host, broker.port]))
  const [{ nodeId }] = brokers
  equal('controller', nodeId, controller)
  equal('length of the cluster id', 22, clusterId.length)
  const { topics: [{ name, partitions }] } = await calls.fetchTopicMetadata({ topics: [TOPIC] })
  equal('topic', TOPIC, name)
  const shown = partitions.map(({ partitionErrorCode, partitionId, leader, replicas, isr }) =>
    [partitionErrorCode, partitionId, leader, replicas, isr])
  equal('partitions', [0, 1, 2].map(id => [0, id, nodeId, [nodeId], [nodeId]]),
    shown.sort((one, other) => one[1] - other[1]))
  await calls.alterPartitionReassignments({
    topics: [{ topic: TOPIC, partitionAssignment: [{ partition: 0, replicas: [nodeId] }] }],
  })
  await refused('replicas on a broker that is not there', 'INVALID_REPLICA_ASSIGNMENT',
    calls.alterPartitionReassignments({ topics: [{ topic: TOPIC, partitionAssignment: [{ partition: 0, replicas: [77] }] }] }))
  equal('reassignments', { topics: [] }, await calls.listPartitionReassignments({}))
}

async function configs() {
  const resource = { type: ConfigResourceTypes.TOPIC, name: TOPIC }
  const read = async () => {
    const { resources: [{ errorCode, configEntries }] } =
      await calls.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms', 'segment.bytes'] }], includeSynonyms: true })
    equal('error of a description', 0, errorCode)
    return Object.fromEntries(configEntries.map(entry => [entry.configName, entry]))
  }
  const before = await read()
  equal('a setting of the topic', '86400000', before['retention.ms'].configValue)
  equal('is no default', false, before['retention.ms'].isDefault)
  equal('a default', ['1073741824', true], [before['segment.bytes'].configValue, before['segment.bytes'].isDefault])
  equal('its synonyms', [['log.segment.bytes', '1073741824', 5]],
    before['segment.bytes'].configSynonyms.map(synonym => [synonym.configName, synonym.configValue, synonym.configSource]))
  const change = configEntries => ({ resources: [{ ...resource, configEntries }] })
  await calls.alterConfigs({ ...change([{ name: 'retention.ms', value: '1' }]), validateOnly: true })
  equal('not changed by a validation', '86400000', (await read())['retention.ms'].configValue)
  await calls.alterConfigs(change([{ name: 'retention.ms', value: '7200000' }]))
  await until('the change', async () => (await read())['retention.ms'].configValue === '7200000')
  await refused('no number', 'INVALID_CONFIG', calls.alterConfigs(change([{ name: 'retention.ms', value: 'long' }])))
  const { controller } = await calls.describeCluster()
  const { resources: [{ configEntries }] } =
    await calls.describeConfigs({ resources: [{ type: ConfigResourceTypes.BROKER, name: String(controller), configNames: ['node.id'] }] })
  equal('a setting of the broker', ['node.id', String(controller), true],
    [configEntries[0].configName, configEntries[0].configValue, configEntries[0].readOnly])
}

async function offsets() {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, i) => ({ value: `v${i}`, partition: 0, timestamp: String(BASE + i * 1000) }))
  await producer.send({ topic: TOPIC, messages })
  await producer.disconnect()
  const byPartition = list => list.sort((one, other) => one.partition - other.partition)
  const ends = [[0, '100', '0'], [1, '0', '0'], [2, '0', '0']]
  equal('offsets', ends, byPartition(await calls.fetchTopicOffsets(TOPIC)).map(o => [o.partition, o.high, o.low]))
  equal('offset of a time', '50', byPartition(await calls.fetchTopicOffsetsByTimestamp(TOPIC, BASE + 49_500))[0].offset)
  await calls.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '10' }] })
  equal('start after a deletion', '10', byPartition(await calls.fetchTopicOffsets(TOPIC))[0].low)
}

const committed = async () => {
  const [{ topic, partitions }] = await calls.fetchOffsets({ groupId: GROUP, topics: [TOPIC] })
  equal('topic of the group', TOPIC, topic)
  return partitions.sort((one, other) => one.partition - other.partition).map(({ offset }) => offset)
}

async function groups() {
  // The first group of all: Kafka makes and loads the topic of offsets only now.
  await until('a coordinator', () => committed().then(() => true, () => false))
  equal('of a group that is not there', ['-1', '-1', '-1'], await committed())
  await calls.setOffsets({ groupId: GROUP, topic: TOPIC, partitions: [{ partition: 0, offset: '42' }] })
  equal('set', ['42', '-1', '-1'], await committed())
  await calls.resetOffsets({ groupId: GROUP, topic: TOPIC, earliest: true })
  equal('reset to the earliest', ['-2', '-2', '-2'], await committed())
  const [{ partitions }] = await calls.fetchOffsets({ groupId: GROUP, topics: [TOPIC], resolveOffsets: true })
  equal('resolved', ['10', '0', '0'], partitions.sort((one, other) => one.partition - other.partition).map(({ offset }) => offset))
  equal('listed', [{ groupId: GROUP, protocolType: 'consumer' }],
    (await calls.listGroups()).groups.filter(({ groupId }) => groupId === GROUP))
  const consumer = kafka.consumer({ groupId: GROUP })
  const joined = new Promise((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve)
    setTimeout(() => reject(new Error('waited too long for a member')), LIMIT).unref()
  })
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC })
  await consumer.run({ eachMessage: async () => {} })
  await joined
  const { groups: [{ errorCode, groupId, state, protocolType, protocol, members }] } = await calls.describeGroups([GROUP])
  equal('described', [0, GROUP, 'Stable', 'consumer', 'RoundRobinAssigner', 1],
    [errorCode, groupId, state, protocolType, protocol, members.length])
  await refused('deleted with a member', 'NON_EMPTY_GROUP', calls.deleteGroups([GROUP]))
  await consumer.disconnect()
  equal('deleted', [{ groupId: GROUP, errorCode: 0 }],
    (await calls.deleteGroups([GROUP])).map(({ groupId, errorCode }) => ({ groupId, errorCode })))
  equal('listed no more', [], (await calls.listGroups()).groups.filter(({ groupId }) => groupId === GROUP))
}

async function acls() {
  const rule = { principal: 'User:kafkajs', host: '*', operation: AclOperationTypes.READ, permissionType: AclPermissionTypes.ALLOW }
  const pattern = { resourceType: AclResourceTypes.TOPIC, resourceName: 'kafkajs-', resourcePatternType: ResourcePatternTypes.PREFIXED }
  equal('made', true, await calls.createAcls({ acl: [{ ...pattern, ...rule }] }))
  const read = async () => (await calls.describeAcls({ ...pattern, ...rule })).resources
  await until('the rule', async () => (await read()).length > 0)
  const resources = await read()
  equal('described', [{ ...pattern, acls: [rule] }],
    resources.map(({ resourceType, resourceName, resourcePatternType, acls }) =>
      ({ resourceType, resourceName, resourcePatternType, acls: acls.map(({ principal, host, operation, permissionType }) =>
        ({ principal, host, operation, permissionType })) })))
  const { filterResponses: [{ errorCode, matchingAcls }] } = await calls.deleteAcls({ filters: [{ ...pattern, ...rule }] })
  equal('deleted', [0, 1, 'User:kafkajs'], [errorCode, matchingAcls.length, matchingAcls[0].principal])
  await until('no rule', async () => (await read()).length === 0)
}

async function main() {
  const events = []
  calls.on(admin.events.CONNECT, () => events.push('connect'))
  calls.on(admin.events.DISCONNECT, () => events.push('disconnect'))
  await calls.connect()
  for (const part of [topics, cluster, configs, offsets, groups, acls]) await part()
  await calls.deleteTopics({ topics: [TOPIC] })
  await until('the end of the topic', async () => !(await calls.listTopics()).includes(TOPIC))
  await calls.disconnect()
  equal('events', ['connect', 'disconnect'], events)
  const missing = Object.keys(admin).filter(name => !NO_CALLS.includes(name) && !called.has(name))
  equal('calls without a check', [], missing)
  console.log(JSON.stringify({ client: 'kafkajs', version, calls: called.size }))
}

main().catch(error => fail(error.stack))
