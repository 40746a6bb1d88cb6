// The settings of a producer and of a consumer in a group, in kafkajs or in @confluentinc/kafka-javascript: each is set to two
// values, and what it changes is looked at. What can be seen from here only by time has a bound in one direction: a wait that must
// not end early, or one that must end long before another setting would end it. What became of batches the lane reads from the log.
'use strict'

const { performance } = require('node:perf_hooks')

const CLIENT = process.argv[2]
const { kafka, version, makeProducer, makeConsumer, producing } = require(`./${CLIENT}.js`)
const LIMIT = 60_000
const RECORDS = 100
// Far beyond what a loaded machine takes for a record.
const LONG_WAIT = 20_000
const SHORT_WAIT = 1500
const MUCH = 1 << 20

function fail(message) {
  console.error(message)
  process.exit(1)
}

const within = (promise, what) => Promise.race([
  promise,
  new Promise((_, reject) => setTimeout(() => reject(new Error(`waited too long for ${what}`)), LIMIT).unref()),
])

const values = bytes => Array.from({ length: RECORDS }, (_, i) => `${i} `.padEnd(bytes, 'x'))

// Topics whose batches the lane looks at: one a case.
async function produceCases(admin) {
  for (const { name, settings, oneByOne, bytes } of producing) {
    const topic = `${CLIENT}-${name}`
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    const producer = await makeProducer(settings)
    if (oneByOne) for (const value of values(bytes)) await producer.send(topic, [value])
    else await producer.send(topic, values(bytes))
    await producer.close()
  }
}

// A consumer that has read one record and now waits for more; `next` tells when as many more have come.
async function consuming(admin, name, settings) {
  const topic = `${CLIENT}-${name}`
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const producer = await makeProducer({})
  let read = 0
  let waiting = null
  // Never closed: that would wait for the fetch under way.
  await makeConsumer(`${CLIENT}-${name}`, topic, settings, () => {
    read++
    if (waiting && read >= waiting.count) waiting.resolve(performance.now())
  })
  const next = count => within(new Promise(resolve => {
    waiting = { count, resolve }
    if (read >= count) resolve(performance.now())
  }), `${count} records of ${topic}`)
  await producer.send(topic, ['first'])
  await next(1)
  return {
    send: bytes => producer.send(topic, ['x'.repeat(bytes)]),
    next,
    read: () => read,
  }
}

// fetch.min.bytes=1: a record comes long before fetch.max.wait.ms is over.
async function atOnce(admin) {
  const consumer = await consuming(admin, 'at-once', { minBytes: 1, maxWait: LONG_WAIT })
  const begun = performance.now()
  await consumer.send(10)
  const took = await consumer.next(2) - begun
  if (took > LONG_WAIT - 5000) fail(`with fetch.min.bytes=1 a record took ${took} ms`)
  return took
}

// fetch.min.bytes is not reached: what comes comes when fetch.max.wait.ms is over. A record that is sent when the one before came
// waits for nearly all of that.
async function afterTheWait(admin) {
  const consumer = await consuming(admin, 'after-the-wait', { minBytes: MUCH, maxWait: SHORT_WAIT })
  let longest = 0
  for (let count = 2; count < 5; count++) {
    const begun = performance.now()
    await consumer.send(10)
    longest = Math.max(longest, await consumer.next(count) - begun)
  }
  if (longest < SHORT_WAIT / 2) fail(`with fetch.max.wait.ms=${SHORT_WAIT} records took ${longest} ms at most`)
  return longest
}

// fetch.min.bytes is reached before fetch.max.wait.ms is over: not before, and then at once.
async function withEnough(admin) {
  const consumer = await consuming(admin, 'with-enough', { minBytes: 50_000, maxWait: LONG_WAIT })
  const begun = performance.now()
  await consumer.send(10)
  await new Promise(resolve => setTimeout(resolve, 1000))
  if (consumer.read() > 1) fail('a record came before there were fetch.min.bytes')
  await consumer.send(60_000)
  const took = await consumer.next(3) - begun
  if (took > LONG_WAIT - 5000) fail(`with fetch.min.bytes there, records took ${took} ms`)
  return took
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await produceCases(admin)
  const took = []
  for (const one of [atOnce, afterTheWait, withEnough]) took.push(Math.round(await one(admin)))
  await admin.disconnect()
  console.log(JSON.stringify({ client: CLIENT, version, took, cases: producing.map(({ name, batches, codec, most }) => ({ topic: `${CLIENT}-${name}`, batches, codec, most })) }))
  process.exit(0)
}

main().catch(error => fail(error.stack))
